// Owns the types of the tenant's session machine: states, events and effects. Holds no logic. States, events and effects are only data. An
// error is passed on unchanged.
import type { SessionSide } from '../../contracts/models/session.ts';
import type { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { FinalState, Moment, RunningKind } from './machine-types.ts';
import type { ShowEffect } from './show-effect.ts';

export interface TenantRules {
  readonly operation: 'backup' | 'restore' | 'browse';
  readonly retryIntervalMs: number;
  /**
   * How long the tenant retries after a lost connection. Before a grant, also the assumed time for which the provider keeps the session.
   */
  readonly retryWindowMs: number;
  /** How long a person may take to answer a question about a certificate. */
  readonly promptWaitMs: number;
}

/** Whether the provider has this session. `maybe`: the request to start was sent, but its answer was lost, or this service was killed. */
export type ProviderKnowledge = 'no' | 'maybe' | 'yes';

/** What the provider knows of the session. A session that the provider does not know is not retried. */
export type AtProvider =
  | { readonly knows: 'no' }
  | {
      readonly knows: 'maybe' | 'yes';
      /** How long the provider keeps the session while the tenant is disconnected. */
      readonly keptForMs: number;
      /** The end of the retries after a lost connection; null: no loss since the last grant. */
      readonly retryUntilMs: number | null;
      /** The provider reported that the restore point is on disk. */
      readonly isCommitted: boolean;
    };

export interface TenantPending {
  readonly kind: 'pending';
  readonly attempt: number;
  readonly provider: AtProvider;
}

/** The provider has not confirmed the attempt number yet. */
export interface TenantConnecting {
  readonly kind: 'connecting';
  readonly attempt: number;
  readonly provider: AtProvider;
  /** `asking`: connected and logged in, no grant yet. */
  readonly stage: 'dialing' | 'asking';
  readonly ending: 'cancel' | 'suspend' | null;
}

/** The provider has granted the attempt, and the source mover works. `ending` says why the attempt is being ended. */
export interface TenantRunning {
  readonly kind: RunningKind;
  readonly stage: 'running';
  readonly attempt: number;
  readonly keptForMs: number;
  readonly isCommitted: boolean;
  readonly ending: 'cancel' | 'suspend' | { readonly pauseBy: SessionSide } | null;
}

/** The attempt has ended for a pause, and the tenant reports the pause to the provider. */
export interface TenantTellingPause {
  readonly kind: RunningKind;
  readonly stage: 'telling-pause';
  readonly attempt: number;
  readonly keptForMs: number;
  readonly isCommitted: boolean;
  readonly by: SessionSide;
  /** If the provider cannot be reached, it keeps the session from this moment on. */
  readonly lostAtMs: number;
  readonly ending: 'cancel' | 'suspend' | null;
}

/** The end is decided, and the tenant reports the end to the provider. */
export interface TenantTellingEnd {
  readonly kind: 'finalizing';
  readonly stage: 'telling-end';
  readonly attempt: number;
  readonly outcome: FinalState;
  readonly error: FarkeepError | null;
}

/** The next attempt starts without a request by a person. */
export interface TenantRetrying {
  readonly kind: 'waiting-to-resume';
  readonly waitsFor: 'retry';
  readonly attempt: number;
  /** The provider has granted the attempt with this number. */
  readonly isGranted: boolean;
  readonly provider: Exclude<AtProvider, { knows: 'no' }>;
}

/** A person has to decide about a certificate. */
export interface TenantAsking {
  readonly kind: 'waiting-to-resume';
  readonly waitsFor: 'answer';
  readonly attempt: number;
  readonly provider: AtProvider;
  readonly refusal: FarkeepError;
}

export interface TenantPaused {
  readonly kind: 'paused';
  readonly attempt: number;
  readonly isGranted: boolean;
  readonly provider: Exclude<AtProvider, { knows: 'no' }>;
  readonly by: SessionSide;
  readonly untilMs: number;
  /** The control connection is open: over it, the provider can resume or end a pause that it owns. */
  readonly hasLink: boolean;
}

/** The session has ended. A final state has no transitions. */
export interface TenantEnded {
  readonly kind: FinalState;
  readonly attempt: number;
}

/** The session has ended for this process only. The next run of the service continues the session from its record. */
export interface TenantSuspended {
  readonly kind: 'suspended';
  readonly attempt: number;
}

export type TenantState =
  | TenantPending
  | TenantConnecting
  | TenantRunning
  | TenantTellingPause
  | TenantTellingEnd
  | TenantRetrying
  | TenantAsking
  | TenantPaused
  | TenantEnded
  | TenantSuspended;

export type TenantTimer = 'retry' | 'expiry' | 'prompt';

export type TenantInput =
  | { readonly type: 'start' }
  /** Connected and logged in. */
  | { readonly type: 'dialed' }
  | { readonly type: 'granted'; readonly attempt: number; readonly keptForMs: number }
  /** The provider may have started the session, but its answer was lost. */
  | { readonly type: 'answer-lost' }
  /** An event of the source mover. */
  | { readonly type: 'phase-reached'; readonly phase: RunningKind }
  /** The provider reports that the restore point is on disk. */
  | { readonly type: 'committed' }
  /** @property failure the attempt completed, but its result is not the requested one */
  | { readonly type: 'attempt-done'; readonly failure: FarkeepError | null }
  /** @property hasQuestion a person can accept the certificate and so lift the refusal */
  | { readonly type: 'attempt-failed'; readonly error: FarkeepError; readonly hasQuestion: boolean }
  | { readonly type: 'pause-wanted'; readonly by: SessionSide }
  /** @property keptForMs null: the provider could not be reached */
  | { readonly type: 'pause-told'; readonly keptForMs: number | null; readonly hasLink: boolean }
  /** The session was already complete, so there was nothing to pause. */
  | { readonly type: 'pause-too-late' }
  /** The error that ended the session at the provider in the meantime. */
  | { readonly type: 'pause-refused'; readonly error: FarkeepError }
  /** The control connection of a paused session was lost. */
  | { readonly type: 'link-lost' }
  | { readonly type: 'ended-at-provider'; readonly error: FarkeepError }
  | { readonly type: 'resume-wanted'; readonly by: SessionSide }
  | { readonly type: 'answered'; readonly answer: 'accept' | 'refuse' | 'withdrawn' }
  | { readonly type: 'cancel' }
  /** The service stops. */
  | { readonly type: 'suspend' }
  /** The provider confirmed the final message, or could not be reached. */
  | { readonly type: 'finish-told' }
  | { readonly type: 'timer-fired'; readonly timer: TenantTimer };

export type TenantEvent = TenantInput & Moment;

export type TenantEffect =
  | ShowEffect
  /** Adds a history entry about the pause. The provider adds the same entry at the same time. */
  | { readonly type: 'note-pause'; readonly by: SessionSide }
  /** The running attempt has this number at the provider. */
  | { readonly type: 'take-number'; readonly attempt: number }
  | { readonly type: 'dial' }
  /** Start the source mover and ask the provider for a grant. */
  | { readonly type: 'run-attempt'; readonly knows: ProviderKnowledge }
  /** The grant must survive a restart. */
  | { readonly type: 'save-grant' }
  /** Ends the running work in order. */
  | { readonly type: 'end-attempt' }
  /** @property isTroubled the dialer tries this gateway last for some time */
  | { readonly type: 'close-link'; readonly isTroubled: boolean }
  | { readonly type: 'ask-person' }
  | { readonly type: 'tell-pause'; readonly by: SessionSide }
  /** The answer to the caller that waits for the pause. */
  | { readonly type: 'pause-begun' }
  | { readonly type: 'arm'; readonly timer: TenantTimer; readonly afterMs: number }
  | { readonly type: 'disarm'; readonly timer: TenantTimer }
  | { readonly type: 'tell-finish'; readonly outcome: FinalState; readonly error: FarkeepError | null }
  | { readonly type: 'cancel-at-provider' }
  /** The process of this service does nothing more for the session. */
  | { readonly type: 'leave'; readonly asksUsage: boolean }
  /** The request fails. */
  | { readonly type: 'refuse'; readonly error: FarkeepError };

export interface TenantStep {
  readonly state: TenantState;
  readonly effects: readonly TenantEffect[];
}
