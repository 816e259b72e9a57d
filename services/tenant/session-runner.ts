// Owns one session of the job manager from start to end: attempts, waiting, asking a person about a certificate, giving up, cancelling.
// Each attempt is a fresh connection with fresh keys. Moves no data itself.
import { errorCatalogue } from '../contracts/errors.ts';
import type { ServiceProvider } from '../contracts/models/tenant.ts';
import type { Clock } from '../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { formatBytes } from '../kernel/format-bytes.ts';
import type { Logger } from '../kernel/logger.ts';
import { isResumable } from '../session/attempt-error.ts';
import type { LiveSession } from '../session/live-session.ts';
import { summarize } from '../pki/certificate-summary.ts';
import { askProvider } from '../wire/control-calls.ts';
import type { DialWatcher, ProviderDialer } from './provider-dialer.ts';
import { TrustRefusal, type ProviderLink } from './provider-link.ts';
import { SessionAttempt, type AttemptResult, type SessionPlan } from './session-attempt.ts';
import type { SessionReporter } from './session-reporter.ts';
import type { RaisedPrompt } from './trust-desk.ts';

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
  /** Whether the provider knows the session from before a restart of this service. */
  readonly wasGranted: boolean;
  readonly onGranted: () => void;
}

export class SessionRunner {
  readonly live: LiveSession;
  readonly plan: SessionPlan;
  readonly #options: RunnerOptions;
  readonly #abort = new AbortController();
  #isGranted: boolean;
  #link: ProviderLink | undefined;
  /** Until when a lost connection is tried again; moved on by every attempt that got through. */
  #resumeUntilMs: number | undefined;
  #isSuspended = false;

  constructor(options: RunnerOptions) {
    this.live = options.live;
    this.plan = options.plan;
    this.#options = options;
    this.#isGranted = options.wasGranted;
  }

  /** Never rejects: how it ended is in the session. */
  async run(): Promise<void> {
    const { logger } = this.#options;
    try {
      const { storedBytes, failure } = await this.#attemptUntilDone();
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
      this.live.dispose();
    }
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
    for (;;) {
      try {
        return await this.#attempt();
      } catch (error) {
        if (this.#abort.signal.aborted) throw new FarkeepError('call.cancelled', 'The session was cancelled');
        const known = error instanceof TrustRefusal ? error : toFarkeepError(error);
        if (known instanceof TrustRefusal && known.question !== null) {
          await this.#askPerson(known, known.question);
          continue;
        }
        if (this.#isKnownAlready(known)) continue;
        // Before the first grant there is nothing to come back to: whoever started the job gets the reason at once.
        if (!isWorthAnotherAttempt(known)) throw known;
        if (!this.#isGranted) throw withoutPromise(known, this.plan.operation);
        this.#resumeUntilMs ??= clock.now() + retryWindowMs;
        const nextAt = clock.now() + retryIntervalMs;
        if (nextAt > this.#resumeUntilMs) {
          throw new FarkeepError(
            'session.resume-expired',
            `The connection did not come back in time: ${known.message}`,
          );
        }
        this.live.act('warning', `${known.message}; the next attempt follows by itself`);
        this.live.waitToResume(nextAt, this.#resumeUntilMs);
        await clock.sleep(retryIntervalMs, this.#abort.signal);
        this.live.startAttempt(this.live.attempt + 1);
      }
    }
  }

  async #attempt(): Promise<AttemptResult> {
    const { live, plan } = this;
    const { dialer, provider, reporter, logger, onGranted } = this.#options;
    const signal = this.#abort.signal;
    live.setState('connecting');
    const known = provider();
    this.#link = undefined;
    const link = await dialer.dial(known, { waitingJob: plan.jobName, signal, watcher: this.#watcher() });
    this.#link = link;
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
      isResume: this.#isGranted,
      logger,
      signal,
      stallTimeoutMs: this.#options.stallTimeoutMs,
      onGranted: () => {
        this.#isGranted = true;
        this.#resumeUntilMs = undefined;
        onGranted();
      },
    });
    try {
      return await attempt.run();
    } catch (error) {
      // A session that goes on needs a new channel; one that is over says so on this one.
      const isOver = !isResumable(toFarkeepError(error).code);
      if (!isOver && !signal.aborted) {
        this.#link = undefined;
        void link.channel.peer.close();
      }
      throw error;
    }
  }

  /** The service was killed between the provider's grant and its own note of it. */
  #isKnownAlready(error: FarkeepError): boolean {
    if (error.code !== 'call.conflict' || this.#isGranted || this.live.attempt > 1) return false;
    this.#isGranted = true;
    return true;
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
      throw new FarkeepError('trust.refused', 'The certificate was refused; nothing was sent', { cause: refusal });
    }
  }

  #watcher(): DialWatcher {
    const { live } = this;
    return {
      begin: (step, detail) => live.beginStep(step, detail),
      end: (step, detail, outcome) => live.endStep(step, detail, { outcome }),
      excluded: (gateway, reason) => live.act('warning', `${gateway.name} is not used: ${reason}`),
      news: (level, message) => (level === 'security' ? live.raiseSecurityWarning(message) : live.act('info', message)),
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
      if (outcome === 'cancelled' && this.#isGranted) void this.#cancelAtProvider();
      return;
    }
    live.setState('finalising');
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
    await link.channel.peer.close();
  }

  /** So that the provider does not keep the reservation; best effort. */
  async #cancelAtProvider(): Promise<void> {
    const { dialer, provider, logger } = this.#options;
    try {
      await dialer.withLink(provider(), AbortSignal.timeout(lastWordTimeoutMs), (link) =>
        askProvider(link.channel.peer, 'session.cancel', { sessionId: this.live.id }),
      );
    } catch (error) {
      logger.info('The provider could not be told of a cancelled session', { reason: toFarkeepError(error).message });
    }
  }
}

/** Gateways that the certificate covers but do not answer right now may come back; one that it does not cover stays excluded. */
function isWorthAnotherAttempt({ code, retryable }: FarkeepError): boolean {
  return isResumable(code) || (code === 'gateway.excluded' && retryable);
}

/** Nothing is tried again before the first grant, so the hint must not say so. Hints that name something to do stay. */
function withoutPromise(error: FarkeepError, operation: SessionPlan['operation']): FarkeepError {
  const { code, message, hint, retryable, details } = error;
  const isPromise = (code === 'connection.lost' || code === 'session.mover-died') && hint === errorCatalogue[code].hint;
  if (!isPromise) return error;
  return new FarkeepError(code, message, {
    hint: operation === 'backup' ? 'Run the job again.' : 'Start it again.',
    retryable,
    ...(details === undefined ? {} : { details }),
    cause: error,
  });
}

function outcomeOf(error: FarkeepError | null, warnings: number): 'succeeded' | 'warning' | 'failed' | 'cancelled' {
  if (error === null) return warnings > 0 ? 'warning' : 'succeeded';
  return error.code === 'call.cancelled' ? 'cancelled' : 'failed';
}
