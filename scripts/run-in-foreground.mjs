// Owns running another program in the foreground: passes on its output, exit code and signals.
import { spawn } from 'node:child_process';

const forwardedSignals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>} exit code. If a signal ended the program, the same signal ends this process.
 * @throws {Error} of the system when the program cannot be started
 */
export function runInForeground(program, args, { cwd, env } = {}) {
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', cwd, env });
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
      // A terminal sends Ctrl-C to the whole process group. A service manager or a script sends signals only to this process.
      if (!(signal === 'SIGINT' && hasTerminal)) child.kill(signal);
    };
    for (const signal of forwardedSignals) process.on(signal, forward);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      for (const name of forwardedSignals) process.off(name, forward);
      if (signal !== null) process.kill(process.pid, signal);
      else resolve(code ?? 1);
    });
  });
}
