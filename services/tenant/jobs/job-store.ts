// Owns jobs on disk. Runs nothing.
import { z } from 'zod';
import type { Job } from '../../contracts/models/tenant.ts';
import { readRows } from '../../contracts/row-list.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Database, Row } from '../../kernel/state/database.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';

export type StoredJob = Omit<Job, 'runningSessionId' | 'lastRun'>;
export type JobSettings = Pick<Job, 'name' | 'sourcePaths' | 'excludes' | 'streams'>;

const stringsSchema = z.array(z.string());

export class JobStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  list(): StoredJob[] {
    return readRows(
      this.#database.all(
        `SELECT jobs.*, providers.name AS provider_name FROM jobs JOIN providers ON providers.id = jobs.provider_id
         ORDER BY jobs.name`,
      ),
      read,
    );
  }

  get(jobId: string): StoredJob {
    const job = this.list().find((candidate) => candidate.id === jobId);
    if (job === undefined) throw new FarkeepError('call.not-found', 'There is no such job', { field: 'jobId' });
    return job;
  }

  add(settings: JobSettings & { providerId: string; repository: string }): StoredJob {
    this.#refuseTakenName(settings.name, undefined);
    const id = newId();
    this.#database.run(
      `INSERT INTO jobs (id, name, provider_id, repository, source_paths, excludes, streams, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      settings.name,
      settings.providerId,
      settings.repository,
      JSON.stringify(settings.sourcePaths),
      JSON.stringify(settings.excludes),
      settings.streams,
      new Date(this.#clock.now()).toISOString(),
    );
    return this.get(id);
  }

  set(jobId: string, settings: JobSettings): StoredJob {
    this.#refuseTakenName(settings.name, jobId);
    this.#database.run(
      'UPDATE jobs SET name = ?, source_paths = ?, excludes = ?, streams = ? WHERE id = ?',
      settings.name,
      JSON.stringify(settings.sourcePaths),
      JSON.stringify(settings.excludes),
      settings.streams,
      jobId,
    );
    return this.get(jobId);
  }

  remove(jobId: string): void {
    this.get(jobId);
    this.#database.run('DELETE FROM jobs WHERE id = ?', jobId);
  }

  #refuseTakenName(name: string, exceptId: string | undefined): void {
    const taken = this.#database.get('SELECT id FROM jobs WHERE name = ?', name);
    if (taken === undefined || taken['id'] === exceptId) return;
    throw new FarkeepError('call.conflict', `A job named "${name}" exists already`, { field: 'name' });
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
