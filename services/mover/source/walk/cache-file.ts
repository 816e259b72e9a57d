// Owns the SQLite file of a job's file cache. Throws no errors: a damaged file is set aside and a new one is made. If that fails, or the
// file is locked, read-only or on a full disk, the cache answers that no file is remembered.
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Database, OtherSchemaError } from '../../../kernel/state/database.ts';
import type { CachedRow, FolderPart } from './cached-folder.ts';

const migrations = [
  `CREATE TABLE file (
     path BLOB PRIMARY KEY,
     state BLOB NOT NULL,
     content BLOB NOT NULL,
     run INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE TABLE run (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL);
   INSERT INTO run VALUES (1, 0);`,
  // The old schema had a row for each file, and a look-up took longer than reading the file's state. The content of the old schema is
  // dropped, and the files are read once more.
  `DROP TABLE file;
   DROP TABLE run;
   CREATE TABLE part (
     id INTEGER PRIMARY KEY,
     run INTEGER NOT NULL,
     folder BLOB NOT NULL,
     first BLOB NOT NULL,
     bytes BLOB NOT NULL
   );
   CREATE UNIQUE INDEX part_place ON part (run, folder, first);
   CREATE TABLE run (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL, whole INTEGER NOT NULL);
   INSERT INTO run VALUES (1, 0, 0);`,
];

/** Limit of unfinished runs in the file. Entries of older unfinished runs are deleted. */
const maxBrokenRuns = 3;
const damageCodes: ReadonlySet<number> = new Set([
  1, // SQLITE_ERROR: the file has other tables
  11, // SQLITE_CORRUPT
  14, // SQLITE_CANTOPEN: a folder has this name
  24, // SQLITE_FORMAT
  26, // SQLITE_NOTADB
]);

export interface CacheTrouble {
  readonly kind: 'damaged' | 'unusable';
  readonly reason: string;
}

export class CacheFile {
  readonly #path: string;
  readonly #onTrouble: (trouble: CacheTrouble) => void;
  #database: Database | undefined;
  #run = 1;
  #hasBegunAnew = false;
  /** Numbers of earlier runs, newest first. */
  runs: readonly number[] = [];

  constructor(file: string, onTrouble: (trouble: CacheTrouble) => void) {
    this.#path = file;
    this.#onTrouble = onTrouble;
    this.#open();
  }

  /** Returns the next part of the folder in `run`. The next part follows the part whose first name is `after`. */
  nextPart(run: number, folder: Buffer, after: Buffer): CachedRow | undefined {
    const row = this.#try((database) =>
      database.get(
        'SELECT id, first, bytes FROM part WHERE run = ? AND folder = ? AND first > ? ORDER BY first LIMIT 1',
        run,
        folder,
        after,
      ),
    );
    const [id, first, bytes] = [row?.['id'], row?.['first'], row?.['bytes']];
    if (typeof id !== 'number' || !(first instanceof Uint8Array) || !(bytes instanceof Uint8Array)) return undefined;
    return { id, first: asBuffer(first), bytes: asBuffer(bytes) };
  }

  /** Writes all parts in one transaction. */
  write(parts: readonly FolderPart[]): void {
    this.#try((database) => {
      database.transaction(() => {
        for (const part of parts) {
          const { folder, first, sameRow } = part;
          const bytes = part.take();
          if (sameRow !== undefined) {
            database.run('UPDATE OR REPLACE part SET run = ? WHERE id = ?', this.#run, sameRow);
            continue;
          }
          database.run(
            'INSERT OR REPLACE INTO part (run, folder, first, bytes) VALUES (?, ?, ?, ?)',
            this.#run,
            folder,
            first,
            bytes,
          );
        }
      });
    });
  }

  finish(): void {
    this.#try((database) => {
      database.transaction(() => {
        database.run('DELETE FROM part WHERE run <> ?', this.#run);
        database.run('UPDATE run SET whole = ?', this.#run);
      });
    });
  }

  close(): void {
    const database = this.#database;
    this.#database = undefined;
    try {
      database?.close();
    } catch {
      // The cache is no longer needed.
    }
  }

  #open(): void {
    try {
      if (this.#path !== ':memory:') mkdirSync(path.dirname(this.#path), { recursive: true, mode: 0o700 });
      const database = new Database(this.#path, migrations);
      this.#database = database;
      // A power cut may lose cache entries; the files are then read again. Waiting for the disk after every batch would cost more.
      database.run('PRAGMA synchronous=NORMAL');
      database.run('UPDATE run SET last = last + 1');
      const { last, whole } = database.get('SELECT last, whole FROM run') ?? {};
      this.#run = Number(last ?? 1);
      const known = database.all('SELECT DISTINCT run FROM part ORDER BY run DESC').map(({ run }) => Number(run));
      const broken = known.filter((run) => run !== whole);
      for (const run of broken.slice(maxBrokenRuns)) database.run('DELETE FROM part WHERE run = ?', run);
      this.runs = known.filter((run) => !broken.slice(maxBrokenRuns).includes(run));
    } catch (error) {
      this.#failed(error);
    }
  }

  #try<T>(work: (database: Database) => T): T | undefined {
    if (this.#database === undefined) return undefined;
    try {
      return work(this.#database);
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #failed(error: unknown): void {
    this.close();
    this.runs = [];
    const reason = error instanceof Error ? error.message : String(error);
    if (isDamage(error) && !this.#hasBegunAnew && this.#setAside()) {
      this.#hasBegunAnew = true;
      this.#onTrouble({ kind: 'damaged', reason });
      this.#open();
      return;
    }
    this.#onTrouble({ kind: 'unusable', reason });
  }

  #setAside(): boolean {
    const aside = `${this.#path}.damaged`;
    try {
      rmSync(aside, { recursive: true, force: true });
      renameSync(this.#path, aside);
      for (const more of ['-wal', '-shm']) rmSync(this.#path + more, { force: true });
      return true;
    } catch {
      return false;
    }
  }
}

function isDamage(error: unknown): boolean {
  if (error instanceof OtherSchemaError) return true;
  if (!(error instanceof Error) || !('errcode' in error)) return false;
  return typeof error.errcode === 'number' && damageCodes.has(error.errcode & 0xff);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
