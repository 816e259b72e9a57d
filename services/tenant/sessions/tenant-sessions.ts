// Owns all sessions of the tenant: starts sessions from a plan, keeps running sessions, finds ended sessions, and resumes sessions after a
// restart.
import type { EventPublisher } from '../../contracts/contract.ts';
import type { SessionDetail, SessionSummary, ThroughputSample } from '../../contracts/models/session.ts';
import { notable } from '../../contracts/notable-events.ts';
import { mapRows } from '../../contracts/row-list.ts';
import { systemClock, type Clock } from '../../kernel/clock.ts';
import { signalWithin } from '../../kernel/deadline.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { evidenceStatement } from '../../session/evidence.ts';
import { LiveSession } from '../../session/live-session.ts';
import type { ProviderKnowledge } from '../../session/machine/tenant-states.ts';
import type { SessionObserver } from '../../session/session-record.ts';
import type { SessionArchive } from '../../session/session-archive.ts';
import { archiveObserver } from '../../session/archive-observer.ts';
import { sessionPublisher } from '../../session/session-publisher.ts';
import { askProvider } from '../../wire/control-calls.ts';
import type { ProviderDialer } from '../providers/provider-dialer.ts';
import type { ServiceProviders } from '../providers/service-providers.ts';
import { findShrinkage } from '../jobs/run-comparison.ts';
import type { SessionPlan } from './session-attempt.ts';
import { deliverKeyB } from './key-tunnel.ts';
import type { StartMover } from '../../mover/link/data-mover.ts';
import { SessionReporter } from './session-reporter.ts';
import { SessionRunner } from './session-runner.ts';

const evidenceTimeoutMs = 20_000;

/** Stored with a session, so that the session can resume after a restart. Contains no secret. */
interface TenantSessionContext {
  readonly plan: SessionPlan;
  readonly providerId: string;
  readonly providerName: string;
  readonly userName: string;
  readonly isGranted: boolean;
}

export interface TenantSessionsOptions {
  readonly archive: SessionArchive;
  readonly providers: ServiceProviders;
  readonly dialer: ProviderDialer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publish: EventPublisher;
  readonly retryIntervalMs: number;
  readonly retryWindowMs: number;
  readonly promptWaitMs: number;
  readonly stallTimeoutMs: number;
  readonly startMover: StartMover;
  /** A session of this job has started or ended. */
  readonly onJobChanged: (jobId: string) => void;
}

interface Running {
  readonly runner: SessionRunner;
  readonly context: () => TenantSessionContext;
  readonly done: Promise<void>;
}

export interface Evidence {
  readonly statement: string;
  readonly signature: string | null;
  readonly algorithm: string | null;
  readonly certificate: string | null;
}

export class TenantSessions {
  readonly #options: TenantSessionsOptions;
  readonly #running = new Map<string, Running>();
  readonly #stopping = new AbortController();

  constructor(options: TenantSessionsOptions) {
    this.#options = options;
  }

  /** Resumes the sessions that were running when the service ended. */
  async resumeAfterRestart(): Promise<void> {
    await this.#options.archive.prune();
    const { sessions, leftOut } = await this.#options.archive.unfinished();
    if (leftOut !== undefined)
      this.#options.logger.error('Sessions cannot be resumed: their records are damaged', { ...leftOut });
    for (const { detail, samples, context } of sessions) {
      // This service wrote the record, so its shape is known. A newer schema has a migration.
      const storedContext = context as TenantSessionContext;
      const reporter = new SessionReporter({ areNamesHidden: false });
      const live = LiveSession.restore({ detail, samples }, this.#options.clock, this.#observers(reporter));
      const isProviderKnown = this.#options.providers.list().some(({ id }) => id === storedContext.providerId);
      if (!isProviderKnown || storedContext.plan.operation === 'browse') {
        live.finish('canceled', new FarkeepError('call.canceled', 'The service was restarted'));
        void this.#options.archive.save(live, storedContext.plan.jobId, storedContext);
        continue;
      }
      if (live.state === 'paused') live.act('info', notable('session.service-restarted', { isPaused: true }));
      else {
        if (storedContext.isGranted) live.startAttempt(live.attempt + 1);
        live.act('info', notable('session.service-restarted', { isPaused: false }));
      }
      // The service may have been killed after the provider's grant and before the grant was recorded. So without a recorded grant, the
      // provider may still know the session.
      void this.#run(live, reporter, storedContext, storedContext.isGranted ? 'yes' : 'maybe', true);
    }
  }

  /** @returns at once; the session runs in the background. @throws service.not-running while the service stops */
  start(
    plan: SessionPlan & { readonly sessionId: string },
    providerId: string,
  ): { readonly sessionId: string; readonly done: Promise<void> } {
    if (this.#stopping.signal.aborted) throw new FarkeepError('service.not-running', 'The tenant service is stopping');
    const provider = this.#options.providers.get(providerId);
    const { sessionId, ...kept } = plan;
    const context: TenantSessionContext = {
      plan: kept,
      providerId,
      providerName: provider.name,
      userName: provider.userName,
      isGranted: false,
    };
    const reporter = new SessionReporter({ areNamesHidden: false });
    const live = LiveSession.create(
      {
        id: sessionId,
        kind: plan.operation,
        jobName: plan.jobName,
        jobId: plan.jobId,
        otherSideId: providerId,
        otherSide: provider.name,
        repository: plan.repository,
        viewer: 'tenant',
        streams: plan.streams,
        areObjectNamesHidden: false,
      },
      this.#options.clock,
      this.#observers(reporter),
    );
    if (plan.operation !== 'backup') live.setPoint(plan.pointId);
    return { sessionId, done: this.#run(live, reporter, context, 'no') };
  }

  /** Safe to call twice. @throws call.not-found */
  async cancel(sessionId: string): Promise<void> {
    const running = this.#running.get(sessionId);
    if (running !== undefined) running.runner.cancel();
    else await this.show(sessionId);
  }

  /** Resolves when the session is paused and the provider knows, or cannot be reached. @throws call.not-found, call.conflict */
  async pause(sessionId: string): Promise<void> {
    await (await this.#unfinished(sessionId)).pause('tenant');
  }

  /** @throws call.not-found, call.conflict */
  async resume(sessionId: string): Promise<void> {
    (await this.#unfinished(sessionId)).resume();
  }

  runningSessionOf(jobId: string): string | null {
    for (const { runner } of this.#running.values()) {
      const isBackup = runner.plan.jobId === jobId && runner.plan.operation === 'backup';
      if (isBackup && !runner.live.isFinal) return runner.live.id;
    }
    return null;
  }

  /** The restore points of runs with much less data than the last good run. A point has the identifier of its session. */
  shrunkPoints(): Promise<ReadonlySet<string>> {
    return this.#options.archive.warnedWith('source.shrunk');
  }

  async list(limit: number): Promise<SessionSummary[]> {
    return mapRows(
      await this.#options.archive.list(limit),
      (stored) => this.#running.get(stored.id)?.runner.live.summary() ?? stored,
    );
  }

  /** @throws call.not-found */
  async show(sessionId: string): Promise<{ detail: SessionDetail; samples: readonly ThroughputSample[] }> {
    const live = this.#running.get(sessionId)?.runner.live;
    if (live !== undefined) return { detail: live.detail(), samples: live.samples };
    const stored = await this.#options.archive.find(sessionId);
    if (stored === undefined) throw new FarkeepError('call.not-found', 'There is no such session');
    return stored;
  }

  /** Signed by the provider when it can be reached, else an unsigned statement of this side. */
  async evidence(sessionId: string, signal: AbortSignal): Promise<Evidence> {
    const { detail } = await this.show(sessionId);
    const stored = await this.#options.archive.find(sessionId);
    const { providerId, providerName, userName } = stored?.context as TenantSessionContext;
    try {
      const provider = this.#options.providers.get(providerId);
      using within = signalWithin({ limitMs: evidenceTimeoutMs, signal });
      return await this.#options.dialer.withLink(provider, within.signal, (link) =>
        askProvider(link.channel.peer, 'session.evidence', { sessionId }, { signal: within.signal }),
      );
    } catch (error) {
      if (signal.aborted) throw error;
      this.#options.logger.info('Evidence without a signature', { reason: toFarkeepError(error).message });
      const statement = evidenceStatement(detail, { provider: providerName, tenant: userName, storedBytes: 0 });
      return { statement, signature: null, algorithm: null, certificate: null };
    }
  }

  /** The number of sessions that a stop of the service would interrupt. Paused sessions do not count. */
  get activeCount(): number {
    return [...this.#running.values()].filter(({ runner: { live } }) => !live.isFinal && live.state !== 'paused')
      .length;
  }

  /** Interrupts running sessions. The sessions resume after the next start of the service. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const running = [...this.#running.values()];
    for (const { runner } of running) runner.suspend();
    await Promise.all(running.map(({ done }) => done));
    await this.#options.archive.idle();
  }

  async #unfinished(sessionId: string): Promise<SessionRunner> {
    const running = this.#running.get(sessionId);
    if (running !== undefined) return running.runner;
    await this.show(sessionId);
    throw new FarkeepError('call.conflict', 'The session has ended', { hint: 'Run the job again.' });
  }

  #run(
    live: LiveSession,
    reporter: SessionReporter,
    initial: TenantSessionContext,
    knows: ProviderKnowledge,
    isRestored = false,
  ): Promise<void> {
    const { archive, providers, onJobChanged } = this.#options;
    let context = initial;
    const save = (): void => void archive.save(live, context.plan.jobId, context);
    save();
    const runner = new SessionRunner({
      live,
      plan: context.plan,
      reporter,
      provider: () => providers.get(context.providerId),
      dialer: this.#options.dialer,
      clock: this.#options.clock,
      logger: this.#options.logger,
      retryIntervalMs: this.#options.retryIntervalMs,
      retryWindowMs: this.#options.retryWindowMs,
      promptWaitMs: this.#options.promptWaitMs,
      stallTimeoutMs: this.#options.stallTimeoutMs,
      knows,
      isRestored,
      tools: { timers: systemClock, deliverKeyB, startMover: this.#options.startMover },
      untilStop: this.#stopping.signal,
      onGranted: () => {
        context = { ...context, isGranted: true };
        save();
      },
      onMeasured: () => this.#compare(live, context.plan),
    });
    const done = runner.run().finally(() => {
      save();
      this.#running.delete(live.id);
      onJobChanged(context.plan.jobId);
    });
    this.#running.set(live.id, { runner, done, context: () => context });
    onJobChanged(context.plan.jobId);
    return done;
  }

  /** Compares the session with the job's last good run over the same sources and patterns. */
  async #compare(live: LiveSession, plan: SessionPlan): Promise<void> {
    const operation = plan.moverOperation;
    if (operation.kind !== 'backup' || plan.isLessAccepted === true) return;
    const selectionOf = (of: SessionPlan['moverOperation']): string =>
      of.kind === 'backup' ? JSON.stringify([of.sourcePaths, of.excludes]) : '';
    try {
      const before = await this.#options.archive.findLast(plan.jobId, ({ detail, context }) => {
        const isWhole = detail.state === 'succeeded' || detail.state === 'warning';
        const earlier = context as TenantSessionContext;
        return (
          isWhole &&
          detail.warnings.every(({ code }) => code !== 'source.shrunk' && code !== 'source.missing') &&
          selectionOf(earlier.plan.moverOperation) === selectionOf(operation)
        );
      });
      if (before === undefined) return;
      const { plan: planBefore } = before.context as TenantSessionContext;
      for (const { message, path } of findShrinkage(
        { session: live.detail(), places: plan.places ?? [] },
        { session: before.detail, places: planBefore.places ?? [] },
      )) {
        live.warn({ code: 'source.shrunk', message, path });
      }
    } catch (error) {
      // An unreadable history must not fail a backup that is already committed.
      this.#options.logger.error('A run could not be compared with the one before', { sessionId: live.id, error });
    }
  }

  #observers(reporter: SessionReporter): SessionObserver[] {
    const { publish, archive } = this.#options;
    return [
      sessionPublisher(publish),
      reporter,
      archiveObserver(archive, (sessionId) => {
        const running = this.#running.get(sessionId);
        if (running === undefined) return undefined;
        const context = running.context();
        return { session: running.runner.live, owner: context.plan.jobId, context };
      }),
    ];
  }
}
