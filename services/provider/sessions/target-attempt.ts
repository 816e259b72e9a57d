// Owns one attempt on the provider's side: Key A, tickets, the target data mover and the routes to the mover. Ends with the mover.
// Never logs or stores a key; Key A is zeroed as soon as mover and tenant have it.
import { randomBytes } from 'node:crypto';
import type { HandshakeStep } from '../../contracts/models/session.ts';
import { withDeadline } from '../../kernel/deadline.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { Secret } from '../../kernel/secret.ts';
import type { MoverEvent, MoverExit, Operation } from '../../mover/link/local-link.ts';
import type { DataMover, StartMover } from '../../mover/link/data-mover.ts';
import type { RepositoryLocation } from '../../repository/storage/repository-location.ts';
import type { RouteRequest } from '../../transport/gateway-link-server.ts';
import type { SessionGrant } from '../../wire/control-messages.ts';
import { toWireStep } from '../accounts/tenant-notifier.ts';

const ticketLifeMs = 60_000;
const listenDeadlineMs = 20_000;

export interface TargetAttemptOptions {
  readonly sessionId: string;
  readonly attempt: number;
  readonly operation: Operation;
  /** The location of the tenant's folder in the repository. */
  readonly location: RepositoryLocation;
  /** -1 for no limit. */
  readonly quotaBytes: number;
  readonly pointId: string;
  readonly job: { readonly id: string; readonly name: string };
  readonly streams: number;
  readonly moverHost: string;
  /** The address at which the gateway reaches the mover; undefined: the address that the gateway dialed for its link. */
  readonly advertisedHost: string | undefined;
  readonly logger: Logger;
  readonly onEvent: (event: MoverEvent) => void;
  /** Sends the tickets and their destinations to the gateway of this connection. */
  readonly pushRoutes: (routes: readonly RouteRequest[]) => Promise<void>;
}

export class TargetAttempt {
  readonly keyAIdentifier: string;
  readonly #keyA = Secret.random(32);
  readonly #tickets: { readonly tunnel: Buffer; readonly streams: readonly Buffer[] };
  readonly #mover: DataMover;
  readonly #options: TargetAttemptOptions;
  readonly #listening = Promise.withResolvers<number>();

  constructor(options: TargetAttemptOptions, startMover: StartMover) {
    this.#options = options;
    this.keyAIdentifier = this.#keyA.identifier();
    this.#tickets = {
      tunnel: randomBytes(32),
      streams: Array.from({ length: options.streams }, () => randomBytes(32)),
    };
    // The promise is rejected when the mover ends before it listens, and `listening` throws that error. The next line matters if nobody calls
    // `listening`: an unhandled rejection would end the process.
    this.#listening.promise.catch(() => undefined);
    this.#mover = startMover(
      { side: 'target', sessionId: options.sessionId, attempt: options.attempt },
      {
        logger: options.logger,
        onEvent: (event) => {
          if (event.type === 'listening') this.#listening.resolve(event.port);
          options.onEvent(event);
        },
      },
    );
    const keyA = Buffer.from(this.#keyA.bytes);
    this.#mover.begin({
      type: 'start',
      side: 'target',
      sessionId: options.sessionId,
      attempt: options.attempt,
      keyA,
      operation: options.operation,
      location: options.location,
      quotaBytes: options.quotaBytes,
      pointId: options.pointId,
      job: options.job,
      listenHost: options.moverHost,
      tickets: this.#tickets,
      limits: { ticketLifetimeMs: ticketLifeMs },
    });
    // The process channel has serialized the key by now.
    keyA.fill(0);
    void this.#mover.exited.then((exit) => this.#listening.reject(errorOf(exit)));
  }

  get exited(): Promise<MoverExit> {
    return this.#mover.exited;
  }

  /** Waits until the mover listens. @throws the mover's error, or session.mover-died */
  async listening(): Promise<number> {
    const onLate = (): FarkeepError =>
      new FarkeepError('session.mover-died', 'The target data mover did not start in time');
    return withDeadline({ limitMs: listenDeadlineMs, onLate }, () => this.#listening.promise);
  }

  /** Sends the tickets to the gateway; each ticket opens one connection within 60 s. */
  async openRoutes(port: number): Promise<void> {
    const { advertisedHost, pushRoutes } = this.#options;
    const route = (ticket: Buffer, kind: RouteRequest['kind']): RouteRequest => ({
      ticket,
      kind,
      ...(advertisedHost === undefined ? {} : { host: advertisedHost }),
      port,
      lifetimeMs: ticketLifeMs,
    });
    await pushRoutes([
      route(this.#tickets.tunnel, 'tunnel'),
      ...this.#tickets.streams.map((ticket) => route(ticket, 'data')),
    ]);
  }

  /** The data that the tenant needs for its side of the attempt. @param steps the completed steps of this side */
  grant(resumeWindowMs: number, steps: readonly HandshakeStep[]): SessionGrant {
    const { sessionId, attempt } = this.#options;
    return {
      sessionId,
      attempt,
      keyA: this.#keyA.bytes.toString('base64'),
      tunnelTicket: this.#tickets.tunnel.toString('base64'),
      streamTickets: this.#tickets.streams.map((ticket) => ticket.toString('base64')),
      ticketLifeMs,
      resumeWindowMs,
      steps: steps.map(toWireStep),
    };
  }

  /** Zeroes this process's copies of the attempt's secrets. Safe to call twice. */
  forgetSecrets(): void {
    this.#keyA.dispose();
    this.#tickets.tunnel.fill(0);
    for (const ticket of this.#tickets.streams) ticket.fill(0);
  }

  async end(reason: FarkeepError): Promise<MoverExit> {
    this.forgetSecrets();
    return this.#mover.stop(reason.toInfo());
  }
}

export function errorOf(exit: MoverExit): FarkeepError {
  return exit.kind === 'finished'
    ? new FarkeepError('session.mover-died', 'The data mover ended before its work was done')
    : FarkeepError.fromInfo(exit.error);
}
