// Owns all sessions of the provider: who may start a session, how a session is found again, and how a session ends. Must not give a tenant
// access to another tenant's session.
import type { EventPublisher } from '../../contracts/contract.ts';
import type { SessionDetail, SessionSummary, ThroughputSample } from '../../contracts/models/session.ts';
import { mapRows } from '../../contracts/row-list.ts';
import type { Clock } from '../../kernel/clock.ts';
import { storageBackends } from '../../repository/backends.ts';
import type { StartMover } from '../../mover/link/data-mover.ts';
import type { RepositoryLocation } from '../../repository/storage/repository-location.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { forTenant } from '../../mover/link/for-tenant.ts';
import type { Operation } from '../../mover/link/local-link.ts';
import { LiveSession } from '../../session/live-session.ts';
import type { SessionArchive } from '../../session/session-archive.ts';
import { archiveObserver, type RunningRecord } from '../../session/archive-observer.ts';
import type { SessionObserver } from '../../session/session-record.ts';
import { sessionPublisher } from '../../session/session-publisher.ts';
import type { MessagePeer } from '../../wire/control-calls.ts';
import type {
  SessionGrant,
  SessionOperation,
  TenantRequestInput,
  TenantRequestOutput,
} from '../../wire/control-messages.ts';
import { endedSessionError } from './ended-session.ts';
import { ProviderSession } from './provider-session.ts';
import type { Repositories } from '../repositories/repositories.ts';
import type { RestorePoints } from '../repositories/restore-points.ts';
import type { SessionChannel } from './session-channel.ts';
import { readSessionContext, type ProviderSessionContext } from './session-context.ts';
import { StartPace } from './start-pace.ts';
import { TargetAttempt } from './target-attempt.ts';
import type { TenantAccounts } from '../accounts/tenant-accounts.ts';
import type { Quota } from '../state/account-store.ts';

export interface ProviderSessionsOptions {
  readonly accounts: TenantAccounts;
  readonly archive: SessionArchive;
  readonly points: RestorePoints;
  readonly repositories: Repositories;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publish: EventPublisher;
  readonly moverHost: string;
  readonly advertisedHost: string | undefined;
  readonly resumeWindowMs: number;
  readonly maxTasksPerTenant: number;
  readonly startMover: StartMover;
  readonly onTenantChanged: (tenantId: string) => void;
  /** The used space of this tenant was counted again. */
  readonly onUsageChanged: (tenantId: string) => void;
  /** Points that are being deleted; no session starts with them. */
  readonly deleting: ReadonlySet<string>;
}

const moverOperations: Record<SessionOperation, Operation> = {
  backup: 'backup',
  restore: 'restore',
  browse: 'manifest',
};

export class ProviderSessions {
  readonly #options: ProviderSessionsOptions;
  /** Unfinished sessions, by session id. */
  readonly #sessions = new Map<string, ProviderSession>();
  readonly #pace = new StartPace();
  /** Number of calls of `cancelAllOf`. */
  #cancels = 0;
  /** Repositories whose folder is being changed. */
  readonly #moving = new Set<string>();
  /** The repositories of all calls of `whileUnused`, in their order. */
  readonly #moved: string[] = [];
  #isStopping = false;

  constructor(options: ProviderSessionsOptions) {
    this.#options = options;
  }

  /** Continues the sessions that were running when the service ended: their reservations wait for the tenants. */
  async resumeAfterRestart(): Promise<void> {
    const { archive, clock, logger } = this.#options;
    const { sessions, leftOut } = await archive.unfinished();
    if (leftOut !== undefined) logger.error('Sessions cannot be resumed: their records are damaged', { ...leftOut });
    for (const { detail, samples, context } of sessions) {
      const live = LiveSession.restore({ detail, samples }, clock, this.#observers());
      // This service wrote the record, so its shape is known. A newer schema has a migration.
      const session = this.#create(live, readSessionContext(context));
      session.awaitTenant();
    }
  }

  /** @throws login.disabled, login.lease-expired, call.not-found, session.limit, call.conflict, quota.exceeded, storage.io */
  async start(
    tenantId: string,
    input: TenantRequestInput<'session.start'>,
    channel: SessionChannel,
  ): Promise<SessionGrant> {
    this.#refuseWhenStopping();
    this.#pace.take(tenantId);
    const { accounts, clock, maxTasksPerTenant } = this.#options;
    const moves = this.#moved.length;
    const account = await accounts.requireActive(tenantId);
    const quota = await this.#quotaFor(tenantId, input.repository);
    if (quota === undefined) {
      throw new FarkeepError('call.not-found', `The account "${account.name}" has no repository "${input.repository}"`);
    }
    const { repositories } = this.#options;
    const problem = await repositories.problemOf(await repositories.get(quota.repositoryId));
    if (problem !== null) {
      this.#options.logger.error('A repository cannot be used', { repository: quota.repository, problem });
      throw new FarkeepError('storage.io', `The repository "${quota.repository}" cannot be used right now`, {
        hint: 'Ask the provider admin to repair the repository.',
      });
    }
    const location = storageBackends.locateTenant(quota.location, tenantId);
    const pointId = input.operation === 'backup' ? input.sessionId : input.pointId;
    if (pointId === null)
      throw new FarkeepError('call.invalid', 'A restore needs a restore point', { field: 'pointId' });
    if (input.operation !== 'backup') {
      try {
        await this.#options.points.require(location, pointId);
      } catch (error) {
        const failure = toFarkeepError(error);
        this.#options.logger.warn('A restore point cannot be restored', { pointId, error: failure });
        throw forTenant(failure);
      }
    }
    if (input.operation === 'backup' && quota.limitBytes <= quota.usedBytes) {
      throw new FarkeepError('quota.exceeded', `The quota of "${account.name}" in "${quota.repository}" is used up`);
    }
    const isKnown = (await this.#options.archive.find(input.sessionId)) !== undefined;
    // An account may be disabled during the start. Then no session may start. Either the loop reads the new state of the account, or
    // `cancelAllOf` has changed `#cancels` and the loop runs again.
    let maxTasks: number | null | undefined;
    let cancels: number;
    do {
      cancels = this.#cancels;
      ({ maxTasks } = await accounts.requireActive(tenantId));
    } while (cancels !== this.#cancels);
    // From here until the session is in the list, the code does not wait: two simultaneous requests cannot both pass the limits.
    this.#refuseWhenStopping();
    // The location was read before a change of the folder.
    if (this.#moving.has(quota.repositoryId) || this.#moved.includes(quota.repositoryId, moves)) {
      throw new FarkeepError('storage.io', `The folder of the repository "${quota.repository}" is being changed`, {
        hint: 'Try again in a moment.',
        retryable: true,
      });
    }
    if (this.#options.deleting.has(pointId)) throw new FarkeepError('call.not-found', 'There is no such restore point');
    if (isKnown || this.#sessions.has(input.sessionId)) {
      throw new FarkeepError('call.conflict', 'A session with this identifier exists already');
    }
    const running = this.activeSessions(tenantId);
    if (running >= (maxTasks ?? maxTasksPerTenant)) {
      throw new FarkeepError('session.limit', `${running} sessions of "${account.name}" run or are paused already`);
    }
    const live = LiveSession.create(
      {
        id: input.sessionId,
        kind: input.operation,
        jobName: input.jobName,
        jobId: input.jobId,
        otherSideId: tenantId,
        otherSide: account.name,
        repository: quota.repository,
        viewer: 'provider',
        streams: input.streams,
        areObjectNamesHidden: input.areNamesHidden,
      },
      clock,
      this.#observers(),
    );
    if (input.operation !== 'backup') live.setPoint(pointId);
    const session = this.#create(live, {
      tenantId,
      tenantName: account.name,
      repositoryId: quota.repositoryId,
      location,
      operation: moverOperations[input.operation],
      jobId: input.jobId,
      pointId,
      storedBytes: 0,
      isCommitted: false,
    });
    this.#options.onTenantChanged(tenantId);
    try {
      return await session.start(channel, { streams: input.streams, quotaBytes: quota.limitBytes });
    } catch (error) {
      const failure = toFarkeepError(error);
      // The provider granted nothing, so the session is canceled. Without a connection, the session is not canceled: the tenant did not
      // receive the error, will try to resume, and must find its session.
      if (session.hasChannel) await session.cancel(failure);
      throw forTenant(failure);
    }
  }

  /** @returns the committed restore point when there is nothing left to do */
  async resume(
    tenantId: string,
    { sessionId, streams }: TenantRequestInput<'session.resume'>,
    channel: SessionChannel,
  ): Promise<SessionGrant | { readonly committed: { readonly pointId: string; readonly storedBytes: number } }> {
    this.#refuseWhenStopping();
    await this.#options.accounts.requireActive(tenantId);
    const ended = await this.#committedBefore(tenantId, sessionId);
    if (ended !== undefined) return { committed: ended };
    const session = await this.#own(tenantId, sessionId);
    const { repositoryId } = session.context;
    const quota = await this.#quotaOf(tenantId, (candidate) => candidate.repositoryId === repositoryId);
    const grant = await session.resume(channel, { streams, quotaBytes: quota?.limitBytes ?? 0 });
    const { pointId, storedBytes } = session.context;
    return grant ?? { committed: { pointId, storedBytes } };
  }

  /**
   * The tenant's final message. Accepted without effect when the session has already ended at the provider. @throws call.not-found,
   * point.incomplete
   */
  async finish(
    tenantId: string,
    input: TenantRequestInput<'session.finish'>,
  ): Promise<TenantRequestOutput<'session.finish'>> {
    const session = this.find(tenantId, input.sessionId);
    if (session !== undefined) return session.finish(input);
    const context = (await this.#options.archive.find(input.sessionId))?.context as ProviderSessionContext | undefined;
    if (context?.tenantId !== tenantId) throw new FarkeepError('call.not-found', 'There is no such session');
    const hasPoint = context.operation === 'backup' && context.isCommitted;
    return { pointId: hasPoint ? context.pointId : null, storedBytes: context.storedBytes };
  }

  /** Undefined for an ended or unknown session: late reports are normal. */
  find(tenantId: string, sessionId: string): ProviderSession | undefined {
    const session = this.#sessions.get(sessionId);
    return session?.context.tenantId === tenantId ? session : undefined;
  }

  /** @throws call.not-found, and the error that ended the session at the provider in the meantime */
  async pauseByTenant(
    tenantId: string,
    { sessionId, by }: TenantRequestInput<'session.pause'>,
  ): Promise<TenantRequestOutput<'session.pause'>> {
    const committed = await this.#committedBefore(tenantId, sessionId);
    if (committed !== undefined) return { committed, keptForMs: 0 };
    return (await this.#own(tenantId, sessionId)).pause(by);
  }

  /** Resolves when the tenant has paused. @throws call.not-found, call.conflict, call.timeout */
  async pauseByProvider(sessionId: string): Promise<void> {
    await (await this.#unfinished(sessionId)).requestPause();
  }

  /** @throws call.not-found, call.conflict */
  async resumeByProvider(sessionId: string): Promise<void> {
    (await this.#unfinished(sessionId)).requestResume();
  }

  /** Safe to call twice. @throws call.not-found also for another tenant's session */
  async cancelByTenant(tenantId: string, sessionId: string): Promise<void> {
    await this.requireOwn(tenantId, sessionId);
    await this.find(tenantId, sessionId)?.cancel(new FarkeepError('call.canceled', 'Canceled by the tenant'));
  }

  async cancelByProvider(sessionId: string): Promise<void> {
    await this.#sessions.get(sessionId)?.cancel(new FarkeepError('call.canceled', 'Canceled by the provider'));
    if ((await this.#options.archive.find(sessionId)) === undefined) {
      throw new FarkeepError('call.not-found', 'There is no such session');
    }
  }

  /**
   * For another tenant's session, the answer is the same as for a missing session, so that the existence of the session stays hidden.
   * @throws call.not-found
   */
  async requireOwn(tenantId: string, sessionId: string): Promise<void> {
    if (this.find(tenantId, sessionId) !== undefined) return;
    const context = (await this.#options.archive.find(sessionId))?.context as ProviderSessionContext | undefined;
    if (context?.tenantId !== tenantId) throw new FarkeepError('call.not-found', 'There is no such session');
  }

  /** Whether an unfinished session reads or creates this point. */
  isPointInUse(tenantId: string, pointId: string): boolean {
    return [...this.#sessions.values()].some(
      ({ context }) => context.tenantId === tenantId && context.pointId === pointId,
    );
  }

  async cancelAllOf(tenantId: string, error: FarkeepError): Promise<void> {
    this.#cancels += 1;
    const own = [...this.#sessions.values()].filter((session) => session.context.tenantId === tenantId);
    await Promise.all(own.map((session) => session.cancel(error)));
  }

  channelLost(peer: MessagePeer, error: FarkeepError): void {
    for (const session of this.#sessions.values()) session.channelLost(peer, error);
  }

  async list(limit: number): Promise<SessionSummary[]> {
    return mapRows(
      await this.#options.archive.list(limit),
      (stored) => this.#sessions.get(stored.id)?.live.summary() ?? stored,
    );
  }

  /** @throws call.not-found */
  async show(sessionId: string): Promise<{
    detail: SessionDetail;
    samples: readonly ThroughputSample[];
    context: ProviderSessionContext;
  }> {
    const running = this.#sessions.get(sessionId);
    if (running !== undefined) {
      return { detail: running.live.detail(), samples: running.live.samples, context: running.context };
    }
    const stored = await this.#options.archive.find(sessionId);
    if (stored === undefined) throw new FarkeepError('call.not-found', 'There is no such session');
    return { detail: stored.detail, samples: stored.samples, context: stored.context as ProviderSessionContext };
  }

  activeSessions(tenantId?: string): number {
    if (tenantId === undefined) return this.#sessions.size;
    return [...this.#sessions.values()].filter((session) => session.context.tenantId === tenantId).length;
  }

  isLocationBusy(location: RepositoryLocation): boolean {
    const name = storageBackends.describe(location);
    return [...this.#sessions.values()].some(
      ({ context, hasMover }) => storageBackends.describe(context.location) === name && hasMover,
    );
  }

  /** Runs the work while no session uses the repository and none can start. @throws service.locked, and the errors of the work */
  async whileUnused<Result>(repositoryId: string, work: () => Promise<Result>): Promise<Result> {
    const user = [...this.#sessions.values()].find(({ context }) => context.repositoryId === repositoryId);
    if (user !== undefined || this.#moving.has(repositoryId)) {
      throw new FarkeepError(
        'service.locked',
        user === undefined
          ? 'The folder of this repository is being changed already'
          : `A session of "${user.context.tenantName}" uses this repository`,
        { hint: 'Wait until the session has ended, or stop it.' },
      );
    }
    this.#moving.add(repositoryId);
    this.#moved.push(repositoryId);
    try {
      return await work();
    } finally {
      this.#moving.delete(repositoryId);
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const error = new FarkeepError('service.not-running', 'The provider service is stopping');
    await Promise.all([...this.#sessions.values()].map((session) => session.suspend(error)));
    await this.#options.archive.idle();
  }

  /**
   * Returns the restore point if the session has already ended at the provider as a success. The tenant then lost its connection after the
   * restore point was on disk.
   */
  async #committedBefore(
    tenantId: string,
    sessionId: string,
  ): Promise<{ pointId: string; storedBytes: number } | undefined> {
    if (this.find(tenantId, sessionId) !== undefined) return undefined;
    const context = (await this.#options.archive.find(sessionId))?.context as ProviderSessionContext | undefined;
    if (context?.tenantId !== tenantId || !context.isCommitted) return undefined;
    return { pointId: context.pointId, storedBytes: context.storedBytes };
  }

  async #unfinished(sessionId: string): Promise<ProviderSession> {
    const session = this.#sessions.get(sessionId);
    if (session !== undefined) return session;
    if ((await this.#options.archive.find(sessionId)) === undefined) {
      throw new FarkeepError('call.not-found', 'There is no such session');
    }
    throw new FarkeepError('call.conflict', 'The session has ended');
  }

  async #own(tenantId: string, sessionId: string): Promise<ProviderSession> {
    const session = this.find(tenantId, sessionId);
    if (session !== undefined) return session;
    const stored = await this.#options.archive.find(sessionId);
    // Another tenant's session is reported as missing, so that its existence stays hidden.
    if (stored === undefined || (stored.context as ProviderSessionContext).tenantId !== tenantId) {
      throw new FarkeepError('call.not-found', 'There is no such session');
    }
    throw endedSessionError(stored.detail.error);
  }

  #create(live: LiveSession, context: ProviderSessionContext): ProviderSession {
    const { accounts, clock, logger, moverHost, advertisedHost, resumeWindowMs, points, startMover } = this.#options;
    const session: ProviderSession = new ProviderSession({
      live,
      context,
      clock,
      logger,
      moverHost,
      advertisedHost,
      resumeWindowMs,
      onChanged: () => this.#changed(session),
      onUsage: (usedBytes, change) => {
        if (change === 'point') points.forget(context.location);
        void accounts
          .setUsage(context.tenantId, context.repositoryId, usedBytes)
          .then(() => this.#options.onUsageChanged(context.tenantId));
      },
      findCommitted: () => points.exists(context.location, context.pointId),
      openAttempt: (options) => new TargetAttempt(options, startMover),
    });
    this.#sessions.set(live.id, session);
    this.#changed(session);
    return session;
  }

  #observers(): SessionObserver[] {
    const { archive, publish } = this.#options;
    const find = (sessionId: string): RunningRecord | undefined => {
      const running = this.#sessions.get(sessionId);
      return running && { session: running.live, owner: running.context.tenantId, context: running.context };
    };
    return [sessionPublisher(publish), archiveObserver(archive, find)];
  }

  #changed(session: ProviderSession): void {
    void this.#options.archive.save(session.live, session.context.tenantId, session.context);
    if (!session.live.isFinal || !this.#sessions.delete(session.live.id)) return;
    this.#options.onTenantChanged(session.context.tenantId);
  }

  /** A job may still use a former name of the repository. */
  async #quotaFor(tenantId: string, name: string): Promise<Quota | undefined> {
    const named = await this.#quotaOf(tenantId, ({ repository }) => repository === name);
    if (named !== undefined) return named;
    const repositoryId = await this.#options.repositories.findByFormerName(name);
    return this.#quotaOf(tenantId, (quota) => quota.repositoryId === repositoryId);
  }

  async #quotaOf(tenantId: string, isWanted: (quota: Quota) => boolean): Promise<Quota | undefined> {
    return (await this.#options.accounts.quotas(tenantId)).find(isWanted);
  }

  #refuseWhenStopping(): void {
    if (this.#isStopping) throw new FarkeepError('service.not-running', 'The provider service is stopping');
  }
}
