// Tests when the checks of the rules run: always in a clone, and after a change of a rule file.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isSeenToFail, rememberSeenToFail, ruleFiles, ruleFilesHash } from './rule-files.mjs';

/** @type {string} */
let root;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'farkeep-rules-'));
  write('scripts/seeded-violations.mjs', "import { rules } from './some-rules.mjs';\n");
  write('scripts/some-rules.mjs', 'export const rules = 1;\n');
  write('tsconfig.json', '{}');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** @param {string} file @param {string} text */
function write(file, text) {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
}

const isDone = () => isSeenToFail(ruleFilesHash(root), path.join(root, 'build'));

it('a clone runs them, and a second run with the same files does not', () => {
  expect(isDone()).toBe(false);
  rememberSeenToFail(ruleFilesHash(root), path.join(root, 'build'));
  expect(isDone()).toBe(true);
  write('services/kernel/clock.ts', 'export const it = 1;\n');
  expect(isDone()).toBe(true);
});

it.each([
  ['the script', 'scripts/seeded-violations.mjs'],
  ['a file that the script imports', 'scripts/some-rules.mjs'],
  ['a new project of the compiler', 'services/tsconfig.json'],
  ['the configuration of ESLint', 'eslint.config.js'],
  ['the configuration of Oxlint', '.oxlintrc.jsonc'],
  ['the versions of the tools', 'package-lock.json'],
])('a change of %s makes them run again', (_name, file) => {
  rememberSeenToFail(ruleFilesHash(root), path.join(root, 'build'));
  write(file, '// Changed.\n');
  expect(isDone()).toBe(false);
});

it('the list has every file of this project that defines a rule', () => {
  for (const name of ['import-rules', 'tree-rules', 'unused-members', 'seeded-violations', 'run-command'])
    expect(ruleFiles()).toContain(`scripts/${name}.mjs`);
  expect(ruleFiles()).toContain('.dependency-cruiser.mjs');
});
