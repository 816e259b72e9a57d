// Owns the types of the provider's session machine: states, events and effects, and simple questions about a state. Must not decide
// anything. States, events and effects are only data. An error is passed on unchanged.
import type { SessionSide } from '../../contracts/models/session.ts';
import type { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { FinalState, Moment, RunningKind } from './machine-types.ts';
import type { ShowEffect } from './show-effect.ts';

export interface ProviderRules {
  /** True for a backup: only a backup creates a restore point. */
  readonly isBackup: boolean;
  /** How long a session is kept while its tenant is disconnected. */
  readonly resumeWindowMs: number;
}

/** Fields of every session that has not ended. */
interface Open {
  readonly attempt: number;
  /**
   * The request that is being served. There is only one request at a time, so that two target movers never write the same restore point.
   * `resume` waits for the end of the previous attempt and becomes `start` when its own attempt begins.
   */
  readonly serving: 'nothing' | 'resume' | 'start' | 'pause';
  /** The provider asked for a pause in this attempt. Only then can the provider be the owner of a pause. */
  readonly hasAskedPause: boolean;
  /** A person at the provider waits for the pause. */
  readonly isPauseAwaited: boolean;
  /** The service stops: no further attempt begins. */
  readonly isStopping: boolean;
}

export interface ProviderPending extends Open {
  readonly kind: 'pending';
}

/** An attempt has begun, and its control connection is open. */
export interface ProviderRunning extends Open {
  readonly kind: RunningKind;
  readonly hasMover: boolean;
  /** Before Key B has arrived, the tunnel is the only data connection. */
  readonly hasKeyB: boolean;
  /** The restore point is on disk. */
  readonly isCommitted: boolean;
}

/** The tenant may reconnect until the deadline. After a mover died, the control connection may still be open. */
export interface ProviderWaiting extends Open {
  readonly kind: 'waiting-to-resume';
  readonly hasChannel: boolean;
  readonly untilMs: number;
}

export interface ProviderPaused extends Open {
  readonly kind: 'paused';
  readonly hasChannel: boolean;
  readonly by: SessionSide;
  readonly untilMs: number;
}

/** The session has ended. A final state has no transitions. */
export interface ProviderEnded {
  readonly kind: FinalState;
  readonly attempt: number;
}

/** The session has ended for this process only. The next run of the service continues the session from its record. */
export interface ProviderSuspended {
  readonly kind: 'suspended';
  readonly attempt: number;
}

export type ProviderOpen = ProviderPending | ProviderRunning | ProviderWaiting | ProviderPaused;
export type ProviderState = ProviderOpen | ProviderEnded | ProviderSuspended;

export type ProviderTimer = 'expiry' | 'final-message' | 'pause-answer';

export type ProviderInput =
  /** The tenant sent `session.start`, and the request was accepted. */
  | { readonly type: 'start-asked' }
  | { readonly type: 'resume-asked' }
  /** The previous attempt has ended, and the repository was searched for the restore point. */
  | { readonly type: 'resume-ready'; readonly isCommitted: boolean; readonly storedBytes: number }
  /** The target mover listens, and the gateway has the tickets. */
  | { readonly type: 'attempt-opened' }
  | { readonly type: 'pause-asked' }
  | {
      readonly type: 'pause-ready';
      readonly by: SessionSide;
      readonly isCommitted: boolean;
      readonly storedBytes: number;
    }
  /** The current request has its answer. */
  | { readonly type: 'served' }
  | { readonly type: 'phase-reported'; readonly phase: RunningKind }
  | { readonly type: 'key-b-delivered' }
  | { readonly type: 'committed'; readonly storedBytes: number }
  /** @property shown the error for people at the provider; null: the mover ended in order */
  | {
      readonly type: 'mover-ended';
      readonly error: FarkeepError | null;
      readonly shown: FarkeepError | null;
      readonly isTampered: boolean;
    }
  | { readonly type: 'tampered-at-tenant'; readonly error: FarkeepError; readonly where: 'tunnel' | 'data' }
  /** The tenant's final message. */
  | { readonly type: 'finish-asked'; readonly outcome: FinalState; readonly error: FarkeepError | null }
  /** Cause: a person at the provider, the tenant, or the removal of the account. */
  | { readonly type: 'cancel'; readonly error: FarkeepError }
  | { readonly type: 'channel-lost'; readonly error: FarkeepError }
  | { readonly type: 'suspend'; readonly error: FarkeepError }
  /** The movers have ended. */
  | { readonly type: 'suspended'; readonly error: FarkeepError }
  /** The service runs again. Nothing of a previous attempt is left. */
  | {
      readonly type: 'restarted';
      readonly was: 'waiting' | 'other';
      readonly paused: { readonly by: SessionSide; readonly untilMs: number } | null;
      readonly isCommitted: boolean;
    }
  /** A person at the provider asks for a pause. */
  | { readonly type: 'pause-wanted' }
  | { readonly type: 'resume-wanted' }
  | { readonly type: 'timer-fired'; readonly timer: ProviderTimer };

export type ProviderEvent = ProviderInput & Moment;

export type ProviderEffect =
  | ShowEffect
  | { readonly type: 'show-attack'; readonly error: FarkeepError; readonly where: 'tunnel' | 'data' }
  /** From now on, messages to the tenant use the connection of this request. */
  | { readonly type: 'take-channel'; readonly isForAttempt: boolean }
  | { readonly type: 'start-mover' }
  | { readonly type: 'end-attempt'; readonly reason: FarkeepError }
  /** The restore point is on disk. */
  | { readonly type: 'keep-point'; readonly storedBytes: number }
  | { readonly type: 'tell-committed' }
  | { readonly type: 'tell-tampered'; readonly error: FarkeepError; readonly where: 'tunnel' | 'data' }
  | { readonly type: 'tell-ended'; readonly isFinal: boolean; readonly error: FarkeepError }
  | { readonly type: 'ask-tenant'; readonly wish: 'pause' | 'resume' }
  | { readonly type: 'arm'; readonly timer: ProviderTimer; readonly afterMs: number }
  | { readonly type: 'disarm'; readonly timer: ProviderTimer }
  /** The session record must survive a restart. */
  | { readonly type: 'save'; readonly isAfterMover: boolean }
  /** The answer to the person who waits for a pause; null: the session is paused. */
  | { readonly type: 'answer-pause'; readonly error: FarkeepError | null }
  /** The answer to the tenant: how long its paused session is kept. */
  | { readonly type: 'pause-kept'; readonly keptForMs: number }
  /** The answer to the tenant: the restore point exists already, so no attempt is needed. */
  | { readonly type: 'point-exists' }
  /** The request waits until the current request is served; then the driver repeats it. */
  | { readonly type: 'defer' }
  /** The request fails. */
  | { readonly type: 'refuse'; readonly error: FarkeepError };

export interface ProviderStep {
  readonly state: ProviderState;
  readonly effects: readonly ProviderEffect[];
}

export function isOpen(state: ProviderState): state is ProviderOpen {
  switch (state.kind) {
    case 'pending':
    case 'key-exchange':
    case 'transferring':
    case 'finalizing':
    case 'waiting-to-resume':
    case 'paused':
      return true;
    default:
      return false;
  }
}

export function isRunning(state: ProviderOpen): state is ProviderRunning {
  return state.kind === 'key-exchange' || state.kind === 'transferring' || state.kind === 'finalizing';
}

/** Whether the restore point is on disk, as far as this side knows. */
export function hasPoint(state: ProviderOpen): boolean {
  return isRunning(state) && state.isCommitted;
}

/** Whether a connection to the tenant is open. */
export function canTell(state: ProviderState): boolean {
  if (!isOpen(state)) return false;
  return isRunning(state) || ('hasChannel' in state && state.hasChannel);
}

export function hasMover(state: ProviderState): boolean {
  return isOpen(state) && isRunning(state) && state.hasMover;
}

export function withoutMover(state: ProviderOpen): ProviderOpen {
  return isRunning(state) ? { ...state, hasMover: false } : state;
}
