// Owns one attempt of a session at the tenant: stream workers, the pipeline of the operation, progress, and the end in order. Lives in its
// own process (mover-entry.ts); never has Key A.
import { systemClock, type Timers } from '../../kernel/clock.ts';
import { every } from '../../kernel/schedule.ts';
import { toFarkeepError, type FarkeepError } from '../../kernel/farkeep-error.ts';
import { BusyWindow } from './busy-window.ts';
import type { MoverEvent, SourceStart } from '../link/local-link.ts';
import { peakMemoryBytes } from '../link/peak-memory.ts';
import type { Pipeline, PipelineOptions } from './pipeline.ts';
import type { SourceStreams } from './streams/stream-pool.ts';
import { asBuffer } from './streams/worker-link.ts';
import type { FromWorker } from './streams/worker-link.ts';

const progressIntervalMs = 100;
const endDeadlineMs = 8_000;

export interface SourceMoverOptions {
  readonly start: SourceStart;
  /** The stream threads, one for each ticket. `SourceMover.run` opens the streams. */
  readonly pool: SourceStreams;
  readonly emit: (event: MoverEvent) => void;
  readonly createPipeline: (options: PipelineOptions) => Pipeline;
  readonly timers?: Timers;
}

export class SourceMover {
  readonly #options: SourceMoverOptions;
  readonly #start: SourceStart;
  readonly #emit: (event: MoverEvent) => void;
  readonly #pool: SourceStreams;
  #pipeline: Pipeline | undefined;
  #failure: FarkeepError | undefined;
  readonly #opened = Promise.withResolvers<Buffer>();
  readonly #openStreams = new Set<number>();
  #root: Buffer = Buffer.alloc(0);
  readonly #busy = new BusyWindow();

  constructor(options: SourceMoverOptions) {
    const { start, pool, emit } = options;
    this.#options = options;
    this.#start = start;
    this.#pool = pool;
    this.#emit = emit;
  }

  /** Resolves when the operation has succeeded; rejects with the error that ended it. Key B is zeroed in both cases. */
  async run(): Promise<void> {
    // If the failure happens before run() waits for this promise, run() still throws it.
    this.#opened.promise.catch(() => undefined);
    const pool = this.#pool;
    pool.open(this.#start, {
      onMessage: (streamIndex, message) => {
        this.#receive(streamIndex, message);
      },
      onFailure: (error) => {
        this.#fail(error);
      },
    });
    this.#start.keyB.fill(0);
    const { createPipeline, timers = systemClock } = this.#options;
    using _progressReports = every(progressIntervalMs, () => this.#reportProgress(), { timers });
    try {
      const root = await this.#opened.promise;
      this.#emit({ type: 'streams-open', count: pool.size });
      const pipeline = createPipeline({ operation: this.#start.operation, pool, emit: this.#emit });
      this.#pipeline = pipeline;
      if (this.#failure !== undefined) throw this.#failure;
      const { rootHash, warningCount, failure } = await pipeline.run(root);
      pool.broadcast({ type: 'close' });
      await pool.ended(endDeadlineMs);
      this.#reportProgress();
      this.#emit({
        type: 'finished',
        totals: pipeline.totals(),
        warningCount,
        pointId: this.#start.operation.pointId,
        rootHash,
        peakMemoryBytes: peakMemoryBytes(),
        ...(failure === undefined ? {} : { failure }),
      });
    } catch (error) {
      const failure = toFarkeepError(this.#failure ?? error);
      const { code, message } = failure;
      pool.broadcast({ type: 'abort', code, message: message.slice(0, 500) });
      await pool.ended(endDeadlineMs);
      await this.#pipeline?.close?.();
      throw failure;
    }
  }

  abort(reason: FarkeepError): void {
    this.#fail(reason);
  }

  get hasRunningThreads(): boolean {
    return this.#pool.hasRunningThreads;
  }

  #receive(streamIndex: number, message: FromWorker): void {
    if (message.type === 'open') {
      this.#openStreams.add(streamIndex);
      if (streamIndex === 0) this.#root = asBuffer(message.root);
      if (this.#openStreams.size === this.#pool.size) this.#opened.resolve(this.#root);
      return;
    }
    this.#pipeline?.receive(streamIndex, message);
  }

  #fail(error: FarkeepError): void {
    this.#failure ??= error;
    this.#opened.reject(error);
    this.#pipeline?.fail(error);
  }

  #reportProgress(): void {
    const pool = this.#pool;
    const pipeline = this.#pipeline;
    if (pipeline === undefined) return;
    const now = performance.now();
    const busy = this.#busy.shares(now, pool.lanes, pipeline.walkMs ?? 0);
    this.#emit({ type: 'progress', phase: pipeline.phase, totals: pipeline.totals(), busy });
  }
}
