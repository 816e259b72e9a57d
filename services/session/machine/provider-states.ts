// Owns the words of the provider's session machine: its states, events and effects, and what a state says. Decides nothing.
// Everything here is data. An error is a value that is passed on unchanged.
import type { SessionSide } from '../../contracts/models/session.ts';
import type { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { FinalState, Moment, RunningKind } from './machine-words.ts';
import type { ShowEffect } from './show-effect.ts';

export interface ProviderRules {
  /** Only a backup makes a restore point. */
  readonly isBackup: boolean;
  /** How long a session without its tenant is kept. */
  readonly resumeWindowMs: number;
}

/** What is known of every session that has not ended. */
interface Open {
  readonly attempt: number;
  /**
   * The request that is being served. There is one at a time, so that two target movers never write one point. `resume` waits for the end
   * of the attempt before and becomes `start` when its own attempt begins.
   */
  readonly serving: 'nothing' | 'resume' | 'start' | 'pause';
  /** The provider asked for a pause in this attempt. Only then can a pause be the provider's. */
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

/** The tenant may come back until then. A connection may still be open after a mover died. */
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

/** Over. Nothing leads out of it. */
export interface ProviderEnded {
  readonly kind: FinalState;
  readonly attempt: number;
}

/** Over for this process. The session goes on from its record when the service runs again. */
export interface ProviderSuspended {
  readonly kind: 'suspended';
  readonly attempt: number;
}

export type ProviderOpen = ProviderPending | ProviderRunning | ProviderWaiting | ProviderPaused;
export type ProviderState = ProviderOpen | ProviderEnded | ProviderSuspended;

export type ProviderTimer = 'expiry' | 'last-word' | 'pause-answer';

export type ProviderInput =
  /** The tenant's `session.start` was accepted. */
  | { readonly type: 'start-asked' }
  | { readonly type: 'resume-asked' }
  /** The former attempt is gone, and the repository was searched for the restore point. */
  | { readonly type: 'resume-ready'; readonly isCommitted: boolean; readonly storedBytes: number }
  /** The target mover listens, and the gateway knows its tickets. */
  | { readonly type: 'attempt-opened' }
  | { readonly type: 'pause-asked' }
  | {
      readonly type: 'pause-ready';
      readonly by: SessionSide;
      readonly isCommitted: boolean;
      readonly storedBytes: number;
    }
  /** The request was answered. */
  | { readonly type: 'served' }
  | { readonly type: 'phase-reported'; readonly phase: RunningKind }
  | { readonly type: 'key-b-delivered' }
  | { readonly type: 'committed'; readonly storedBytes: number }
  /** @property shown the error for the provider's own people; null: the mover ended in order */
  | {
      readonly type: 'mover-ended';
      readonly error: FarkeepError | null;
      readonly shown: FarkeepError | null;
      readonly isTampered: boolean;
    }
  | { readonly type: 'tampered-at-tenant'; readonly error: FarkeepError; readonly where: 'tunnel' | 'data' }
  /** The tenant's last word. */
  | { readonly type: 'finish-asked'; readonly outcome: FinalState; readonly error: FarkeepError | null }
  /** By a person at the provider, by the tenant, or because the account goes. */
  | { readonly type: 'cancel'; readonly error: FarkeepError }
  | { readonly type: 'channel-lost'; readonly error: FarkeepError }
  | { readonly type: 'suspend'; readonly error: FarkeepError }
  /** The movers are gone. */
  | { readonly type: 'suspended'; readonly error: FarkeepError }
  /** The service runs again; nothing of a former attempt is left. */
  | {
      readonly type: 'restarted';
      readonly was: 'waiting' | 'other';
      readonly paused: { readonly by: SessionSide; readonly untilMs: number } | null;
      readonly isCommitted: boolean;
    }
  /** A person at the provider wants it. */
  | { readonly type: 'pause-wanted' }
  | { readonly type: 'resume-wanted' }
  | { readonly type: 'timer-fired'; readonly timer: ProviderTimer };

export type ProviderEvent = ProviderInput & Moment;

export type ProviderEffect =
  | ShowEffect
  | { readonly type: 'show-attack'; readonly error: FarkeepError; readonly where: 'tunnel' | 'data' }
  /** From now on the tenant is told over the connection that the request came over. */
  | { readonly type: 'take-channel'; readonly isForAttempt: boolean }
  | { readonly type: 'start-mover' }
  | { readonly type: 'end-attempt'; readonly reason: FarkeepError }
  /** The restore point is on disk. */
  | { readonly type: 'keep-point'; readonly storedBytes: number }
  | { readonly type: 'tell-committed' }
  | { readonly type: 'tell-tampered'; readonly error: FarkeepError; readonly where: 'tunnel' | 'data' }
  | { readonly type: 'tell-ended'; readonly isFinal: boolean; readonly error: FarkeepError }
  | { readonly type: 'tell-wish'; readonly wish: 'pause' | 'resume' }
  | { readonly type: 'arm'; readonly timer: ProviderTimer; readonly afterMs: number }
  | { readonly type: 'disarm'; readonly timer: ProviderTimer }
  /** The record must survive a restart. */
  | { readonly type: 'save'; readonly isAfterMover: boolean }
  /** To the person who waits for a pause; null: the session is paused. */
  | { readonly type: 'answer-pause'; readonly error: FarkeepError | null }
  /** To the tenant: what becomes of its pause. */
  | { readonly type: 'pause-kept'; readonly keptForMs: number }
  /** To the tenant: there is nothing left to do. */
  | { readonly type: 'point-exists' }
  /** The request has to wait until the current one is served, and is then asked again. */
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

/** Whether the restore point is on disk, as far as is known here. */
export function hasPoint(state: ProviderOpen): boolean {
  return isRunning(state) && state.isCommitted;
}

/** Whether the tenant can be told anything. */
export function canTell(state: ProviderState): boolean {
  if (!isOpen(state)) return false;
  return isRunning(state) || ('hasChannel' in state && state.hasChannel);
}

/** Whether a target mover runs. */
export function hasMover(state: ProviderState): boolean {
  return isOpen(state) && isRunning(state) && state.hasMover;
}

export function withoutMover(state: ProviderOpen): ProviderOpen {
  return isRunning(state) ? { ...state, hasMover: false } : state;
}
