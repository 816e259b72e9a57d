// Owns the writer leases of the folder backend. Every writer of a tenant folder holds one small SQLite file in an exclusive
// transaction: the kernel frees that lock when the process ends, however it ends. Process ids would be re-used, or lie in containers.
// The lock files must be touched through SQLite only: closing any other descriptor of one in this process would free the lock (POSIX).
import { randomBytes } from 'node:crypto';
import { readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { syncFolder } from '../../kernel/state/atomic-file.ts';
import type { WriterLease, WriterLeases } from '../store/writer-lease.ts';
import { RepositoryFolder } from './repository-folder.ts';

const suffix = '.lock';
const nameOfLock = /^([0-9a-f]{16})\.lock$/;

function lockExclusively(folder: RepositoryFolder, name: string): DatabaseSync | undefined {
  const database = new DatabaseSync(folder.pathOf(name), { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE');
    return database;
  } catch {
    // SQLITE_BUSY: its owner lives. Any other failure must count as "alive" too: then nothing of it is touched.
    database.close();
    return undefined;
  }
}

/**
 * Whether this is a lock as writers make it: an empty regular file without a journal beside it. Any other file was made by another party
 * and is not opened: a pipe would block, and a forged journal can make SQLite delete any file.
 */
function isLock(folder: RepositoryFolder, name: string): boolean {
  const stats = folder.look(name);
  if (stats?.isFile() !== true || stats.size > 0) return false;
  return [`${name}-journal`, `${name}-wal`].every((beside) => folder.look(beside) === undefined);
}

/** Writers other than `self` with a lock in the folder. */
function writersIn(folder: RepositoryFolder, self = ''): string[] {
  const writers: string[] = [];
  for (const name of folder.withinSync('', (base) => readdirSync(base))) {
    const writer = nameOfLock.exec(name)?.[1];
    if (writer !== undefined && writer !== self && isLock(folder, name)) writers.push(writer);
  }
  return writers;
}

function removeLock(folder: RepositoryFolder, name: string): void {
  folder.withinSync('', (base) => {
    unlinkSync(`${base}/${name}`);
  });
}

class WriterLock implements WriterLease {
  readonly writer: string;
  readonly #folder: RepositoryFolder;
  readonly #database: DatabaseSync;

  constructor(writer: string, folder: RepositoryFolder, database: DatabaseSync) {
    this.writer = writer;
    this.#folder = folder;
    this.#database = database;
  }

  async release(): Promise<void> {
    removeLock(this.#folder, this.writer + suffix);
    await this.abandon();
  }

  abandon(): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }
}

export class WriterLocks implements WriterLeases {
  readonly #incoming: string;
  readonly #folder: RepositoryFolder;

  /** @param incoming path of the folder with the locks */
  constructor(incoming: string) {
    this.#incoming = incoming;
    this.#folder = new RepositoryFolder(incoming);
  }

  /** Makes the folder when it is missing. @throws storage.damaged when it is not a folder */
  async take(): Promise<WriterLease> {
    new RepositoryFolder(path.dirname(this.#incoming)).makeFolder(path.basename(this.#incoming));
    const folder = this.#folder;
    for (;;) {
      const writer = randomBytes(8).toString('hex');
      const name = writer + suffix;
      folder.withinSync('', (base) => {
        writeFileSync(`${base}/${name}`, '', { flag: 'wx', mode: 0o600 });
      });
      const database = lockExclusively(folder, name);
      // Another process may have taken it for an orphan and removed it between creation and lock.
      if (database !== undefined && folder.look(name) !== undefined) {
        await folder.within('', (base) => syncFolder(base));
        return new WriterLock(writer, folder, database);
      }
      database?.close();
    }
  }

  hasOtherLiving(own: WriterLease): Promise<boolean> {
    for (const writer of writersIn(this.#folder, own.writer)) {
      const database = lockExclusively(this.#folder, writer + suffix);
      if (database === undefined) return Promise.resolve(true);
      database.close();
    }
    return Promise.resolve(false);
  }

  /** The lock of the dead writer is held during `care`. */
  async careForDead(care: (writer: string) => Promise<void>): Promise<number> {
    const folder = this.#folder;
    let dead = 0;
    for (const writer of writersIn(folder)) {
      const name = writer + suffix;
      const database = folder.look(name) === undefined ? undefined : lockExclusively(folder, name);
      if (database === undefined) continue;
      try {
        await care(writer);
        dead += 1;
        if (folder.look(name) !== undefined) removeLock(folder, name);
      } finally {
        database.close();
      }
    }
    return dead;
  }
}
