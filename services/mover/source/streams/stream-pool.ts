// Owns a source mover's stream workers: starts their threads, opens their streams, passes messages on, sums up their counters, ends them.
// Main thread only.
import { systemClock, type Timer, type Timers } from '../../../kernel/clock.ts';
import { valueWithin } from '../../../kernel/deadline.ts';
import { FarkeepError, toFarkeepError } from '../../../kernel/farkeep-error.ts';
import type { SourceStart } from '../../link/local-link.ts';
import type { StartThread, StreamThread } from './stream-thread.ts';
import { emptyCounters } from './worker-link.ts';
import type { FromWorker, ToWorker, WorkerCounters } from './worker-link.ts';

/** A thread that has reported its end exits within milliseconds, or never. */
const exitGraceMs = 300;
/**
 * When one stream ends the session, the target cuts the others. A cut may arrive before the reason, so the pool waits this long for the
 * reason.
 */
const reasonGraceMs = 250;

export interface StreamPoolHandlers {
  onMessage(streamIndex: number, message: FromWorker): void;
  /** The first failure of any stream. A cut is reported only if no stream gives another reason. */
  onFailure(error: FarkeepError): void;
}

/** The part of the pool that a pipeline uses. */
export interface PipelineStreams {
  readonly size: number;
  readonly counters: WorkerCounters;
  send(streamIndex: number, message: ToWorker, transfer?: ArrayBuffer[]): void;
  broadcast(message: ToWorker): void;
}

/** The part of the pool that a source mover uses. */
export type SourceStreams = Pick<StreamPool, keyof StreamPool>;

export class StreamPool implements PipelineStreams {
  readonly #workers: StreamThread[];
  readonly #timers: Timers;
  /** For each worker: resolves when the worker reports its end or its thread exits. */
  readonly #closed: PromiseWithResolvers<undefined>[];
  readonly #exited: Promise<void>[];
  #runningThreads = 0;
  #handlers: StreamPoolHandlers | undefined;
  /** A failure before `open` was called. */
  #earlyFailure: FarkeepError | undefined;
  #hasFailed = false;
  #cutTimer: Timer | undefined;
  readonly counters: WorkerCounters = emptyCounters();
  /** The counters of each stream. */
  readonly lanes: readonly WorkerCounters[];

  /** Starts `size` threads. The threads load their code and wait for `open`. */
  constructor(size: number, startThread: StartThread, timers: Timers = systemClock) {
    this.#timers = timers;
    const indexes = Array.from({ length: size }, (_, streamIndex) => streamIndex);
    this.#closed = indexes.map(() => Promise.withResolvers());
    this.#exited = [];
    this.lanes = indexes.map(() => emptyCounters());
    this.#workers = indexes.map((streamIndex) => {
      const exited = Promise.withResolvers<void>();
      this.#exited.push(exited.promise);
      this.#runningThreads += 1;
      return startThread({
        onMessage: (message) => {
          this.#receive(streamIndex, message);
        },
        onError: (error) => {
          this.#fail(toFarkeepError(error));
        },
        onExit: () => {
          this.#runningThreads -= 1;
          this.#closed[streamIndex]?.resolve(undefined);
          exited.resolve();
        },
      });
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
    this.#workers[streamIndex]?.send(message, transfer);
  }

  broadcast(message: ToWorker): void {
    for (const worker of this.#workers) worker.send(message);
  }

  /**
   * Whether threads still run after the end of the work. Node 26 can loop forever while it cleans up after a thread
   * (Environment::CleanupHandles). `process.exit()` would wait for this thread, so the process must then be killed.
   */
  get hasRunningThreads(): boolean {
    return this.#runningThreads > 0;
  }

  /** Waits until all workers have reported their end. Workers that do not within `deadlineMs` are terminated. */
  async ended(deadlineMs: number): Promise<void> {
    const timer = this.#timers.startTimer(deadlineMs, () => {
      for (const worker of this.#workers) worker.terminate();
      for (const closed of this.#closed) closed.resolve(undefined);
    });
    await Promise.all(this.#closed.map(({ promise }) => promise));
    timer.stop();
    await valueWithin(Promise.all(this.#exited), exitGraceMs, this.#timers);
  }

  #receive(streamIndex: number, message: FromWorker): void {
    if (message.type === 'counters') {
      const lane = this.lanes[streamIndex];
      for (const name of Object.keys(message.counters) as (keyof WorkerCounters)[]) {
        this.counters[name] += message.counters[name];
        if (lane !== undefined) lane[name] += message.counters[name];
      }
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
      this.#cutTimer ??= this.#timers.startTimer(reasonGraceMs, () => this.#failWith(error));
    } else this.#failWith(error);
  }

  #failWith(error: FarkeepError): void {
    this.#cutTimer?.stop();
    this.#hasFailed = true;
    this.#handlers?.onFailure(error);
  }
}
