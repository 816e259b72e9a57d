// Owns a source mover's stream workers: starts their threads, opens their streams, hands out work, gathers their counters, ends them. Main thread only.
import { Worker } from 'node:worker_threads';
import { systemClock, type Timer } from '../../../kernel/clock.ts';
import { valueWithin } from '../../../kernel/deadline.ts';
import { FarkeepError, toFarkeepError } from '../../../kernel/farkeep-error.ts';
import type { SourceStart } from '../../link/local-link.ts';
import { emptyCounters } from './worker-link.ts';
import type { FromWorker, ToWorker, WorkerCounters } from './worker-link.ts';

/** Each worker needs little beside its arenas; without a bound V8 lets garbage pile up before it looks. */
const workerLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 96 };
/** A thread that has said its last word is gone within milliseconds, or not at all. */
const exitGraceMs = 300;
/** When one stream ends the session the others are cut; for so long a cut may be overtaken by the reason. */
const reasonGraceMs = 250;

export interface StreamPoolHandlers {
  onMessage(streamIndex: number, message: FromWorker): void;
  /** The first failure of any stream; a cut only when no other reason comes with it. */
  onFailure(error: FarkeepError): void;
}

/** The part of the pool that a backup uses. */
export interface BackupStreams {
  readonly size: number;
  readonly counters: WorkerCounters;
  send(streamIndex: number, message: ToWorker, transfer?: ArrayBuffer[]): void;
  broadcast(message: ToWorker): void;
}

export class StreamPool implements BackupStreams {
  readonly #workers: Worker[];
  /** Per worker: it has said that it is done, or its thread is gone. */
  readonly #closed: PromiseWithResolvers<undefined>[];
  readonly #exited: Promise<void>[];
  #runningThreads = 0;
  #handlers: StreamPoolHandlers | undefined;
  /** What went wrong before anybody listened. */
  #earlyFailure: FarkeepError | undefined;
  #hasFailed = false;
  #cutTimer: Timer | undefined;
  readonly counters: WorkerCounters = emptyCounters();

  /** Starts `size` threads; they load what they need and wait for `open`. */
  constructor(size: number) {
    const indexes = Array.from({ length: size }, (_, streamIndex) => streamIndex);
    this.#closed = indexes.map(() => Promise.withResolvers());
    this.#exited = [];
    this.#workers = indexes.map((streamIndex) => {
      const worker = new Worker(new URL('../stream-worker.ts', import.meta.url), {
        resourceLimits: workerLimits,
        // Lanes close descriptors that native calls opened, and Node.js would warn about each one. All descriptors end with the process
        // anyway.
        trackUnmanagedFds: false,
      });
      worker.on('message', (message: FromWorker) => {
        this.#receive(streamIndex, message);
      });
      worker.on('error', (error) => {
        this.#fail(toFarkeepError(error));
      });
      this.#runningThreads += 1;
      this.#exited.push(
        new Promise((resolve) => {
          worker.once('exit', () => {
            this.#runningThreads -= 1;
            this.#closed[streamIndex]?.resolve(undefined);
            resolve();
          });
        }),
      );
      return worker;
    });
  }

  /** Opens a stream for each thread, with one ticket each. */
  open(start: SourceStart, handlers: StreamPoolHandlers): void {
    this.#handlers = handlers;
    if (start.streamTickets.length !== this.size)
      throw new FarkeepError('call.internal', `${start.streamTickets.length} tickets for ${this.size} streams`);
    start.streamTickets.forEach((ticket, streamIndex) => {
      const keyB = new Uint8Array(start.keyB);
      this.send(streamIndex, {
        type: 'start',
        sessionId: start.sessionId,
        attempt: start.attempt,
        keyB,
        streamIndex,
        streamCount: this.size,
        ticket: new Uint8Array(ticket),
        gateway: start.gateway,
        operation: start.operation.kind,
        pointId: start.operation.pointId,
        chain: start.operation.kind === 'backup' ? start.operation.jobId : undefined,
      });
      keyB.fill(0);
    });
    if (this.#earlyFailure !== undefined) this.#fail(this.#earlyFailure);
  }

  get size(): number {
    return this.#workers.length;
  }

  send(streamIndex: number, message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#workers[streamIndex]?.postMessage(message, transfer);
  }

  broadcast(message: ToWorker): void {
    for (const worker of this.#workers) worker.postMessage(message);
  }

  /**
   * Whether threads are left although everything is over. Node 26 can spin for ever while it cleans up after a thread
   * (Environment::CleanupHandles); `process.exit()` would wait for that, so the process has to end in a harder way.
   */
  get hasRunningThreads(): boolean {
    return this.#runningThreads > 0;
  }

  /** Waits until all have said that they are done; those that do not within `deadlineMs` are ended. */
  async ended(deadlineMs: number): Promise<void> {
    const timer = systemClock.startTimer(deadlineMs, () => {
      for (const worker of this.#workers) void worker.terminate();
      for (const closed of this.#closed) closed.resolve(undefined);
    });
    await Promise.all(this.#closed.map(({ promise }) => promise));
    timer.stop();
    await valueWithin(Promise.all(this.#exited), exitGraceMs);
  }

  #receive(streamIndex: number, message: FromWorker): void {
    if (message.type === 'counters') {
      for (const name of Object.keys(message.counters) as (keyof WorkerCounters)[])
        this.counters[name] += message.counters[name];
      return;
    }
    if (message.type === 'closed') {
      this.#closed[streamIndex]?.resolve(undefined);
      return;
    }
    if (message.type === 'failed') {
      this.#fail(FarkeepError.fromInfo(message.error));
      return;
    }
    try {
      this.#handlers?.onMessage(streamIndex, message);
    } catch (error) {
      this.#fail(toFarkeepError(error));
    }
  }

  #fail(error: FarkeepError): void {
    if (this.#hasFailed) return;
    if (this.#handlers === undefined) {
      this.#earlyFailure ??= error;
      return;
    }
    if (error.code === 'connection.lost' && this.#workers.length > 1) {
      this.#cutTimer ??= systemClock.startTimer(reasonGraceMs, () => this.#failWith(error));
    } else this.#failWith(error);
  }

  #failWith(error: FarkeepError): void {
    this.#cutTimer?.stop();
    this.#hasFailed = true;
    this.#handlers?.onFailure(error);
  }
}
