// Unit, property and integration tests, on the pinned Node.js. End-to-end tests have their own configuration in e2e/.
import path from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';

// Services, movers and commands that tests start find their code compiled, which is half of the time of a start.
process.env['NODE_COMPILE_CACHE'] ??= path.resolve(import.meta.dirname, 'build/compile-cache');

const all = [
  'services/**/*.test.ts',
  'electron/**/*.test.ts',
  'renderer/**/*.test.ts',
  'bench/**/*.test.ts',
  'scripts/**/*.test.mjs',
];

/**
 * Test files that leave nothing behind in their process, and measure nothing of it. They share processes, so that modules are loaded once
 * and not for each file.
 */
const sharing = [
  'services/{blocks,certstore,contracts,diagnostics,kernel,provider,session,tenant,wire}/**/*.test.ts',
  'services/pki/{certificate,create,trust}/**/*.test.ts',
  'services/mover/{link,source,target}/**/*.test.ts',
  'services/repository/{packs,points,restore,storage}/**/*.test.ts',
  'electron/main/{ipc,security,settings,shell}/**/*.test.ts',
  'bench/figures/**/*.test.ts',
];

const renderer = ['renderer/**/*.test.ts'];

/** Node.js runs TypeScript by itself, as in the product, and finds it compiled. The renderer needs Vite for JSX and assets. */
const native = { experimental: { viteModuleRunner: false, nodeLoader: false } };

/** Long ones come first, so that the last worker does not run a long one alone. */
const longFiles =
  /\/(real-input|pause|held-demo|resume|killed-services|demo|mover-backup|mover-special-files|tampering|keychain-service)\.test\.ts$/;

class LongFilesFirst extends BaseSequencer {
  /** @param {import('vitest/node').TestSpecification[]} files */
  async sort(files) {
    /** @param {import('vitest/node').TestSpecification} file */
    const rank = ({ moduleId, project }) =>
      longFiles.test(moduleId) ? 0 : moduleId.includes('/integration/') ? 1 : project.name !== 'alone' ? 3 : 2;
    return (await super.sort(files)).toSorted((left, right) => rank(left) - rank(right));
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    sequence: { sequencer: LongFilesFirst },
    projects: [
      {
        extends: true,
        test: { ...native, name: 'alone', include: all, exclude: ['node_modules/**', ...sharing, ...renderer] },
      },
      { extends: true, test: { ...native, name: 'sharing', include: sharing, isolate: false } },
      { extends: true, test: { name: 'renderer', include: renderer, isolate: false } },
    ],
  },
});
