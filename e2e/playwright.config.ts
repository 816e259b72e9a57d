// End-to-end tests: the real console in the real Electron, with real services. `npm test -- --only e2e` sets everything up for them.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from '@playwright/test';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

export default defineConfig({
  testDir: './specs',
  outputDir: path.join(root, 'build', 'e2e'),
  // Every test starts a console and its services: more than one at a time would measure the machine, not the product.
  workers: 1,
  fullyParallel: false,
  retries: 0,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: [['list'], ['json']],
});
