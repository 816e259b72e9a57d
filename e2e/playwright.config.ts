// End-to-end tests: the real console in the real Electron, with real services. `npm test -- --only e2e` sets everything up.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from '@playwright/test';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

export default defineConfig({
  testDir: './specs',
  outputDir: path.join(root, 'build', 'e2e'),
  // Every test starts a console and its services. Several at a time would depend on the speed of the machine.
  workers: 1,
  fullyParallel: false,
  retries: 0,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: [['list'], ['json']],
});
