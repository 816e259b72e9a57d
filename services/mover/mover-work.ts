// Owns the work of one data mover from its start to its end: loads its side, takes one start message, runs, reports a failure. Does not
// know whether it has a process of its own.
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import type { Logger } from '../kernel/logger.ts';
import type { MoverEvent, MoverStart } from './link/local-link.ts';
import type { StartThread } from './source/streams/stream-thread.ts';

const securityCodes: ReadonlySet<string> = new Set(['security.tampered', 'security.key-proof']);

interface Mover {
  run(): Promise<void>;
  abort(reason: FarkeepError): void;
  readonly hasRunningThreads?: boolean;
}

export interface MoverWorkOptions {
  readonly side: MoverStart['side'];
  /** Number of data streams of a source; each has one thread. */
  readonly streams: number;
  readonly emit: (event: MoverEvent) => void;
  readonly logger: Logger;
  /** Starts the threads of a source; worker threads by default. */
  readonly startThread?: StartThread;
}

export class MoverWork {
  readonly #options: MoverWorkOptions;
  readonly #prepared: Promise<(start: MoverStart) => Mover>;
  readonly #ended = Promise.withResolvers<{ readonly isGood: boolean }>();
  #mover: Mover | undefined;
  #isStarted = false;
  #abortReason: FarkeepError | undefined;

  constructor(options: MoverWorkOptions) {
    this.#options = options;
    this.#prepared = prepare(options);
    this.#prepared.catch(() => undefined); // `begin` reports the reason
  }

  /** Resolves after the last event. */
  get ended(): Promise<{ readonly isGood: boolean }> {
    return this.#ended.promise;
  }

  /** Whether a thread may still run after the end, so that `process.exit()` could wait for it forever. */
  get hasRunningThreads(): boolean {
    return this.#mover === undefined || this.#mover.hasRunningThreads === true;
  }

  /** Only the first call counts, and none after an abort. */
  begin(start: MoverStart): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    void this.#run(start);
  }

  abort(reason: FarkeepError): void {
    this.#abortReason ??= reason;
    this.#mover?.abort(this.#abortReason);
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#fail(this.#abortReason, false);
  }

  async #run(start: MoverStart): Promise<void> {
    try {
      this.#mover = (await this.#prepared)(start);
      if (this.#abortReason !== undefined) this.#mover.abort(this.#abortReason);
      await this.#mover.run();
      this.#ended.resolve({ isGood: true });
    } catch (error) {
      const failure = toFarkeepError(error);
      if (failure.code === 'call.internal') this.#options.logger.error('The data mover failed', { error });
      this.#fail(failure, securityCodes.has(failure.code));
    }
  }

  #fail(failure: FarkeepError, isTampered: boolean): void {
    this.#options.emit({ type: 'failed', error: failure.toInfo(), isTampered });
    this.#ended.resolve({ isGood: false });
  }
}

/**
 * Loads only the side that is needed, because the other side costs start-up time and memory. Runs at once, while the service still makes
 * the keys.
 */
async function prepare({
  side,
  streams,
  emit,
  logger,
  startThread,
}: MoverWorkOptions): Promise<(start: MoverStart) => Mover> {
  if (side === 'target') {
    const { TargetMover } = await import('./target/target-mover.ts');
    return (start) => new TargetMover(forSide(start, 'target'), emit, logger);
  }
  const { SourceMover } = await import('./source/source-mover.ts');
  const { StreamPool } = await import('./source/streams/stream-pool.ts');
  const { startStreamThread } = await import('./source/streams/stream-thread.ts');
  const { createPipeline } = await import('./source/pipeline.ts');
  const pool = new StreamPool(streams, startThread ?? startStreamThread);
  return (start) => new SourceMover({ start: forSide(start, 'source'), pool, emit, createPipeline });
}

function forSide<Side extends MoverStart['side']>(start: MoverStart, side: Side): MoverStart & { readonly side: Side } {
  if (start.side !== side)
    throw new FarkeepError('call.internal', `A ${side} mover got a start message for the other side`);
  return start as MoverStart & { readonly side: Side };
}
