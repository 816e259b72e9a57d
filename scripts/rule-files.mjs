// Owns when the checks of the rules must run: when one of the files that define them has changed since the last successful run. Must not
// run a check.
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildFolder, projectFolder } from './project.mjs';

/** The files that the script of the seeded violations reads. Files that these import are added. */
const roots = [
  'scripts/seeded-violations.mjs',
  ...[
    '.dependency-cruiser.mjs',
    '.oxlintrc.jsonc',
    'eslint.config.js',
    'knip.json',
    'package.json',
    'package-lock.json',
  ],
];
const patterns = ['tsconfig*.json', '{bench,e2e,electron,renderer,scripts,services}/**/tsconfig.json'];
/** The samples for the compiler's rules use the contracts. */
const contracts = ['services/contracts/client.ts', 'services/contracts/contract.ts'];

const recordOf = (/** @type {string} */ build) => path.join(build, 'reports', 'rules-seen-to-fail.sha256');

/** @param {string} root @returns {string[]} relative paths, sorted */
export function ruleFiles(root = projectFolder) {
  const files = new Set([...roots, ...contracts, ...patterns.flatMap((pattern) => globSync(pattern, { cwd: root }))]);
  for (const file of files) {
    if (!/\.m?js$/.test(file) || !existsSync(path.join(root, file))) continue;
    for (const [, to = ''] of readFileSync(path.join(root, file), 'utf8').matchAll(/from '(\.[^']+)'/g))
      files.add(path.join(path.dirname(file), to));
  }
  return [...files].filter((file) => existsSync(path.join(root, file))).sort();
}

/** One hash of the names and contents of all rule files. */
export function ruleFilesHash(root = projectFolder) {
  const hash = createHash('sha256');
  for (const file of ruleFiles(root))
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(root, file)))
      .update('\0');
  return hash.digest('hex');
}

/**
 * Whether the rule files were the same in the last successful run. A clone has no record of a run.
 * @param {string} hash of the rule files
 */
export function isSeenToFail(hash, build = buildFolder) {
  const record = recordOf(build);
  return existsSync(record) && readFileSync(record, 'utf8') === hash;
}

/** Records a successful run. @param {string} hash of the files before that run */
export function rememberSeenToFail(hash, build = buildFolder) {
  mkdirSync(path.dirname(recordOf(build)), { recursive: true });
  writeFileSync(recordOf(build), hash);
}
