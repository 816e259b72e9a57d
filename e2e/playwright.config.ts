// End-to-end tests: the real console in the real Electron, with real services. `npm test -- --only e2e` sets everything up.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from '@playwright/test';
import { testDisplays } from './fixtures/test-displays.ts';

/** The long ones start first, so that the last worker does not run a long one alone. */
const longSpecs = /(certificate-looks|whole-story)\.spec\.ts$/;

/** Pictures of every page and dialog, for people: `npm run screenshots`. */
const everyPageSpec = /every-page\.spec\.ts$/;

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

export default defineConfig({
  testDir: './specs',
  outputDir: path.join(root, 'build', 'e2e'),
  // One worker for each virtual display; one on the display of a person.
  workers: testDisplays().length || 1,
  fullyParallel: false,
  retries: 0,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  projects: [
    { name: 'long', testMatch: longSpecs },
    { name: 'short', testIgnore: [longSpecs, everyPageSpec] },
    ...(process.env['FARKEEP_SCREENSHOTS'] === undefined ? [] : [{ name: 'screenshots', testMatch: everyPageSpec }]),
  ],
  reporter: [['list'], ['json']],
});
