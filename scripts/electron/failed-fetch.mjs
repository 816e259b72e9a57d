// Owns the memory of a fetch that failed, so that later starts are quick where something cannot be reached.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const memoryMs = 24 * 3_600_000;

/** @param {string} file where the time of the failure is kept */
export const failedFetch = (file) => ({
  isRecent: () => existsSync(file) && Date.now() - Number(readFileSync(file, 'utf8')) < memoryMs,
  note: () => {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, String(Date.now()));
  },
  forget: () => rmSync(file, { force: true }),
});
