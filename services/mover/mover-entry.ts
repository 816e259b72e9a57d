// Process entry of a data mover: loads its side, takes one start message over the process channel, runs the work, reports how it ended,
// exits. Ends when the service that forked it has ended; writes only the log (stderr).
import { every } from '../kernel/schedule.ts';
import { toFarkeepError, FarkeepError } from '../kernel/farkeep-error.ts';
import { createLogger } from '../kernel/logger.ts';
import type { MoverCommand, MoverEvent, MoverStart } from './link/local-link.ts';

const heartbeatIntervalMs = 5_000;
const securityCodes: ReadonlySet<string> = new Set(['security.tampered', 'security.key-proof']);

if (process.send === undefined) {
  process.stderr.write('This file starts a data mover; only a Farkeep service can run it.\n');
  process.exit(2);
}

const logger = createLogger({ name: 'mover' });

interface Mover {
  run(): Promise<void>;
  abort(reason: FarkeepError): void;
  readonly hasRunningThreads?: boolean;
}

let mover: Mover | undefined;
let isStarted = false;
let abortReason: FarkeepError | undefined;
let lastReported: Promise<void> = Promise.resolve();

function emit(event: MoverEvent): void {
  if (!process.connected) return;
  lastReported = new Promise((resolve) => {
    process.send?.(event, undefined, undefined, () => {
      resolve();
    });
  });
}

/**
 * Loads only the side that is needed, because the other side costs start-up time and memory. Runs at once, while the service still makes
 * the keys.
 */
async function prepare([side, streams]: readonly string[]): Promise<(start: MoverStart) => Mover> {
  if (side === 'target') {
    const { TargetMover } = await import('./target/target-mover.ts');
    return (start) => new TargetMover(forSide(start, 'target'), emit, logger);
  }
  const { SourceMover } = await import('./source/source-mover.ts');
  const { StreamPool } = await import('./source/streams/stream-pool.ts');
  const { startStreamThread } = await import('./source/streams/stream-thread.ts');
  const { createPipeline } = await import('./source/pipeline.ts');
  const pool = new StreamPool(Number(streams), startStreamThread);
  return (start) => new SourceMover({ start: forSide(start, 'source'), pool, emit, createPipeline });
}

function forSide<Side extends MoverStart['side']>(start: MoverStart, side: Side): MoverStart & { readonly side: Side } {
  if (start.side !== side)
    throw new FarkeepError('call.internal', `A ${side} mover got a start message for the other side`);
  return start as MoverStart & { readonly side: Side };
}

async function run(start: MoverStart): Promise<number> {
  try {
    mover = (await prepared)(start);
    if (abortReason !== undefined) mover.abort(abortReason);
    await mover.run();
    return 0;
  } catch (error) {
    const failure = toFarkeepError(error);
    if (failure.code === 'call.internal') logger.error('The data mover failed', { error });
    emit({ type: 'failed', error: failure.toInfo(), isTampered: securityCodes.has(failure.code) });
    return 1;
  }
}

async function end(exitCode: number): Promise<void> {
  await lastReported;
  // The result has been sent. process.exit() would wait for a thread that does not end.
  if (mover === undefined || mover.hasRunningThreads === true) process.kill(process.pid, 'SIGKILL');
  process.exit(exitCode);
}

const prepared = prepare(process.argv.slice(2));
prepared.catch(() => undefined); // the caller that starts the mover gets the reason

process.on('message', (command: MoverCommand) => {
  switch (command.type) {
    case 'start':
      if (!isStarted) {
        isStarted = true;
        void run(command).then(end);
      }
      return;
    case 'abort':
      abortReason ??= FarkeepError.fromInfo(command.reason);
      mover?.abort(abortReason);
      if (!isStarted) {
        emit({ type: 'failed', error: abortReason.toInfo(), isTampered: false });
        void end(1);
      }
      return;
    case 'alive':
      return;
  }
});

// The service has ended: no process would receive the result, and the keys must not outlive the service.
process.on('disconnect', () => {
  process.exit(3);
});
// A terminal sends Ctrl+C to the whole process group. Only the service decides when its movers end.
process.on('SIGINT', () => undefined);

every(heartbeatIntervalMs, () => emit({ type: 'alive' }), { isBackground: true });
