// Import rules, made from the layer table in scripts/import-rules.mjs.
import { layers, rooms, testFiles } from './scripts/import-rules.mjs';

/** @param {string} text */
const escape = (text) => text.replaceAll(/[.+*?^$()[\]{}|\\/-]/g, '\\$&');
/** @param {string} folder */
const below = (folder) => `^${escape(folder)}/`;
/** @param {string} folder */
const ruleName = (folder) => folder.replaceAll('/', '-');

/** The union of rule types is too deep for inference; the tool checks the configuration by a schema of its own. @type {any[]} */
const layerRules = layers.flatMap(({ folder, mayImport, packages, canUseNode }) => {
  const own = folder === 'renderer/features' ? [] : [folder];
  const allowed = [...own, 'services/contracts', ...mayImport];
  const from = { path: below(folder), pathNot: testFiles };
  return [
    {
      name: `layer-${ruleName(folder)}`,
      severity: 'error',
      comment: `${folder} may import from itself, contracts${mayImport.map((name) => `, ${name}`).join('')} only.`,
      from,
      to: {
        dependencyTypesNot: [
          'core',
          'npm',
          'npm-dev',
          'npm-optional',
          'npm-peer',
          'npm-no-pkg',
          'npm-unknown',
          'unknown',
        ],
        pathNot: [
          ...allowed.map((name) => `^${escape(name)}(/|\\.)`),
          ...(own.length === 0 ? [below(folder)] : []),
          'node_modules',
        ],
      },
    },
    ...(packages.includes('*')
      ? []
      : [
          {
            name: `packages-${ruleName(folder)}`,
            severity: 'error',
            comment: `${folder} may use these packages only: ${packages.join(', ') || 'none'}.`,
            from,
            to: {
              path: 'node_modules',
              pathNot: packages.map((name) => `node_modules/(@types/)?${escape(name.replace('@', '@'))}/`),
            },
          },
        ]),
    ...(canUseNode
      ? []
      : [
          {
            name: `no-node-${ruleName(folder)}`,
            severity: 'error',
            comment: `${folder} runs without Node.js.`,
            from,
            to: { dependencyTypes: ['core'] },
          },
        ]),
  ];
});

/** A room imports from itself and from those before it. @type {any[]} */
const roomRules = Object.entries(rooms).flatMap(([folder, order]) =>
  order.slice(0, -1).map((room, index) => ({
    name: `room-${ruleName(folder)}-${room === '.' ? 'itself' : ruleName(room)}`,
    severity: 'error',
    comment: `In ${folder}, ${room} may not import from what comes after it: ${order.slice(index + 1).join(', ')}.`,
    from: { path: inRoom(folder, room), pathNot: testFiles },
    to: { path: order.slice(index + 1).map((later) => inRoom(folder, later)) },
  })),
);

/** The files directly in a room. @param {string} folder @param {string} room */
function inRoom(folder, room) {
  return `^${escape(room === '.' ? folder : `${folder}/${room}`)}/[^/]+$`;
}

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...layerRules,
    ...roomRules,
    {
      name: 'feature-reaches-into-feature',
      severity: 'error',
      comment:
        'A feature never uses the files of another; what two need goes down to renderer/ui or renderer/platform.',
      from: { path: '^renderer/features/([^/]+)/', pathNot: testFiles },
      to: { path: '^renderer/features/([^/]+)/', pathNot: '^renderer/features/$1/' },
    },
    {
      name: 'second-implementation-alone',
      severity: 'error',
      comment:
        'It proves that the documents are enough: it uses Node.js and its own files, nothing of the product, no package.',
      from: { path: '^services/testing/independent/' },
      to: { dependencyTypesNot: ['core'], pathNot: '^services/testing/independent/' },
    },
    {
      name: 'no-circle',
      severity: 'error',
      comment: 'Files that need each other are one thing, or hide a third: a shared type gets a file of its own.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      comment: 'An import must lead somewhere.',
      from: {},
      // The tool's list of Node's own modules is older than node:ffi.
      to: { couldNotResolve: true, pathNot: '^ffi$' },
    },
    {
      name: 'no-test-import',
      severity: 'error',
      comment: 'What ships never imports a test or test support.',
      from: { pathNot: `${testFiles}|^e2e/` },
      to: { path: testFiles },
    },
    {
      name: 'no-development-dependency',
      severity: 'error',
      comment: 'Services and renderer ship: what they use is a dependency, not a devDependency.',
      from: { path: '^(services|renderer)/', pathNot: `${testFiles}|vite\\.config\\.mjs$` },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^build/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.d.ts'],
    },
  },
};
