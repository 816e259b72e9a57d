// Tests unpacking a zip that another library made: content, modes, only the wanted part, nothing outside of the folder.
import {
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
import { strToU8, zipSync } from 'fflate';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { unzip } from './unzip.mjs';

/** @type {string} */
let work;
/** @type {string} */
let target;

beforeEach(() => {
  work = mkdtempSync(path.join(tmpdir(), 'farkeep-unzip-'));
  target = path.join(work, 'target');
  mkdirSync(target);
});

afterEach(() => rmSync(work, { recursive: true, force: true }));

/** @param {import('fflate').Zippable} content */
function makeZip(content) {
  const file = path.join(work, 'made.zip');
  writeFileSync(file, zipSync(content));
  return file;
}

/** @param {string} text @param {number} mode @param {0 | 6} level @returns {[Uint8Array, import('fflate').ZipOptions]} */
const entry = (text, mode, level = 6) => [strToU8(text), { attrs: mode << 16, os: 3, level }];

it('unpacks the wanted entries with their mode, compressed or not', async () => {
  const long = 'packed '.repeat(300_000);
  const zip = makeZip({
    'App/program': entry(long, 0o100755),
    'App/data/plain.txt': entry('as it is', 0o100644, 0),
    'App/empty': entry('', 0o100644),
    'App/data/unwanted.txt': entry('no', 0o100644),
    'other/file': entry('no', 0o100644),
  });
  await unzip(zip, target, { root: 'App/', isWanted: (name) => name !== 'data/unwanted.txt' });
  expect(readdirSync(target, { recursive: true }).sort()).toEqual(['data', 'data/plain.txt', 'empty', 'program']);
  expect(readFileSync(path.join(target, 'program'), 'utf8')).toBe(long);
  expect(readFileSync(path.join(target, 'data', 'plain.txt'), 'utf8')).toBe('as it is');
  expect(readFileSync(path.join(target, 'empty'), 'utf8')).toBe('');
  expect(statSync(path.join(target, 'program')).mode & 0o777).toBe(0o755);
  expect(statSync(path.join(target, 'empty')).mode & 0o111).toBe(0);
});

it('writes nothing outside of the folder', async () => {
  const zip = makeZip({ 'App/../../escaped': entry('no', 0o100644) });
  await expect(unzip(zip, target, { root: 'App/', isWanted: () => true })).rejects.toThrow('leaves the folder');
  expect(existsSync(path.join(work, 'escaped'))).toBe(false);
});

it('refuses a file that is not a zip, and one that was cut', async () => {
  const noZip = path.join(work, 'no.zip');
  writeFileSync(noZip, 'this is text');
  await expect(unzip(noZip, target, { root: '', isWanted: () => true })).rejects.toThrow('not a zip file');
  const zip = makeZip({ file: entry('content', 0o100644) });
  writeFileSync(zip, readFileSync(zip).subarray(20));
  await expect(unzip(zip, target, { root: '', isWanted: () => true })).rejects.toThrow();
});
