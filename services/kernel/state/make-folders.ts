// Owns making a folder with what is missing above it, for paths that people type. `mkdir` with `recursive` never ends where a new folder
// is answered with ENOENT although its parent is there (/proc, some network file systems): it asks for the parent again and again.
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isMissing, isTaken } from '../system-error.ts';

/** @throws the system's error of the first folder that cannot be made */
export async function makeFolders(folder: string, { mode = 0o777 }: { mode?: number } = {}): Promise<void> {
  const missing: string[] = [];
  let existing = path.resolve(folder);
  while (!(await isThere(existing))) {
    missing.unshift(existing);
    existing = path.dirname(existing);
  }
  for (const part of missing) {
    try {
      await mkdir(part, { mode });
    } catch (error) {
      // Another process was faster; whether it made a folder shows when the next one is made in it.
      if (!isTaken(error)) throw error;
    }
  }
}

async function isThere(folder: string): Promise<boolean> {
  try {
    await stat(folder);
    return true;
  } catch (error) {
    if (isMissing(error) && path.dirname(folder) !== folder) {
      return false;
    }
    throw error;
  }
}
