// Owns one attempt of a session at the tenant: stream workers, the pipeline of the operation, progress, the orderly end.
// Lives in its own process (mover-entry.ts); never sees Key A.
import type { ErrorInfo } from '../../contracts/errors.ts';
import { every } from '../../kernel/schedule.ts';
import { toFarkeepError, type FarkeepError } from '../../kernel/farkeep-error.ts';
import { BackupPipeline } from './backup/backup-pipeline.ts';
import type { BusyShares, MoverEvent, MoverPhase, SourceStart, SourceTotals } from '../link/local-link.ts';
import { ManifestPipeline } from './restore/manifest-pipeline.ts';
import { peakMemoryBytes } from '../link/peak-memory.ts';
import { RestorePipeline } from './restore/restore-pipeline.ts';
import type { StreamPool } from './streams/stream-pool.ts';
import { asBuffer } from './streams/worker-link.ts';
import type { FromWorker } from './streams/worker-link.ts';

const progressIntervalMs = 100;
const endDeadlineMs = 8_000;

/** What the operations have in common. */
interface Pipeline {
  readonly phase: MoverPhase;
  totals(): SourceTotals;
  run(
    root: Buffer,
  ): Promise<{ readonly rootHash: string; readonly warningCount: number; readonly failure?: ErrorInfo | undefined }>;
  receive(streamIndex: number, message: FromWorker): void;
  fail(error: FarkeepError): void;
  /** Called after a failure, when all streams have ended. */
  close?(): Promise<void>;
}

export class SourceMover {
  readonly #start: SourceStart;
  readonly #emit: (event: MoverEvent) => void;
  readonly #pool: StreamPool;
  #pipeline: Pipeline | undefined;
  #failure: FarkeepError | undefined;
  readonly #opened = Promise.withResolvers<Buffer>();
  readonly #openStreams = new Set<number>();
  #root: Buffer = Buffer.alloc(0);
  #lastProgressMs = performance.now();
  #lastBusy = { sourceMs: 0, compressMs: 0, networkMs: 0, targetMs: 0 };

  /** `pool` has a thread for each of the tickets; its streams are opened by `run`. */
  constructor(start: SourceStart, pool: StreamPool, emit: (event: MoverEvent) => void) {
    this.#start = start;
    this.#pool = pool;
    this.#emit = emit;
  }

  /** Resolves when the operation has succeeded; rejects with what ended it. Key B is zeroed in any case. */
  async run(): Promise<void> {
    this.#opened.promise.catch(() => undefined); // a failure before run() waits for it is not lost: it is thrown there
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
    using _progressReports = every(progressIntervalMs, () => {
      this.#reportProgress();
    });
    try {
      const root = await this.#opened.promise;
      this.#emit({ type: 'streams-open', count: pool.size });
      const pipeline = this.#makePipeline(pool);
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

  #makePipeline(pool: StreamPool): Pipeline {
    const { operation } = this.#start;
    const emit = this.#emit;
    switch (operation.kind) {
      case 'backup':
        return new BackupPipeline({ operation, pool, emit, now: Date.now });
      case 'restore':
        return new RestorePipeline({ operation, pool, emit });
      case 'manifest':
        return new ManifestPipeline({ operation, pool });
    }
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
    const budgetMs = Math.max(1, (now - this.#lastProgressMs) * pool.size);
    const { sourceMs, compressMs, networkMs, targetMs } = pool.counters;
    const share = (current: number, last: number): number => Math.min(1, (current - last) / budgetMs);
    const busy: BusyShares = {
      source: share(sourceMs, this.#lastBusy.sourceMs),
      compress: share(compressMs, this.#lastBusy.compressMs),
      network: share(networkMs, this.#lastBusy.networkMs),
      target: share(targetMs, this.#lastBusy.targetMs),
    };
    this.#lastBusy = { sourceMs, compressMs, networkMs, targetMs };
    this.#lastProgressMs = now;
    this.#emit({ type: 'progress', phase: pipeline.phase, totals: pipeline.totals(), busy });
  }
}
