// Process entry of a data mover: takes one start message over the process channel, reports events and the end, exits. Ends when the
// service that forked it has ended; writes only the log (stderr).
import { every } from '../kernel/schedule.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { createLogger } from '../kernel/logger.ts';
import type { MoverCommand, MoverEvent } from './link/local-link.ts';
import { MoverWork } from './mover-work.ts';

const heartbeatIntervalMs = 5_000;

if (process.send === undefined) {
  process.stderr.write('This file starts a data mover; only a Farkeep service can run it.\n');
  process.exit(2);
}

let lastReported: Promise<void> = Promise.resolve();

function emit(event: MoverEvent): void {
  if (!process.connected) return;
  lastReported = new Promise((resolve) => {
    process.send?.(event, undefined, undefined, () => {
      resolve();
    });
  });
}

async function end(exitCode: number): Promise<void> {
  await lastReported;
  // The result has been sent. process.exit() would wait for a thread that does not end.
  if (work.hasRunningThreads) process.kill(process.pid, 'SIGKILL');
  process.exit(exitCode);
}

const [side, streams] = process.argv.slice(2);
const work = new MoverWork({
  side: side === 'target' ? 'target' : 'source',
  streams: Number(streams),
  emit,
  logger: createLogger({ name: 'mover' }),
});
void work.ended.then(({ isGood }) => end(isGood ? 0 : 1));

process.on('message', (command: MoverCommand) => {
  switch (command.type) {
    case 'start':
      work.begin(command);
      return;
    case 'abort':
      work.abort(FarkeepError.fromInfo(command.reason));
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
