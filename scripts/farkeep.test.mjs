// Tests the `farkeep` command from a checkout: prints nothing of its own to standard output, passes on exit codes and signals, leaves no
// process.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { inProject, readJson } from './project.mjs';

/** @type {string} */
let home;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'farkeep-command-'));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

/** @param {readonly string[]} args @param {NodeJS.ProcessEnv} env */
function start(args, env = {}) {
  const child = spawn(process.execPath, [inProject('scripts', 'farkeep.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FARKEEP_HOME: home, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  /** @type {Promise<{ code: number | null, signal: NodeJS.Signals | null, stdout: string, stderr: string }>} */
  const ended = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

it('prints the result of the command and nothing else', async () => {
  const { code, stdout } = await start(['--version']).ended;
  expect(stdout.trim()).toBe(readJson('package.json').version);
  expect(code).toBe(0);
});

it('resolves relative paths from the folder in which npm was called', async () => {
  const npm = { npm_lifecycle_event: 'farkeep', INIT_CWD: home };
  const { stdout } = await start(['diagnostics', '--out', 'here.zip'], npm).ended;
  expect(stdout).toContain('here.zip');
  expect(existsSync(path.join(home, 'here.zip'))).toBe(true);
});

it('passes on the exit code of wrong usage', async () => {
  const { code, stdout } = await start(['no-such-command']).ended;
  expect(code).toBe(2);
  expect(stdout).toBe('');
});

it('passes on a signal and ends like its command', async () => {
  const { child, ended } = start(['serve', 'tenant', '--json']);
  /** @type {{ pid: number }} */
  const ready = await new Promise((resolve, reject) => {
    child.stdout.on('data', (text) => {
      if (String(text).includes('\n')) resolve(JSON.parse(String(text)));
    });
    void ended.then(({ stderr }) => reject(new Error(`ended before it was ready: ${stderr}`)));
  });
  expect(ready.pid).not.toBe(child.pid);
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0, signal: null });
  expect(() => process.kill(ready.pid, 0)).toThrow('ESRCH');
});
