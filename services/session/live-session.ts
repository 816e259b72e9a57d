// Owns the state of one session on one side: steps, key identifiers, progress, actions, warnings; notifies observers. Must not run anything
// or decide anything: the job manager and the provider's session handling do. Never holds a key.
import type { HandshakeStepName } from '../contracts/models/handshake.ts';
import {
  finalSessionStates,
  type Bottleneck,
  type HandshakeStep,
  type SessionAction,
  type SessionDetail,
  type SessionKeys,
  type SessionObject,
  type SessionProgress,
  type SessionSide,
  type SessionState,
  type SessionSummary,
  type SessionWarning,
  type ThroughputSample,
} from '../contracts/models/session.ts';
import type { TlsInfo } from '../contracts/models/trust.ts';
import { describeNotable, notable, type NotableEvent } from '../contracts/notable-events.ts';
import { every, type Schedule } from '../kernel/schedule.ts';
import type { Clock } from '../kernel/clock.ts';
import type { FarkeepError } from '../kernel/farkeep-error.ts';
import { grown } from './attempt-figures.ts';
import { Coalescer } from './coalescer.ts';
import {
  newDetail,
  secondsLeft,
  summaryOf,
  type NewSession,
  type SessionObserver,
  type StoredSession,
} from './session-record.ts';
import { phaseEvent } from './phase-events.ts';
import { keepActions, keepObjects } from './kept-parts.ts';
import { objectStateIn, settledSteps } from './final-states.ts';
import { ThroughputRecorder } from './throughput-recorder.ts';

const progressIntervalMs = 100;
const sampleIntervalMs = 1000;
const maxWarnings = 1000;
/** A session that never ends would collect attempts without limit, so its history drops older attempts. The first attempt stays. */
const maxAttemptsShown = 50;

export class LiveSession {
  readonly #clock: Clock;
  readonly #observers: readonly SessionObserver[];
  readonly #progressOut: Coalescer<void>;
  readonly #throughput: ThroughputRecorder;
  readonly #stepStarts = new Map<string, number>();
  #detail: SessionDetail;
  #sampler: Schedule | undefined;
  /** Undefined if the phase began before this process started. */
  #phaseBeganMs: number | undefined;

  private constructor(stored: StoredSession, clock: Clock, observers: readonly SessionObserver[]) {
    this.#detail = stored.detail;
    this.#clock = clock;
    this.#observers = observers;
    this.#throughput = new ThroughputRecorder(stored.samples);
    this.#progressOut = new Coalescer<void>(progressIntervalMs, () => this.#publishProgress());
  }

  static create(session: NewSession, clock: Clock, observers: readonly SessionObserver[]): LiveSession {
    const live = new LiveSession(
      {
        detail: newDetail(session, new Date(clock.now()).toISOString()),
        samples: [],
      },
      clock,
      observers,
    );
    live.#publishChange();
    return live;
  }

  static restore(stored: StoredSession, clock: Clock, observers: readonly SessionObserver[]): LiveSession {
    return new LiveSession(stored, clock, observers);
  }

  get id(): string {
    return this.#detail.id;
  }

  get state(): SessionState {
    return this.#detail.state;
  }

  get attempt(): number {
    return this.#detail.attempt;
  }

  get isFinal(): boolean {
    return finalSessionStates.includes(this.#detail.state);
  }

  get progress(): SessionProgress {
    return this.#detail.progress;
  }

  get areObjectNamesHidden(): boolean {
    return this.#detail.areObjectNamesHidden;
  }

  /** The steps of the running attempt, in order of arrival. */
  get currentSteps(): readonly HandshakeStep[] {
    return this.#detail.steps.filter((step) => step.attempt === this.#detail.attempt);
  }

  /** The end of the time for which an interrupted session is kept, in ms since the epoch. */
  get resumeUntilMs(): number | undefined {
    const { resumeUntil } = this.#detail;
    return resumeUntil === null ? undefined : Date.parse(resumeUntil);
  }

  get pausedBy(): SessionSide | null {
    return this.#detail.pausedBy ?? null;
  }

  get warningCount(): number {
    return this.#detail.warningCount;
  }

  get samples(): readonly ThroughputSample[] {
    return this.#throughput.samples;
  }

  detail(): SessionDetail {
    return structuredClone(this.#detail);
  }

  summary(): SessionSummary {
    return summaryOf(this.#detail);
  }

  toStored(): StoredSession {
    return { detail: this.detail(), samples: [...this.samples] };
  }

  /** Sets the state. A final state never changes. */
  setState(state: SessionState): void {
    if (this.isFinal || this.#detail.state === state) return;
    this.#tellPhase(state);
    this.#detail.state = state;
    if (state !== 'waiting-to-resume') this.#detail.nextAttemptAt = null;
    if (state !== 'waiting-to-resume' && state !== 'paused') this.#detail.resumeUntil = null;
    if (state !== 'paused') this.#detail.pausedBy = null;
    this.#setSampling(state === 'transferring' || state === 'finalizing');
    for (const object of this.#detail.objects) {
      if (objectStateIn(state, object.state) !== object.state) this.putObject(object);
    }
    this.#publishChange();
  }

  /** Pauses the session on request. Only a new request resumes the session. */
  pause(by: SessionSide, resumeUntilMs: number): void {
    if (this.isFinal) return;
    this.#detail.pausedBy = by;
    this.#detail.nextAttemptAt = null;
    this.#detail.resumeUntil = new Date(resumeUntilMs).toISOString();
    this.#stillFigures();
    if (this.#detail.state === 'paused') this.#publishChange();
    else this.setState('paused');
  }

  waitToResume(nextAttemptAtMs: number | null, resumeUntilMs: number): void {
    this.#detail.nextAttemptAt = nextAttemptAtMs === null ? null : new Date(nextAttemptAtMs).toISOString();
    this.#detail.resumeUntil = new Date(resumeUntilMs).toISOString();
    this.#stillFigures();
    if (this.#detail.state === 'waiting-to-resume') this.#publishChange();
    else this.setState('waiting-to-resume');
  }

  startAttempt(attempt: number): void {
    if (this.isFinal) return;
    this.#detail.attempt = attempt;
    const isShown = (entry: { readonly attempt: number }): boolean =>
      entry.attempt === 1 || entry.attempt > attempt - maxAttemptsShown;
    this.#detail.steps = this.#detail.steps.filter(isShown);
    this.#detail.keys = this.#detail.keys.filter(isShown);
    this.#throughput.restart();
    this.#publishChange();
  }

  /** Corrects the number of the running attempt. Its recorded steps and keys get the new number too. */
  renumberAttempt(attempt: number): void {
    const former = this.#detail.attempt;
    if (this.isFinal || attempt === former) return;
    this.#detail.attempt = attempt;
    this.#detail.steps = this.#detail.steps
      .filter((step) => step.attempt !== attempt)
      .map((step) => (step.attempt === former ? { ...step, attempt } : step));
    this.#detail.keys = this.#detail.keys.filter((entry) => entry.attempt !== attempt);
    for (const entry of this.#detail.keys) if (entry.attempt === former) entry.attempt = attempt;
    this.#publishChange();
    for (const step of this.currentSteps) for (const observer of this.#observers) observer.stepped?.(this.id, step);
  }

  setChannel(channel: { gateway?: string; certificateSha256?: string; tls?: TlsInfo }): void {
    if (channel.gateway !== undefined) this.#detail.gateway = channel.gateway;
    if (channel.certificateSha256 !== undefined) this.#detail.certificateSha256 = channel.certificateSha256;
    if (channel.tls !== undefined) this.#detail.tls = channel.tls;
    this.#publishChange();
  }

  setKey(which: 'keyA' | 'keyB', identifier: string): void {
    const { attempt, keys } = this.#detail;
    let entry: SessionKeys | undefined = keys.find((candidate) => candidate.attempt === attempt);
    if (entry === undefined) {
      entry = { attempt, keyA: null, keyB: null };
      keys.push(entry);
    }
    entry[which] = identifier;
  }

  /** Starts a step of this side; `endStep` ends it. */
  beginStep(step: HandshakeStepName, detail: string): void {
    this.#stepStarts.set(step, this.#clock.now());
    this.#putStep({ step, outcome: 'active', durationMs: null, detail, keyIdentifier: null });
  }

  /** Ends a step of this side. Without an earlier `beginStep` the step has no duration. */
  endStep(
    step: HandshakeStepName,
    detail: string,
    {
      outcome = 'done',
      keyIdentifier = null,
    }: { outcome?: 'done' | 'failed' | 'security-warning'; keyIdentifier?: string | null } = {},
  ): void {
    const startedAt = this.#stepStarts.get(step);
    this.#stepStarts.delete(step);
    const durationMs = startedAt === undefined ? null : this.#clock.now() - startedAt;
    this.#putStep({ step, outcome, durationMs, detail, keyIdentifier });
  }

  /** Adds a step that the other side reported, with the reported times. */
  addForeignStep(step: HandshakeStep): void {
    const index = this.#detail.steps.findIndex(
      (existing) => existing.step === step.step && existing.attempt === step.attempt,
    );
    if (index === -1) this.#detail.steps.push(step);
    // A security warning stays, whatever is reported later.
    else if (this.#detail.steps[index]?.outcome === 'security-warning') return;
    else this.#detail.steps[index] = step;
    for (const observer of this.#observers) observer.stepped?.(this.id, step);
  }

  act(level: SessionAction['level'], event: NotableEvent, durationMs: number | null = null): void {
    this.#addAction(this.#newAction(level, event, durationMs));
  }

  /** Adds information with file names that needs no action by a person. */
  remark(text: string): void {
    this.#addAction(this.#newAction('info', notable('session.remark', { text }), null), true);
  }

  #newAction(level: SessionAction['level'], event: NotableEvent, durationMs: number | null): SessionAction {
    const sequence = (this.#detail.actions.at(-1)?.sequence ?? 0) + 1;
    const at = new Date(this.#clock.now()).toISOString();
    return { sequence, at, level, text: describeNotable(event), durationMs, ...event };
  }

  /** Adds an action of the other side with the next number of this side. */
  addForeignAction(action: Omit<SessionAction, 'sequence'>): void {
    // Actions are shown in lists and on terminals, so a text from the other side must stay on one line.
    const text = action.text.replace(/\p{Cc}/gu, ' ');
    this.#addAction({ ...action, text, sequence: (this.#detail.actions.at(-1)?.sequence ?? 0) + 1 });
  }

  putObject(reported: SessionObject): void {
    const { objects, state } = this.#detail;
    // A data mover may send its last report after its session was interrupted.
    const object = { ...reported, state: objectStateIn(state, reported.state) };
    const index = objects.findIndex((existing) => existing.name === object.name);
    if (index !== -1) objects[index] = object;
    else {
      objects.push(object);
      keepObjects(objects);
    }
    for (const observer of this.#observers) observer.objectChanged?.(this.id, object);
  }

  /** No figure becomes smaller (attempt-figures.ts). */
  setProgress(progress: Partial<SessionProgress>, bottleneck?: Bottleneck | null): void {
    if (this.isFinal) return;
    this.#detail.progress = grown(this.#detail.progress, progress);
    if (bottleneck !== undefined) this.#detail.bottleneck = bottleneck;
    this.#progressOut.push();
  }

  /** Takes the figures of the other side, which may have more reports than this side had saved when it was killed. */
  catchUp(progress: Partial<SessionProgress>): void {
    const { readBytesPerSecond, transferredBytesPerSecond, secondsLeft } = this.#detail.progress;
    this.setProgress({ ...progress, readBytesPerSecond, transferredBytesPerSecond, secondsLeft });
    this.#throughput.restart();
  }

  warn(warning: Omit<SessionWarning, 'at'>): void {
    this.#detail.warningCount = Math.min(this.#detail.warningCount + 1, Number.MAX_SAFE_INTEGER);
    if (this.#detail.warnings.length < maxWarnings) {
      this.#detail.warnings.push({ ...warning, at: new Date(this.#clock.now()).toISOString() });
    }
    this.act('warning', notable('session.warning', { path: warning.path, message: warning.message }));
  }

  /** Records the number of the other side's warnings. Called when the other side reports only this number. */
  setWarningCount(count: number): void {
    this.#detail.warningCount = Math.max(this.#detail.warningCount, count);
  }

  /** The transfer was attacked, or is damaged in a way that looks like an attack. The warning stays for ever. */
  raiseSecurityWarning(event: NotableEvent): void {
    const isNew = !this.#detail.hasSecurityWarning;
    this.#detail.hasSecurityWarning = true;
    this.act('security', event);
    if (isNew) this.#publishChange();
  }

  /** @param storedBytes what a backup added to the repository, once its restore point is committed */
  setPoint(pointId: string, storedBytes?: number): void {
    this.#detail.pointId = pointId;
    if (storedBytes !== undefined) this.#detail.storedBytes = storedBytes;
  }

  finish(state: 'succeeded' | 'warning' | 'failed' | 'canceled', error: FarkeepError | null = null): void {
    if (this.isFinal) return;
    this.#takeSample();
    this.#setSampling(false);
    this.#detail.progress = {
      ...this.#detail.progress,
      readBytesPerSecond: 0,
      transferredBytesPerSecond: 0,
      secondsLeft: state === 'succeeded' || state === 'warning' ? 0 : null,
    };
    this.#detail.endedAt = new Date(this.#clock.now()).toISOString();
    this.#detail.error = error === null ? null : error.toInfo();
    for (const step of settledSteps(this.#detail, state, this.#clock.now())) this.addForeignStep(step);
    this.#progressOut.flush();
    this.#publishProgress();
    this.setState(state);
  }

  /** Stops timers. Needed when the service ends while the session waits. */
  dispose(): void {
    this.#setSampling(false);
    this.#progressOut.flush();
  }

  #tellPhase(next: SessionState): void {
    const [beganMs, nowMs] = [this.#phaseBeganMs, this.#clock.now()];
    this.#phaseBeganMs = nowMs;
    const event = phaseEvent(this.#detail.kind, this.#detail.state, next);
    if (event !== undefined && beganMs !== undefined) this.act('info', event, Math.max(0, nowMs - beganMs));
  }

  #putStep(step: Omit<HandshakeStep, 'at' | 'attempt'>): void {
    this.addForeignStep({
      ...step,
      attempt: this.#detail.attempt,
      at: new Date(this.#clock.now()).toISOString(),
    });
  }

  #addAction(action: SessionAction, isNaming = action.level === 'warning'): void {
    const { actions } = this.#detail;
    actions.push(action);
    keepActions(actions);
    for (const observer of this.#observers) observer.acted?.(this.id, action, isNaming);
  }

  /** Nothing is transferred any more, so there is no rate and no remaining time. */
  #stillFigures(): void {
    if (this.isFinal) return;
    this.#throughput.restart();
    this.setProgress({ readBytesPerSecond: 0, transferredBytesPerSecond: 0, secondsLeft: null }, null);
    this.#progressOut.flush();
  }

  #setSampling(isOn: boolean): void {
    if (!isOn) {
      this.#sampler?.stop();
      this.#sampler = undefined;
      return;
    }
    if (this.#sampler !== undefined) return;
    this.#takeSample();
    this.#sampler = every(sampleIntervalMs, () => this.#takeSample(), { isBackground: true });
  }

  #takeSample(): void {
    const { progress } = this.#detail;
    const sample = this.#throughput.read(progress, this.#clock.now());
    if (sample === undefined) return;
    const { rates } = this.#throughput;
    this.setProgress({ ...rates, secondsLeft: secondsLeft(progress, this.#throughput.samples) });
    for (const observer of this.#observers) observer.sampled?.(this.id, sample);
  }

  #publishProgress(): void {
    const at = new Date(this.#clock.now()).toISOString();
    const { progress, bottleneck } = this.#detail;
    for (const observer of this.#observers) observer.progressed?.(this.id, at, progress, bottleneck);
  }

  #publishChange(): void {
    const summary = this.summary();
    for (const observer of this.#observers) observer.changed?.(summary);
  }
}
