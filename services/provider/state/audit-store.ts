// Owns the entries of the audit log in the provider's database. Entries are never changed. A write that the disk refuses is lost.
import type { NotableParameters } from '../../contracts/notable-events.ts';
import type { Database } from '../../kernel/state/database.ts';

export interface AuditEntry {
  readonly at: string;
  readonly who: string;
  readonly action: string;
  readonly subject: string;
  readonly detail: string;
  /** The data from which `detail` was generated. */
  readonly parameters: NotableParameters;
}

export interface AuditStore {
  append(entry: AuditEntry): Promise<void>;
  /** Removes the oldest entries of this action until `kept` of them remain. */
  trim(action: string, kept: number): Promise<void>;
}

export class SqliteAuditStore implements AuditStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async append({ at, who, action, subject, detail, parameters }: AuditEntry): Promise<void> {
    this.#database.note(
      'INSERT INTO audit (at, who, action, subject, detail, parameters) VALUES (?, ?, ?, ?, ?, ?)',
      at,
      who,
      action,
      subject,
      detail,
      JSON.stringify(parameters),
    );
  }

  async trim(action: string, kept: number): Promise<void> {
    this.#database.note(
      `DELETE FROM audit WHERE action = ?1 AND sequence <=
         (SELECT sequence FROM audit WHERE action = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2)`,
      action,
      kept,
    );
  }
}
