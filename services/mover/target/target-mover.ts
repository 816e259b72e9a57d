// Owns one attempt of a session at the provider: accepts the tunnel and the data streams, holds Key A and Key B, drives the target session.
// Lives in its own process (mover-entry.ts); reports to the provider service by events only.
import { every } from '../../kernel/schedule.ts';
import { systemClock, type Clock, type Timers } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { Secret } from '../../kernel/secret.ts';
import { listenData } from '../../transport/data-listener.ts';
import type { AcceptedData, DataListener } from '../../transport/data-listener.ts';
import { storageBackends } from '../../repository/backends.ts';
import type { TenantPlace } from '../../repository/store/tenant-place.ts';
import { TunnelServer } from '../../wire/tunnel.ts';
import { DataConnection, maxSilentMs } from '../link/data-connection.ts';
import type { MoverEvent, TargetStart } from '../link/local-link.ts';
import { peakMemoryBytes } from '../link/peak-memory.ts';
import { TargetSession } from './target-session.ts';
import { TicketBook } from './ticket-book.ts';

const progressIntervalMs = 100;
const defaultTicketLifetimeMs = 60_000;
const defaultFlushIntervalMs = 5_000;
/** Longest time between the ticket of a data stream and its keys. The tenant's side has the same limit for its tunnel. */
const defaultOpeningLimitMs = 20_000;

export interface TargetMoverOptions {
  /** The tenant's place; by default opened by the location in the start message. */
  readonly place?: TenantPlace;
  /** Accepts connections; by default listens on a port. */
  readonly listen?: typeof listenData;
  readonly clock?: Clock & Timers;
}

export class TargetMover {
  readonly #start: TargetStart;
  readonly #emit: (event: MoverEvent) => void;
  readonly #logger: Logger;
  readonly #keyA: Secret;
  readonly #options: TargetMoverOptions;
  readonly #clock: Clock & Timers;
  readonly #tickets: TicketBook;
  readonly #connections = new Map<number, DataConnection>();
  readonly #done = Promise.withResolvers<void>();
  #keyB: Secret | undefined;
  #session: TargetSession | undefined;
  #listener: DataListener | undefined;
  #closedStreams = 0;
  #isEnded = false;

  constructor(start: TargetStart, emit: (event: MoverEvent) => void, logger: Logger, options: TargetMoverOptions = {}) {
    this.#start = start;
    this.#emit = emit;
    this.#logger = logger;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#keyA = Secret.take(Buffer.from(start.keyA));
    start.keyA.fill(0);
    this.#tickets = new TicketBook(
      start.tickets,
      start.limits?.ticketLifetimeMs ?? defaultTicketLifetimeMs,
      this.#clock,
    );
  }

  /** Resolves when the attempt has succeeded; rejects with the error that ended it. The keys are zeroed in both cases. */
  async run(): Promise<void> {
    const start = this.#start;
    const report = (): void => {
      this.#reportProgress();
    };
    const progressReports = every(progressIntervalMs, report, { timers: this.#clock });
    const expectWithinMs = (start.limits?.ticketLifetimeMs ?? defaultTicketLifetimeMs) + 1_000;
    const expectTimer = this.#clock.startTimer(expectWithinMs, () => {
      if (!this.#tickets.isExhausted)
        this.#fail(new FarkeepError('connection.lost', 'The source did not open all its connections in time'));
    });
    let session: TargetSession;
    try {
      session = await TargetSession.open({
        operation: start.operation,
        place: this.#options.place ?? storageBackends.open(storageBackends.parse(start.location)),
        quotaBytes: start.quotaBytes,
        pointId: start.pointId,
        streamCount: start.tickets.streams.length,
        flushIntervalMs: start.limits?.flushIntervalMs ?? defaultFlushIntervalMs,
        logger: this.#logger,
        timers: this.#clock,
        onEvent: this.#emit,
        onFailure: (error) => {
          this.#fail(error);
        },
      });
      this.#session = session;
      this.#listener = await (this.#options.listen ?? listenData)({
        host: start.listenHost,
        logger: this.#logger,
        onConnection: (accepted) => {
          this.#accept(accepted);
        },
      });
      this.#emit({ type: 'listening', port: this.#listener.port });
      await this.#done.promise;
    } finally {
      // After any end, people should also see the bytes that arrived since the last report.
      this.#reportProgress();
      this.#isEnded = true;
      progressReports.stop();
      expectTimer.stop();
      for (const connection of this.#connections.values())
        connection.fail(new FarkeepError('connection.lost', 'The session has ended'));
      await this.#listener?.close();
      await this.#session?.close();
      this.#keyA.dispose();
      this.#keyB?.dispose();
    }
    this.#emit({ type: 'finished', totals: { ...session.totals }, peakMemoryBytes: peakMemoryBytes() });
  }

  abort(reason: FarkeepError): void {
    if (this.#session === undefined) this.#fail(reason);
    else this.#session.refuse(reason, undefined, 'abort');
  }

  #accept(accepted: AcceptedData): void {
    const { socket, firstBytes } = accepted;
    const purpose = this.#isEnded ? undefined : this.#tickets.redeem(accepted.kind, accepted.ticket);
    if (purpose === undefined) {
      this.#logger.warn('A connection came without a valid ticket and was dropped', { kind: accepted.kind });
      socket.destroy(new FarkeepError('ticket.invalid'));
      return;
    }
    if (purpose.kind === 'tunnel') this.#acceptTunnel(accepted);
    else if (this.#keyB === undefined) {
      socket.destroy(new FarkeepError('protocol.malformed'));
      this.#fail(new FarkeepError('protocol.malformed', 'A data stream came before Key B was delivered'));
    } else this.#acceptStream(accepted, purpose.streamIndex, this.#keyB, firstBytes);
  }

  #acceptTunnel({ socket, firstBytes }: AcceptedData): void {
    const { sessionId, attempt } = this.#start;
    const tunnel = new TunnelServer({ keyA: this.#keyA, sessionId, attempt });
    socket.start(
      {
        onChunk: (chunk) => {
          try {
            const step = tunnel.push(chunk);
            if (step.done !== undefined) {
              this.#keyB = step.done.keyB;
              this.#emit({
                type: 'key-b-received',
                keyAIdentifier: this.#keyA.identifier(),
                keyBIdentifier: step.done.keyBIdentifier,
              });
            }
            if (step.send !== undefined) void socket.write(step.send);
            if (tunnel.isClosed) socket.end();
          } catch (error) {
            const known = toFarkeepError(error);
            socket.destroy(known);
            this.#fail(known);
          }
          return true;
        },
        onEnd: () => {
          socket.end();
        },
        onClose: (error) => {
          tunnel.dispose();
          // Key B was delivered only when the tenant has confirmed the proof.
          if (!tunnel.isClosed) {
            this.#fail(
              error ??
                new FarkeepError('connection.lost', 'The tunnel ended before the delivery of Key B was confirmed'),
            );
          }
        },
      },
      firstBytes,
    );
  }

  #acceptStream({ socket }: AcceptedData, streamIndex: number, keyB: Secret, firstBytes: Buffer): void {
    const { sessionId, attempt, limits } = this.#start;
    const openingLimitMs = limits?.openingLimitMs ?? defaultOpeningLimitMs;
    // The time limit begins with the ticket and is never extended. If each byte extended the limit, an attacker could send a nonce byte by
    // byte, and so keep the session and its reserved quota.
    const opening = this.#clock.startTimer(openingLimitMs, () => {
      connection.fail(new FarkeepError('connection.lost', 'The source did not open a data stream in time'));
    });
    const connection: DataConnection = new DataConnection(
      socket,
      { side: 'server', keyB, sessionId, attempt, streamIndex },
      {
        onOpen: () => opening.stop(),
        onMessage: (message, memory) =>
          this.#session?.receive(streamIndex, message, memory, (answer) => connection.send(answer)),
        onPeerEnd: () => {
          connection.end();
        },
        onClose: (error) => {
          opening.stop();
          this.#streamClosed(error === undefined ? undefined : withStream(error, streamIndex));
        },
      },
      firstBytes,
    );
    this.#connections.set(streamIndex, connection);
  }

  #streamClosed(error: FarkeepError | undefined): void {
    const failure = this.#session?.refusal ?? error;
    if (failure !== undefined) {
      this.#fail(failure);
      return;
    }
    this.#closedStreams += 1;
    if (this.#closedStreams < this.#start.tickets.streams.length) return;
    const isWhole = this.#start.operation !== 'backup' || this.#session?.isCommitted === true;
    if (isWhole) this.#done.resolve();
    else
      this.#fail(
        new FarkeepError('point.incomplete', 'The source ended its streams without committing the restore point'),
      );
  }

  #fail(error: FarkeepError): void {
    this.#done.reject(error);
    // run() may not be waiting for this promise. Without this handler, Node.js would report an unhandled rejection.
    this.#done.promise.catch(() => undefined);
  }

  #reportProgress(): void {
    let arrivedBytes = 0;
    for (const connection of this.#connections.values()) {
      arrivedBytes += connection.bytesRead;
      if (connection.isOpen && connection.silentMs > maxSilentMs) {
        connection.fail(new FarkeepError('connection.lost', 'The source has not been heard of for too long'));
      }
    }
    if (this.#session !== undefined) {
      const busyShare = this.#session.takeBusyShare();
      this.#emit({ type: 'progress', totals: { ...this.#session.totals }, arrivedBytes, busyShare });
    }
  }
}

function withStream(error: FarkeepError, stream: number): FarkeepError {
  const { code, message, hint, retryable, details } = error;
  return new FarkeepError(code, message, { hint, retryable, details: { ...details, stream }, cause: error });
}
