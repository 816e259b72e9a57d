// Owns the jobs domain of the tenant service.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { DomainHandlers, EventPublisher } from '../../contracts/contract.ts';
import type { Job } from '../../contracts/models/tenant.ts';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { mapRows } from '../../contracts/row-list.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import type { SessionArchive } from '../../session/session-archive.ts';
import type { JobStore } from '../jobs/job-store.ts';
import { placesOf } from '../jobs/source-place.ts';
import type { ServiceProviders } from '../providers/service-providers.ts';
import type { TenantSessions } from '../sessions/tenant-sessions.ts';

export interface JobHandlersOptions {
  readonly jobs: JobStore;
  readonly providers: ServiceProviders;
  readonly sessions: TenantSessions;
  readonly archive: SessionArchive;
  readonly publish: EventPublisher;
  /** Where each job keeps what it knows of its files. */
  readonly cacheFolder: string;
}

export class Jobs {
  readonly #options: JobHandlersOptions;

  constructor(options: JobHandlersOptions) {
    this.#options = options;
  }

  describe(jobId: string): Job {
    const { jobs, sessions, archive } = this.#options;
    const last = archive.lastOf(jobId);
    return {
      ...jobs.get(jobId),
      runningSessionId: sessions.runningSessionOf(jobId),
      lastRun: last === undefined ? null : { sessionId: last.id, state: last.state, endedAt: last.endedAt },
    };
  }

  /** Also called for sessions whose job was removed meanwhile. */
  publishChange(jobId: string): void {
    const { jobs, publish } = this.#options;
    if (jobs.list().some(({ id }) => id === jobId)) publish(jobsDomain, 'changed', this.describe(jobId));
  }

  handlers(): DomainHandlers<typeof jobsDomain> {
    const { jobs, providers, sessions, publish, cacheFolder } = this.#options;
    const changed = (jobId: string): Job => {
      const job = this.describe(jobId);
      publish(jobsDomain, 'changed', job);
      return job;
    };
    return {
      list: () => ({ jobs: mapRows(jobs.list(), ({ id }) => this.describe(id)) }),
      add: async (input) => {
        const provider = providers.get(input.providerId);
        if (!provider.repositories.some(({ name }) => name === input.repository)) {
          throw new FarkeepError('call.not-found', `"${provider.name}" offers no repository "${input.repository}"`, {
            field: 'repository',
            hint: 'Rescan the service provider, or choose another repository.',
          });
        }
        await checkSources(input.sourcePaths);
        return changed(jobs.add(input).id);
      },
      set: async ({ jobId, ...changes }) => {
        const before = jobs.get(jobId);
        if (changes.sourcePaths !== undefined) await checkSources(changes.sourcePaths);
        jobs.set(jobId, {
          name: changes.name ?? before.name,
          sourcePaths: changes.sourcePaths ?? before.sourcePaths,
          excludes: changes.excludes ?? before.excludes,
          streams: changes.streams ?? before.streams,
        });
        return changed(jobId);
      },
      run: async ({ jobId, isFullRead, isLessAccepted }) => {
        const job = jobs.get(jobId);
        const places = await placesOf(job.sourcePaths);
        const running = sessions.runningSessionOf(jobId);
        if (running !== null) {
          throw sessions.show(running).detail.state === 'paused'
            ? new FarkeepError('session.busy', `The job "${job.name}" is paused`, {
                hint: 'Resume its session, or stop it.',
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
            // The restore point of a session has its identifier: an attempt that comes twice cannot make two of them.
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
      remove: ({ jobId }) => {
        const job = jobs.get(jobId);
        if (sessions.runningSessionOf(jobId) !== null) {
          throw new FarkeepError('session.busy', `The job "${job.name}" is running`, { hint: 'Stop it first.' });
        }
        jobs.remove(jobId);
        publish(jobsDomain, 'removed', { jobId });
        return {};
      },
    };
  }
}

async function checkSources(sourcePaths: readonly string[]): Promise<void> {
  for (const source of sourcePaths) {
    if (!path.isAbsolute(source)) {
      throw new FarkeepError('call.invalid', `"${source}" is not a whole path`, { field: 'sourcePaths' });
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
