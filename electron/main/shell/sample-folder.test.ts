import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { prepareSample } from './sample-folder.ts';

const homes: string[] = [];
const newHome = (): string => {
  const home = mkdtempSync(path.join(tmpdir(), 'farkeep-sample-'));
  homes.push(home);
  return home;
};

afterEach(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

it('makes the same documents on every computer', async () => {
  const [one, two] = await Promise.all([prepareSample(newHome()), prepareSample(newHome())]);
  const names = readdirSync(one.sourcePath, { recursive: true }).map(String).sort();
  expect(names.length).toBeGreaterThan(8);
  const ledger = path.join('Accounts', '2026.csv');
  expect(readFileSync(path.join(one.sourcePath, ledger))).toEqual(readFileSync(path.join(two.sourcePath, ledger)));
});

it('keeps changes of the user', async () => {
  const home = newHome();
  const { sourcePath } = await prepareSample(home);
  const file = path.join(sourcePath, 'Read me first.txt');
  writeFileSync(file, 'changed');
  await prepareSample(home);
  expect(readFileSync(file, 'utf8')).toBe('changed');
});
