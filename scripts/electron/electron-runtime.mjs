// Owns the choice of the Electron for running the console from a checkout.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ensureFallback } from './electron-fallbacks.mjs';
import { failedFetch } from './failed-fetch.mjs';
import { inProject, pinnedNodePath, readJson, SetUpError } from '../project.mjs';
import { runCommand } from '../run-command.mjs';

const downloadDeadlineMs = 90_000;

/**
 * @typedef {object} ElectronRuntime
 * @property {string} executable
 * @property {string} version
 * @property {'override' | 'declared' | 'fallback'} origin
 * @property {string} description one line for people
 */

/**
 * Finds, and if needed downloads, the Electron to use: ELECTRON_OVERRIDE_DIST_PATH, then the declared package, then a fall-back.
 * @param {{ say: (text: string) => void }} options
 * @returns {Promise<ElectronRuntime>}
 */
export async function ensureElectronRuntime({ say }) {
  const override = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
  if (override !== undefined && override !== '') return overriddenRuntime(override);
  const declared = await declaredRuntime({ say });
  if (declared !== undefined) return declared;
  return fallbackRuntime({ say });
}

/** @param {string} folder @returns {ElectronRuntime} */
function overriddenRuntime(folder) {
  const executable = path.join(folder, platformExecutable());
  if (!existsSync(executable)) {
    throw new SetUpError(
      `ELECTRON_OVERRIDE_DIST_PATH is set, but ${executable} does not exist.`,
      'Set it to the unpacked folder of an Electron release, or unset it.',
    );
  }
  const version = readVersion(folder) ?? 'unknown version';
  return { executable, version, origin: 'override', description: `Electron ${version} (ELECTRON_OVERRIDE_DIST_PATH)` };
}

function platformExecutable() {
  if (process.platform === 'darwin') return path.join('Electron.app', 'Contents', 'MacOS', 'Electron');
  return process.platform === 'win32' ? 'electron.exe' : 'electron';
}

/** @param {string} folder */
function readVersion(folder) {
  const file = path.join(folder, 'version');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().replace(/^v/, '') : undefined;
}

/** @param {{ say: (text: string) => void }} options @returns {Promise<ElectronRuntime | undefined>} */
async function declaredRuntime({ say }) {
  const version = String(readJson('package.json').devDependencies.electron);
  const folder = inProject('node_modules', 'electron', 'dist');
  const executable = path.join(folder, platformExecutable());
  /** @type {ElectronRuntime} */
  const runtime = {
    executable,
    version,
    origin: 'declared',
    description: `Electron ${version} (the declared version)`,
  };
  if (existsSync(executable) && readVersion(folder) === version) return runtime;

  const failure = failedFetch(inProject('build', 'runtime', `electron-${version}-unreachable`));
  if (failure.isRecent()) return undefined;

  say(`fetching Electron ${version} from its release host`);
  const { exitCode, output } = await runCommand(
    pinnedNodePath(),
    [inProject('node_modules', 'electron', 'install.js')],
    { deadlineMs: downloadDeadlineMs },
  );
  if (exitCode === 0 && existsSync(executable)) return runtime;
  const reason =
    output
      .split('\n')
      .find((line) => /Error|not finished/.test(line))
      ?.trim() ?? `exit code ${exitCode}`;
  say(`the release host cannot be reached (${reason})`);
  failure.note();
  return undefined;
}

/** @param {{ say: (text: string) => void }} options @returns {Promise<ElectronRuntime>} */
async function fallbackRuntime({ say }) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetUpError(
      `Electron could not be downloaded, and there is no fall-back for ${process.platform}-${process.arch}.`,
      'Unpack an Electron release and set ELECTRON_OVERRIDE_DIST_PATH to its folder.',
    );
  }
  return { ...(await ensureFallback({ say })), origin: 'fallback' };
}
