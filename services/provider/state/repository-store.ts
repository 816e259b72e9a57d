// Owns the rows of the provider's cloud repositories. Must not access their folders.
import type { Repository } from '../../contracts/models/provider.ts';
import type { Database } from '../../kernel/state/database.ts';
import { folderLocation, type RepositoryLocation } from '../../repository/storage/repository-location.ts';

export interface RepositoryRow {
  readonly id: string;
  readonly name: string;
  readonly location: RepositoryLocation;
  readonly createdAt: string;
  readonly verification: Repository['verification'];
}

export interface RepositoryStore {
  /** Sorted by name. */
  list(): Promise<RepositoryRow[]>;
  /** @throws call.conflict for a taken name or folder */
  add(row: Omit<RepositoryRow, 'verification'>): Promise<void>;
  /** A missing field stays unchanged. A new name makes the old one a former name. @throws call.conflict for a taken name or folder */
  change(
    repositoryId: string,
    changes: { readonly name?: string | undefined; readonly location?: RepositoryLocation | undefined },
  ): Promise<void>;
  /** Names that repositories had before, as they were written. */
  formerNames(): Promise<{ readonly name: string; readonly repositoryId: string }[]>;
  setVerified(repositoryId: string, verification: { readonly at: string; readonly findings: number }): Promise<void>;
  /** Removes the repository unless a tenant has a quota in it. */
  remove(repositoryId: string): Promise<'removed' | 'in-use'>;
  /** The number of tenants with a quota, and the sum of their used bytes. */
  usage(repositoryId: string): Promise<{ readonly tenants: number; readonly usedBytes: number }>;
}

export class SqliteRepositoryStore implements RepositoryStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list(): Promise<RepositoryRow[]> {
    return this.#database.all('SELECT * FROM repositories ORDER BY name').map((row) => ({
      id: String(row['id']),
      name: String(row['name']),
      location: folderLocation(String(row['folder'])),
      createdAt: String(row['created_at']),
      verification:
        row['verified_at'] === null ? null : { at: String(row['verified_at']), findings: Number(row['findings']) },
    }));
  }

  async add({ id, name, location, createdAt }: Omit<RepositoryRow, 'verification'>): Promise<void> {
    this.#database.run(
      'INSERT INTO repositories (id, name, folder, created_at) VALUES (?, ?, ?, ?)',
      id,
      name,
      location.folder,
      createdAt,
    );
  }

  async change(
    repositoryId: string,
    { name, location }: { readonly name?: string | undefined; readonly location?: RepositoryLocation | undefined },
  ): Promise<void> {
    this.#database.transaction(() => {
      if (name !== undefined) {
        this.#database.run(
          `INSERT OR REPLACE INTO former_repository_names (name, repository_id)
             SELECT name, id FROM repositories WHERE id = ? AND name <> ? COLLATE BINARY`,
          repositoryId,
          name,
        );
        this.#database.run('DELETE FROM former_repository_names WHERE name = ?', name);
        this.#database.run('UPDATE repositories SET name = ? WHERE id = ?', name, repositoryId);
      }
      if (location !== undefined)
        this.#database.run('UPDATE repositories SET folder = ? WHERE id = ?', location.folder, repositoryId);
    });
  }

  async formerNames(): Promise<{ readonly name: string; readonly repositoryId: string }[]> {
    return this.#database
      .all('SELECT * FROM former_repository_names ORDER BY name')
      .map((row) => ({ name: String(row['name']), repositoryId: String(row['repository_id']) }));
  }

  async setVerified(
    repositoryId: string,
    { at, findings }: { readonly at: string; readonly findings: number },
  ): Promise<void> {
    this.#database.run(
      'UPDATE repositories SET verified_at = ?, findings = ? WHERE id = ?',
      at,
      findings,
      repositoryId,
    );
  }

  async remove(repositoryId: string): Promise<'removed' | 'in-use'> {
    return this.#database.transaction(() => {
      if (this.#usage(repositoryId).tenants > 0) return 'in-use';
      this.#database.run('DELETE FROM repositories WHERE id = ?', repositoryId);
      return 'removed';
    });
  }

  async usage(repositoryId: string): Promise<{ readonly tenants: number; readonly usedBytes: number }> {
    return this.#usage(repositoryId);
  }

  #usage(repositoryId: string): { readonly tenants: number; readonly usedBytes: number } {
    const counted = this.#database.get(
      'SELECT count(*) AS tenants, coalesce(sum(used_bytes), 0) AS used FROM quotas WHERE repository_id = ?',
      repositoryId,
    );
    return { tenants: Number(counted?.['tenants'] ?? 0), usedBytes: Number(counted?.['used'] ?? 0) };
  }
}
