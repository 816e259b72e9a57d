// Owns the connection to a service that another program started (systemd, a terminal, an SSH tunnel): calls, events, signs of life, and its
// end. One object for one connection. Must not start a service.
import { CallError } from '../../../services/contracts/client.ts';
import type { CallResult } from '../../../services/contracts/carrier.ts';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import type { ServiceInfo } from '../../../services/contracts/models/service.ts';
import { serviceDomain } from '../../../services/contracts/rpc/service.ts';
import type { AdminClient } from '../../../services/host/carriers/admin-client.ts';
import { Deadline, signalWithin } from '../../../services/kernel/deadline.ts';
import { FarkeepError } from '../../../services/kernel/farkeep-error.ts';
import { every, type Schedule } from '../../../services/kernel/schedule.ts';
import type { ServiceLink, ServiceLinkListener } from './service-link.ts';

/** Opens the local socket of a role. @throws FarkeepError service.not-running, call.refused */
export type ConnectService = (role: ServiceRole) => Promise<AdminClient>;

export interface AttachTimings {
  /** Time between two attempts to reach a service that went away. */
  readonly retryMs: number;
  /** How long a service may be away before the user may start one here. */
  readonly graceMs: number;
  /** Time between two signs of life, and how long the answer may take. */
  readonly signOfLifeMs: number;
}

export const defaultAttachTimings: AttachTimings = { retryMs: 1_000, graceMs: 15_000, signOfLifeMs: 6_000 };

const infoLimitMs = 10_000;
/** Time that a service gets after its own deadline. It cannot be killed from here. */
const stopGraceMs = 2_000;

export class AttachedService implements ServiceLink {
  readonly origin = 'attached';
  readonly pid: number;
  readonly #client: AdminClient;
  readonly #listener: ServiceLinkListener;
  readonly #signsOfLife: Schedule;
  #isLeaving = false;

  /** Use `attachService`. */
  constructor(client: AdminClient, info: ServiceInfo, listener: ServiceLinkListener, { signOfLifeMs }: AttachTimings) {
    this.#client = client;
    this.pid = info.pid;
    this.#listener = listener;
    this.#signsOfLife = every(signOfLifeMs, () => this.#look(signOfLifeMs));
    client.subscribe((event) => listener.onEvent(event));
    void client.closed.then(() => this.#onClosed());
  }

  /** Tells the listener that the service runs. */
  begin({ listeners, health, reason }: ServiceInfo): void {
    this.#listener.onReady({ listeners });
    this.#listener.onHealth(health, reason);
  }

  call(domain: string, command: string, input: unknown, signal: AbortSignal): Promise<CallResult> {
    return this.#client.call(domain, command, input, { signal });
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#isLeaving = true;
    this.#client.requestStop(deadlineMs);
    const limit = new Deadline({ limitMs: deadlineMs + stopGraceMs }, () => this.#client.close());
    await this.#client.closed;
    limit.stop();
  }

  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.#client.close();
    await this.#client.closed;
  }

  /** The socket has no heartbeats, so a call shows whether the service still answers. */
  async #look(limitMs: number): Promise<void> {
    const within = signalWithin({ limitMs });
    // A service that hangs does not answer the cancellation of the call either.
    const late = new Promise<'late'>((resolve) => {
      within.signal.addEventListener('abort', () => resolve('late'), { once: true });
    });
    try {
      const answer = await Promise.race([infoOf(this.#client, within.signal).catch(() => undefined), late]);
      if (this.#isLeaving || answer === undefined) return;
      if (answer === 'late') {
        const reason = `It has given no sign of life for ${Math.round(limitMs / 1000)} s.`;
        this.#listener.onHealth('degraded', reason);
      } else this.#listener.onHealth(answer.health, answer.reason);
    } finally {
      within[Symbol.dispose]();
    }
  }

  #onClosed(): void {
    this.#signsOfLife.stop();
    if (this.#isLeaving) {
      this.#listener.onEnd({ kind: 'stopped' });
      return;
    }
    const { role } = this.#client;
    const error = new FarkeepError('connection.lost', `The ${role} service ended the connection`, {
      hint: 'The console connects again when the service answers.',
    });
    this.#listener.onEnd({ kind: 'lost', error: error.toInfo() });
  }
}

/**
 * Attaches to the service of a role.
 * @throws FarkeepError service.not-running when no service answers; call.refused when it belongs to another account or has another role
 */
export async function attachService(
  role: ServiceRole,
  connect: ConnectService,
  listener: ServiceLinkListener,
  timings: AttachTimings,
): Promise<{ readonly link: AttachedService; readonly info: ServiceInfo }> {
  const client = await connect(role);
  // The end of the connection ends the call, also when the service hangs.
  const limit = new Deadline({ limitMs: infoLimitMs }, () => client.close());
  try {
    const info = await client.domain(serviceDomain).info({});
    if (info.role !== role) {
      throw new FarkeepError(
        'call.refused',
        `The local socket of the ${role} service leads to a ${info.role} service`,
        {
          hint: 'Correct the forwarded socket: each role has its own folder.',
        },
      );
    }
    return { link: new AttachedService(client, info, listener, timings), info };
  } catch (error) {
    client.close();
    throw error instanceof CallError ? FarkeepError.fromInfo(error.info) : error;
  } finally {
    limit.stop();
  }
}

function infoOf(client: AdminClient, signal: AbortSignal): Promise<ServiceInfo> {
  return client.domain(serviceDomain).info({}, { signal });
}
