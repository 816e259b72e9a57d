// Owns the layer table of docs/ARCHITECTURE.md in machine-readable form: allowed imports, and the only users of some modules.
// .dependency-cruiser.mjs and eslint.config.js are made from it; scripts/seeded-violations.mjs proves that each rule reports violations.

const services = (/** @type {string[]} */ ...folders) => folders.map((folder) => `services/${folder}`);

const belowRoles = services(
  ...['kernel', 'process', 'blocks', 'wire', 'transport', 'pki', 'certstore', 'repository', 'mover', 'session'],
);
const belowHost = [...belowRoles, ...services('provider', 'gateway', 'tenant', 'installer')];

/**
 * One row of the layer table: files below `folder` may import from their own folder, from services/contracts, and from what `mayImport`
 * lists; `packages` are the npm packages that they may use ("*" for any installed one).
 * @type {readonly { folder: string, mayImport: readonly string[], packages: readonly string[], canUseNode: boolean }[]}
 */
export const layers = [
  { folder: 'services/contracts', mayImport: [], packages: ['zod'], canUseNode: false },
  { folder: 'services/kernel', mayImport: [], packages: ['zod', 'pino'], canUseNode: true },
  { folder: 'services/process', mayImport: services('kernel'), packages: [], canUseNode: true },
  { folder: 'services/blocks', mayImport: services('kernel'), packages: [], canUseNode: true },
  { folder: 'services/wire', mayImport: services('kernel', 'blocks'), packages: ['zod'], canUseNode: true },
  { folder: 'services/transport', mayImport: services('kernel', 'wire'), packages: ['ws', 'zod'], canUseNode: true },
  {
    folder: 'services/pki',
    mayImport: services('kernel'),
    packages: ['node-forge', '@peculiar/asn1-schema', '@peculiar/asn1-x509', 'asn1js', 'zod'],
    canUseNode: true,
  },
  { folder: 'services/certstore', mayImport: services('kernel', 'pki'), packages: ['zod'], canUseNode: true },
  { folder: 'services/repository', mayImport: services('kernel', 'blocks'), packages: ['zod'], canUseNode: true },
  {
    folder: 'services/mover',
    mayImport: services('kernel', 'process', 'blocks', 'wire', 'transport', 'repository'),
    packages: ['zod'],
    canUseNode: true,
  },
  { folder: 'services/diagnostics', mayImport: services('kernel'), packages: ['fflate', 'zod'], canUseNode: true },
  { folder: 'services/session', mayImport: services('kernel'), packages: ['zod'], canUseNode: true },
  ...['provider', 'gateway', 'tenant', 'installer'].map((role) => ({
    folder: `services/${role}`,
    mayImport: belowRoles,
    packages: ['ws', 'zod'],
    canUseNode: true,
  })),
  { folder: 'services/host', mayImport: belowHost, packages: ['zod'], canUseNode: true },
  { folder: 'services/offline', mayImport: [...belowHost, ...services('host')], packages: ['zod'], canUseNode: true },
  { folder: 'services/demo', mayImport: [...belowHost, ...services('host')], packages: ['zod'], canUseNode: true },
  {
    folder: 'services/cli',
    mayImport: services('kernel', 'diagnostics', 'host', 'offline', 'demo'),
    packages: ['commander', 'zod'],
    canUseNode: true,
  },
  { folder: 'electron/preload', mayImport: [], packages: ['electron'], canUseNode: false },
  {
    folder: 'electron/main',
    mayImport: services(
      'kernel',
      'process',
      'diagnostics',
      'host/carriers/dispatcher',
      'host/carriers/event-hub',
      'host/carriers/admin-client',
      'host/units',
      'host/settings',
    ),
    packages: ['electron', 'electron-store', 'electron-log', 'zod'],
    canUseNode: true,
  },
  { folder: 'renderer/platform', mayImport: [], packages: ['*'], canUseNode: false },
  { folder: 'renderer/i18n', mayImport: ['renderer/platform'], packages: ['*'], canUseNode: false },
  { folder: 'renderer/ui', mayImport: ['renderer/platform', 'renderer/i18n'], packages: ['*'], canUseNode: false },
  {
    folder: 'renderer/features',
    mayImport: ['renderer/platform', 'renderer/i18n', 'renderer/ui'],
    packages: ['*'],
    canUseNode: false,
  },
  {
    folder: 'renderer/app',
    mayImport: ['renderer/platform', 'renderer/i18n', 'renderer/ui', 'renderer/features'],
    packages: ['*'],
    canUseNode: false,
  },
  {
    folder: 'e2e',
    mayImport: [],
    packages: ['@playwright/test', '@axe-core/playwright', 'axe-core'],
    canUseNode: true,
  },
];

/**
 * The rooms of the big folders, lowest first. A file may import from its own room and from rooms before it. "." is the files of the folder
 * itself, "source" those of `source` without its subfolders.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const rooms = {
  'services/kernel': ['.', 'native', 'state'],
  'services/pki': ['certificate', 'trust', 'create', 'import'],
  'services/repository': ['storage', 'packs', 'points', 'store', 'folder', '.', 'restore'],
  'services/mover': [
    'link',
    'source/walk',
    'source/streams',
    'source/backup',
    'source/restore',
    'source',
    'target',
    '.',
  ],
  'services/session': ['.', 'state', 'machine'],
  'services/provider': [
    ...['state', 'license', 'accounts', 'gateways', 'certificates', 'repositories', 'sessions', 'rpc', '.'],
  ],
  'services/tenant': ['state', 'trust', 'providers', 'jobs', 'sessions', 'rpc', '.'],
  'services/host': ['carriers', 'units', 'settings', '.'],
  'renderer/ui': ['.', 'time', 'help', 'table', 'form', 'dialog', 'wizard', 'session', 'certificate'],
  'renderer/features/sessions': ['state', 'throughput', 'handshake', 'page', '.'],
};

/** Test files and test support may import more, because they combine layers and drive them from outside. */
export const testFiles = '\\.test\\.tsx?$|^(services|renderer)/testing/|^services/integration/|^bench/';

/** The files of the services that hold SQL, besides those in folders with the name "state": each of them is one database of its own. */
export const sqlHomes = [
  'services/certstore/pin-store.ts',
  'services/certstore/trust-database.ts',
  'services/certstore/trust-journal.ts',
  'services/mover/source/walk/cache-file.ts',
  'services/repository/',
];

/** Globals of Node.js that set or clear a timer. `setImmediate` has no delay and is allowed. */
export const timerNames = ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'];

/** The only file of the services that may use these timers. */
export const timerHome = ['services/kernel/clock.ts'];

export const timerReason =
  'Time limits come from services/kernel/deadline.ts, repetitions and dates from schedule.ts, single timers from systemClock.startTimer.';

/**
 * "Only user" rules: the module (or the names of it) and the only files that may import it.
 * @type {readonly { name: string, module: string, imports?: readonly string[], only: readonly string[], why: string }[]}
 */
export const onlyUsers = [
  {
    name: 'ipc-main',
    module: 'electron',
    imports: ['ipcMain'],
    only: ['electron/main/ipc/**'],
    why: 'Every call from the renderer goes through one place, where sender and envelope are checked.',
  },
  {
    name: 'bridge',
    module: 'electron',
    imports: ['contextBridge', 'ipcRenderer', 'webUtils'],
    only: ['electron/preload/**'],
    why: 'Only the preload script can pass objects to the renderer.',
  },
  {
    name: 'safe-storage',
    module: 'electron',
    imports: ['safeStorage'],
    only: ['electron/main/security/**'],
    why: 'Only one place uses the key of the OS keychain.',
  },
  {
    name: 'electron-store',
    module: 'electron-store',
    only: ['electron/main/settings/**'],
    why: 'Only one place checks settings against their schema.',
  },
  {
    name: 'node-forge',
    module: 'node-forge',
    only: ['services/pki/certificate/forge.ts'],
    why: 'forge is only for certificates and PKCS#12; everything that verifies or encrypts uses node:crypto.',
  },
  {
    name: 'child-process',
    module: 'node:child_process',
    only: ['services/process/supervised-child.ts'],
    why: 'Code that starts a process must also supervise and stop it.',
  },
  {
    name: 'ffi',
    module: 'node:ffi',
    only: ['services/kernel/native/native-library.ts'],
    why: 'A wrong signature crashes the process, and node:ffi is experimental: all calls into C are in one folder, each with a fallback.',
  },
  {
    name: 'timers',
    module: 'node:timers',
    imports: [...timerNames],
    only: [...timerHome],
    why: timerReason,
  },
  {
    name: 'timer-promises',
    module: 'node:timers/promises',
    imports: ['setTimeout', 'setInterval', 'scheduler'],
    only: [...timerHome],
    why: timerReason,
  },
];
