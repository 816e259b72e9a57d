// The `farkeep` command. Owns the process: signals and exit code.
import '../contracts/zod-setup.ts';
import { exitCodes } from '../contracts/errors.ts';
import { writeError } from './output.ts';
import { runCommandLine } from './program.ts';

const controller = new AbortController();
/** One Ctrl-C can send several signals: from the terminal, and from a parent program that passes the signal on. */
const sameInterruptionMs = 1_000;
let interruptedAtMs: number | undefined;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    const nowMs = performance.now();
    // The first Ctrl-C asks for an orderly end, the second ends the process at once.
    if (interruptedAtMs === undefined) interruptedAtMs = nowMs;
    else if (nowMs - interruptedAtMs > sameInterruptionMs) process.exit(exitCodes.canceled);
    controller.abort();
  });
}
// A reader that closes the pipe early (`farkeep point list | head`) is not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.done : exitCodes.failed);
});

try {
  process.exitCode = await runCommandLine(process.argv.slice(2), controller.signal);
} catch (error) {
  writeError(`Error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.exitCode = exitCodes.failed;
}
// Open sockets or prompts of a command must not keep the process running. Waits until stdout is written, because a pipe can be slow.
process.stdout.write('', () => process.exit());
