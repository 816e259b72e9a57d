// Owns the rules about the tenant's jobs. Must not run a job.
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import type { JobSettings, JobStore, StoredJob } from '../state/job-store.ts';

export class JobList {
  readonly #store: JobStore;
  readonly #clock: Clock;

  constructor(store: JobStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Sorted by name. */
  all(): Promise<StoredJob[]> {
    return this.#store.list();
  }

  async find(jobId: string): Promise<StoredJob | undefined> {
    return (await this.all()).find(({ id }) => id === jobId);
  }

  /** @throws call.not-found */
  async get(jobId: string): Promise<StoredJob> {
    const job = await this.find(jobId);
    if (job === undefined) throw new FarkeepError('call.not-found', 'There is no such job', { field: 'jobId' });
    return job;
  }

  /** @returns the identifier of the job. @throws call.conflict for a taken name */
  async add(settings: JobSettings): Promise<string> {
    const { name, sourcePaths, excludes, streams, providerId, repository } = settings;
    const id = newId();
    const createdAt = new Date(this.#clock.now()).toISOString();
    const job = { id, name, providerId, repository, sourcePaths, excludes, streams, createdAt };
    if (!(await this.#store.add(job))) throw nameTaken(name);
    return id;
  }

  /** @throws call.conflict for a taken name */
  async set(jobId: string, settings: JobSettings): Promise<void> {
    if (!(await this.#store.change(jobId, settings))) throw nameTaken(settings.name);
  }

  /** @throws call.not-found */
  async remove(jobId: string): Promise<void> {
    await this.get(jobId);
    await this.#store.remove(jobId);
  }
}

function nameTaken(name: string): FarkeepError {
  return new FarkeepError('call.conflict', `A job named "${name}" exists already`, { field: 'name' });
}
