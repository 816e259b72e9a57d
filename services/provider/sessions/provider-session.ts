// Owns one session as the provider runs it: attempts one after the other, the reservation between them, what the target mover tells, the end.
// Does not judge whether a tenant may; the session manager has done that. Never holds a key beyond the attempt's start.
import type { ErrorInfo } from '../../contracts/errors.ts';
import type { SessionSide } from '../../contracts/models/session.ts';
import { systemClock, type Timer } from '../../kernel/clock.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { MoverEvent, MoverExit } from '../../mover/link/local-link.ts';
import { isResumable, pausedTooLong } from '../../session/attempt-error.ts';
import type { LiveSession } from '../../session/live-session.ts';
import type { MessagePeer } from '../../wire/control-calls.ts';
import type {
  SessionGrant,
  TamperedNotice,
  TenantNotification,
  TenantRequestOutput,
} from '../../wire/control-messages.ts';
import { errorOf, TargetAttempt } from './target-attempt.ts';
import { damageMarkedText, damageReplacedText } from '../repositories/damage-text.ts';
import { fromTenant, withPlace } from './disk-place.ts';
import type { SessionChannel } from './session-channel.ts';
import type { ProviderSessionContext } from './session-context.ts';
import { AttemptGate } from './attempt-gate.ts';
import { PauseRequests } from './pause-requests.ts';
import { providerSteps, takeReport } from './tenant-report.ts';
import { TenantNotifier } from '../accounts/tenant-notifier.ts';

/** How long the tenant's last word is waited for after the restore point is on disk. */
const lastWordMs = 30_000;
/** What a tenant gets for one attempt. */
export interface AttemptSize {
  readonly streams: number;
  /** What the tenant may store in all; -1 for no limit. */
  readonly quotaBytes: number;
}

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
  readonly onUsage: (usedBytes: number) => void;
  /** Whether the restore point is on disk: a mover may die between the commit and its word about it. */
  readonly findCommitted: () => Promise<boolean>;
}

export class ProviderSession {
  readonly live: LiveSession;
  readonly #options: ProviderSessionOptions;
  #context: ProviderSessionContext;
  #attempt: TargetAttempt | undefined;
  /** What the target of the running attempt has told: the tenant's reports come later, or never when changed data ends it. */
  #movedBytes = 0;
  #voice: TenantNotifier | undefined;
  #expiry: Timer | undefined;
  #lastWord: Timer | undefined;
  #ending: Promise<unknown> = Promise.resolve();
  readonly #order = new AttemptGate();
  #isSuspended = false;
  readonly #wishes: PauseRequests;

  constructor(options: ProviderSessionOptions) {
    this.live = options.live;
    this.#options = options;
    this.#context = options.context;
    this.#wishes = new PauseRequests(options.live);
  }

  get context(): ProviderSessionContext {
    return this.#context;
  }

  /** Runs the first attempt up to the grant. @throws what the target mover or the gateway failed with */
  start(channel: SessionChannel, size: AttemptSize): Promise<SessionGrant> {
    return this.#order.start(() => this.#begin(channel, size));
  }

  async #begin(channel: SessionChannel, size: AttemptSize): Promise<SessionGrant> {
    const { live } = this;
    this.#expiry?.stop();
    this.#wishes.forget();
    this.#takeChannel(channel);
    live.setChannel({ gateway: channel.gatewayName, certificateSha256: channel.certificateSha256, tls: channel.tls });
    live.setState('key-exchange');
    live.endStep('session-authorized', `${this.#context.tenantName}, ${live.summary().repository}`);
    const attempt = this.#createAttempt(size, channel);
    this.#attempt = attempt;
    this.#movedBytes = 0;
    const keyA = attempt.keyA.identifier();
    live.setKey('keyA', keyA);
    live.endStep('key-a-created', 'Made by the provider service for this attempt', { keyIdentifier: keyA });
    void attempt.exited.then((exit) => this.#moverEnded(attempt, exit));
    live.beginStep('key-a-to-target', 'Over the local link to the target data mover');
    try {
      const port = await attempt.listening();
      live.endStep('key-a-to-target', 'Over the local link to the target data mover', { keyIdentifier: keyA });
      await attempt.openRoutes(port);
      // Canceled in this very moment: what was granted now would lead to a mover that is gone.
      if (live.isFinal) throw new FarkeepError('call.conflict', 'The session has ended');
      live.endStep('key-a-to-tenant', 'Inside the control channel', { keyIdentifier: keyA });
      const grant = attempt.grant(
        this.#options.resumeWindowMs,
        live.currentSteps.filter(({ step }) => providerSteps.has(step)),
      );
      attempt.forgetSecrets();
      this.#options.onChanged(this);
      return grant;
    } catch (error) {
      const known = toFarkeepError(error);
      await attempt.end(known);
      throw known;
    }
  }

  /** Another attempt of this session. Returns undefined when there is nothing left to do: the restore point exists. */
  resume(channel: SessionChannel, size: AttemptSize): Promise<SessionGrant | undefined> {
    return this.#order.start(() => this.#resume(channel, size));
  }

  async #resume(channel: SessionChannel, size: AttemptSize): Promise<SessionGrant | undefined> {
    await this.#order.afterPause();
    await this.#endAttempt(new FarkeepError('connection.lost', 'The tenant has started another attempt'));
    const isCommitted =
      this.#context.operation === 'backup' && (this.#context.isCommitted || (await this.#options.findCommitted()));
    // Ended while this waited: a mover that is started now would belong to no session, and nothing would count or end it.
    if (this.live.isFinal || this.#isSuspended) throw new FarkeepError('call.conflict', 'The session has ended');
    if (isCommitted) {
      this.#takeChannel(channel);
      this.#committed(this.#context.storedBytes);
      return undefined;
    }
    this.live.startAttempt(this.live.attempt + 1);
    this.live.act('info', `Attempt ${this.live.attempt}: a new key exchange; what is durable is not sent again`);
    return this.#begin(channel, size);
  }

  /** The tenant has ended its attempt in order; everything is kept until it comes back or the window has passed. */
  pause(by: SessionSide): Promise<TenantRequestOutput<'session.pause'>> {
    return this.#order.pause(() => this.#pause(by));
  }

  async #pause(by: SessionSide): Promise<TenantRequestOutput<'session.pause'>> {
    const { live } = this;
    const { clock, resumeWindowMs } = this.#options;
    await this.#endAttempt(new FarkeepError('call.canceled', 'The session is paused'));
    if (this.#context.operation === 'backup' && (this.#context.isCommitted || (await this.#options.findCommitted()))) {
      if (!this.#context.isCommitted) this.#committed(this.#context.storedBytes);
      const { pointId, storedBytes } = this.#context;
      return { committed: { pointId, storedBytes }, keptForMs: 0 };
    }
    // Saying it again moves neither the end of the window nor whose pause it is.
    const untilMs = live.state === 'paused' ? live.resumeUntilMs : undefined;
    if (untilMs !== undefined) return { committed: null, keptForMs: Math.max(0, untilMs - clock.now()) };
    if (!live.isFinal) {
      // The tenant's word alone does not make it the provider's pause.
      live.pause(
        by === 'provider' && this.#wishes.hasWishedPause ? 'provider' : 'tenant',
        clock.now() + resumeWindowMs,
      );
      this.#options.onChanged(this);
      this.#armExpiry(resumeWindowMs);
    }
    this.#wishes.fulfill();
    return { committed: null, keptForMs: resumeWindowMs };
  }

  /** Answered when the tenant has done it. @throws call.conflict, call.timeout */
  async wishPause(): Promise<void> {
    await this.#wishes.pause(this.#voice);
  }

  /** @throws call.conflict */
  wishResume(): void {
    this.#wishes.resume(this.#voice);
  }

  report(report: TenantNotification<'session.report'>): void {
    takeReport(this.live, report, this.hasMover);
  }

  /** The tenant saw changed bytes. */
  tamperedAtTenant(notice: TamperedNotice): void {
    const where = notice.where === 'tunnel' ? 'the Key A tunnel' : `data stream ${notice.stream ?? ''}`;
    const error = new FarkeepError(
      'security.tampered',
      `The tenant saw changed data in ${where.trim()}: ${notice.reason}`,
    );
    this.#failBySecurity(error, notice.where);
  }

  /** The tenant's last word. */
  async finish(input: {
    outcome: 'succeeded' | 'warning' | 'failed' | 'canceled';
    error: ErrorInfo | null;
    progress: TenantNotification<'session.report'>['progress'];
    warningCount: number;
  }): Promise<{ pointId: string | null; storedBytes: number }> {
    const { live } = this;
    if (input.progress !== undefined) live.setProgress(input.progress);
    live.setWarningCount(input.warningCount);
    const hasPoint = this.#context.operation === 'backup' && this.#context.isCommitted;
    const error =
      input.error === null
        ? null
        : fromTenant(FarkeepError.fromInfo(input.error), this.#context, live.summary().repository);
    const isGood = input.outcome === 'succeeded' || input.outcome === 'warning';
    if (isGood && this.#context.operation === 'backup' && !this.#context.isCommitted) {
      throw new FarkeepError('point.incomplete', 'The restore point is not on disk');
    }
    if (error?.code.startsWith('security.') === true) live.raiseSecurityWarning(error.message);
    else if (error !== null && input.outcome === 'failed') live.act('error', error.message);
    live.finish(input.outcome, error);
    await this.#endAttempt(error ?? new FarkeepError('call.canceled', 'The session has ended'));
    this.#settle();
    return { pointId: hasPoint ? this.#context.pointId : null, storedBytes: this.#context.storedBytes };
  }

  /** From the provider's console, or when the account goes. */
  async cancel(error: FarkeepError): Promise<void> {
    if (!this.live.isFinal) {
      this.live.finish(error.code === 'call.canceled' ? 'canceled' : 'failed', error);
      this.#voice?.ended(true, error);
      this.#settle();
    }
    await this.#endAttempt(error);
  }

  /** The control connection of the running attempt is gone. */
  channelLost(peer: MessagePeer, error: FarkeepError): void {
    if (this.#voice?.peer !== peer) return;
    this.#voice = undefined;
    if (this.live.isFinal || this.live.state === 'paused') return;
    if (this.#context.isCommitted) {
      this.#finishCommitted();
      return;
    }
    void this.#endAttempt(error);
    this.#waitForTenant(error);
  }

  /** The service stops: the tenant comes back when it runs again. */
  async suspend(error: FarkeepError): Promise<void> {
    this.#isSuspended = true;
    await this.#endAttempt(error);
    if (!this.live.isFinal && this.live.state !== 'paused') this.#waitForTenant(error);
    this.#expiry?.stop();
    this.#lastWord?.stop();
    this.live.dispose();
  }

  /** After a restart of the service: nothing of the former attempt is left. */
  awaitTenant(): void {
    if (this.live.state === 'paused') {
      const now = this.#options.clock.now();
      this.#armExpiry(Math.max(0, (this.live.resumeUntilMs ?? now) - now));
      return;
    }
    this.#waitForTenant(new FarkeepError('service.not-running', 'The provider service was restarted'));
  }

  get hasMover(): boolean {
    return this.#attempt !== undefined;
  }

  /** Whether the tenant can be told anything. */
  get hasChannel(): boolean {
    return this.#voice !== undefined;
  }

  #createAttempt({ streams, quotaBytes }: AttemptSize, channel: SessionChannel): TargetAttempt {
    const { live } = this;
    const { tenantFolder, operation, jobId, pointId } = this.#context;
    const attempt: TargetAttempt = new TargetAttempt({
      sessionId: live.id,
      attempt: live.attempt,
      operation,
      tenantFolder,
      quotaBytes,
      pointId,
      job: { id: jobId, name: live.summary().jobName },
      streams,
      moverHost: this.#options.moverHost,
      advertisedHost: this.#options.advertisedHost,
      // The mover's lines carry the session by themselves.
      logger: this.#options.logger,
      pushRoutes: channel.pushRoutes,
      onEvent: (event) => {
        // Also from a mover that is ending: what it learned of the disk is true whatever became of the session.
        if (event.type === 'damage-marked' || event.type === 'damage-replaced') this.#toldOfDamage(event);
        else if (this.#attempt === attempt) this.#moverSaid(event);
      },
    });
    return attempt;
  }

  #toldOfDamage(event: Extract<MoverEvent, { type: `damage-${string}` }>): void {
    if (event.type === 'damage-marked') this.live.act('warning', damageMarkedText(event.blocks, event.packs));
    else this.live.act('info', damageReplacedText(event.blocks));
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
        this.#voice?.steps(live.currentSteps.filter(({ step }) => step === 'key-b-delivered'));
        return;
      case 'streams-open':
        // A session may end before the tenant has said so.
        live.endStep('streams-open', `${event.count} data streams under Key B`);
        return;
      case 'progress':
        if ('busyShare' in event) {
          this.#voice?.busy(event.busyShare);
          this.#movedBytes = this.#context.operation === 'backup' ? event.arrivedBytes : event.totals.sentBytes;
        }
        return;
      case 'committed':
        this.#options.onUsage(event.usedBytes);
        this.#committed(event.storedBytes);
        return;
      default:
        return;
    }
  }

  #committed(storedBytes: number): void {
    const { live } = this;
    this.#context = { ...this.#context, isCommitted: true, storedBytes };
    live.setPoint(this.#context.pointId, storedBytes);
    live.setState('finalizing');
    live.act('info', 'The restore point is on disk, whole');
    this.#options.onChanged(this);
    if (this.#voice === undefined) {
      this.#finishCommitted();
      return;
    }
    this.#voice.committed(this.#context.pointId, storedBytes);
    this.#lastWord = systemClock.startTimer(lastWordMs, () => this.#finishCommitted());
  }

  /** The tenant went before its last word, but what it wanted is done. */
  #finishCommitted(): void {
    if (this.live.isFinal) return;
    this.live.finish(this.live.warningCount > 0 ? 'warning' : 'succeeded');
    this.#settle();
  }

  #moverEnded(attempt: TargetAttempt, exit: MoverExit): void {
    if (this.#attempt !== attempt) return;
    this.#attempt = undefined;
    attempt.forgetSecrets();
    if (this.live.isFinal || exit.kind === 'finished') return;
    const error = errorOf(exit);
    if (exit.kind === 'failed' && exit.isTampered) {
      this.#voice?.tampered(error, this.#hasKeyB() ? 'data' : 'tunnel');
      this.#failBySecurity(error, this.#hasKeyB() ? 'data' : 'tunnel');
      return;
    }
    // A mover that dies after its word about the commit has done its work.
    if (this.#context.isCommitted) return;
    // The source ended on purpose; whether for good is the tenant's next word, or it comes back after a restart.
    if (error.code === 'call.canceled') {
      this.#waitForTenant(error);
      return;
    }
    if (isResumable(error.code)) {
      this.#voice?.ended(false, error);
      this.#waitForTenant(error);
      return;
    }
    const told = withPlace(error, this.#context, this.live.summary().repository);
    this.live.act('error', told.message);
    this.live.finish('failed', told);
    this.#voice?.ended(true, error);
    this.#settle();
  }

  #failBySecurity(error: FarkeepError, where: TamperedNotice['where']): void {
    const { live } = this;
    this.#countWhatCame();
    live.raiseSecurityWarning(error.message);
    for (const { step, outcome } of live.currentSteps) {
      if (outcome === 'active') live.endStep(step, error.message, { outcome: 'security-warning' });
    }
    // The tenant's own steps may not have been told yet, or be done: where it was seen is red in any case.
    live.endStep(where === 'tunnel' ? 'tunnel-opened' : 'streams-open', error.message, { outcome: 'security-warning' });
    live.finish('failed', error);
    this.#settle();
    void this.#endAttempt(error);
  }

  /** The tenant counts over all attempts, this attempt's target only its own: whichever is more is closer. */
  #countWhatCame(): void {
    this.live.setProgress({ transferredBytes: Math.max(this.live.progress.transferredBytes, this.#movedBytes) });
  }

  #waitForTenant(error: FarkeepError): void {
    const { clock, resumeWindowMs } = this.#options;
    if (this.live.isFinal) return;
    this.#expiry?.stop();
    if (this.live.state !== 'waiting-to-resume') {
      const isOrderly = error.code === 'call.canceled';
      const reason = isOrderly ? 'The tenant has ended the transfer in order' : error.message;
      this.live.act(isOrderly ? 'info' : 'warning', `${reason}; the reservation is kept for the tenant to come back`);
    }
    this.live.waitToResume(null, clock.now() + resumeWindowMs);
    this.#options.onChanged(this);
    this.#armExpiry(resumeWindowMs);
  }

  #armExpiry(afterMs: number): void {
    this.#expiry?.stop();
    const onExpired = (): void => {
      const { state } = this.live;
      if (state !== 'waiting-to-resume' && state !== 'paused') return;
      const error = state === 'paused' ? pausedTooLong() : new FarkeepError('session.resume-expired');
      this.live.act('error', error.message);
      this.live.finish('failed', error);
      this.#voice?.ended(true, error);
      this.#settle();
    };
    this.#expiry = systemClock.startTimer(afterMs, onExpired, { isBackground: true });
  }

  /** Ends the running attempt and waits until its mover is gone, so that two never write at the same time. */
  async #endAttempt(reason: FarkeepError): Promise<void> {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    if (attempt !== undefined) this.#ending = attempt.end(reason);
    await this.#ending;
  }

  #settle(): void {
    this.#expiry?.stop();
    this.#lastWord?.stop();
    this.#wishes.end();
    this.#options.onChanged(this);
  }

  #takeChannel(channel: SessionChannel): void {
    this.#voice = new TenantNotifier(channel.peer, this.live);
  }

  /** Before Key B has arrived there is nothing but the tunnel. */
  #hasKeyB(): boolean {
    return (this.live.currentKeys?.keyB ?? null) !== null;
  }
}
