// Owns the rows of the restore points that providers listed last. A write that the disk refuses is lost: the providers can be asked again.
import type { Database } from '../../kernel/state/database.ts';

export interface KnownPoint {
  readonly id: string;
  readonly providerId: string;
  readonly repository: string;
  readonly jobId: string;
  readonly jobName: string;
}

export interface PointStore {
  find(pointId: string): Promise<KnownPoint | undefined>;
  /** Replaces the stored points of the provider. A point that another provider has listed before stays with that provider. */
  noteListed(providerId: string, points: readonly KnownPoint[]): Promise<void>;
  noteDeleted(pointId: string): Promise<void>;
}

export class SqlitePointStore implements PointStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find(pointId: string): Promise<KnownPoint | undefined> {
    const row = this.#database.get('SELECT * FROM known_points WHERE id = ?', pointId);
    if (row === undefined) return undefined;
    return {
      id: pointId,
      providerId: String(row['provider_id']),
      repository: String(row['repository']),
      jobId: String(row['job_id']),
      jobName: String(row['job_name']),
    };
  }

  async noteListed(providerId: string, points: readonly KnownPoint[]): Promise<void> {
    this.#database.noteAll(() => {
      this.#database.run('DELETE FROM known_points WHERE provider_id = ?', providerId);
      for (const { id, repository, jobId, jobName } of points) {
        this.#database.run(
          `INSERT INTO known_points (id, provider_id, repository, job_id, job_name) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (id) DO NOTHING`,
          id,
          providerId,
          repository,
          jobId,
          jobName,
        );
      }
    });
  }

  async noteDeleted(pointId: string): Promise<void> {
    this.#database.note('DELETE FROM known_points WHERE id = ?', pointId);
  }
}
