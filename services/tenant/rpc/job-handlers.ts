// Owns the jobs domain of the tenant service.
import path from 'node:path';
import type { DomainHandlers, EventPublisher } from '../../contracts/contract.ts';
import { finalSessionStates, type SessionSummary } from '../../contracts/models/session.ts';
import type { Job, JobRun } from '../../contracts/models/tenant.ts';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { keepLeftOut } from '../../contracts/row-list.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import type { Logger } from '../../kernel/logger.ts';
import { SerialQueue } from '../../kernel/serial-queue.ts';
import type { SessionArchive } from '../../session/session-archive.ts';
import type { JobList } from '../jobs/job-list.ts';
import { checkSource, refuseUnusable } from '../jobs/source-check.ts';
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
    // Restores and browsing belong to the job too, but they are no runs.
    const last = await archive.lastOf(job.id, ({ kind }) => kind === 'backup');
    const isFinal = last !== undefined && finalSessionStates.includes(last.state);
    const finished = isFinal
      ? last
      : await archive.lastOf(job.id, ({ kind, state }) => kind === 'backup' && finalSessionStates.includes(state));
    return {
      ...job,
      runningSessionId: sessions.runningSessionOf(job.id),
      lastRun: runOf(last),
      lastFinishedRun: runOf(finished),
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
    /** @throws session.busy while a session of the job runs, waits or is paused */
    const refuseWhileRunning = async ({ id, name }: StoredJob): Promise<void> => {
      const running = sessions.runningSessionOf(id);
      if (running === null) return;
      throw (await sessions.show(running)).detail.state === 'paused'
        ? new FarkeepError('session.busy', `The job "${name}" is paused`, { hint: 'Resume or stop its session.' })
        : new FarkeepError('session.busy', `The job "${name}" is running already`);
    };
    /** @throws call.not-found */
    const checkDestination = ({ providerId, repository }: { providerId: string; repository: string }): void => {
      const provider = providers.get(providerId);
      if (provider.repositories.some(({ name }) => name === repository)) return;
      throw new FarkeepError('call.not-found', `"${provider.name}" offers no repository "${repository}"`, {
        field: 'repository',
        hint: 'Rescan the service provider, or choose another repository.',
      });
    };
    return {
      list: async () => {
        const all = await jobs.all();
        return { jobs: keepLeftOut(all, await Promise.all(all.map((job) => this.#describe(job)))) };
      },
      add: async (input) => {
        checkDestination(input);
        await refuseUnusable(input.sourcePaths);
        return changed(await jobs.add(input));
      },
      set: async ({ jobId, ...changes }) => {
        const before = await jobs.get(jobId);
        const destination = {
          providerId: changes.providerId ?? before.providerId,
          repository: changes.repository ?? before.repository,
        };
        const isMoved = destination.providerId !== before.providerId || destination.repository !== before.repository;
        if (isMoved) {
          checkDestination(destination);
          // A running, waiting or paused session belongs to the old destination, and its resume would go there.
          await refuseWhileRunning(before);
        }
        // A source that the job has already may be away now, such as a disk that is not connected.
        await refuseUnusable((changes.sourcePaths ?? []).filter((source) => !before.sourcePaths.includes(source)));
        await jobs.set(jobId, {
          name: changes.name ?? before.name,
          sourcePaths: changes.sourcePaths ?? before.sourcePaths,
          excludes: changes.excludes ?? before.excludes,
          streams: changes.streams ?? before.streams,
          ...destination,
        });
        return changed(jobId);
      },
      checkSources: async ({ sourcePaths }) => ({ sources: await Promise.all(sourcePaths.map(checkSource)) }),
      run: async ({ jobId, isFullRead, isLessAccepted }) => {
        const job = await jobs.get(jobId);
        const places = await placesOf(job.sourcePaths);
        await refuseWhileRunning(job);
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

function runOf(session: SessionSummary | undefined): JobRun | null {
  return session === undefined ? null : { sessionId: session.id, state: session.state, endedAt: session.endedAt };
}
