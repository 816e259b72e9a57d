// Lint rules: the "only user" rules of the layer table, the rules about exports, and typescript-eslint for scripts. They need no types. The
// other rules for TypeScript files are in .oxlintrc.jsonc.
import tseslint from 'typescript-eslint';
import { onlyUsers, timerHome, timerNames, timerReason } from './scripts/import-rules.mjs';

const typeScript = ['**/*.ts', '**/*.tsx'];
const tests = ['**/*.test.ts', '**/*.test.tsx', 'services/testing/**', 'e2e/**', 'bench/**'];

/** `node:x` and `x` are the same module. */
const spellings = (name) => (name.startsWith('node:') ? [name, name.slice('node:'.length)] : [name]);

const timerMessage = `[only-user timers] Only ${timerHome.join(', ')} may use it.`;

/**
 * ESLint takes the last setting of a rule for a file, it does not merge: so each area lists all modules that it may not use.
 */
const restrictionsWithout = (allowedNames) => [
  'error',
  {
    paths: onlyUsers
      .filter(({ name }) => !allowedNames.includes(name))
      .flatMap(({ name, module, imports, only, why }) =>
        spellings(module).map((spelling) => ({
          name: spelling,
          ...(imports === undefined ? {} : { importNames: [...imports] }),
          message: `[only-user ${name}] Only ${only.join(', ')} may use it. ${why}`,
        })),
      ),
  },
];

const onlyUserAreas = [...new Set(onlyUsers.flatMap(({ only }) => only))].map((area) => ({
  files: [area],
  rules: {
    'no-restricted-imports': restrictionsWithout(
      onlyUsers.filter(({ only }) => only.includes(area)).map(({ name }) => name),
    ),
  },
}));

export default tseslint.config(
  { ignores: ['build/**', 'coverage/**', 'node_modules/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: typeScript,
    languageOptions: { parser: tseslint.parser, parserOptions: { jsDocParsingMode: 'none' } },
    rules: {
      'no-restricted-imports': restrictionsWithout([]),
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Export by name: a thing has one name everywhere.' },
        { selector: 'ExportAllDeclaration', message: 'Import the file that owns the thing; no barrels.' },
        { selector: 'TSEnumDeclaration', message: 'Services run by type stripping: use a union of literals.' },
        {
          selector: 'ImportExpression[source.value=/^(electron|electron-store|node-forge|(node:)?child_process)$/]',
          message: '[only-user dynamic] A dynamic import would go round the "only user" rules.',
        },
        {
          selector: 'CallExpression[callee.name="require"]',
          message: '[only-user dynamic] require() would go round the "only user" rules.',
        },
      ],
    },
  },
  ...onlyUserAreas,
  {
    files: ['services/**/*.ts'],
    ignores: [...timerHome, ...tests, 'services/integration/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...timerNames.map((name) => ({ name, message: `${timerMessage} ${timerReason}` })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'AbortSignal', property: 'timeout', message: `${timerMessage} ${timerReason}` },
        ...timerNames.map((property) => ({
          object: 'globalThis',
          property,
          message: `${timerMessage} ${timerReason}`,
        })),
      ],
    },
  },
  {
    files: tests,
    rules: {
      // Tests start real processes, and look at what the rules keep apart.
      'no-restricted-imports': restrictionsWithout(['child-process', 'node-forge', 'timers', 'timer-promises']),
    },
  },
  {
    files: ['**/*.config.ts', '**/*.config.js', '.dependency-cruiser.mjs'],
    // The tools ask for a default export.
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    extends: [tseslint.configs.recommended],
    rules: { eqeqeq: 'error', 'no-eval': 'error' },
  },
);
