// Owns the reports of a session to the provider: collects changes and sends them a few times a second, and always the last changes.
// Must not send a file name when names are hidden from the provider. Never sends a key.
import { every, type Schedule } from '../../kernel/schedule.ts';
import type {
  Bottleneck,
  HandshakeStep,
  SessionAction,
  SessionObject,
  SessionProgress,
  SessionSummary,
} from '../../contracts/models/session.ts';
import type { SessionObserver } from '../../session/session-record.ts';
import { tellProvider, type MessagePeer } from '../../wire/control-calls.ts';
import type { TenantNotification } from '../../wire/control-messages.ts';

const intervalMs = 200;
const maxSteps = 32;
const maxActions = 50;
const maxObjects = 100;
const phases = { 'key-exchange': true, transferring: true, finalizing: true } as const;
type Phase = keyof typeof phases;
type ToldObject = NonNullable<TenantNotification<'session.report'>['objects']>[number];

export class SessionReporter implements SessionObserver {
  readonly #areNamesHidden: boolean;
  readonly #steps = new Map<string, HandshakeStep>();
  readonly #objects = new Map<string, ToldObject>();
  #actions: SessionAction[] = [];
  #progress: SessionProgress | undefined;
  #bottleneck: Bottleneck | null = null;
  #phase: Phase | undefined;
  #warningCount = 0;
  #target: { peer: MessagePeer; sessionId: string; attempt: number } | undefined;
  #reports: Schedule | undefined;

  constructor({ areNamesHidden }: { areNamesHidden: boolean }) {
    this.#areNamesHidden = areNamesHidden;
  }

  /**
   * From now on, reports go to this peer. Collected changes are sent first. @param progress all figures of the session: the other side may
   * have lost them
   */
  attach(peer: MessagePeer, sessionId: string, attempt: number, progress?: SessionProgress): void {
    if (progress !== undefined) this.#progress ??= progress;
    this.#target = { peer, sessionId, attempt };
    this.#reports ??= every(intervalMs, () => this.flush(), { isBackground: true });
    this.flush();
  }

  /** Sends the remaining changes and keeps the rest of the session's history for the next attempt. */
  detach(): void {
    this.flush();
    this.#reports?.stop();
    this.#reports = undefined;
    this.#target = undefined;
  }

  changed(summary: SessionSummary): void {
    if (summary.state in phases) this.#phase = summary.state as Phase;
    this.#warningCount = summary.warningCount;
  }

  progressed(_sessionId: string, _at: string, progress: SessionProgress, bottleneck: Bottleneck | null): void {
    this.#progress = progress;
    this.#bottleneck = bottleneck;
  }

  stepped(_sessionId: string, step: HandshakeStep): void {
    this.#steps.set(step.step, step);
  }

  acted(_sessionId: string, action: SessionAction, isNaming: boolean): void {
    if (this.#areNamesHidden && isNaming) return;
    // Actions with a duration are not reported, because each side measures the duration of a phase by itself.
    if (action.durationMs !== null) return;
    this.#actions.push(action);
    if (this.#actions.length > maxActions) this.#actions.shift();
  }

  objectChanged(_sessionId: string, object: SessionObject): void {
    if (this.#areNamesHidden) return;
    const { state } = object;
    // The provider derives these states of an object from the state of the session.
    if (state === 'paused' || state === 'unfinished') return;
    this.#objects.set(object.name, { ...object, state });
    for (const name of this.#objects.keys()) {
      if (this.#objects.size <= maxObjects) break;
      this.#objects.delete(name);
    }
  }

  flush(): void {
    const target = this.#target;
    if (target === undefined) return;
    const steps = [...this.#steps.values()].filter((step) => step.attempt === target.attempt).slice(-maxSteps);
    const isEmpty =
      steps.length === 0 &&
      this.#actions.length === 0 &&
      this.#objects.size === 0 &&
      this.#progress === undefined &&
      this.#phase === undefined;
    if (isEmpty) return;
    tellProvider(target.peer, 'session.report', {
      sessionId: target.sessionId,
      attempt: target.attempt,
      warningCount: this.#warningCount,
      ...(this.#phase === undefined ? {} : { phase: this.#phase }),
      ...(this.#progress === undefined ? {} : { progress: this.#progress }),
      ...(this.#bottleneck === null ? {} : { bottleneck: this.#bottleneck }),
      steps: steps.map(({ step, outcome, at, durationMs, detail, keyIdentifier }) => ({
        step,
        outcome,
        at,
        durationMs,
        detail: detail.slice(0, 500),
        keyIdentifier,
      })),
      actions: this.#actions.map(({ at, level, text, durationMs }) => ({
        at,
        level,
        text: text.slice(0, 1000),
        durationMs,
      })),
      objects: [...this.#objects.values()].map((object) => ({ ...object, name: object.name.slice(0, 400) })),
    });
    this.#steps.clear();
    this.#objects.clear();
    this.#actions = [];
    this.#progress = undefined;
    this.#bottleneck = null;
    this.#phase = undefined;
  }
}
