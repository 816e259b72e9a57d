// Owns temporary folders of tests: each test gets its own, which is removed when the test ends.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

export async function makeTemporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'farkeep-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
