// Owns making a folder and its missing parents, for paths that people type. `mkdir` with `recursive` never ends where creating a folder
// gives ENOENT although the parent exists (/proc, some network file systems): it tries the parent again and again.
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isMissing, isTaken } from '../system-error.ts';

/** @throws the system's error of the first folder that cannot be made */
export async function makeFolders(folder: string, { mode = 0o777 }: { mode?: number } = {}): Promise<void> {
  const missing: string[] = [];
  let existing = path.resolve(folder);
  while (!(await folderExists(existing))) {
    missing.unshift(existing);
    existing = path.dirname(existing);
  }
  for (const part of missing) {
    try {
      await mkdir(part, { mode });
    } catch (error) {
      // Another process has created an entry with this name. If the entry is not a folder, the next `mkdir` fails.
      if (!isTaken(error)) throw error;
    }
  }
}

async function folderExists(folder: string): Promise<boolean> {
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
