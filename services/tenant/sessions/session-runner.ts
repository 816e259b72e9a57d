// Owns one session of the job manager: asks the session machine for effects and carries them out. Keeps the handles: connection, attempt,
// timers.
// Must not decide about the session (tenant-machine.ts), and must not move data itself.
import type { SessionSide } from '../../contracts/models/session.ts';
import type { ServiceProvider } from '../../contracts/models/tenant.ts';
import { notable } from '../../contracts/notable-events.ts';
import type { Clock } from '../../kernel/clock.ts';
import { signalWithin } from '../../kernel/deadline.ts';
import { every } from '../../kernel/schedule.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { formatBytes } from '../../kernel/format-bytes.ts';
import type { Logger } from '../../kernel/logger.ts';
import { summarize } from '../../pki/certificate/certificate-summary.ts';
import type { LiveSession } from '../../session/live-session.ts';
import { showEffect } from '../../session/machine/show-effect.ts';
import { isWorthAnotherAttempt } from '../../session/machine/tenant-failures.ts';
import { newTenantState, tenantStep } from '../../session/machine/tenant-machine.ts';
import type {
  ProviderKnowledge,
  TenantEffect,
  TenantInput,
  TenantRules,
  TenantState,
  TenantTimer,
} from '../../session/machine/tenant-states.ts';
import { NamedTimers } from '../../session/named-timers.ts';
import { askProvider, type MessagePeer } from '../../wire/control-calls.ts';
import { describeClocks, maxClockDifferenceMs } from '../providers/clock-watch.ts';
import type { DialWatcher, ProviderDialer } from '../providers/provider-dialer.ts';
import { TrustRefusal, type ProviderLink } from '../providers/provider-link.ts';
import type { RaisedPrompt } from '../trust/trust-prompts.ts';
import { reportEnd } from './end-report.ts';
import { SessionAttempt, type AttemptTools, type SessionPlan } from './session-attempt.ts';
import { listenWhilePaused, tellPause } from './session-pause.ts';
import type { SessionReporter } from './session-reporter.ts';

const finalMessageTimeoutMs = 15_000;
/** How often a running backup asks the provider for the used space. */
const usageIntervalMs = 10_000;

export interface RunnerOptions {
  readonly live: LiveSession;
  readonly plan: SessionPlan;
  readonly reporter: SessionReporter;
  readonly provider: () => ServiceProvider;
  readonly dialer: Pick<ProviderDialer, 'dial' | 'noteTrouble' | 'askUsage' | 'withLink'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retryIntervalMs: number;
  readonly retryWindowMs: number;
  readonly promptWaitMs: number;
  readonly stallTimeoutMs: number;
  /** What this side knows about the session at the provider, from before a restart of this service. */
  readonly knows: ProviderKnowledge;
  /** This service was restarted during the session. */
  readonly isRestored: boolean;
  readonly tools: AttemptTools;
  /** Fires when the service stops. A session that has ended may still have to report its end. */
  readonly untilStop: AbortSignal;
  readonly onGranted: () => void;
  /** Called when a backup has finished; missing data becomes a warning. Must not throw. */
  readonly onMeasured: () => Promise<void>;
}

export class SessionRunner {
  readonly live: LiveSession;
  readonly plan: SessionPlan;
  readonly #options: RunnerOptions;
  readonly #rules: TenantRules;
  readonly #timers: NamedTimers<TenantTimer>;
  #state: TenantState;
  #link: ProviderLink | undefined;
  /** Ends the running work: a dial, an attempt, or a question to the provider. */
  #running = new AbortController();
  /** Fires when the session is canceled or the service stops. */
  readonly #stop = new AbortController();
  /** The open question to a person. */
  #question: RaisedPrompt | undefined;
  /** The bytes that the last attempt stored, as far as this side knows. */
  #storedBytes = 0;
  /** Settled when the requested pause has begun, or can no longer begin. */
  #pauseBegun: PromiseWithResolvers<void> | undefined;
  readonly #over = Promise.withResolvers<void>();

  constructor(options: RunnerOptions) {
    const { live, plan, clock, knows, retryIntervalMs, retryWindowMs, promptWaitMs } = options;
    this.live = live;
    this.plan = plan;
    this.#options = options;
    this.#rules = { operation: plan.operation, retryIntervalMs, retryWindowMs, promptWaitMs };
    const { state, pausedBy, resumeUntilMs } = live;
    this.#state = newTenantState(
      {
        attempt: live.attempt,
        knows,
        isCommitted: plan.operation === 'backup' && live.summary().pointId !== null,
        paused: state === 'paused' ? { by: pausedBy ?? 'tenant', untilMs: resumeUntilMs ?? clock.now() } : null,
      },
      this.#rules,
    );
    this.#timers = new NamedTimers(clock, (timer) => this.#tell({ type: 'timer-fired', timer }));
  }

  /** Never rejects: the session record contains the result. */
  async run(): Promise<void> {
    this.#tell({ type: 'start' });
    await this.#over.promise;
    this.#pauseBegun?.reject(new FarkeepError('call.conflict', 'The session ended before it could be paused'));
    this.live.dispose();
  }

  /** Resolves when the pause has begun. Safe to call twice. @throws call.conflict */
  async pause(by: SessionSide): Promise<void> {
    const isFirst = this.#pauseBegun === undefined;
    const begun = (this.#pauseBegun ??= Promise.withResolvers<void>());
    // For a request of the provider, no caller on this side awaits the promise.
    begun.promise.catch(() => undefined);
    try {
      this.#ask({ type: 'pause-wanted', by });
    } catch (error) {
      if (isFirst) this.#pauseBegun = undefined;
      throw error;
    }
    await begun.promise;
  }

  /** @throws call.conflict */
  resume(): void {
    this.#ask({ type: 'resume-wanted', by: 'tenant' });
  }

  /** Safe to call twice. */
  cancel(): void {
    this.#stop.abort();
    this.#tell({ type: 'cancel' });
  }

  /** The service stops. The session continues after the next start. */
  suspend(): void {
    this.#stop.abort();
    this.#tell({ type: 'suspend' });
  }

  /** @throws the error with which the machine refuses the request */
  #ask(input: TenantInput): void {
    const refused = this.#tell(input).find((effect) => effect.type === 'refuse');
    if (refused !== undefined) throw refused.error;
  }

  /** Reports an event to the machine and carries out the effects. */
  #tell(input: TenantInput): readonly TenantEffect[] {
    const moment = { nowMs: this.#options.clock.now(), hasWarnings: this.live.warningCount > 0 };
    const { state, effects } = tenantStep(this.#state, { ...input, ...moment }, this.#rules);
    this.#state = state;
    for (const effect of effects) this.#do(effect);
    return effects;
  }

  #do(effect: TenantEffect): void {
    const { live } = this;
    switch (effect.type) {
      case 'note-pause':
        this.#notePause(effect.by);
        return;
      case 'take-number':
        // The provider has granted an earlier attempt, but this side never received the grant. The steps so far belong to the current
        // attempt.
        live.renumberAttempt(effect.attempt);
        return;
      case 'dial':
        this.#begin(() => this.#dial());
        return;
      case 'run-attempt':
        this.#begin(() => this.#runAttempt(effect.knows));
        return;
      case 'save-grant':
        this.#options.onGranted();
        return;
      case 'end-attempt':
        this.#running.abort();
        return;
      case 'close-link':
        this.#closeLink(effect.isTroubled);
        return;
      case 'ask-person':
        this.#begin(() => this.#askPerson());
        return;
      case 'tell-pause':
        this.#begin(() => this.#tellPause(effect.by));
        return;
      case 'show-paused':
        showEffect(live, effect);
        this.#listenWhilePaused();
        return;
      case 'pause-begun':
        this.#pauseBegun?.resolve();
        this.#pauseBegun = undefined;
        return;
      case 'arm':
        this.#timers.arm(effect.timer, effect.afterMs);
        return;
      case 'disarm':
        this.#timers.disarm(effect.timer);
        return;
      case 'tell-finish':
        this.#begin(() => this.#tellFinish(effect));
        return;
      case 'cancel-at-provider':
        void this.#reportEnd((peer, signal) => askProvider(peer, 'session.cancel', { sessionId: live.id }, { signal }));
        return;
      case 'leave':
        this.#begin(() => this.#leave(effect.asksUsage));
        return;
      case 'refuse':
        return;
      default:
        if (effect.type === 'finish' && effect.error?.code === 'call.internal') this.#logFailure(effect.error);
        showEffect(live, effect);
    }
  }

  /** @param work reports its result to the machine; an exception is a program error and ends the session */
  #begin(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      this.#logFailure(error);
      this.live.finish('failed', toFarkeepError(error));
      this.#over.resolve();
    });
  }

  #logFailure(error: unknown): void {
    this.#options.logger.error('A session failed', { sessionId: this.live.id, error });
  }

  async #dial(): Promise<void> {
    const { live, plan } = this;
    const { dialer, provider } = this.#options;
    const { signal } = (this.#running = new AbortController());
    this.#link = undefined;
    try {
      const link = await dialer.dial(provider(), { waitingJob: plan.jobName, signal, watcher: this.#watcher() });
      this.#link = link;
      this.#compareClocks(link);
      live.setChannel({
        gateway: link.gateway.name,
        certificateSha256: summarize(link.presented.leafDer).sha256,
        tls: link.channel.tls,
      });
    } catch (error) {
      this.#attemptFailed(error);
      return;
    }
    this.#tell({ type: 'dialed' });
  }

  async #runAttempt(knows: ProviderKnowledge): Promise<void> {
    const { live, plan } = this;
    const { reporter, logger, stallTimeoutMs, tools, onMeasured, isRestored } = this.#options;
    const link = this.#link;
    if (link === undefined) return;
    let failure: FarkeepError | undefined;
    const ask = (): Promise<void> => this.#askUsage(link);
    using _asking = plan.operation === 'backup' ? every(usageIntervalMs, ask, { timers: tools.timers }) : undefined;
    try {
      const result = await new SessionAttempt({
        ...{ live, plan, link, reporter, knows, logger, stallTimeoutMs, tools },
        mayLackFigures: isRestored,
        signal: this.#running.signal,
        onAnswerLost: () => this.#tell({ type: 'answer-lost' }),
        onGranted: ({ attempt, resumeWindowMs }) => this.#tell({ type: 'granted', attempt, keptForMs: resumeWindowMs }),
        onPhase: (phase) => this.#tell({ type: 'phase-reached', phase }),
        onCommitted: () => this.#tell({ type: 'committed' }),
        onPauseWish: () => {
          // The person at the provider sees that the session does not pause.
          this.pause('provider').catch((error: unknown) =>
            logger.info('A pause request came too early or too late', { reason: toFarkeepError(error).message }),
          );
        },
      }).run();
      failure = result.failure;
      this.#storedBytes = result.storedBytes;
      if (result.isMeasured && failure === undefined && plan.operation === 'backup') await onMeasured();
    } catch (error) {
      this.#attemptFailed(error);
      return;
    }
    this.#tell({ type: 'attempt-done', failure: failure ?? null });
  }

  #attemptFailed(thrown: unknown): void {
    const error = toFarkeepError(thrown);
    this.#question = error instanceof TrustRefusal ? (error.question ?? undefined) : undefined;
    this.#tell({ type: 'attempt-failed', error, hasQuestion: this.#question !== undefined });
  }

  async #askPerson(): Promise<void> {
    const question = this.#question;
    const answer = await question?.answer;
    if (answer === undefined || this.#question !== question) return;
    this.#question = undefined;
    this.#tell({ type: 'answered', answer });
  }

  #notePause(by: SessionSide): void {
    const { live } = this;
    const { reporter } = this.#options;
    // The provider adds the same history entry, so the report goes out at once.
    if (this.#link !== undefined) reporter.attach(this.#link.channel.peer, live.id, live.attempt);
    live.act('info', notable('session.paused-by', { by }));
    reporter.detach();
  }

  async #tellPause(by: SessionSide): Promise<void> {
    const { live, plan } = this;
    const { logger } = this.#options;
    const link = this.#link;
    const { signal } = (this.#running = new AbortController());
    let input: TenantInput;
    try {
      const reply = await tellPause(link, { sessionId: live.id, by, signal, logger });
      if (link?.channel.peer.isClosed === true) this.#link = undefined;
      else if (link !== undefined && plan.operation === 'backup') void this.#askUsage(link);
      if (reply.kind === 'committed') {
        live.setPoint(reply.pointId);
        this.#storedBytes = reply.storedBytes;
        input = { type: 'pause-too-late' };
      } else {
        const keptForMs = reply.kind === 'paused' ? reply.keptForMs : null;
        input = { type: 'pause-told', keptForMs, hasLink: this.#link !== undefined };
      }
    } catch (error) {
      input = { type: 'pause-refused', error: toFarkeepError(error) };
    }
    this.#tell(input);
  }

  #listenWhilePaused(): void {
    const link = this.#link;
    if (link === undefined) return;
    const tell = (input: TenantInput): void => {
      if (this.#link === link) this.#tell(input);
    };
    listenWhilePaused(link, this.live.id, {
      onEnded: (error) => tell({ type: 'ended-at-provider', error }),
      onResumeWish: () => tell({ type: 'resume-wanted', by: 'provider' }),
      onLost: () => {
        tell({ type: 'link-lost' });
        if (this.#link === link) this.#link = undefined;
      },
    });
  }

  #closeLink(isTroubled: boolean): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    if (isTroubled) this.#options.dialer.noteTrouble(link.gateway);
    void link.channel.peer.close();
  }

  /** Warns once for each session, because the restore point contains the time of this clock. */
  #compareClocks({ clockDifferenceMs = 0 }: ProviderLink): void {
    const { live, plan } = this;
    if (plan.operation !== 'backup' || Math.abs(clockDifferenceMs) <= maxClockDifferenceMs) return;
    if (live.detail().warnings.some(({ code }) => code === 'clock.differs')) return;
    live.warn({ code: 'clock.differs', message: describeClocks(clockDifferenceMs), path: null });
  }

  #watcher(): DialWatcher {
    const { live } = this;
    return {
      begin: (step, detail) => live.beginStep(step, detail),
      end: (step, detail, outcome) => live.endStep(step, detail, { outcome }),
      excluded: (gateway, reason) =>
        live.act('warning', notable('session.gateway-excluded', { gateway: gateway.name, reason })),
      news: (level, event) => (level === 'security' ? live.raiseSecurityWarning(event) : live.act('info', event)),
      failed: (gateway, { message }) =>
        live.act('warning', notable('session.gateway-failed', { gateway: gateway.name, message })),
    };
  }

  async #tellFinish({ outcome, error }: Extract<TenantEffect, { type: 'tell-finish' }>): Promise<void> {
    const { live, plan } = this;
    const link = this.#link;
    const finalMessage = {
      sessionId: live.id,
      outcome,
      error: error?.toInfo() ?? null,
      progress: live.progress,
      warningCount: live.warningCount,
    };
    try {
      if (link === undefined) throw new FarkeepError('connection.lost');
      const { pointId, storedBytes } = await askProvider(link.channel.peer, 'session.finish', finalMessage, {
        timeoutMs: finalMessageTimeoutMs,
      });
      const stored = storedBytes || this.#storedBytes;
      if (pointId !== null && plan.operation !== 'backup') live.setPoint(pointId);
      if (pointId !== null && plan.operation === 'backup') live.setPoint(pointId, stored);
      if (error === null && plan.operation === 'backup') {
        live.act('info', notable('session.point-safe', { size: formatBytes(stored) }));
      }
    } catch (thrown) {
      // The work is already done or failed, so this side ends now.
      const failure = toFarkeepError(thrown);
      this.#options.logger.info('The provider did not take the end of a session', { reason: failure.message });
      if (isWorthAnotherAttempt(failure)) {
        void this.#reportEnd((peer, signal) => askProvider(peer, 'session.finish', finalMessage, { signal }));
      }
    }
    this.#tell({ type: 'finish-told' });
  }

  async #leave(asksUsage: boolean): Promise<void> {
    const link = this.#link;
    if (link !== undefined) {
      if (asksUsage) await this.#askUsage(link);
      await link.channel.peer.close();
    }
    this.#over.resolve();
  }

  /**
   * Asks for the used space during and after the backup, for the list of service providers: the last answer is older than the stored data. A
   * failure is ignored.
   */
  async #askUsage(link: ProviderLink): Promise<void> {
    const { dialer, provider, logger } = this.#options;
    try {
      using within = signalWithin({ limitMs: finalMessageTimeoutMs, signal: this.#stop.signal });
      await dialer.askUsage(provider(), link, within.signal);
    } catch (thrown) {
      logger.info('The provider did not report the used space after a session', {
        reason: toFarkeepError(thrown).message,
      });
    }
  }

  /** Reports the end over new connections, while the provider cannot be reached. */
  async #reportEnd(ask: (peer: MessagePeer, signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const { dialer, provider, clock, logger, retryIntervalMs, retryWindowMs, untilStop } = this.#options;
    await reportEnd({
      ...{ clock, logger, retryIntervalMs, retryWindowMs, untilStop },
      report: async (signal) => {
        using within = signalWithin({ limitMs: finalMessageTimeoutMs, signal });
        await dialer.withLink(provider(), within.signal, (link) => ask(link.channel.peer, within.signal));
      },
    });
  }
}
