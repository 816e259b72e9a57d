// Owns what a job remembers of files between sessions and attempts: state on disk and blocks, so that unchanged files are not read again.
// A hint, never the truth: the target is asked for every block it names before it is believed.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Database } from '../kernel/database.ts';

const migrations = [
  `CREATE TABLE file (
     path BLOB PRIMARY KEY,
     state BLOB NOT NULL,
     content BLOB NOT NULL,
     run INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE TABLE run (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL);
   INSERT INTO run VALUES (1, 0);`,
];

export interface CachedFile {
  /** Raw path on this machine. */
  readonly path: Buffer;
  readonly state: Buffer;
  /** Packed (content-list.ts). */
  readonly content: Buffer;
}

export class FileCache implements Disposable {
  readonly #database: Database;
  readonly #run: number;

  constructor(file: string) {
    if (file !== ':memory:') mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    this.#database = new Database(file, migrations);
    // What a power cut takes from a hint costs a second reading; waiting for the disk after every batch would cost more.
    this.#database.run('PRAGMA synchronous=NORMAL');
    this.#database.run('UPDATE run SET last = last + 1');
    this.#run = Number(this.#database.get('SELECT last FROM run')?.['last'] ?? 1);
  }

  /** The content of the file when it is as it was; undefined when it must be read. */
  find(filePath: Buffer, state: Buffer): Buffer | undefined {
    const row = this.#database.get('SELECT state, content FROM file WHERE path = ?', filePath);
    const [known, content] = [row?.['state'], row?.['content']];
    if (!(known instanceof Uint8Array) || !(content instanceof Uint8Array) || !state.equals(known)) return undefined;
    return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  }

  /** Remembers files whose blocks are durable. One transaction. */
  save(files: readonly CachedFile[]): void {
    if (files.length === 0) return;
    this.#database.transaction(() => {
      for (const { path: filePath, state, content } of files) {
        this.#database.run('INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)', filePath, state, content, this.#run);
      }
    });
  }

  /** Marks files that were found unchanged as still there. One transaction. */
  keep(paths: readonly Buffer[]): void {
    if (paths.length === 0) return;
    this.#database.transaction(() => {
      for (const filePath of paths) this.#database.run('UPDATE file SET run = ? WHERE path = ?', this.#run, filePath);
    });
  }

  /** After a whole run: forgets what was neither saved nor kept in it. */
  forgetOthers(): number {
    return this.#database.run('DELETE FROM file WHERE run <> ?', this.#run).changes;
  }

  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
