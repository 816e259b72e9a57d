// Process entry of a data mover: takes one start message over the process channel, runs that side, says how it ended, exits.
// Ends when the service that forked it is gone; writes nothing but the log (stderr).
import { toFarkeepError, FarkeepError } from '../kernel/farkeep-error.ts';
import { createLogger } from '../kernel/logger.ts';
import type { MoverCommand, MoverEvent, MoverStart } from './local-link.ts';

const heartbeatIntervalMs = 5_000;
const securityCodes: ReadonlySet<string> = new Set(['security.tampered', 'security.key-proof']);

if (process.send === undefined) {
  process.stderr.write('This is the entry of a data mover; it is started by a Farkeep service.\n');
  process.exit(2);
}

const logger = createLogger({ name: 'mover' });
let mover:
  { run(): Promise<void>; abort(reason: FarkeepError): void; readonly hasRunningThreads?: boolean } | undefined;
let isStarted = false;
let lastReported: Promise<void> = Promise.resolve();

function emit(event: MoverEvent): void {
  if (!process.connected) return;
  lastReported = new Promise((resolve) => {
    process.send?.(event, undefined, undefined, () => {
      resolve();
    });
  });
}

/** Loads only the side that is needed: the other one would cost start-up time and memory. */
async function makeMover(start: MoverStart): Promise<NonNullable<typeof mover>> {
  if (start.side === 'target') {
    const { TargetMover } = await import('./target-mover.ts');
    return new TargetMover(start, emit, logger);
  }
  const { SourceMover } = await import('./source-mover.ts');
  return new SourceMover(start, emit);
}

async function run(start: MoverStart): Promise<number> {
  try {
    mover = await makeMover(start);
    await mover.run();
    return 0;
  } catch (error) {
    const known = toFarkeepError(error);
    if (known.code === 'call.internal') logger.error('The data mover failed', { error });
    emit({ type: 'failed', error: known.toInfo(), isTampered: securityCodes.has(known.code) });
    return 1;
  }
}

process.on('message', (command: MoverCommand) => {
  switch (command.type) {
    case 'start':
      if (!isStarted) {
        isStarted = true;
        void run(command).then(async (exitCode) => {
          await lastReported;
          // How it ended has been told; exit() would wait for a thread that does not end.
          if (mover?.hasRunningThreads === true) process.kill(process.pid, 'SIGKILL');
          process.exit(exitCode);
        });
      }
      return;
    case 'abort':
      mover?.abort(FarkeepError.fromInfo(command.reason));
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

setInterval(() => {
  emit({ type: 'alive' });
}, heartbeatIntervalMs).unref();
