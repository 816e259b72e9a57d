// Owns the record of a failed download, so that later starts do not wait for a host that cannot be reached.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const memoryMs = 24 * 3_600_000;

/** @param {string} file stores the time of the failure */
export const failedFetch = (file) => ({
  isRecent: () => existsSync(file) && Date.now() - Number(readFileSync(file, 'utf8')) < memoryMs,
  note: () => {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, String(Date.now()));
  },
  forget: () => rmSync(file, { force: true }),
});
