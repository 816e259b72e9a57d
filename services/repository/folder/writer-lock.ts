// Owns the writer leases of the folder backend. Each writer of a tenant folder keeps a small SQLite file locked by an exclusive
// transaction. The kernel releases this lock when the process ends, also after a crash. A process id would not work: the system reuses ids,
// and ids of other containers are not visible. Lock files must be opened through SQLite only: closing any other descriptor of the file in
// this process would release the lock (POSIX).
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
    // SQLITE_BUSY means that the writer is alive. Every other error counts as "alive" too, so that no data of a living writer is removed.
    database.close();
    return undefined;
  }
}

/**
 * Whether the file has the form of a lock file: an empty regular file without a journal. A file with any other form was made by a different
 * program and is not opened. A pipe would block, and a forged journal can make SQLite delete any file.
 */
function isLock(folder: RepositoryFolder, name: string): boolean {
  const stats = folder.look(name);
  if (stats?.isFile() !== true || stats.size > 0) return false;
  return [`${name}-journal`, `${name}-wal`].every((beside) => folder.look(beside) === undefined);
}

/** Returns the writers with a lock file in the folder, except `self`. */
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

  /** Creates the folder of the locks if necessary, and takes a new lock. @throws storage.damaged when it is not a folder */
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
      // Between creation and locking, another process may have removed this file as the lock of a dead writer.
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
