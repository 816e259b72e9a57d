// Owns one running service inside this process: folder lock, event hub, dispatcher, local socket, health, orderly end. Must not know
// signals, exit codes or the process channel; serve-process.ts does.
import type { ReadyMessage } from '../contracts/carrier.ts';
import type { ServiceRole } from '../contracts/contract.ts';
import type { ServiceInfo } from '../contracts/models/service.ts';
import { domains } from '../contracts/rpc/domains.ts';
import { serviceDomain } from '../contracts/rpc/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { withDeadline } from '../kernel/deadline.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { roleFolder } from '../kernel/state/home-folder.ts';
import { acquireInstanceLock } from '../kernel/state/instance-lock.ts';
import type { Logger } from '../kernel/logger.ts';
import {
  openParts,
  type KeychainKey,
  type RunningService,
  type ServedDomains,
  type ServiceHealth,
  type ServiceOptions,
  type ServiceParts,
} from '../kernel/running-service.ts';
import { startAdminEndpoint, type AdminEndpoint } from './carriers/admin-endpoint.ts';
import { createDispatcher, serveDomain, type Dispatcher, type ServedDomain } from './carriers/dispatcher.ts';
import { createEventHub, type EventHub } from './carriers/event-hub.ts';
import { productVersion } from './product-version.ts';

export interface HostedService {
  readonly ready: ReadyMessage;
  readonly dispatcher: Dispatcher;
  readonly events: EventHub;
  health(): ServiceHealth;
  onHealthChanged(listener: (health: ServiceHealth) => void): () => void;
  /** Publishes an event without content, so that a subscriber that missed events sees the gap. */
  announce(): void;
  /** Ends the service, then the socket, then the lock. Safe to call twice: the second call waits for the first. */
  stop(deadlineMs: number): Promise<void>;
}

/** Where the settings of a service come from. */
export interface SettingsSource {
  readonly configFile: string | null;
  /** Names of settings that flags have set. */
  readonly flagSettings: readonly string[];
}

export interface HostServiceOptions {
  readonly role: ServiceRole;
  /** Root folder of the instance; the service gets its own folder below it. */
  readonly home: string;
  /** Starts the role with all options except those that the role already has. */
  readonly start: (options: Omit<ServiceOptions<never>, 'config'>) => Promise<RunningService>;
  readonly keychainKey?: KeychainKey | undefined;
  readonly settingsSource?: SettingsSource | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  /** A client of the local socket requests the end. */
  readonly onStopRequested: (deadlineMs: number) => void;
}

/** @throws FarkeepError service.locked, or the error of the role's start; then all resources are released */
export function hostService(options: HostServiceOptions): Promise<HostedService> {
  return openParts(options.logger, (parts) => open(options, parts));
}

async function open(options: HostServiceOptions, parts: ServiceParts): Promise<Omit<HostedService, 'stop'>> {
  const { role, home, logger, clock, keychainKey } = options;
  const folder = roleFolder(home, role);
  const lock = await acquireInstanceLock(folder);
  parts.defer(() => lock.release());
  // The socket is opened after the service, but it is also closed after the service: subscribers must get the last events.
  const socket: { endpoint?: AdminEndpoint } = {};
  parts.defer(() => socket.endpoint?.close());
  const events = createEventHub({ logger });
  const service = await options.start({ home: folder, logger, clock, publish: events.publish, keychainKey });
  parts.defer(() => stopInTime(service, role, parts.deadlineMs));

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
    ...(options.settingsSource === undefined
      ? {}
      : { ...options.settingsSource, flagSettings: [...options.settingsSource.flagSettings] }),
  });
  const dispatcher = createDispatcher({
    domains: [serveDomain(serviceDomain, { info }), ...servedDomains(service.domains)],
    logger,
    clock,
  });
  const announce = (): void => events.publish(serviceDomain, 'healthChanged', service.health());
  parts.defer(service.onHealthChanged(announce));
  socket.endpoint = await startAdminEndpoint({
    roleFolder: folder,
    dispatcher,
    events,
    logger,
    onStopRequested: options.onStopRequested,
  });
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
  };
}

function servedDomains(served: ServedDomains): ServedDomain[] {
  return Object.entries(served).map(([key, handlers]) => ({
    contract: domains[key as keyof typeof domains],
    handlers: handlers as unknown as ServedDomain['handlers'],
  }));
}

/**
 * Stops a service with a time limit. A role ends by force at its own deadline. The limit is for a role that does not end at its deadline.
 */
function stopInTime(service: RunningService, role: ServiceRole, deadlineMs: number): Promise<void> {
  const limitMs = deadlineMs + 1_000;
  const onLate = (): FarkeepError =>
    new FarkeepError('call.timeout', `The ${role} service did not end within ${limitMs} ms`);
  return withDeadline({ limitMs, onLate }, () => service.stop(deadlineMs));
}
