// Process entry of a data mover: loads its side, takes one start message over the process channel, runs it, says how it ended, exits.
// Ends when the service that forked it is gone; writes nothing but the log (stderr).
import { every } from '../kernel/schedule.ts';
import { toFarkeepError, FarkeepError } from '../kernel/farkeep-error.ts';
import { createLogger } from '../kernel/logger.ts';
import type { MoverCommand, MoverEvent, MoverStart } from './link/local-link.ts';

const heartbeatIntervalMs = 5_000;
const securityCodes: ReadonlySet<string> = new Set(['security.tampered', 'security.key-proof']);

if (process.send === undefined) {
  process.stderr.write('This is the entry of a data mover; it is started by a Farkeep service.\n');
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
 * Loaded at once: the service forks a mover while its keys are still being made. Only the side that is needed; the other one would cost
 * start-up time and memory.
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
  if (start.side !== side) throw new FarkeepError('call.internal', `A ${side} mover got the work of the other side`);
  return start as MoverStart & { readonly side: Side };
}

async function run(start: MoverStart): Promise<number> {
  try {
    mover = (await prepared)(start);
    if (abortReason !== undefined) mover.abort(abortReason);
    await mover.run();
    return 0;
  } catch (error) {
    const known = toFarkeepError(error);
    if (known.code === 'call.internal') logger.error('The data mover failed', { error });
    emit({ type: 'failed', error: known.toInfo(), isTampered: securityCodes.has(known.code) });
    return 1;
  }
}

async function end(exitCode: number): Promise<void> {
  await lastReported;
  // How it ended has been told; exit() would wait for a thread that does not end.
  if (mover === undefined || mover.hasRunningThreads === true) process.kill(process.pid, 'SIGKILL');
  process.exit(exitCode);
}

const prepared = prepare(process.argv.slice(2));
prepared.catch(() => undefined); // whoever wants to start it gets the reason

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

// The service is gone: nobody would hear how this ends, and its keys must not outlive it.
process.on('disconnect', () => {
  process.exit(3);
});
// A terminal's Ctrl+C reaches the whole group; the service decides what becomes of its movers.
process.on('SIGINT', () => undefined);

every(heartbeatIntervalMs, () => emit({ type: 'alive' }), { isBackground: true });
