// Owns the rows of the tenant's jobs. Must not contain rules about jobs.
import { z } from 'zod';
import type { Job } from '../../contracts/models/tenant.ts';
import { readRows } from '../../contracts/row-list.ts';
import type { Database, Row } from '../../kernel/state/database.ts';

export type StoredJob = Omit<Job, 'runningSessionId' | 'lastRun' | 'lastFinishedRun'>;
export type JobSettings = Pick<Job, 'name' | 'sourcePaths' | 'excludes' | 'streams' | 'providerId' | 'repository'>;

export interface JobStore {
  /** By name; a row that cannot be read is left out and named (`readRows`). */
  list(): Promise<StoredJob[]>;
  /** @returns false when the name is taken */
  add(job: Omit<StoredJob, 'providerName'>): Promise<boolean>;
  /** @returns false when another job has the name */
  change(jobId: string, settings: JobSettings): Promise<boolean>;
  remove(jobId: string): Promise<void>;
}

const stringsSchema = z.array(z.string());

export class SqliteJobStore implements JobStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list(): Promise<StoredJob[]> {
    return readRows(
      this.#database.all(
        `SELECT jobs.*, providers.name AS provider_name FROM jobs JOIN providers ON providers.id = jobs.provider_id
         ORDER BY jobs.name`,
      ),
      read,
    );
  }

  async add(job: Omit<StoredJob, 'providerName'>): Promise<boolean> {
    return this.#database.transaction(() => {
      if (this.#isTaken(job.name, undefined)) return false;
      this.#database.run(
        `INSERT INTO jobs (id, name, provider_id, repository, source_paths, excludes, streams, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        job.id,
        job.name,
        job.providerId,
        job.repository,
        JSON.stringify(job.sourcePaths),
        JSON.stringify(job.excludes),
        job.streams,
        job.createdAt,
      );
      return true;
    });
  }

  async change(jobId: string, settings: JobSettings): Promise<boolean> {
    const { name, sourcePaths, excludes, streams, providerId, repository } = settings;
    return this.#database.transaction(() => {
      if (this.#isTaken(name, jobId)) return false;
      this.#database.run(
        `UPDATE jobs SET name = ?, source_paths = ?, excludes = ?, streams = ?, provider_id = ?, repository = ?
         WHERE id = ?`,
        name,
        JSON.stringify(sourcePaths),
        JSON.stringify(excludes),
        streams,
        providerId,
        repository,
        jobId,
      );
      return true;
    });
  }

  async remove(jobId: string): Promise<void> {
    this.#database.run('DELETE FROM jobs WHERE id = ?', jobId);
  }

  #isTaken(name: string, exceptId: string | undefined): boolean {
    const taken = this.#database.get('SELECT id FROM jobs WHERE name = ?', name);
    return taken !== undefined && taken['id'] !== exceptId;
  }
}

function read(row: Row): StoredJob {
  return {
    id: String(row['id']),
    name: String(row['name']),
    sourcePaths: stringsSchema.parse(JSON.parse(String(row['source_paths']))),
    excludes: stringsSchema.parse(JSON.parse(String(row['excludes']))),
    providerId: String(row['provider_id']),
    providerName: String(row['provider_name']),
    repository: String(row['repository']),
    streams: Number(row['streams']),
    createdAt: String(row['created_at']),
  };
}
