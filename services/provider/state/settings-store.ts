// Owns the named values of the provider in its database: one small value for each name. Must not interpret a value.
import type { Database } from '../../kernel/state/database.ts';

export interface SettingsStore {
  find(name: string): Promise<Buffer | undefined>;
  set(name: string, value: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
  /** Stores the value if the name has none yet. @returns the stored value */
  setOnce(name: string, value: Uint8Array): Promise<Buffer>;
  /** Stores the smallest number that is at least `atLeast` and larger than the stored number. @returns the new number */
  advance(name: string, atLeast: number): Promise<number>;
}

export class SqliteSettingsStore implements SettingsStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find(name: string): Promise<Buffer | undefined> {
    return this.#find(name);
  }

  async set(name: string, value: Uint8Array): Promise<void> {
    this.#set(name, value);
  }

  async remove(name: string): Promise<void> {
    this.#database.run('DELETE FROM settings WHERE name = ?', name);
  }

  async setOnce(name: string, value: Uint8Array): Promise<Buffer> {
    return this.#database.transaction(() => {
      const stored = this.#find(name);
      if (stored === undefined) this.#set(name, value);
      return stored ?? Buffer.from(value);
    });
  }

  async advance(name: string, atLeast: number): Promise<number> {
    return this.#database.transaction(() => {
      const stored = this.#find(name);
      const next = stored === undefined ? atLeast : Math.max(atLeast, Number(stored.toString()) + 1);
      this.#set(name, Buffer.from(String(next)));
      return next;
    });
  }

  #find(name: string): Buffer | undefined {
    const value = this.#database.get('SELECT value FROM settings WHERE name = ?', name)?.['value'];
    return value instanceof Uint8Array ? Buffer.from(value) : undefined;
  }

  #set(name: string, value: Uint8Array): void {
    this.#database.run(
      'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      name,
      value,
    );
  }
}
