// Owns running one command of the tool chain with a time limit, and ending its whole process group. Must not interpret output.
import { spawn } from 'node:child_process';

/** Running process groups; an interrupted script ends all of them. */
const running = new Set();
const endingSignals = /** @type {const} */ (['SIGINT', 'SIGTERM']);

/** @param {import('node:child_process').ChildProcess} child @param {NodeJS.Signals} signal */
function signalGroup(child, signal) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}

/** @param {NodeJS.Signals} signal */
function endEverything(signal) {
  for (const child of running) signalGroup(child, 'SIGTERM');
  process.exit(signal === 'SIGINT' ? 130 : 143);
}

// The signal handlers exist only while a command runs. Otherwise they would end a script that passes its signals to its own child.
/** @param {import('node:child_process').ChildProcess} child */
function track(child) {
  if (running.size === 0) for (const signal of endingSignals) process.on(signal, endEverything);
  running.add(child);
}

/** @param {import('node:child_process').ChildProcess} child */
function untrack(child) {
  running.delete(child);
  if (running.size === 0) for (const signal of endingSignals) process.off(signal, endEverything);
}

/**
 * @typedef {object} CommandResult
 * @property {number} exitCode 0 is success; 124 after the time limit; 127 when the program does not exist
 * @property {string} output standard output and error in order of arrival (empty with `show`)
 * @property {string} stdout standard output alone (empty with `show`)
 */

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, deadlineMs?: number, show?: 'stdout' | 'stderr' | false }} [options]
 *   `show` prints the output as it arrives, both streams to the named one
 * @returns {Promise<CommandResult>}
 */
export function runCommand(program, args, { cwd, env, deadlineMs = 600_000, show = false } = {}) {
  return new Promise((resolve) => {
    const target = show === 'stderr' ? 2 : 1;
    const child = spawn(program, args, {
      cwd,
      env,
      detached: process.platform !== 'win32',
      stdio: show === false ? ['ignore', 'pipe', 'pipe'] : ['ignore', target, target],
    });
    track(child);
    let output = '';
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      output += text;
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    let isLate = false;
    const deadline = setTimeout(() => {
      isLate = true;
      signalGroup(child, 'SIGTERM');
      setTimeout(() => signalGroup(child, 'SIGKILL'), 5_000).unref();
    }, deadlineMs);
    /** @param {number} exitCode */
    const finish = (exitCode) => {
      clearTimeout(deadline);
      untrack(child);
      if (isLate) output += `\n${program} ${args.join(' ')}: not finished after ${deadlineMs / 1000} s, ended.\n`;
      resolve({ exitCode: isLate ? 124 : exitCode, output, stdout });
    };
    child.once('error', (error) => {
      output += `${error.message}\n`;
      finish(127);
    });
    child.once('close', (code, signal) => finish(code ?? (signal === null ? 1 : 128)));
  });
}
