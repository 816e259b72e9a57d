// Owns the rules about files that no other tool checks: names, layout, module headers, forbidden content, and a reason for every
// dependency. Prints one line for each violation, and `{ passed, failed }` at the end.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { layers, rooms, sqlHomes, testFiles } from './import-rules.mjs';
import { projectFolder } from './project.mjs';

/** Written in parts, so that this file does not contain the forbidden names. */
const registryHosts = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['npm', 'mirror.com'],
  ['deb', 'debian', 'org'],
  ['unpkg', 'com'],
  ['jsdelivr', 'net'],
  ['files', 'pythonhosted', 'org'],
].map((parts) => parts.join(parts[0] === 'npm' ? '' : '.'));

/** Allowed entries of the root folder; dot files are configuration of tools. */
const layout = new Set([
  ...['assets', 'bench', 'docs', 'e2e', 'electron', 'renderer', 'scripts', 'services'],
  ...['CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md'],
  ...['eslint.config.js', 'knip.json', 'package-lock.json', 'package.json', 'vitest.config.mjs'],
  ...['tsconfig.base.json', 'tsconfig.json'],
]);

const maxFolderFiles = 20;
/** The start of words that American English spells differently. Only files that read old names may contain them. */
const britishSpelling =
  /\b\w*?(authoris|behaviour|cancell(ed|ing)|colour|dialled|dialling|enrol(?!l)|favour|finalis|fulfil(?!l)|initialis|labelled(?!by)|licence|neighbour|normalis|organis|recognis|serialis|signalled|summaris|synchronis)\w*/i;
const oldNames =
  /old-spellings|^(services\/pki\/(create\/(license|signed-json)|signed-documents\.test)|services\/host\/settings\/service-config\.test|services\/integration\/old-home\.test|renderer\/features\/options\/license-dialog|scripts\/tree-rules)\./;
const sourceFile = /\.(ts|tsx|mjs|js|cjs)$/;
const sqlStatement =
  /(^|['"`])\s*(SELECT\s|INSERT\s+(OR \w+ )?INTO\s|UPDATE\s+(OR \w+ )?\w+\s+SET\s|DELETE\s+FROM\s|(CREATE|ALTER|DROP)\s+(TABLE|INDEX|TRIGGER)\s|PRAGMA\s)/m;
const kebabCase = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
const emptyNames = /(^|[/-])(utils?|helpers?|common|misc)(\.|-|\/|$)/;
const binaryFile = /\.(png|ico|icns|woff2?|bin|p12|pfx|zip|gz)$/;

/**
 * @typedef {object} TreeRule
 * @property {string} name
 * @property {string} about
 * @property {(tree: Tree) => Iterable<string>} violations
 *
 * @typedef {object} Tree
 * @property {readonly string[]} files relative paths, with forward slashes
 * @property {(file: string) => string} read
 */

/** @param {Tree} tree @param {(file: string, text: string) => string | undefined} look */
function* everyText({ files, read }, look) {
  for (const file of files) {
    if (binaryFile.test(file)) continue;
    const found = look(file, read(file));
    if (found !== undefined) yield `${file}: ${found}`;
  }
}

/** @type {readonly TreeRule[]} */
export const treeRules = [
  {
    name: 'layout',
    about: 'the root contains only what docs/ARCHITECTURE.md lists',
    *violations({ files }) {
      for (const top of new Set(files.map((file) => file.split('/')[0] ?? ''))) {
        if (!top.startsWith('.') && !layout.has(top)) yield `${top}: is not part of the layout`;
      }
    },
  },
  {
    name: 'file-name',
    about: 'kebab-case, named after the main export; never utils, helpers, common, misc',
    *violations({ files }) {
      for (const file of files.filter((each) => sourceFile.test(each))) {
        if (!kebabCase.test(path.posix.basename(file))) yield `${file}: is not kebab-case`;
        if (emptyNames.test(file)) yield `${file}: this name says nothing; name the file after what it owns`;
      }
    },
  },
  {
    name: 'crowded-folder',
    about: `a folder of the product contains at most ${maxFolderFiles} source files, tests aside`,
    *violations({ files }) {
      const counts = new Map();
      for (const file of files) {
        if (!/^(services|renderer|electron|e2e|bench|scripts)\//.test(file) || !/\.(ts|tsx|mjs|css)$/.test(file))
          continue;
        if (/\.test\.tsx?$/.test(file)) continue;
        const folder = path.posix.dirname(file);
        counts.set(folder, (counts.get(folder) ?? 0) + 1);
      }
      for (const [folder, count] of counts)
        if (count > maxFolderFiles) yield `${folder}: contains ${count} source files; make sub-folders`;
    },
  },
  {
    name: 'american-spelling',
    about: 'American spelling in code and documents; old names only where they are read',
    violations: (tree) =>
      everyText(tree, (file, text) => {
        if (oldNames.test(file) || file === 'package-lock.json') return undefined;
        const found = britishSpelling.exec(`${file}\n${text}`)?.[0];
        return found === undefined ? undefined : `"${found}" is British spelling`;
      }),
  },
  {
    name: 'rooms-document',
    about: 'docs/ARCHITECTURE.md lists the layers and the rooms of scripts/import-rules.mjs, in this order',
    *violations({ files, read }) {
      const document = 'docs/ARCHITECTURE.md';
      if (!files.includes(document)) return;
      const text = read(document);
      const table = [...text.matchAll(/^\| ((?:services|electron|renderer|e2e)[\w/, -]*) \|/gm)].flatMap((row) => {
        const [first = '', ...others] = (row[1] ?? '').split(', ');
        return [first, ...others.map((other) => `${path.posix.dirname(first)}/${other}`)];
      });
      for (const { folder } of layers) {
        const isKnown = table.some((row) => folder === row || folder.startsWith(`${row}/`));
        if (!isKnown && files.some((file) => file.startsWith(`${folder}/`)))
          yield `${document}: the layer table lacks ${folder}`;
      }
      const section = /^## Rooms\n(.*?)^## /ms.exec(text)?.[1] ?? '';
      const described = new Map(
        section
          .split(/^### /m)
          .slice(1)
          .map((part) => {
            const [folder = '', ...lines] = part.split('\n');
            return [folder, lines.flatMap((line) => /^\d+\. `([^`]+)`: \S/.exec(line)?.[1] ?? [])];
          }),
      );
      for (const folder of new Set([...Object.keys(rooms), ...described.keys()])) {
        const [wanted, found] = [rooms[folder], described.get(folder)].map((list) => list?.join(', ') ?? 'nothing');
        if (wanted !== found) yield `${document}: the rooms of ${folder} are ${wanted}; the document says ${found}`;
      }
    },
  },
  {
    name: 'module-header',
    about: 'a module starts with a comment that says what it owns',
    *violations({ files, read }) {
      for (const file of files.filter((each) => sourceFile.test(each) && !/\.test\.|\.d\.ts$|\.spec\./.test(each))) {
        const firstLine =
          read(file)
            .split('\n')
            .find((line) => !line.startsWith('#!')) ?? '';
        if (!/^(\/\/|\/\*)/.test(firstLine)) yield `${file}: has no header comment`;
      }
    },
  },
  {
    name: 'sql-home',
    about: 'SQL of the services stands in folders with the name "state", and in the few databases of `sqlHomes`',
    *violations({ files, read }) {
      const isTest = new RegExp(testFiles);
      for (const file of files.filter((each) => each.startsWith('services/') && sourceFile.test(each))) {
        if (isTest.test(file) || file.includes('/state/') || sqlHomes.some((home) => file.startsWith(home))) continue;
        if (sqlStatement.test(read(file))) yield `${file}: holds SQL; make it a method of a store`;
      }
    },
  },
  {
    name: 'machine-path',
    about: 'no path of one machine',
    violations: (tree) =>
      everyText(tree, (_file, text) => {
        const homes = [projectFolder, homedir()].filter((folder) => folder.length > 1 && text.includes(`${folder}/`));
        if (homes.length > 0) return `names the folder ${homes.join(', ')} of this machine`;
        return /(\/Users\/|\/home\/runner\/|[A-Z]:\\\\?Users\\)/.test(text) ? 'names a home folder' : undefined;
      }),
  },
  {
    name: 'registry-host',
    about: 'no host of a package registry: npm decides where packages come from',
    violations: (tree) =>
      everyText(tree, (_file, text) => {
        const host = registryHosts.find((name) => text.includes(name));
        return host === undefined ? undefined : `names the registry host ${host}`;
      }),
  },
  {
    name: 'secret',
    about: 'no private key or access token',
    violations: (tree) =>
      everyText(tree, (_file, text) =>
        /-----BEGIN [A-Z ]*PRIVATE KEY-----(\\n|\s)+[A-Za-z0-9+/=]{40}|\bnpm_[A-Za-z0-9]{36}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bAKIA[A-Z0-9]{16}\b/.test(
          text,
        )
          ? 'holds a private key or an access token'
          : undefined,
      ),
  },
  {
    name: 'used-text',
    about: 'every text of the console is shown somewhere',
    *violations({ files, read }) {
      const tables = files.filter((file) => /^renderer\/i18n\/text-[a-z]+\.ts$/.test(file));
      const code = files.filter(
        (file) => file.startsWith('renderer/') && sourceFile.test(file) && !tables.includes(file),
      );
      const source = code.map(read).join('\n');
      const families = [...source.matchAll(/`([\w.-]+\.)\$\{/g)].map((match) => match[1] ?? '');
      for (const file of tables) {
        for (const [, id = ''] of read(file).matchAll(/^ {2}'([\w.-]+)':/gm)) {
          if (!source.includes(`'${id}'`) && !families.some((start) => id.startsWith(start)))
            yield `${file}: no code shows '${id}'`;
        }
      }
    },
  },
  {
    name: 'dependency-reason',
    about: 'every dependency has a line in docs/dependencies.md, and every line a dependency',
    *violations({ files, read }) {
      if (!files.includes('package.json')) return;
      const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = JSON.parse(read('package.json'));
      const declared = new Set(
        [dependencies, devDependencies, optionalDependencies].flatMap((group) => Object.keys(group)),
      );
      const text = files.includes('docs/dependencies.md') ? read('docs/dependencies.md') : '';
      const explained = new Set(
        [...text.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap((row) =>
          [...(row[1] ?? '').matchAll(/`([^`]+)`/g)].map((name) => name[1]),
        ),
      );
      for (const name of declared)
        if (!explained.has(name)) yield `package.json: ${name} has no line in docs/dependencies.md`;
      for (const name of explained)
        if (!declared.has(String(name))) yield `docs/dependencies.md: ${name} is not a dependency`;
    },
  },
];

/** All files that git tracks or would add. @param {string} root @returns {Tree} */
export function readTree(root) {
  const output = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = [...new Set(output.split('\0'))]
    .filter((file) => file !== '' && existsSync(path.join(root, file)))
    .sort();
  return { files, read: (file) => readFileSync(path.join(root, file), 'utf8') };
}

/** The rules run only if this file is run as a command. seeded-violations.mjs imports the rules. */
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const tree = readTree(projectFolder);
  let passed = 0;
  let failed = 0;
  for (const rule of treeRules) {
    const violations = [...rule.violations(tree)];
    if (violations.length === 0) passed += 1;
    else failed += 1;
    for (const violation of violations) process.stdout.write(`${rule.name}: ${violation} (${rule.about})\n`);
  }
  process.exitCode = failed === 0 ? 0 : 1;
  process.stdout.write(`${JSON.stringify({ passed, failed })}\n`);
}
