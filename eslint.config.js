// Lint rules: typescript-eslint strict with types, hooks rules for the renderer, and the "only user" rules of the layer table.
import reactHooks from 'eslint-plugin-react-hooks';
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
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/ban-ts-comment': 'error',
      // Instances of classes with the same shape are interchangeable here; decoders of other packages rely on it.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // compilerOptions.noPropertyAccessFromIndexSignature asks for the brackets that this rule would remove.
      '@typescript-eslint/dot-notation': 'off',
      // A function that an interface wants to be async may have nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      // `() => void | Promise<void>` is how a listener says that it may take time.
      '@typescript-eslint/no-invalid-void-type': 'off',
      // Code points are what is meant where a text is spread.
      '@typescript-eslint/no-misused-spread': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-eval': 'error',
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
      // Matchers such as expect.any() are typed any.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'no-console': 'off',
    },
  },
  {
    files: ['services/cli/**/*.ts'],
    rules: { 'no-console': 'error' },
  },
  {
    files: ['renderer/**/*.ts', 'renderer/**/*.tsx'],
    extends: [reactHooks.configs.flat.recommended],
    // The React compiler is not used, so what it cannot handle does not matter.
    rules: { 'react-hooks/incompatible-library': 'off' },
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
