#!/usr/bin/env node
// The `farkeep` command from a checkout: runs the command line on the pinned Node.js. Passes everything on and adds nothing.
import { spawn } from 'node:child_process';
import { inProject, reportAndExit, requirePinnedNode } from './project.mjs';
import { ensureDependencies } from './setup.mjs';

const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
const forwardedSignals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

try {
  await ensureDependencies();
  process.exitCode = await runCommandLine(process.argv.slice(2));
} catch (error) {
  reportAndExit(error);
}

/** @param {readonly string[]} args @returns {Promise<number>} exit code */
function runCommandLine(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(requirePinnedNode(), [inProject('services', 'cli', 'cli-entry.ts'), ...args], {
      stdio: 'inherit',
      cwd: callersFolder(),
    });
    for (const signal of forwardedSignals) {
      // A terminal sends Ctrl-C to the whole group already; a service manager or a script sends it only here.
      process.on(signal, () => {
        if (!(signal === 'SIGINT' && hasTerminal)) child.kill(signal);
      });
    }
    child.once('error', reject);
    child.once('close', (code, signal) => {
      for (const name of forwardedSignals) process.removeAllListeners(name);
      // Ended by a signal: end in the same way, so that the caller sees the truth.
      if (signal !== null) process.kill(process.pid, signal);
      else resolve(code ?? 1);
    });
  });
}

/** `npm run` changes to the checkout's top folder; relative paths are meant from where it was called. */
function callersFolder() {
  const { npm_lifecycle_event: npmScript, INIT_CWD: folder } = process.env;
  return npmScript === 'farkeep' && folder !== undefined ? folder : process.cwd();
}
