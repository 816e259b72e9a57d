// Owns the question "is that writer still alive?". Every writer of a tenant folder holds one small SQLite file in an exclusive
// transaction: the kernel frees that lock when the process ends, however it ends. Process ids would be re-used, or lie in containers.
// The lock files must be touched through SQLite only: closing any other descriptor of one in this process would free the lock (POSIX).
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { syncFolder } from '../kernel/atomic-file.ts';

const suffix = '.lock';
const nameOfLock = /^([0-9a-f]{16})\.lock$/;

function lockExclusively(file: string): DatabaseSync | undefined {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE');
    return database;
  } catch {
    // SQLITE_BUSY: its owner lives. Any other failure must count as "alive" too: then nothing of it is touched.
    database.close();
    return undefined;
  }
}

export class WriterLock {
  readonly writer: string;
  readonly #file: string;
  readonly #database: DatabaseSync;

  private constructor(writer: string, file: string, database: DatabaseSync) {
    this.writer = writer;
    this.#file = file;
    this.#database = database;
  }

  /** Takes a new lock in `folder` (made durable, so that a power cut leaves the trace of an unclean end). */
  static async take(folder: string): Promise<WriterLock> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (;;) {
      const writer = randomBytes(8).toString('hex');
      const file = path.join(folder, writer + suffix);
      writeFileSync(file, '', { flag: 'wx', mode: 0o600 });
      const database = lockExclusively(file);
      // Another process may have taken it for an orphan and removed it between creation and lock.
      if (database !== undefined && existsSync(file)) {
        await syncFolder(folder);
        return new WriterLock(writer, file, database);
      }
      database?.close();
    }
  }

  /** Removes the trace: everything of this writer is in its final place. */
  release(): void {
    unlinkSync(this.#file);
    this.#database.close();
  }

  /** Ends the lock but leaves its trace, as a crash would: the next writer looks after what is left. */
  abandon(): void {
    this.#database.close();
  }

  /** Whether a writer other than `self` lives in `folder`. */
  static hasOtherLiving(folder: string, self: string): boolean {
    for (const name of readdirSync(folder)) {
      const writer = nameOfLock.exec(name)?.[1];
      const file = path.join(folder, name);
      if (writer === undefined || writer === self || !existsSync(file)) continue;
      const database = lockExclusively(file);
      if (database === undefined) return true;
      database.close();
    }
    return false;
  }

  /**
   * Calls `care` for every writer in `folder` that has ended without release, holding its lock meanwhile, so that two
   * processes never care for the same one; then removes the trace. Writers that live are not touched.
   */
  static async careForDead(folder: string, care: (writer: string) => Promise<void>): Promise<number> {
    let dead = 0;
    for (const name of readdirSync(folder)) {
      const writer = nameOfLock.exec(name)?.[1];
      if (writer === undefined) continue;
      const file = path.join(folder, name);
      const database = existsSync(file) ? lockExclusively(file) : undefined;
      if (database === undefined) continue;
      try {
        await care(writer);
        dead += 1;
        if (existsSync(file)) unlinkSync(file);
      } finally {
        database.close();
      }
    }
    return dead;
  }
}
