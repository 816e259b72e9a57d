// Owns SQLite: opens a file with WAL and synchronous=FULL, runs numbered migrations, gives prepared statements. No ORM.
import { pathToFileURL } from 'node:url';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { toFarkeepError } from '../farkeep-error.ts';

export type Row = Record<string, null | number | bigint | string | Uint8Array>;

export interface DatabaseOptions {
  /** Called with the current schema version before the migration. If the callback throws, the database is not opened. */
  readonly beforeMigration?: (version: number) => void;
  /** Converts SQLite's error, which does not name the file, into the error that the caller gets. */
  readonly explain?: (error: unknown) => unknown;
  /** Called when a write by `note` fails. */
  readonly onLostNote?: (error: unknown) => void;
}

/** The file was written by a version of the program that knows other migrations. */
export class OtherSchemaError extends Error {
  constructor(file: string, schema: number, known: number) {
    super(`${file} has schema ${schema}; this version supports ${known}`);
    this.name = 'OtherSchemaError';
  }
}

export class Database implements Disposable {
  readonly #database: DatabaseSync;
  readonly #explain: (error: unknown) => unknown;
  readonly #onLostNote: (error: unknown) => void;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * @param file path or ":memory:"
   * @param migrations SQL scripts; script n brings the schema from version n to n + 1 (PRAGMA user_version)
   * @param access "read" never writes and never migrates; "frozen" is for a file on a read-only disk: no lock, no WAL, and no other process
   * may write the file
   */
  constructor(
    file: string,
    migrations: readonly string[],
    access: 'write' | 'read' | 'frozen' = 'write',
    options: DatabaseOptions = {},
  ) {
    this.#explain = options.explain ?? ((error) => error);
    this.#onLostNote = options.onLostNote ?? (() => undefined);
    if (access === 'write') {
      // The timeout is set first: several processes may open a new file at once, and even the switch to WAL needs a lock.
      this.#database = new DatabaseSync(file, { timeout: 5000 });
      try {
        options.beforeMigration?.(this.#version());
        this.#database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;');
        if (this.#version() !== migrations.length) this.#migrate(migrations);
      } catch (error) {
        this.#database.close();
        throw error;
      }
    } else {
      const location = access === 'frozen' ? new URL(`${pathToFileURL(file).href}?immutable=1`) : file;
      this.#database = new DatabaseSync(location, { readOnly: true, timeout: 5000 });
    }
    const version = this.#version();
    if (version !== migrations.length) {
      this.#database.close();
      throw new OtherSchemaError(file, version, migrations.length);
    }
  }

  #version(): number {
    return Number(this.#database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  }

  #migrate(migrations: readonly string[]): void {
    this.transaction(() => {
      for (let version = this.#version(); version < migrations.length; version += 1) {
        this.#database.exec(migrations[version] ?? '');
        this.#database.exec(`PRAGMA user_version=${version + 1}`);
      }
    });
  }

  run(sql: string, ...parameters: SQLInputValue[]): { changes: number; lastId: number } {
    return this.#told(() => {
      const result = this.#prepare(sql).run(...parameters);
      return { changes: Number(result.changes), lastId: Number(result.lastInsertRowid) };
    });
  }

  /**
   * Like `run`, for data that may be lost: a last-seen time, a figure that is reported again, the history of a session. A full, read-only
   * or broken disk must not end work that is more important than this data. A closed database takes no data: late events of connections
   * that are ending may come after it. @returns undefined when the data was lost
   */
  note(sql: string, ...parameters: SQLInputValue[]): { changes: number } | undefined {
    return this.#noted(() => this.run(sql, ...parameters));
  }

  /** Like `transaction`, for data that may be lost. @returns undefined when the data was lost */
  noteAll<T>(work: () => T): T | undefined {
    return this.#noted(() => this.transaction(work));
  }

  #noted<T>(work: () => T): T | undefined {
    if (this.isClosed) return undefined;
    try {
      return work();
    } catch (error) {
      if (!isStorageFailure(error)) throw error;
      this.#onLostNote(error);
      return undefined;
    }
  }

  get(sql: string, ...parameters: SQLInputValue[]): Row | undefined {
    return this.#told(() => this.#prepare(sql).get(...parameters));
  }

  all(sql: string, ...parameters: SQLInputValue[]): Row[] {
    return this.#told(() => this.#prepare(sql).all(...parameters));
  }

  iterate(sql: string, ...parameters: SQLInputValue[]): IterableIterator<Row> {
    return this.#database.prepare(sql).iterate(...parameters) as IterableIterator<Row>;
  }

  /** Runs `work` in one transaction: all of its changes are stored, or none. Not re-entrant. */
  transaction<T>(work: () => T): T {
    this.#told(() => this.#database.exec('BEGIN IMMEDIATE'));
    try {
      const result = work();
      this.#told(() => this.#database.exec('COMMIT'));
      return result;
    } catch (error) {
      // After a full disk SQLite has already rolled back; a second rollback would fail and hide the reason.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Runs several queries on one state of the database, and takes the file's locks only once. Not re-entrant. */
  reading<T>(work: () => T): T {
    this.#database.exec('BEGIN');
    try {
      return work();
    } finally {
      this.#database.exec('COMMIT');
    }
  }

  /** True after `close`: events of ending connections can arrive after the database was closed. */
  get isClosed(): boolean {
    return !this.#database.isOpen;
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #told<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** Whether the error comes from the disk and not from the SQL statement. */
function isStorageFailure(error: unknown): boolean {
  return toFarkeepError(error).code.startsWith('storage.');
}
