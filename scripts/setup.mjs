// Owns set-up of a checkout: dependencies, system libraries, the Electron runtime. Safe to repeat, quick the second time. Writes only to
// standard error, so that the output of a command that first runs set-up stays clean.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ensureElectronRuntime } from './electron/electron-runtime.mjs';
import { inProject, npmEnvironment, pinnedNodePath, SetUpError } from './project.mjs';
import { runCommand } from './run-command.mjs';
import { ensureNodeRuns, ensureSystemLibraries } from './system-libraries.mjs';

const minimumNodeMajor = 20;

/** @param {string} text */
export const say = (text) => {
  process.stderr.write(`set-up: ${text}\n`);
};

export const hasDisplay = () =>
  process.platform !== 'linux' || Boolean(process.env['DISPLAY']) || Boolean(process.env['WAYLAND_DISPLAY']);

/** Lock file and platform for which the dependencies were installed. After a change they are installed again. */
function dependencyStamp() {
  const hash = createHash('sha256').update(readFileSync(inProject('package-lock.json')));
  return `${hash.digest('hex')} ${process.platform}-${process.arch}\n`;
}

const stampFile = inProject('node_modules', '.farkeep-setup');

export function hasCurrentDependencies() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === dependencyStamp() && existsSync(pinnedNodePath());
}

/** Dependencies and the pinned Node.js: enough for services and the command line. */
export async function ensureDependencies() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < minimumNodeMajor) {
    throw new SetUpError(
      `Node.js ${process.versions.node} is too old to run npm for this project.`,
      `Install Node.js ${minimumNodeMajor} or newer (Debian: apt-get install nodejs npm, or a release from nodejs.org).`,
    );
  }
  if (hasCurrentDependencies()) return;
  if (isInstalledLock()) {
    // A developer ran "npm install", so everything in the lock file is already installed.
    await ensurePinnedNode();
    writeFileSync(stampFile, dependencyStamp());
    return;
  }
  say('installing dependencies (npm ci); this takes about a minute the first time');
  const { exitCode } = await runCommand(
    'npm',
    ['ci', '--include=optional', '--include=dev', '--no-progress', '--loglevel=error'],
    {
      cwd: inProject(),
      env: npmEnvironment(),
      deadlineMs: 900_000,
      show: 'stderr',
    },
  );
  if (exitCode !== 0) {
    throw new SetUpError(
      'npm could not install the dependencies (its message is above).',
      'Check the network and "npm config get registry", then run the same command again.',
    );
  }
  if (!existsSync(pinnedNodePath())) {
    throw new SetUpError(
      `There is no packaged Node.js runtime for ${process.platform}-${process.arch}.`,
      'Use linux-x64, linux-arm64, win-x64 or darwin-arm64.',
    );
  }
  await ensurePinnedNode();
  writeFileSync(stampFile, dependencyStamp());
}

/**
 * npm runs scripts with node_modules/.bin first in PATH, so `node` in a script is the pinned Node.js. While the pinned Node.js cannot run,
 * its link is removed. Otherwise the next try would fail with an unclear message of the dynamic linker.
 */
async function ensurePinnedNode() {
  const link = inProject('node_modules', '.bin', 'node');
  if (process.platform !== 'win32') rmSync(link, { force: true });
  await ensureNodeRuns(pinnedNodePath(), { say });
  if (process.platform !== 'win32') symlinkSync(path.relative(path.dirname(link), pinnedNodePath()), link);
}

/** npm keeps a copy of the lock file of the installed packages; its versions must equal those of this project's lock file. */
function isInstalledLock() {
  const installedFile = inProject('node_modules', '.package-lock.json');
  if (!existsSync(installedFile) || !existsSync(pinnedNodePath())) return false;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const locked = JSON.parse(readFileSync(inProject('package-lock.json'), 'utf8')).packages;
  return Object.entries(locked).every(
    ([name, { version, optional = false }]) =>
      name === '' || (name in installed ? installed[name].version === version : optional),
  );
}

/** Also sets up everything that the console needs. */
export async function ensureConsole() {
  await ensureDependencies();
  await ensureSystemLibraries({ say, hasDisplay: hasDisplay() });
  return ensureElectronRuntime({ say });
}
