// Proves that the rules report violations: builds a small tree below build/ that breaks every rule once, and runs the real checkers with
// the real configuration. Fails when a violation is not reported, when a rule has no sample, or when valid code is reported.
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import tseslint from 'typescript-eslint';
import dependencyRules from '../.dependency-cruiser.mjs';
import { layers, onlyUsers, rooms, timerHome, timerNames } from './import-rules.mjs';
import { buildFolder, inProject, projectFolder, readJson } from './project.mjs';
import { runCommand } from './run-command.mjs';
import { treeRules } from './tree-rules.mjs';
import { unusedMembers } from './unused-members.mjs';

/** Rules of typescript-eslint's strict set that Oxlint does not know; .oxlintrc.jsonc says why they are not wanted. */
const unknownToOxlint = new Set(['@typescript-eslint/no-unsafe-class-instance-assignment']);

/** @type {{ rule: string, problem: string }[]} */
const problems = [];
let passed = 0;

/** @param {string} rule @param {boolean} isGood @param {string} problem */
function expectThat(rule, isGood, problem) {
  if (isGood) passed += 1;
  else problems.push({ rule, problem });
}

mkdirSync(buildFolder, { recursive: true });
const seedTree = mkdtempSync(path.join(buildFolder, 'seeded-'));

/** @param {string} file @param {string} text */
function write(file, text) {
  mkdirSync(path.dirname(path.join(seedTree, file)), { recursive: true });
  writeFileSync(path.join(seedTree, file), text);
}

/** @param {string} from @param {string} to */
function relative(from, to) {
  const result = path.posix.relative(path.posix.dirname(from), to);
  return result.startsWith('.') ? result : `./${result}`;
}

try {
  cpSync(inProject('package.json'), path.join(seedTree, 'package.json'));
  await Promise.all([checkImportRules(), checkTypes()]);
  await Promise.all([checkLint(), checkUnused()]);
  checkStrictRules();
  checkTreeRules();
} finally {
  rmSync(seedTree, { recursive: true, force: true });
}

for (const { rule, problem } of problems) process.stdout.write(`${rule}: ${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
process.stdout.write(`${JSON.stringify({ passed, failed: problems.length })}\n`);

/** Checks every row of the layer table, and the other import rules, with dependency-cruiser. */
async function checkImportRules() {
  const folder = 'imports';
  /** @param {string} layer */
  const stub = (layer) => `${layer}/stub.ts`;
  const targets = new Set([
    ...layers.flatMap(({ folder: own, mayImport }) => [own, ...mayImport]),
    'renderer/features/one',
  ]);
  for (const target of targets) {
    if (target !== 'renderer/features')
      write(`${folder}/${stub(target)}`, `// Stub.\nexport const stub = '${target}';\n`);
  }
  cpSync(inProject('package.json'), path.join(seedTree, folder, 'package.json'));

  /** @type {Map<string, string[]>} rule name to the files that break it */
  const seeds = new Map();
  /** @type {string[]} */
  const cleanFiles = [];
  /** @param {string} rule @param {string} file @param {string} text */
  const seed = (rule, file, text) => {
    seeds.set(rule, [...(seeds.get(rule) ?? []), file]);
    write(`${folder}/${file}`, `// Breaks ${rule}.\n${text}`);
  };

  for (const layer of layers) {
    const name = layer.folder.replaceAll('/', '-');
    const place = layer.folder === 'renderer/features' ? 'renderer/features/two' : layer.folder;
    const forbidden = layers.find(
      (other) =>
        other.folder !== layer.folder &&
        other.folder !== 'services/contracts' &&
        other.folder !== 'renderer/features' &&
        !layer.mayImport.some((allowed) => allowed.startsWith(other.folder)),
    );
    const layerFile = `${place}/breaks-layer.ts`;
    seed(
      `layer-${name}`,
      layerFile,
      `export { stub } from '${relative(layerFile, stub(forbidden?.folder ?? 'e2e'))}';\n`,
    );
    if (!layer.packages.includes('*')) {
      const aPackage = layer.packages.includes('react') ? 'ws' : 'react';
      seed(
        `packages-${name}`,
        `${place}/breaks-packages.ts`,
        `import * as used from '${aPackage}';\nexport const it = used;\n`,
      );
    }
    if (!layer.canUseNode) {
      seed(
        `no-node-${name}`,
        `${place}/breaks-no-node.ts`,
        `import { readFileSync } from 'node:fs';\nexport const it = readFileSync;\n`,
      );
    }
    const cleanFile = `${place}/clean.ts`;
    const allowedTargets = ['services/contracts', ...layer.mayImport].filter(
      (target) => target !== 'renderer/features',
    );
    cleanFiles.push(cleanFile);
    write(
      `${folder}/${cleanFile}`,
      `// Clean.\n${allowedTargets.map((target, index) => `export { stub as stub${index} } from '${relative(cleanFile, stub(target))}';\n`).join('')}`,
    );
  }
  for (const [hall, order] of Object.entries(rooms)) {
    for (const [index, room] of order.slice(0, -1).entries()) {
      const [own, later] = [room, order[index + 1] ?? ''].map((name) => (name === '.' ? hall : `${hall}/${name}`));
      const file = `${own}/breaks-room.ts`;
      const target = `${later}/later-room.ts`;
      write(`${folder}/${target}`, "// Later.\nexport const later = 'later';\n");
      const name = `room-${hall}-${room === '.' ? 'itself' : room}`.replaceAll('/', '-');
      seed(name, file, `export { later } from '${relative(file, target)}';\n`);
    }
  }
  seed(
    'feature-reaches-into-feature',
    'renderer/features/two/breaks-feature.ts',
    "export { stub } from '../one/stub.ts';\n",
  );
  seed(
    'second-implementation-alone',
    'services/testing/independent/breaks-alone.ts',
    "export { stub } from '../../wire/stub.ts';\n",
  );
  seed(
    'no-circle',
    'services/kernel/circle-one.ts',
    "import { two } from './circle-two.ts';\nexport const one = () => two;\n",
  );
  write(
    `${folder}/services/kernel/circle-two.ts`,
    "// Other half.\nimport { one } from './circle-one.ts';\nexport const two = () => one;\n",
  );
  seed(
    'no-circle',
    'services/kernel/type-circle-one.ts',
    "import type { Two } from './type-circle-two.ts';\nexport type One = Two | 1;\n",
  );
  write(
    `${folder}/services/kernel/type-circle-two.ts`,
    "// Other half.\nimport type { One } from './type-circle-one.ts';\nexport type Two = One[];\n",
  );
  seed('no-unresolved', 'services/kernel/breaks-unresolved.ts', "export { nothing } from './does-not-exist.ts';\n");
  seed('no-test-import', 'services/kernel/breaks-test-import.ts', "export { it } from './some.test.ts';\n");
  write(`${folder}/services/kernel/some.test.ts`, '// Test.\nexport const it = 1;\n');
  seed(
    'no-development-dependency',
    'renderer/ui/breaks-development.ts',
    "import * as used from 'fast-check';\nexport const it = used;\n",
  );

  const { output, stdout } = await runCommand(
    process.execPath,
    [
      inProject('node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
      ...[
        '--config',
        inProject('.dependency-cruiser.mjs'),
        '--output-type',
        'json',
        'services',
        'electron',
        'renderer',
        'e2e',
      ],
    ],
    { cwd: path.join(seedTree, folder), deadlineMs: 120_000 },
  );
  /** @type {{ from: string, rule: { name: string } }[]} */
  let violations = [];
  try {
    ({ violations } = JSON.parse(stdout).summary);
  } catch {
    expectThat('imports', false, `dependency-cruiser gave no report: ${output.slice(0, 2_000)}`);
    return;
  }
  for (const { name = 'without a name' } of dependencyRules.forbidden ?? []) {
    const files = seeds.get(name) ?? [];
    expectThat(name, files.length > 0, 'has no seeded violation');
    for (const file of files) {
      const isFound = violations.some((violation) => violation.rule.name === name && violation.from === file);
      expectThat(name, isFound, `the violation in ${file} was not reported`);
    }
  }
  for (const file of cleanFiles) {
    const accusation = violations.find((violation) => violation.from === file);
    expectThat('imports', accusation === undefined, `valid ${file} was reported for ${accusation?.rule.name}`);
  }
}

/**
 * Checks the compiler's rules: DOM only in the renderer, Node.js only outside it, strictness, and calls that do not match their contract.
 */
async function checkTypes() {
  const folder = 'types';
  for (const file of globSync('{tsconfig*.json,*/tsconfig.json,*/*/tsconfig.json}', { cwd: projectFolder })) {
    if (file.startsWith('node_modules') || file.startsWith('build')) continue;
    mkdirSync(path.dirname(path.join(seedTree, folder, file)), { recursive: true });
    cpSync(inProject(file), path.join(seedTree, folder, file));
  }
  cpSync(inProject('services/contracts'), path.join(seedTree, folder, 'services/contracts'), { recursive: true });
  cpSync(inProject('package.json'), path.join(seedTree, folder, 'package.json'));
  const contractCall = (/** @type {string} */ input) =>
    [
      "import { createDomainClient } from '../contracts/client.ts';",
      "import { defineDomain } from '../contracts/contract.ts';",
      "import { z } from 'zod';",
      'const domain = defineDomain({',
      "  name: 'sample', targets: ['tenant'],",
      '  commands: { run: { input: z.object({ job: z.string() }), output: z.object({ id: z.string() }) } },',
      '  events: {},',
      '});',
      "const client = createDomainClient(domain, () => Promise.reject(new Error('not called')));",
      `export const result = client.run(${input});`,
      '',
    ].join('\n');
  /** @type {Record<string, { file: string, text: string, code: string }>} */
  const seeds = {
    'types-no-dom-in-services': {
      file: 'services/kernel/uses-dom.ts',
      text: 'export const it = document.title;\n',
      code: 'TS2584',
    },
    'types-no-dom-in-main': {
      file: 'electron/main/uses-dom.ts',
      text: 'export const it = document.title;\n',
      code: 'TS2584',
    },
    'types-no-node-in-renderer': {
      file: 'renderer/ui/uses-node.ts',
      text: 'export const it = process.pid;\n',
      code: 'TS2591',
    },
    'types-no-node-modules-in-renderer': {
      file: 'renderer/ui/uses-node-module.ts',
      text: "import { pid } from 'node:process';\nexport const it = pid;\n",
      code: 'TS2591',
    },
    'types-no-node-in-contracts': {
      file: 'services/contracts/uses-node.ts',
      text: 'export const it = process.pid;\n',
      code: 'TS2591',
    },
    'types-unchecked-index': {
      file: 'services/kernel/unchecked-index.ts',
      text: 'export const first = (list: readonly string[]): string => list[0];\n',
      code: 'TS2322',
    },
    'types-exact-optional': {
      file: 'services/kernel/exact-optional.ts',
      text: 'export const it: { a?: string } = { a: undefined };\n',
      code: 'TS2375',
    },
    'types-erasable-only': {
      file: 'services/kernel/not-erasable.ts',
      text: 'export enum Color { Red }\n',
      code: 'TS1294',
    },
    'types-contract-input': { file: 'services/cli/wrong-input.ts', text: contractCall('{ job: 1 }'), code: 'TS2322' },
  };
  for (const { file, text } of Object.values(seeds)) write(`${folder}/${file}`, text);
  const cleanFile = 'services/cli/right-input.ts';
  write(`${folder}/${cleanFile}`, contractCall("{ job: 'one' }"));
  const { output } = await runCommand(
    process.execPath,
    [inProject('node_modules/native-typescript/bin/tsc'), '--build', '--pretty', 'false'],
    { cwd: path.join(seedTree, folder), deadlineMs: 180_000 },
  );
  const lines = output.split('\n');
  for (const [rule, { file, code }] of Object.entries(seeds)) {
    const isFound = lines.some((line) => line.startsWith(file) && line.includes(code));
    const compilerLines = lines.filter((line) => line.startsWith(file)).join(' ');
    expectThat(rule, isFound, `expected ${code} in ${file}; the compiler said: ${compilerLines || 'nothing'}`);
  }
  const accusation = lines.find((line) => line.startsWith(cleanFile));
  expectThat('types', accusation === undefined, `valid ${cleanFile} was reported: ${accusation}`);
  await checkSetUpTypes(path.join(seedTree, folder));
}

/** Scripts that run before set-up may use only what the oldest supported Node.js has. @param {string} folder */
async function checkSetUpTypes(folder) {
  const project = 'scripts/tsconfig.set-up.json';
  const nodeTypes = 'node_modules/@node-20';
  cpSync(inProject(nodeTypes), path.join(folder, nodeTypes), { recursive: true });
  cpSync(inProject(project), path.join(folder, project));
  const { files } = readJson(project);
  for (const file of files) writeFileSync(path.join(folder, 'scripts', file), 'export {};\n');
  writeFileSync(path.join(folder, 'scripts', files[0]), "import { globSync } from 'node:fs';\nglobSync('*');\n");
  const { output } = await runCommand(
    process.execPath,
    [inProject('node_modules/native-typescript/bin/tsc'), '--pretty', 'false', '--project', project],
    { cwd: folder, deadlineMs: 180_000 },
  );
  const isFound = output.startsWith(`scripts/${files[0]}`) && output.includes('TS2305');
  expectThat('types-oldest-node', isFound && output.trim().split('\n').length === 1, `the compiler said: ${output}`);
}

/** Checks the "only user" rules and the rules about exports with ESLint, and rules of the language with Oxlint. */
async function checkLint() {
  const folder = 'lint';
  const compilerOptions = {
    module: 'ESNext',
    moduleResolution: 'Bundler',
    target: 'ES2024',
    strict: true,
    noEmit: true,
  };
  write(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ['**/*.ts'] }));
  /** @type {{ rule: string, file: string, marker: string }[]} */
  const seeds = [];
  /** @type {string[]} */
  const cleanFiles = [];
  /** @param {string} rule @param {string} file @param {string} text @param {string} marker */
  const seed = (rule, file, text, marker) => {
    seeds.push({ rule, file, marker });
    write(`${folder}/${file}`, text);
  };
  for (const { name, module, imports, only } of onlyUsers) {
    const names = imports ?? ['something'];
    for (const imported of names) {
      const text = `import { ${imported} } from '${module}';\nexport const it: unknown = ${imported};\n`;
      for (const place of ['services/provider', 'electron/main/shell', 'electron/main/window']) {
        seed(`only-user-${name}`, `${place}/${name}-${imported.toLowerCase()}.ts`, text, `[only-user ${name}]`);
      }
      for (const area of only) {
        const file = area.endsWith('/**') ? area.replace('**', `${name}-${imported.toLowerCase()}.ts`) : area;
        cleanFiles.push(file);
        write(`${folder}/${file}`, text);
      }
    }
    if (module.startsWith('node:')) {
      const text = `import * as it from '${module.slice('node:'.length)}';\nexport const used: unknown = it;\n`;
      seed(`only-user-${name}`, `services/provider/${name}-short.ts`, text, `[only-user ${name}]`);
    }
  }
  for (const name of timerNames) {
    const marker = '[only-user timers]';
    const text = `export const it: unknown = ${name};\n`;
    for (const place of ['services/provider', 'services/kernel', 'services/mover/source'])
      seed(`timers-${name}`, `${place}/timers-${name.toLowerCase()}.ts`, text, marker);
    const viaGlobal = `export const it: unknown = globalThis.${name};\n`;
    seed(`timers-global-${name}`, `services/tenant/timers-global-${name.toLowerCase()}.ts`, viaGlobal, marker);
  }
  const limit = 'export const it: AbortSignal = AbortSignal.timeout(1000);\n';
  seed('timers-abort-signal', 'services/tenant/timers-abort-signal.ts', limit, '[only-user timers]');
  // Files that may use timers, and functions that are not timers.
  const allTimers = `export const all: unknown = [${timerNames.join(', ')}, globalThis.setTimeout];\n`;
  for (const file of ['services/kernel/timers.test.ts', 'services/testing/timers.ts', 'electron/main/timers.ts']) {
    cleanFiles.push(file);
    write(`${folder}/${file}`, allTimers);
  }
  for (const file of timerHome) {
    const imported = "import { setTimeout as wait } from 'node:timers';\nexport const it: unknown = wait;\n";
    write(`${folder}/${file}`, imported + allTimers);
  }
  cleanFiles.push('services/provider/turn.ts');
  write(
    `${folder}/services/provider/turn.ts`,
    "import { setImmediate as turn } from 'node:timers/promises';\nexport const it: unknown = [turn, setImmediate];\n",
  );
  const dynamic = '[only-user dynamic]';
  seed(
    'only-user-dynamic',
    'services/pki/dynamic.ts',
    "export const it: Promise<unknown> = import('node:child_process');\n",
    dynamic,
  );
  seed(
    'only-user-require',
    'electron/main/require.ts',
    "declare const require: (name: string) => unknown;\nexport const it = require('electron');\n",
    dynamic,
  );
  seed('no-default-export', 'services/kernel/default-export.ts', 'export default 1;\n', 'Export by name');
  seed('no-barrel', 'services/kernel/barrel.ts', "export * from './default-export.ts';\n", 'no barrels');
  seed('no-enum', 'services/kernel/enum.ts', 'export enum Color {\n  Red,\n}\n', 'type stripping');
  seed('no-any', 'services/kernel/any.ts', 'export const it = (value: any): unknown => value;\n', 'Unexpected `any`');
  seed('no-ignore', 'services/kernel/ignore.ts', '// @ts-ignore\nexport const it = 1;\n', 'ts-ignore');
  seed(
    'no-floating',
    'services/kernel/floating.ts',
    'export const it = (): void => {\n  Promise.resolve(1);\n};\n',
    'Promises must be awaited',
  );

  const hook = 'declare const useState: (it: number) => unknown;\nexport function useIt(it: boolean): unknown {\n';
  seed('hooks', 'renderer/ui/hooks.ts', `${hook}  return it ? useState(1) : null;\n}\n`, 'called conditionally');
  seed('no-var-in-scripts', 'scripts/variable.mjs', 'var it = 1;\nexport { it };\n', 'Unexpected var');
  for (const [tool, rule] of [
    ['eslint', 'no-restricted-syntax'],
    ['oxlint', 'typescript/no-floating-promises'],
  ]) {
    const text = `// ${tool}-disable-next-line ${rule}\nexport const it = 1;\n`;
    seed(`unused-${tool}-comment`, `services/kernel/unused-${tool}.ts`, text, `Unused ${tool}-disable directive`);
  }

  cpSync(inProject('.oxlintrc.jsonc'), path.join(seedTree, folder, '.oxlintrc.jsonc'));
  // Oxlint reads .gitignore files up to the root of a repository, and the one of this project names the folder of the samples.
  mkdirSync(path.join(seedTree, folder, '.git'));
  /** @param {readonly string[]} command */
  const lint = async ([script = '', ...args]) => {
    const { output, stdout } = await runCommand(
      process.execPath,
      [inProject(script), ...args, '--format', 'json', '.'],
      {
        cwd: path.join(seedTree, folder),
        deadlineMs: 180_000,
      },
    );
    try {
      return JSON.parse(stdout);
    } catch {
      expectThat('lint', false, `${script} gave no report: ${output.slice(0, 2_000)}`);
      return undefined;
    }
  };
  /** @type {{ filePath: string, messages: { message: string }[] }[] | undefined} */
  const report = await lint(['node_modules/eslint/bin/eslint.js', '--config', inProject('eslint.config.js')]);
  /** @type {{ diagnostics: { filename: string, message: string }[] } | undefined} */
  const oxlintReport = await lint(['node_modules/oxlint/bin/oxlint']);
  if (report === undefined || oxlintReport === undefined) return;
  /** @param {string} file */
  const messagesOf = (file) => {
    const messages = report.find(({ filePath }) => filePath === path.join(seedTree, folder, file))?.messages;
    const others = oxlintReport.diagnostics.filter(({ filename }) => filename === file);
    return messages && [...messages, ...others].map(({ message }) => message);
  };
  for (const { rule, file, marker } of seeds) {
    const messages = messagesOf(file);
    expectThat(
      rule,
      messages?.some((message) => message.includes(marker)) ?? false,
      `${file} was not refused: ${messages?.join('; ')}`,
    );
  }
  for (const file of cleanFiles) {
    const accusation = messagesOf(file)?.find((message) => message.includes('[only-user'));
    expectThat(
      'lint',
      messagesOf(file) !== undefined && accusation === undefined,
      `valid ${file} was reported: ${accusation}`,
    );
  }
}

/** Every rule of typescript-eslint's strict set is on in the settings of Oxlint, or off with a reason. */
function checkStrictRules() {
  const { config } = ts.readConfigFile(inProject('.oxlintrc.jsonc'), (file) => readFileSync(file, 'utf8'));
  const rules = tseslint.configs.strictTypeChecked.flatMap((each) => Object.entries(each.rules ?? {}));
  for (const [rule, setting] of new Map(rules)) {
    if ([setting].flat()[0] === 'off' || unknownToOxlint.has(rule)) continue;
    const name = rule.replace(/^@typescript-eslint\//, '');
    const isSet = name in config.rules || `typescript/${name}` in config.rules;
    expectThat(rule, isSet, '.oxlintrc.jsonc does not set this rule of strictTypeChecked');
  }
}

/** Checks code that only tests use: exports with Knip, members with unused-members.mjs. */
async function checkUnused() {
  const folder = 'unused';
  /** @type {Record<string, string>} */
  const files = {
    'services/cli/cli-entry.ts':
      "// Entry.\nimport { Store, usedExport } from '../kernel/store.ts';\nprocess.stdout.write(usedExport + new Store().usedMember());\n",
    'services/kernel/store.ts': [
      '// Store.',
      "export const usedExport = 'used';",
      "export const testedExport = 'tested';",
      "export class Store {\n  usedMember(): string {\n    return '';\n  }\n  testedMember(): string {\n    return '';\n  }\n}",
      '',
    ].join('\n'),
    'services/kernel/store.test.ts':
      "import { Store, testedExport } from './store.ts';\nimport 'vitest';\nnew Store().testedMember();\nprocess.stdout.write(testedExport);\n",
    'services/kernel/tested-file.ts': '// Tested.\nexport const tested = 1;\n',
    'services/kernel/tested-file.test.ts': "import { tested } from './tested-file.ts';\nprocess.exitCode = tested;\n",
  };
  for (const [file, text] of Object.entries(files)) write(`${folder}/${file}`, text);
  for (const file of ['knip.json', 'package.json', 'vitest.config.mjs'])
    cpSync(inProject(file), path.join(seedTree, folder, file));
  const { output, stdout } = await runCommand(
    process.execPath,
    [
      inProject('node_modules/knip/bin/knip.js'),
      ...['--no-progress', '--no-gitignore', '--production', '--include', 'files,exports', '--reporter', 'json'],
    ],
    { cwd: path.join(seedTree, folder), deadlineMs: 120_000 },
  );
  const knipOutput = `Knip said: ${output.slice(0, 2_000)}`;
  expectThat('unused-export', stdout.includes('testedExport'), knipOutput);
  expectThat('unused-file', stdout.includes('services/kernel/tested-file.ts'), knipOutput);
  expectThat('unused', stdout !== '' && !stdout.includes('usedExport'), `used code was reported; ${knipOutput}`);

  const { unused } = unusedMembers({ files: Object.keys(files), read: (file) => files[file] ?? '' });
  const isRight = unused.length === 1 && unused[0]?.includes('Store.testedMember') === true;
  expectThat('unused-member', isRight, `expected Store.testedMember, found: ${unused.join(', ') || 'nothing'}`);
}

function checkTreeRules() {
  const host = ['registry', 'npmjs', 'org'].join('.');
  const key = ['-----BEGIN PRIVATE', ' KEY-----\n', 'A'.repeat(64)].join('');
  /** @type {Record<string, Record<string, string>>} */
  const seeds = {
    layout: { 'stuff/file.txt': '' },
    'file-name': { 'services/kernel/clockUtils.ts': '// Clock.\n', 'services/kernel/utils.ts': '// Everything.\n' },
    'rooms-document': {
      'docs/ARCHITECTURE.md': '## Rooms\n\n### services/mover\n\n1. `target`: one attempt\n\n## Next\n',
    },
    'module-header': { 'services/kernel/clock.ts': 'export const it = 1;\n' },
    'crowded-folder': Object.fromEntries(
      Array.from({ length: 21 }, (_, index) => [`services/kernel/file-${index}.ts`, '// One of many.\n']),
    ),
    'sql-home': {
      'services/provider/accounts/one.ts': "// One.\ndatabase.get('SELECT * FROM tenants');\n",
      'services/tenant/jobs/two.ts': '// Two.\ndatabase.run(\n  `UPDATE jobs SET name = ?`,\n);\n',
      'services/session/three.ts': '// Three.\nconst text = `\n  CREATE TABLE sessions (id TEXT)`;\n',
    },
    'american-spelling': { 'docs/a.md': 'The tenant is not author' + 'ised.\n' },
    'machine-path': { 'docs/a.md': `see ${projectFolder}/docs\n` },
    'registry-host': { 'docs/a.md': `from https://${host}/left-pad\n` },
    secret: { 'docs/a.md': key },
    'used-text': { 'renderer/i18n/text-shell.ts': "  'word.gone': 'Gone',\n" },
    'dependency-reason': { 'package.json': '{ "dependencies": { "left-pad": "1.0.0" } }' },
  };
  const clean = {
    'services/kernel/clock.ts': '// Owns time.\nexport const it = 1;\n',
    'services/provider/state/account-store.ts': "// Owns accounts.\ndatabase.get('SELECT * FROM tenants');\n",
    'services/repository/store/catalogue.ts': "// Owns blocks.\ndatabase.get('SELECT * FROM blocks');\n",
    'services/session/live.test.ts': "database.run('DELETE FROM sessions');\n",
    'services/cli/program.ts': "// Owns words.\nconst text = 'UPDATE the service';\n",
    'renderer/i18n/text-shell.ts': "// Owns texts.\n  'word.yes': 'Yes',\n  'state.open': 'Open',\n",
    'renderer/app/shell.tsx': "// Owns the shell.\nt('word.yes'); t(`state.${state}`);\n",
    'package.json': '{ "dependencies": { "left-pad": "1.0.0" } }',
    'docs/dependencies.md': '| `left-pad` | pads | it is a sample |\n',
  };
  /** @param {Record<string, string>} contents */
  const treeOf = (contents) => ({
    files: Object.keys(contents),
    read: (/** @type {string} */ file) => contents[file] ?? '',
  });
  for (const rule of treeRules) {
    const contents = seeds[rule.name];
    expectThat(rule.name, contents !== undefined, 'has no seeded violation');
    const found = [...rule.violations(treeOf(contents ?? {}))].length;
    // One violation for each file, except for the rule about whole folders.
    const expected = rule.name === 'crowded-folder' ? 1 : Object.keys(contents ?? {}).length;
    expectThat(rule.name, found >= expected, 'its violation was not reported');
    expectThat(rule.name, [...rule.violations(treeOf(clean))].length === 0, 'valid files were reported');
  }
  expectThat('tree', existsSync(inProject('package.json')), 'the project was not found');
}
