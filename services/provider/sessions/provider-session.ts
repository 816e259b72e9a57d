// Owns one session on the provider's side: asks the session machine for effects and carries them out. Keeps the handles: mover, connection,
// timers.
// Must not decide about the session (provider-machine.ts). Holds keys only until the attempt has started.
import type { ErrorInfo } from '../../contracts/errors.ts';
import type { SessionSide } from '../../contracts/models/session.ts';
import { notable } from '../../contracts/notable-events.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { MoverEvent, MoverExit } from '../../mover/link/local-link.ts';
import type { LiveSession } from '../../session/live-session.ts';
import { newProviderState, providerStep } from '../../session/machine/provider-machine.ts';
import {
  canTell,
  hasMover,
  type ProviderEffect,
  type ProviderInput,
  type ProviderRules,
  type ProviderState,
  type ProviderTimer,
} from '../../session/machine/provider-states.ts';
import { showEffect } from '../../session/machine/show-effect.ts';
import { NamedTimers } from '../../session/named-timers.ts';
import type { MessagePeer } from '../../wire/control-calls.ts';
import type {
  SessionGrant,
  TamperedNotice,
  TenantNotification,
  TenantRequestOutput,
} from '../../wire/control-messages.ts';
import { errorOf, type TargetAttempt, type TargetAttemptOptions } from './target-attempt.ts';
import { fromTenant, withPlace } from './disk-place.ts';
import { endedSessionError } from './ended-session.ts';
import type { SessionChannel } from './session-channel.ts';
import type { ProviderSessionContext } from './session-context.ts';
import { providerSteps, takeReport } from './tenant-report.ts';
import { TenantNotifier } from '../accounts/tenant-notifier.ts';

const maxNamedPacks = 3;

/** The part of an attempt that a session uses. */
export type OpenAttempt = Pick<
  TargetAttempt,
  'keyAIdentifier' | 'exited' | 'listening' | 'openRoutes' | 'grant' | 'forgetSecrets' | 'end'
>;

export interface ProviderSessionOptions {
  readonly live: LiveSession;
  readonly context: ProviderSessionContext;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly moverHost: string;
  readonly advertisedHost: string | undefined;
  readonly resumeWindowMs: number;
  /** Called when something changed that must survive a restart. */
  readonly onChanged: (session: ProviderSession) => void;
  readonly onUsage: (usedBytes: number, change: 'blocks' | 'point') => void;
  /** Whether the restore point is on disk: a mover may die after the commit and before its report. */
  readonly findCommitted: () => Promise<boolean>;
  /** Starts a target mover. */
  readonly openAttempt: (options: TargetAttemptOptions) => OpenAttempt;
}

/** The granted limits of one attempt. */
export interface AttemptSize {
  readonly streams: number;
  /** The total number of bytes that the tenant may store; -1 for no limit. */
  readonly quotaBytes: number;
}

/** The input of a start or resume request. */
interface AttemptRequest {
  readonly channel: SessionChannel;
  readonly size: AttemptSize;
}

export class ProviderSession {
  readonly live: LiveSession;
  readonly #options: ProviderSessionOptions;
  readonly #rules: ProviderRules;
  readonly #timers: NamedTimers<ProviderTimer>;
  #context: ProviderSessionContext;
  #state: ProviderState;
  #attempt: OpenAttempt | undefined;
  /** Settles when the current request has its answer. */
  #serving: Promise<unknown> = Promise.resolve();
  /** The bytes that the running target has reported. The tenant's reports come later, or never if changed data ends the attempt. */
  #movedBytes = 0;
  #tenant: TenantNotifier | undefined;
  /** Settles when the mover of the previous attempt has ended. */
  #ending: Promise<unknown> = Promise.resolve();
  /** Resolves when the tenant has paused, for waiting callers at the provider. */
  #pauseAwaited: PromiseWithResolvers<void> | undefined;

  constructor(options: ProviderSessionOptions) {
    this.live = options.live;
    this.#options = options;
    this.#context = options.context;
    this.#rules = { isBackup: options.context.operation === 'backup', resumeWindowMs: options.resumeWindowMs };
    this.#state = newProviderState(options.live.attempt);
    this.#timers = new NamedTimers(options.clock, (timer) => this.#tell({ type: 'timer-fired', timer }));
  }

  get context(): ProviderSessionContext {
    return this.#context;
  }

  get hasMover(): boolean {
    return hasMover(this.#state);
  }

  /** Whether a connection to the tenant is open. */
  get hasChannel(): boolean {
    return canTell(this.#state);
  }

  /** Runs the first attempt up to the grant. @throws the error of the target mover or the gateway */
  start(channel: SessionChannel, size: AttemptSize): Promise<SessionGrant> {
    return this.#serve({ type: 'start-asked' }, () => this.#open(), { channel, size });
  }

  /** Starts another attempt of this session. @returns undefined when the restore point exists already */
  resume(channel: SessionChannel, size: AttemptSize): Promise<SessionGrant | undefined> {
    return this.#serve({ type: 'resume-asked' }, async () => {
      const isCommitted = await this.#whetherCommitted();
      const { storedBytes } = this.#context;
      const effects = this.#ask({ type: 'resume-ready', isCommitted, storedBytes }, { channel, size });
      return effects.some(({ type }) => type === 'point-exists') ? undefined : this.#open();
    });
  }

  /** The tenant has ended its attempt in order. The session is kept until the tenant resumes or the window has passed. */
  pause(by: SessionSide): Promise<TenantRequestOutput<'session.pause'>> {
    return this.#serve({ type: 'pause-asked' }, async () => {
      const isCommitted = await this.#whetherCommitted();
      const effects = this.#ask({ type: 'pause-ready', by, isCommitted, storedBytes: this.#context.storedBytes });
      const kept = effects.find((effect) => effect.type === 'pause-kept');
      if (kept !== undefined) return { committed: null, keptForMs: kept.keptForMs };
      const { pointId, storedBytes } = this.#context;
      return { committed: { pointId, storedBytes }, keptForMs: 0 };
    });
  }

  /** Resolves when the tenant has paused. @throws call.conflict, call.timeout */
  async requestPause(): Promise<void> {
    const isFirst = this.#pauseAwaited === undefined;
    const awaited = (this.#pauseAwaited ??= Promise.withResolvers<void>());
    try {
      this.#ask({ type: 'pause-wanted' });
    } catch (error) {
      if (isFirst) this.#pauseAwaited = undefined;
      throw error;
    }
    await awaited.promise;
  }

  /** @throws call.conflict */
  requestResume(): void {
    this.#ask({ type: 'resume-wanted' });
  }

  report(report: TenantNotification<'session.report'>): void {
    takeReport(this.live, report, (phase) => this.#tell({ type: 'phase-reported', phase }));
  }

  /** The tenant received changed bytes. */
  tamperedAtTenant(notice: TamperedNotice): void {
    const place = notice.where === 'tunnel' ? 'the Key A tunnel' : `data stream ${notice.stream ?? ''}`;
    const error = new FarkeepError(
      'security.tampered',
      `The tenant saw changed data in ${place.trim()}: ${notice.reason}`,
    );
    this.#tell({ type: 'tampered-at-tenant', error, where: notice.where });
  }

  /** The tenant's final message. */
  async finish(input: {
    outcome: 'succeeded' | 'warning' | 'failed' | 'canceled';
    error: ErrorInfo | null;
    progress: TenantNotification<'session.report'>['progress'];
    warningCount: number;
  }): Promise<{ pointId: string | null; storedBytes: number }> {
    const { live } = this;
    if (input.progress !== undefined) live.setProgress(input.progress);
    live.setWarningCount(input.warningCount);
    const hasPoint = this.#rules.isBackup && this.#context.isCommitted;
    const error =
      input.error === null
        ? null
        : fromTenant(FarkeepError.fromInfo(input.error), this.#context, live.summary().repository);
    this.#ask({ type: 'finish-asked', outcome: input.outcome, error });
    await this.#ending;
    return { pointId: hasPoint ? this.#context.pointId : null, storedBytes: this.#context.storedBytes };
  }

  /** Called from the provider's console, or when the account is removed. */
  async cancel(error: FarkeepError): Promise<void> {
    this.#tell({ type: 'cancel', error });
    await this.#ending;
  }

  /** The control connection of the running attempt was lost. */
  channelLost(peer: MessagePeer, error: FarkeepError): void {
    if (this.#tenant?.peer !== peer) return;
    this.#tenant = undefined;
    this.#tell({ type: 'channel-lost', error });
  }

  /** The service stops. The tenant reconnects after the next start. */
  async suspend(error: FarkeepError): Promise<void> {
    this.#tell({ type: 'suspend', error });
    await this.#ending;
    this.#tell({ type: 'suspended', error });
    this.live.dispose();
  }

  /** Called after a restart of the service: no mover of the previous attempt exists. */
  awaitTenant(): void {
    const { state, resumeUntilMs, pausedBy } = this.live;
    const untilMs = resumeUntilMs ?? this.#options.clock.now();
    this.#tell({
      type: 'restarted',
      was: state === 'waiting-to-resume' ? 'waiting' : 'other',
      paused: state === 'paused' ? { by: pausedBy ?? 'tenant', untilMs } : null,
      isCommitted: this.#context.isCommitted,
    });
  }

  /** Serves one request at a time. @throws the machine's refusal, and errors of the work */
  async #serve<Answer>(event: ProviderInput, work: () => Promise<Answer>, request?: AttemptRequest): Promise<Answer> {
    while (this.#ask(event, request).some(({ type }) => type === 'defer')) await Promise.allSettled([this.#serving]);
    const served = work()
      .catch((error: unknown) => {
        throw this.#whyNotServed(error);
      })
      .finally(() => this.#tell({ type: 'served' }));
    this.#serving = served;
    return served;
  }

  /** A session that ended during the request is refused with the error of its end, so that both sides record the same end. */
  #whyNotServed(thrown: unknown): FarkeepError {
    const error = toFarkeepError(thrown);
    const { live } = this;
    return error.code === 'call.conflict' && live.isFinal ? endedSessionError(live.detail().error) : error;
  }

  /** Runs the attempt from its start to its grant. */
  async #open(): Promise<SessionGrant> {
    const { live } = this;
    const attempt = this.#attempt;
    if (attempt === undefined) throw new FarkeepError('call.conflict', 'The session has ended');
    const keyIdentifier = attempt.keyAIdentifier;
    try {
      const port = await attempt.listening();
      live.endStep('key-a-to-target', 'Over the local link to the target data mover', { keyIdentifier });
      await attempt.openRoutes(port);
      // Fails after a cancel during the start: a grant would lead to a mover that has ended.
      this.#ask({ type: 'attempt-opened' });
      live.endStep('key-a-to-tenant', 'Inside the control channel', { keyIdentifier });
      const grant = attempt.grant(
        this.#options.resumeWindowMs,
        live.currentSteps.filter(({ step }) => providerSteps.has(step)),
      );
      attempt.forgetSecrets();
      this.#options.onChanged(this);
      return live.attempt === 1 ? grant : { ...grant, progress: live.progress };
    } catch (error) {
      const failure = toFarkeepError(error);
      await attempt.end(failure);
      throw failure;
    }
  }

  /** Waits until the mover of the previous attempt has ended, so that two movers never write at the same time. */
  async #whetherCommitted(): Promise<boolean> {
    await this.#ending;
    if (!this.#rules.isBackup) return false;
    return this.#context.isCommitted || (await this.#options.findCommitted());
  }

  /** @throws the error with which the machine refuses the request */
  #ask(input: ProviderInput, request?: AttemptRequest): readonly ProviderEffect[] {
    const effects = this.#tell(input, request);
    const refused = effects.find((effect) => effect.type === 'refuse');
    if (refused !== undefined) throw refused.error;
    return effects;
  }

  /** Reports an event to the machine and carries out the effects. */
  #tell(input: ProviderInput, request?: AttemptRequest): readonly ProviderEffect[] {
    const moment = { nowMs: this.#options.clock.now(), hasWarnings: this.live.warningCount > 0 };
    const { state, effects } = providerStep(this.#state, { ...input, ...moment }, this.#rules);
    this.#state = state;
    for (const effect of effects) this.#do(effect, request);
    return effects;
  }

  #do(effect: ProviderEffect, request: AttemptRequest | undefined): void {
    const { live } = this;
    switch (effect.type) {
      case 'show-attack':
        this.#showAttack(effect.error, effect.where);
        return;
      case 'take-channel':
        if (request !== undefined) this.#takeChannel(request.channel, effect.isForAttempt);
        return;
      case 'start-mover':
        if (request !== undefined) this.#startMover(request);
        return;
      case 'end-attempt':
        this.#endAttempt(effect.reason);
        return;
      case 'keep-point':
        this.#context = { ...this.#context, isCommitted: true, storedBytes: effect.storedBytes };
        live.setPoint(this.#context.pointId, effect.storedBytes);
        return;
      case 'tell-committed':
        this.#tenant?.committed(this.#context.pointId, this.#context.storedBytes);
        return;
      case 'tell-tampered':
        this.#tenant?.tampered(effect.error, effect.where);
        return;
      case 'tell-ended':
        this.#tenant?.ended(effect.isFinal, effect.error);
        return;
      case 'ask-tenant':
        this.#tenant?.wish(effect.wish);
        return;
      case 'arm':
        this.#timers.arm(effect.timer, effect.afterMs);
        return;
      case 'disarm':
        this.#timers.disarm(effect.timer);
        return;
      case 'save':
        if (effect.isAfterMover) this.#ending = this.#ending.then(() => this.#options.onChanged(this));
        else this.#options.onChanged(this);
        return;
      case 'answer-pause':
        if (effect.error === null) this.#pauseAwaited?.resolve();
        else this.#pauseAwaited?.reject(effect.error);
        this.#pauseAwaited = undefined;
        return;
      // The following effects are answers to a request. The caller reads the answers from the returned list.
      case 'pause-kept':
      case 'point-exists':
      case 'defer':
      case 'refuse':
        return;
      default:
        showEffect(live, effect);
    }
  }

  #takeChannel(channel: SessionChannel, isForAttempt: boolean): void {
    const { gatewayName: gateway, certificateSha256, tls } = channel;
    this.#tenant = new TenantNotifier(channel.peer, this.live);
    if (isForAttempt) this.live.setChannel({ gateway, certificateSha256, tls });
  }

  #startMover({ channel, size: { streams, quotaBytes } }: AttemptRequest): void {
    const { live } = this;
    const { location, tenantName, operation, jobId, pointId } = this.#context;
    const { moverHost, advertisedHost, logger, openAttempt } = this.#options;
    const { repository, jobName } = live.summary();
    live.endStep('session-authorized', `${tenantName}, ${repository}`);
    const attempt: OpenAttempt = openAttempt({
      sessionId: live.id,
      attempt: live.attempt,
      operation,
      location,
      quotaBytes,
      pointId,
      job: { id: jobId, name: jobName },
      streams,
      moverHost,
      advertisedHost,
      // The mover adds the session to its log lines.
      logger,
      pushRoutes: channel.pushRoutes,
      onEvent: (event) => {
        // A mover that is ending may still report damage. Its report about the disk is true for any result of the session.
        if (event.type === 'damage-marked' || event.type === 'damage-replaced') this.#toldOfDamage(event);
        else if (event.type === 'usage') this.#options.onUsage(event.usedBytes, 'blocks');
        else if (this.#attempt === attempt) this.#moverSaid(event);
      },
    });
    this.#attempt = attempt;
    this.#movedBytes = 0;
    const keyIdentifier = attempt.keyAIdentifier;
    live.setKey('keyA', keyIdentifier);
    live.endStep('key-a-created', 'Made by the provider service for this attempt', { keyIdentifier });
    void attempt.exited.then((exit) => this.#moverEnded(attempt, exit));
    live.beginStep('key-a-to-target', 'Over the local link to the target data mover');
  }

  #toldOfDamage(event: Extract<MoverEvent, { type: `damage-${string}` }>): void {
    const { blocks } = event;
    if (event.type === 'damage-replaced') this.live.act('info', notable('session.damage-replaced', { blocks }));
    else {
      const packs = event.packs.slice(0, maxNamedPacks);
      const otherPacks = event.packs.length - packs.length;
      this.live.act('warning', notable('session.damage-marked', { blocks, packs, otherPacks }));
    }
    this.#options.onChanged(this);
  }

  #moverSaid(event: MoverEvent): void {
    const { live } = this;
    switch (event.type) {
      case 'key-b-received':
        live.setKey('keyB', event.keyBIdentifier);
        live.endStep('key-b-delivered', 'Through the tunnel under Key A to the target data mover', {
          keyIdentifier: event.keyBIdentifier,
        });
        this.#tell({ type: 'key-b-delivered' });
        this.#tenant?.steps(live.currentSteps.filter(({ step }) => step === 'key-b-delivered'));
        return;
      case 'streams-open':
        // A session may end before the tenant has reported this step.
        live.endStep('streams-open', `${event.count} data streams under Key B`);
        return;
      case 'progress':
        if ('busyShare' in event) {
          this.#tenant?.busy(event.busyShare);
          this.#movedBytes = this.#context.operation === 'backup' ? event.arrivedBytes : event.totals.sentBytes;
        }
        return;
      case 'committed':
        this.#options.onUsage(event.usedBytes, 'point');
        this.#tell({ type: 'committed', storedBytes: event.storedBytes });
        return;
      default:
        return;
    }
  }

  #moverEnded(attempt: OpenAttempt, exit: MoverExit): void {
    if (this.#attempt !== attempt) return;
    this.#attempt = undefined;
    attempt.forgetSecrets();
    const error = exit.kind === 'finished' ? null : errorOf(exit);
    this.#tell({
      type: 'mover-ended',
      error,
      shown: error === null ? null : withPlace(error, this.#context, this.live.summary().repository),
      isTampered: exit.kind === 'failed' && exit.isTampered,
    });
  }

  #showAttack(error: FarkeepError, where: TamperedNotice['where']): void {
    const { live } = this;
    // The tenant counts over all attempts, the target only over its own attempt. The larger number is more accurate.
    live.setProgress({ transferredBytes: Math.max(live.progress.transferredBytes, this.#movedBytes) });
    live.raiseSecurityWarning(notable('session.security-warning', { message: error.message }));
    for (const { step, outcome } of live.currentSteps) {
      if (outcome === 'active') live.endStep(step, error.message, { outcome: 'security-warning' });
    }
    // The tenant may not have reported the step yet, or the step may be complete. The affected step shows the warning in both cases.
    live.endStep(where === 'tunnel' ? 'tunnel-opened' : 'streams-open', error.message, { outcome: 'security-warning' });
  }

  #endAttempt(reason: FarkeepError): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    if (attempt !== undefined) this.#ending = attempt.end(reason);
  }
}
