// Owns the jobs domain of the tenant service.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { DomainHandlers, EventPublisher } from '../../contracts/contract.ts';
import type { Job } from '../../contracts/models/tenant.ts';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { keepLeftOut } from '../../contracts/row-list.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import type { Logger } from '../../kernel/logger.ts';
import { SerialQueue } from '../../kernel/serial-queue.ts';
import type { SessionArchive } from '../../session/session-archive.ts';
import type { JobList } from '../jobs/job-list.ts';
import { placesOf } from '../jobs/source-place.ts';
import type { ServiceProviders } from '../providers/service-providers.ts';
import type { StoredJob } from '../state/job-store.ts';
import type { TenantSessions } from '../sessions/tenant-sessions.ts';

export interface JobHandlersOptions {
  readonly jobs: JobList;
  readonly providers: ServiceProviders;
  readonly sessions: TenantSessions;
  readonly archive: SessionArchive;
  readonly publish: EventPublisher;
  readonly logger: Logger;
  /** The folder in which each job keeps its cache of known files. */
  readonly cacheFolder: string;
}

export class Jobs {
  readonly #options: JobHandlersOptions;
  readonly #changes = new SerialQueue();

  constructor(options: JobHandlersOptions) {
    this.#options = options;
  }

  async #describe(job: StoredJob): Promise<Job> {
    const { sessions, archive } = this.#options;
    const last = await archive.lastOf(job.id);
    return {
      ...job,
      runningSessionId: sessions.runningSessionOf(job.id),
      lastRun: last === undefined ? null : { sessionId: last.id, state: last.state, endedAt: last.endedAt },
    };
  }

  /** Publishes a change of the job. Also called for sessions whose job was removed in the meantime. */
  publishChange(jobId: string): void {
    const { jobs, publish, logger } = this.#options;
    const published = this.#changes.run(async () => {
      const job = await jobs.find(jobId);
      if (job !== undefined) publish(jobsDomain, 'changed', await this.#describe(job));
    });
    published.catch((error: unknown) => logger.warn('The change of a job cannot be shown', { error }));
  }

  /** Resolves when no event waits to be published. */
  idle(): Promise<void> {
    return this.#changes.idle();
  }

  handlers(): DomainHandlers<typeof jobsDomain> {
    const { jobs, providers, sessions, publish, cacheFolder } = this.#options;
    const changed = async (jobId: string): Promise<Job> => {
      const job = await this.#describe(await jobs.get(jobId));
      publish(jobsDomain, 'changed', job);
      return job;
    };
    return {
      list: async () => {
        const all = await jobs.all();
        return { jobs: keepLeftOut(all, await Promise.all(all.map((job) => this.#describe(job)))) };
      },
      add: async (input) => {
        const provider = providers.get(input.providerId);
        if (!provider.repositories.some(({ name }) => name === input.repository)) {
          throw new FarkeepError('call.not-found', `"${provider.name}" offers no repository "${input.repository}"`, {
            field: 'repository',
            hint: 'Rescan the service provider, or choose another repository.',
          });
        }
        await checkSources(input.sourcePaths);
        return changed(await jobs.add(input));
      },
      set: async ({ jobId, ...changes }) => {
        const before = await jobs.get(jobId);
        if (changes.sourcePaths !== undefined) await checkSources(changes.sourcePaths);
        await jobs.set(jobId, {
          name: changes.name ?? before.name,
          sourcePaths: changes.sourcePaths ?? before.sourcePaths,
          excludes: changes.excludes ?? before.excludes,
          streams: changes.streams ?? before.streams,
        });
        return changed(jobId);
      },
      run: async ({ jobId, isFullRead, isLessAccepted }) => {
        const job = await jobs.get(jobId);
        const places = await placesOf(job.sourcePaths);
        const running = sessions.runningSessionOf(jobId);
        if (running !== null) {
          throw (await sessions.show(running)).detail.state === 'paused'
            ? new FarkeepError('session.busy', `The job "${job.name}" is paused`, {
                hint: 'Resume or stop its session.',
              })
            : new FarkeepError('session.busy', `The job "${job.name}" is running already`);
        }
        const sessionId = newId();
        sessions.start(
          {
            sessionId,
            operation: 'backup',
            jobId,
            jobName: job.name,
            repository: job.repository,
            // The restore point has the identifier of its session, so a repeated attempt cannot create a second point.
            pointId: sessionId,
            streams: job.streams,
            moverOperation: {
              kind: 'backup',
              sourcePaths: job.sourcePaths,
              excludes: job.excludes,
              jobId,
              jobName: job.name,
              pointId: sessionId,
              fileCachePath: path.join(cacheFolder, `${jobId}.sqlite`),
              ...(isFullRead ? { isFullRead } : {}),
            },
            places,
            isLessAccepted,
          },
          job.providerId,
        );
        return { sessionId };
      },
      remove: async ({ jobId }) => {
        const job = await jobs.get(jobId);
        if (sessions.runningSessionOf(jobId) !== null) {
          throw new FarkeepError('session.busy', `The job "${job.name}" is running`, {
            hint: 'Stop its session first.',
          });
        }
        await jobs.remove(jobId);
        publish(jobsDomain, 'removed', { jobId });
        return {};
      },
    };
  }
}

async function checkSources(sourcePaths: readonly string[]): Promise<void> {
  for (const source of sourcePaths) {
    if (!path.isAbsolute(source)) {
      throw new FarkeepError('call.invalid', `"${source}" is not an absolute path`, { field: 'sourcePaths' });
    }
    try {
      const { mode } = await stat(source);
      const isFolderOrFile = (mode & 0o170000) === 0o040000 || (mode & 0o170000) === 0o100000;
      if (!isFolderOrFile) {
        throw new FarkeepError('source.empty-path', `${source} is neither a folder nor a file`, {
          field: 'sourcePaths',
        });
      }
    } catch (error) {
      if (error instanceof FarkeepError) throw error;
      throw new FarkeepError('source.missing', `${source} does not exist or cannot be reached`, {
        field: 'sourcePaths',
        cause: error,
      });
    }
  }
}
