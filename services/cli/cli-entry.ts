// The `farkeep` command. Owns the process: signals and exit code.
import '../contracts/zod-setup.ts';
import { exitCodes } from '../contracts/errors.ts';
import { writeError } from './output.ts';
import { runCommandLine } from './program.ts';

const controller = new AbortController();
/** One Ctrl-C can arrive several times: from the terminal, and again from a program that passes it on. */
const sameInterruptionMs = 1_000;
let interruptedAtMs: number | undefined;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    const nowMs = performance.now();
    // The first asks for an orderly end, the second does not wait for it.
    if (interruptedAtMs === undefined) interruptedAtMs = nowMs;
    else if (nowMs - interruptedAtMs > sameInterruptionMs) process.exit(exitCodes.canceled);
    controller.abort();
  });
}
// A reader that has seen enough (`farkeep point list | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.done : exitCodes.failed);
});

try {
  process.exitCode = await runCommandLine(process.argv.slice(2), controller.signal);
} catch (error) {
  writeError(`Error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.exitCode = exitCodes.failed;
}
// What a command left open (a socket, a prompt) must not keep the process; stdout may still have to reach a slow pipe.
process.stdout.write('', () => process.exit());
