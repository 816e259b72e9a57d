// Owns the rule that two services never share a role's folder. The operating system holds the lock (SQLite's lock on a separate file), so
// the lock ends with the process even after a crash: no stale lock, no reused process id. Must not be used on the databases themselves.
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { writeFileAtomically } from './atomic-file.ts';
import { FarkeepError } from '../farkeep-error.ts';
import { makeFolders } from './make-folders.ts';

export interface InstanceLock {
  /** Lets another service use the folder. Safe to call twice. */
  release(): Promise<void>;
}

/**
 * Makes `folder` (0700) when it is missing, and locks it for this process.
 * @throws FarkeepError service.locked, which names the process that holds the lock if it is known; storage.io when the folder cannot be
 * made
 */
export async function acquireInstanceLock(folder: string): Promise<InstanceLock> {
  try {
    await makeFolders(folder, { mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FarkeepError('storage.io', `The folder ${folder} cannot be made: ${reason}`, {
      hint: 'Choose another folder with --home.',
      retryable: false,
      cause: error,
    });
  }
  const holderFile = path.join(folder, 'lock.json');
  const database = new DatabaseSync(path.join(folder, 'lock'));
  try {
    database.exec('PRAGMA busy_timeout=0; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!isBusy(error))
      throw new FarkeepError('storage.io', `${folder} cannot be locked: ${String(error)}`, { cause: error });
    throw new FarkeepError('service.locked', `Another service uses ${folder}${await describeHolder(holderFile)}`, {
      hint: 'Stop it, or choose another folder with --home.',
      cause: error,
    });
  }
  // The file names this process in the error message of a second service. A full disk must not prevent the start.
  await writeFileAtomically(
    holderFile,
    `${JSON.stringify({ pid: process.pid, since: new Date().toISOString() })}\n`,
  ).catch(() => undefined);
  let isHeld = true;
  return {
    async release() {
      if (!isHeld) return;
      isHeld = false;
      await rm(holderFile, { force: true });
      database.exec('ROLLBACK');
      database.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  // SQLITE_BUSY = 5 (https://sqlite.org/rescode.html)
  return typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === 5;
}

/** Describes the process that holds the lock, for the message only. The lock itself does not depend on the content of this file. */
async function describeHolder(file: string): Promise<string> {
  try {
    const holder: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof holder !== 'object' || holder === null || !('pid' in holder)) return '';
    return ` (process ${String(holder.pid)})`;
  } catch {
    return '';
  }
}
