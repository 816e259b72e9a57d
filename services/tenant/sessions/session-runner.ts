// Owns one session of the job manager from start to end: attempts, waiting, asking a person about a certificate, pausing, giving up, canceling.
// Each attempt is a fresh connection with fresh keys. Moves no data itself.
import { canPause, type SessionSide } from '../../contracts/models/session.ts';
import type { ServiceProvider } from '../../contracts/models/tenant.ts';
import { describeNotable } from '../../contracts/notable-events.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { formatBytes } from '../../kernel/format-bytes.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isResumable } from '../../session/attempt-error.ts';
import type { LiveSession } from '../../session/live-session.ts';
import { summarize } from '../../pki/certificate/certificate-summary.ts';
import { askProvider } from '../../wire/control-calls.ts';
import { describeClocks, maxClockDifferenceMs } from '../providers/clock-watch.ts';
import type { DialWatcher, ProviderDialer } from '../providers/provider-dialer.ts';
import { TrustRefusal, type ProviderLink } from '../providers/provider-link.ts';
import { SessionAttempt, type AttemptResult, type ProviderKnowledge, type SessionPlan } from './session-attempt.ts';
import { stayPaused, tellPause, type PauseOptions } from './session-pause.ts';
import type { SessionReporter } from './session-reporter.ts';
import type { RaisedPrompt } from '../trust/trust-prompts.ts';

const lastWordTimeoutMs = 15_000;

export interface RunnerOptions {
  readonly live: LiveSession;
  readonly plan: SessionPlan;
  readonly reporter: SessionReporter;
  readonly provider: () => ServiceProvider;
  readonly dialer: ProviderDialer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retryIntervalMs: number;
  readonly retryWindowMs: number;
  readonly promptWaitMs: number;
  readonly stallTimeoutMs: number;
  /** From before a restart of this service. */
  readonly isKnown: ProviderKnowledge;
  readonly onGranted: () => void;
  /** Called when a backup has finished; missing data becomes a warning. Must not throw. */
  readonly onMeasured: () => Promise<void>;
}

export class SessionRunner {
  readonly live: LiveSession;
  readonly plan: SessionPlan;
  readonly #options: RunnerOptions;
  readonly #abort = new AbortController();
  #isKnown: ProviderKnowledge;
  /** Whether the attempt of this number is one that the provider knows. */
  #isAttemptGranted: boolean;
  #link: ProviderLink | undefined;
  /** Until when a lost connection is tried again; moved on by every attempt that got through. */
  #resumeUntilMs: number | undefined;
  /** How long the provider keeps the session, as it said with the last grant. */
  #keptForMs: number;
  #isSuspended = false;
  /** Aborted when somebody wants a pause; a new one for each attempt and the waiting after it. */
  #pauseWanted = new AbortController();
  #pausedBy: SessionSide = 'tenant';
  /** Settled when the wished pause has begun, or cannot begin any more. */
  #pauseBegun: PromiseWithResolvers<void> | undefined;
  #resumed: PromiseWithResolvers<void> | undefined;

  constructor(options: RunnerOptions) {
    this.live = options.live;
    this.plan = options.plan;
    this.#options = options;
    this.#isKnown = options.isKnown;
    this.#isAttemptGranted = options.isKnown === 'yes' && options.live.state === 'paused';
    this.#keptForMs = options.retryWindowMs;
  }

  /** Never rejects: how it ended is in the session. */
  async run(): Promise<void> {
    const { logger } = this.#options;
    try {
      const { storedBytes, failure, isMeasured } = await this.#attemptUntilDone();
      if (isMeasured && failure === undefined && this.plan.operation === 'backup') await this.#options.onMeasured();
      await this.#finish(failure ?? null, storedBytes);
    } catch (error) {
      const known = toFarkeepError(error);
      if (this.#isSuspended) {
        await this.#link?.channel.peer.close();
        return;
      }
      if (known.code === 'call.internal') logger.error('A session failed', { sessionId: this.live.id, error });
      await this.#finish(known, 0);
    } finally {
      this.#pauseBegun?.reject(new FarkeepError('call.conflict', 'The session ended before it could be paused'));
      this.live.dispose();
    }
  }

  /** Resolves when the session stands still; safe to call twice. @throws call.conflict */
  async pause(by: SessionSide): Promise<void> {
    const { live } = this;
    if (live.state === 'paused') return;
    if (this.#pauseBegun === undefined) {
      if (this.#isKnown === 'no' || !canPause(live.detail())) {
        throw new FarkeepError(
          'call.conflict',
          'Only a session that transfers, or waits to be tried again, can be paused',
          {
            hint: 'Wait a moment and try again, or stop it.',
          },
        );
      }
      this.#pauseBegun = Promise.withResolvers<void>();
      // A wish of the provider has nobody here who waits for it.
      this.#pauseBegun.promise.catch(() => undefined);
      this.#pausedBy = by;
      this.#pauseWanted.abort();
    }
    await this.#pauseBegun.promise;
  }

  /** @throws call.conflict */
  resume(): void {
    if (this.#resumed === undefined) throw new FarkeepError('call.conflict', 'The session is not paused');
    this.#resumed.resolve();
  }

  /** Safe to call twice. */
  cancel(): void {
    this.#abort.abort();
  }

  /** The service stops; the session goes on when it runs again. */
  suspend(): void {
    this.#isSuspended = true;
    this.#abort.abort();
  }

  async #attemptUntilDone(): Promise<AttemptResult> {
    const { clock, retryIntervalMs, retryWindowMs } = this.#options;
    const nowMs = clock.now();
    if (this.live.state === 'paused') await this.#standStill(this.live.resumeUntilMs ?? nowMs);
    for (;;) {
      try {
        return await this.#attempt();
      } catch (error) {
        if (this.#abort.signal.aborted) throw new FarkeepError('call.canceled', 'The session was canceled');
        if (this.#pauseWanted.signal.aborted) {
          const committed = await this.#goIntoPause();
          if (committed !== undefined) return committed;
          continue;
        }
        const known = error instanceof TrustRefusal ? error : toFarkeepError(error);
        if (known instanceof TrustRefusal && known.question !== null) {
          await this.#askPerson(known, known.question);
          continue;
        }
        if (!isWorthAnotherAttempt(known)) throw known;
        // Before the first request there is nothing to come back to: whoever started the job gets the reason at once.
        if (this.#isKnown === 'no') throw withManualRetryHint(known, this.plan.operation);
        this.#resumeUntilMs ??= clock.now() + retryWindowMs;
        const nextAt = clock.now() + retryIntervalMs;
        if (nextAt > this.#resumeUntilMs) {
          throw new FarkeepError('session.resume-expired', `The last attempt failed: ${known.message}`);
        }
        this.live.act('warning', `${known.message}; the next attempt follows by itself`);
        this.live.waitToResume(nextAt, this.#resumeUntilMs);
        if (await this.#sleepUnlessPaused(retryIntervalMs)) this.#nextAttempt();
        else await this.#goIntoPause();
      }
    }
  }

  /** @returns false when a pause is wanted instead */
  async #sleepUnlessPaused(delayMs: number): Promise<boolean> {
    const pause = this.#pauseWanted.signal;
    try {
      await this.#options.clock.sleep(delayMs, AbortSignal.any([this.#abort.signal, pause]));
    } catch (error) {
      if (this.#abort.signal.aborted || !pause.aborted) throw error;
    }
    return !pause.aborted;
  }

  /** @returns the result when the provider had everything already, else undefined: the next attempt is due */
  async #goIntoPause(): Promise<AttemptResult | undefined> {
    const { live } = this;
    const { clock, retryWindowMs } = this.#options;
    // The provider counts from the moment in which it lost this side.
    const lostAtMs = this.#resumeUntilMs === undefined ? clock.now() : this.#resumeUntilMs - retryWindowMs;
    const by = this.#pausedBy;
    const { reporter } = this.#options;
    // The provider shows the same line, and shows it now.
    if (this.#link !== undefined) reporter.attach(this.#link.channel.peer, live.id, live.attempt);
    live.act('info', by === 'tenant' ? 'Paused by the tenant' : 'Paused by the provider');
    reporter.detach();
    const told = await tellPause(this.#pauseOptions(), {
      link: this.#link,
      by,
      otherwiseUntilMs: lostAtMs + this.#keptForMs,
    });
    if (told.kind === 'committed') {
      live.setPoint(told.pointId);
      return { storedBytes: told.storedBytes, isMeasured: false };
    }
    live.pause(by, told.untilMs);
    await this.#standStill(told.untilMs);
    return undefined;
  }

  async #standStill(untilMs: number): Promise<void> {
    const resumed = Promise.withResolvers<void>();
    this.#resumed = resumed;
    this.#pauseWanted = new AbortController();
    this.#pauseBegun?.resolve();
    this.#pauseBegun = undefined;
    try {
      await stayPaused(this.#pauseOptions(), { link: this.#link, untilMs, resumed: resumed.promise });
    } finally {
      this.#resumed = undefined;
      if (this.#link?.channel.peer.isClosed === true) this.#link = undefined;
    }
    const link = this.#link;
    this.#link = undefined;
    void link?.channel.peer.close();
    this.#resumeUntilMs = undefined;
    this.live.act('info', 'Resumed; a new attempt with new keys follows');
    this.#nextAttempt();
  }

  /** The numbers are the provider's, who counts what it has granted: a dial that did not reach it uses none up. */
  #nextAttempt(): void {
    this.live.startAttempt(this.#isAttemptGranted ? this.live.attempt + 1 : this.live.attempt);
    this.#isAttemptGranted = false;
  }

  #pauseOptions(): PauseOptions {
    const { clock, logger } = this.#options;
    return { live: this.live, clock, logger, signal: this.#abort.signal };
  }

  async #attempt(): Promise<AttemptResult> {
    const { live, plan } = this;
    const { dialer, provider, reporter, logger, onGranted } = this.#options;
    const signal = AbortSignal.any([this.#abort.signal, this.#pauseWanted.signal]);
    live.setState('connecting');
    const known = provider();
    this.#link = undefined;
    const link = await dialer.dial(known, { waitingJob: plan.jobName, signal, watcher: this.#watcher() });
    this.#link = link;
    this.#compareClocks(link);
    live.setChannel({
      gateway: link.gateway.name,
      certificateSha256: summarize(link.presented.leafDer).sha256,
      tls: link.channel.tls,
    });
    const attempt = new SessionAttempt({
      live,
      plan,
      link,
      reporter,
      isKnown: this.#isKnown,
      logger,
      signal,
      stallTimeoutMs: this.#options.stallTimeoutMs,
      onAnswerLost: () => {
        // Giving up here would leave the provider with a session that nobody comes back for.
        if (this.#isKnown === 'no') this.#isKnown = 'maybe';
      },
      onGranted: (grant) => {
        this.#isKnown = 'yes';
        this.#isAttemptGranted = true;
        this.#keptForMs = grant.resumeWindowMs;
        this.#resumeUntilMs = undefined;
        onGranted();
      },
      onPauseWish: () => {
        // Whoever wished for it sees that nothing came of it.
        this.pause('provider').catch((error: unknown) =>
          logger.info('A wish to pause came too early or too late', { reason: toFarkeepError(error).message }),
        );
      },
    });
    try {
      return await attempt.run();
    } catch (error) {
      // A session that goes on needs a new channel; one that is over says so on this one.
      const isOver = !isWorthAnotherAttempt(toFarkeepError(error));
      if (!isOver && !signal.aborted) {
        this.#link = undefined;
        dialer.noteTrouble(link.gateway);
        void link.channel.peer.close();
      }
      throw error;
    }
  }

  /** Warns once for each session, because the restore point carries the time of this clock. */
  #compareClocks({ clockDifferenceMs = 0 }: ProviderLink): void {
    const { live, plan } = this;
    if (plan.operation !== 'backup' || Math.abs(clockDifferenceMs) <= maxClockDifferenceMs) return;
    if (live.detail().warnings.some(({ code }) => code === 'clock.differs')) return;
    live.warn({ code: 'clock.differs', message: describeClocks(clockDifferenceMs), path: null });
  }

  async #askPerson(refusal: TrustRefusal, { answer: answered }: RaisedPrompt): Promise<void> {
    const { clock, promptWaitMs } = this.#options;
    this.live.act(
      refusal.code === 'trust.changed' ? 'security' : 'warning',
      `${refusal.message}; the job waits until somebody has answered the question about it`,
    );
    this.live.waitToResume(null, clock.now() + promptWaitMs);
    const enough = new AbortController();
    const late = clock
      .sleep(promptWaitMs, AbortSignal.any([this.#abort.signal, enough.signal]))
      .then(() => 'timeout' as const);
    // An abort ends the sleep with an error; after an answer nobody looks at it.
    late.catch(() => undefined);
    const answer = await Promise.race([answered, late]);
    enough.abort();
    if (answer === 'timeout') throw refusal;
    if (answer === 'refuse') {
      const what = refusal.code === 'trust.changed' ? 'The certificate has changed and' : 'The certificate';
      throw new FarkeepError('trust.refused', `${what} was refused; nothing was sent`, { cause: refusal });
    }
  }

  #watcher(): DialWatcher {
    const { live } = this;
    return {
      begin: (step, detail) => live.beginStep(step, detail),
      end: (step, detail, outcome) => live.endStep(step, detail, { outcome }),
      excluded: (gateway, reason) => live.act('warning', `${gateway.name} is not used: ${reason}`),
      news: (level, event) =>
        level === 'security' ? live.raiseSecurityWarning(describeNotable(event)) : live.act('info', event),
      failed: (gateway, error) => live.act('warning', `${gateway.name}: ${error.message}`),
    };
  }

  async #finish(error: FarkeepError | null, storedBytes: number): Promise<void> {
    const { live } = this;
    const outcome = outcomeOf(error, live.warningCount);
    if (error !== null && error.code.startsWith('security.')) live.raiseSecurityWarning(error.message);
    else if (error !== null && outcome === 'failed') live.act('error', error.message);
    const link = this.#link;
    if (link === undefined) {
      live.finish(outcome, error);
      if (outcome === 'canceled' && this.#isKnown !== 'no') void this.#cancelAtProvider();
      return;
    }
    live.setState('finalizing');
    try {
      const told = await askProvider(
        link.channel.peer,
        'session.finish',
        {
          sessionId: live.id,
          outcome,
          error: error?.toInfo() ?? null,
          progress: live.progress,
          warningCount: live.warningCount,
        },
        { timeoutMs: lastWordTimeoutMs },
      );
      if (told.pointId !== null && this.plan.operation !== 'backup') live.setPoint(told.pointId);
      if (told.pointId !== null && this.plan.operation === 'backup') {
        live.setPoint(told.pointId, told.storedBytes || storedBytes);
      }
      if (error === null && this.plan.operation === 'backup') {
        live.act(
          'info',
          `The restore point is safe; ${formatBytes(told.storedBytes || storedBytes)} were stored for it`,
        );
      }
    } catch (thrown) {
      // The work is done or lost already; the provider finds out by itself.
      this.#options.logger.info('The provider did not take the end of a session', {
        reason: toFarkeepError(thrown).message,
      });
    }
    live.finish(outcome, error);
    if (error === null && this.plan.operation === 'backup') await this.#askUsage(link);
    await link.channel.peer.close();
  }

  /** What the tenant uses now, for the list of service providers: it was asked before the backup; best effort. */
  async #askUsage(link: ProviderLink): Promise<void> {
    const { dialer, provider, logger } = this.#options;
    try {
      const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(lastWordTimeoutMs)]);
      await dialer.askUsage(provider(), link, signal);
    } catch (thrown) {
      logger.info('The provider did not say what is used after a session', { reason: toFarkeepError(thrown).message });
    }
  }

  /** So that the provider does not keep the reservation; best effort. */
  async #cancelAtProvider(): Promise<void> {
    const { dialer, provider, logger } = this.#options;
    try {
      await dialer.withLink(provider(), AbortSignal.timeout(lastWordTimeoutMs), (link) =>
        askProvider(link.channel.peer, 'session.cancel', { sessionId: this.live.id }),
      );
    } catch (error) {
      logger.info('The provider could not be told of a canceled session', { reason: toFarkeepError(error).message });
    }
  }
}

/**
 * Gateways that the certificate covers but do not answer right now may come back; one that it does not cover stays excluded. Busy is a
 * provider that still starts, or ends, the attempt before.
 */
function isWorthAnotherAttempt({ code, retryable }: FarkeepError): boolean {
  return isResumable(code) || (code === 'gateway.excluded' && retryable) || code === 'session.busy';
}

/** Nothing is tried again before the first request, so the hint of a lost connection or a dead mover must not say so. */
function withManualRetryHint(error: FarkeepError, operation: SessionPlan['operation']): FarkeepError {
  const { code, message, retryable, details } = error;
  if (code !== 'connection.lost' && code !== 'session.mover-died') return error;
  return new FarkeepError(code, message, {
    hint: operation === 'backup' ? 'Run the job again.' : 'Start it again.',
    retryable,
    ...(details === undefined ? {} : { details }),
    cause: error,
  });
}

function outcomeOf(error: FarkeepError | null, warnings: number): 'succeeded' | 'warning' | 'failed' | 'canceled' {
  if (error === null) return warnings > 0 ? 'warning' : 'succeeded';
  return error.code === 'call.canceled' ? 'canceled' : 'failed';
}
