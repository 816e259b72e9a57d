// Owns a complete source mover inside one process: the real SourceMover, pool, stream workers, lanes and pipelines, with a disk, a
// destination and a target in memory. Messages between simulated threads are cloned, as between real threads. For tests only; uses no
// thread, socket or process.
import { randomBytes } from 'node:crypto';
import type { Timers } from '../../kernel/clock.ts';
import type { MoverEvent, SourceStart } from '../../mover/link/local-link.ts';
import { BackupLane } from '../../mover/source/backup/backup-lane.ts';
import { BackupPipeline } from '../../mover/source/backup/backup-pipeline.ts';
import { createLaneCutter } from '../../mover/source/backup/content-reader.ts';
import { createPipeline } from '../../mover/source/pipeline.ts';
import { FilePlacer } from '../../mover/source/restore/file-placer.ts';
import { RestorePipeline } from '../../mover/source/restore/restore-pipeline.ts';
import { SourceMover } from '../../mover/source/source-mover.ts';
import { StreamWorker } from '../../mover/source/stream-worker.ts';
import { StreamPool } from '../../mover/source/streams/stream-pool.ts';
import type { StartThread, StreamThreadHandlers } from '../../mover/source/streams/stream-thread.ts';
import type { ToWorker } from '../../mover/source/streams/worker-link.ts';
import type { SourceDisk } from '../../mover/source/walk/source-disk.ts';
import type { MemoryTarget } from './memory-target.ts';
import type { MemoryTree } from './memory-tree.ts';

export const memoryPointId = 'ab'.repeat(16);
const maxStreams = 2;
/** Shared by all runs of a test file, because only the garbage collector frees the large memory of a lane. */
const cutters = Array.from({ length: maxStreams }, () => createLaneCutter());

export interface MemorySourceOptions {
  readonly operation: SourceStart['operation'];
  readonly target: MemoryTarget;
  /** The disk to back up; for backups only. */
  readonly disk?: SourceDisk;
  /** The destination; for restores only. */
  readonly tree?: MemoryTree;
  readonly streams?: number;
  readonly timers?: Timers;
}

export interface MemorySource {
  readonly mover: SourceMover;
  readonly events: MoverEvent[];
  /** Simulates a crash of a stream's thread. */
  readonly crash: (streamIndex: number) => void;
}

export function backupOf(sourcePath: string): SourceStart['operation'] {
  return {
    kind: 'backup',
    sourcePaths: [sourcePath],
    excludes: [],
    jobId: 'cd'.repeat(16),
    jobName: 'Job',
    pointId: memoryPointId,
    fileCachePath: ':memory:',
  };
}

export function restoreTo(destination: string): SourceStart['operation'] {
  return { kind: 'restore', pointId: memoryPointId, paths: [], destination, overwrite: 'never' };
}

/** The returned mover starts when `run` is called. */
export function makeMemorySource(options: MemorySourceOptions): MemorySource {
  const { operation, streams = 2, timers } = options;
  const events: MoverEvent[] = [];
  const threads: MemoryThread[] = [];
  const startThread: StartThread = (handlers) => {
    const thread = new MemoryThread(handlers, options);
    threads.push(thread);
    return thread;
  };
  const pool = new StreamPool(streams, startThread, timers);
  const start: SourceStart = {
    type: 'start',
    side: 'source',
    sessionId: '01'.repeat(16),
    attempt: 1,
    keyB: randomBytes(32),
    operation,
    gateway: { host: 'gateway.test', port: 1 },
    streamTickets: Array.from({ length: streams }, () => randomBytes(32)),
  };
  const mover = new SourceMover({
    start,
    pool,
    emit: (event) => events.push(event),
    createPipeline: (made) => {
      const { disk, tree } = options;
      if (made.operation.kind === 'backup' && disk !== undefined)
        return new BackupPipeline({ ...made, operation: made.operation, disk, now: Date.now });
      if (made.operation.kind === 'restore' && tree !== undefined)
        return new RestorePipeline({ ...made, operation: made.operation, openWriter: tree.openWriter });
      return createPipeline(made);
    },
    ...(timers === undefined ? {} : { timers }),
  });
  return { mover, events, crash: (streamIndex) => threads[streamIndex]?.crash() };
}

class MemoryThread {
  readonly #handlers: StreamThreadHandlers;
  readonly #options: MemorySourceOptions;
  #worker: StreamWorker | undefined;
  #isOver = false;

  constructor(handlers: StreamThreadHandlers, options: MemorySourceOptions) {
    this.#handlers = handlers;
    this.#options = options;
  }

  send(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    const cloned = structuredClone(message, { transfer });
    setImmediate(() => {
      if (this.#isOver) return;
      if (cloned.type === 'start') this.#begin(cloned);
      else this.#worker?.command(cloned);
    });
  }

  terminate(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    setImmediate(() => {
      this.#handlers.onExit();
    });
  }

  crash(): void {
    this.#handlers.onError(new Error('The thread ran out of memory'));
    this.terminate();
  }

  #begin(start: ToWorker & { readonly type: 'start' }): void {
    const { target, disk, tree, timers } = this.#options;
    const cutter = cutters[start.streamIndex];
    this.#worker = new StreamWorker(start, {
      post: (message, transfer = []) => {
        const cloned = structuredClone(message, { transfer });
        setImmediate(() => {
          if (!this.#isOver) this.#handlers.onMessage(cloned);
        });
      },
      onFinished: () => {
        // Runs after the last message was delivered.
        setImmediate(() => {
          this.terminate();
        });
      },
      connect: async ({ streamIndex }, _keyB, handlers) => target.connect(streamIndex, handlers),
      createLane: (ports) =>
        new BackupLane({
          ...ports,
          ...(disk === undefined ? {} : { disk }),
          ...(cutter === undefined ? {} : { cutter }),
        }),
      placer: new FilePlacer(
        tree?.placeFile ??
          (() => {
            throw new Error('This session restores nothing');
          }),
      ),
      ...(timers === undefined ? {} : { timers }),
    });
    void this.#worker.run();
  }
}
