// Owns one running service inside this process: folder lock, event hub, dispatcher, local socket, health, orderly end. Must not know
// signals, exit codes or the process channel; serve-process.ts does.
import type { ReadyMessage } from '../contracts/carrier.ts';
import type { ServiceRole } from '../contracts/contract.ts';
import type { ServiceInfo } from '../contracts/models/service.ts';
import { domains } from '../contracts/rpc/domains.ts';
import { serviceDomain } from '../contracts/rpc/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { roleFolder } from '../kernel/state/home-folder.ts';
import { acquireInstanceLock } from '../kernel/state/instance-lock.ts';
import type { Logger } from '../kernel/logger.ts';
import type {
  KeychainKey,
  RunningService,
  ServedDomains,
  ServiceHealth,
  ServiceOptions,
} from '../kernel/running-service.ts';
import { startAdminEndpoint } from './carriers/admin-endpoint.ts';
import { createDispatcher, serveDomain, type Dispatcher, type ServedDomain } from './carriers/dispatcher.ts';
import { createEventHub, type EventHub } from './carriers/event-hub.ts';
import { productVersion } from './product-version.ts';

export interface HostedService {
  readonly ready: ReadyMessage;
  readonly dispatcher: Dispatcher;
  readonly events: EventHub;
  health(): ServiceHealth;
  onHealthChanged(listener: (health: ServiceHealth) => void): () => void;
  /** Tells subscribers something harmless, so that one that missed events notices the gap. */
  announce(): void;
  /** Ends the service, then the socket, then the lock. Safe to call twice: the second call waits for the first. */
  stop(deadlineMs: number): Promise<void>;
}

export interface HostServiceOptions {
  readonly role: ServiceRole;
  /** Root folder of the instance; the service gets its own folder below it. */
  readonly home: string;
  /** Starts the role; given everything but what it already knows. */
  readonly start: (options: Omit<ServiceOptions<never>, 'config'>) => Promise<RunningService>;
  readonly keychainKey?: KeychainKey | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Somebody at the local socket asks for the end. */
  readonly onStopRequested: (deadlineMs: number) => void;
}

/** @throws FarkeepError service.locked, or whatever kept the role from starting; nothing is left behind then */
export async function hostService(options: HostServiceOptions): Promise<HostedService> {
  const { role, home, logger, clock, keychainKey } = options;
  const folder = roleFolder(home, role);
  const lock = await acquireInstanceLock(folder);
  const undo: (() => Promise<void>)[] = [() => lock.release()];
  try {
    const events = createEventHub({ logger });
    const service = await options.start({ home: folder, logger, clock, publish: events.publish, keychainKey });
    undo.unshift(() => service.stop(0));

    const startedAt = new Date(clock.now()).toISOString();
    const info = (): ServiceInfo => ({
      role,
      version: productVersion(),
      node: process.version,
      openssl: process.versions.openssl,
      pid: process.pid,
      home: folder,
      startedAt,
      listeners: { ...service.listeners },
      ...service.health(),
    });
    const dispatcher = createDispatcher({
      domains: [serveDomain(serviceDomain, { info }), ...servedDomains(service.domains)],
      logger,
      clock,
    });
    const announce = (): void => events.publish(serviceDomain, 'healthChanged', service.health());
    const stopAnnouncing = service.onHealthChanged(announce);
    const endpoint = await startAdminEndpoint({
      roleFolder: folder,
      dispatcher,
      events,
      logger,
      onStopRequested: options.onStopRequested,
    });

    let stopping: Promise<void> | undefined;
    const stop = async (deadlineMs: number): Promise<void> => {
      try {
        await withDeadline(service.stop(deadlineMs), deadlineMs + 1_000, role, clock);
      } finally {
        stopAnnouncing();
        await endpoint.close();
        await lock.release();
      }
    };
    return {
      ready: {
        kind: 'ready',
        role,
        pid: process.pid,
        version: productVersion(),
        listeners: { ...service.listeners },
      },
      dispatcher,
      events,
      health: () => service.health(),
      onHealthChanged: (listener) => service.onHealthChanged(listener),
      announce,
      stop: (deadlineMs) => (stopping ??= stop(deadlineMs)),
    };
  } catch (error) {
    for (const step of undo) await step().catch((cause: unknown) => logger.error('undoing a start failed', { cause }));
    throw error;
  }
}

function servedDomains(served: ServedDomains): ServedDomain[] {
  return Object.entries(served).map(([key, handlers]) => ({
    contract: domains[key as keyof typeof domains],
    handlers: handlers as unknown as ServedDomain['handlers'],
  }));
}

/** The role ends by force at its deadline; this is for a role that does not. */
async function withDeadline(work: Promise<void>, deadlineMs: number, role: ServiceRole, clock: Clock): Promise<void> {
  const done = new AbortController();
  const late = clock.sleep(deadlineMs, done.signal).then(
    () => {
      throw new FarkeepError('call.timeout', `The ${role} service did not end within ${deadlineMs} ms`);
    },
    () => undefined,
  );
  try {
    await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}
