// Owns the words of the tenant's session machine: its states, events and effects. Holds no logic.
// Everything here is data. An error is a value that is passed on unchanged.
import type { SessionSide } from '../../contracts/models/session.ts';
import type { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { FinalState, Moment, RunningKind } from './machine-words.ts';
import type { ShowEffect } from './show-effect.ts';

export interface TenantRules {
  readonly operation: 'backup' | 'restore' | 'browse';
  readonly retryIntervalMs: number;
  /** How long a broken session is tried again, and how long the provider keeps it as far as is known before a grant. */
  readonly retryWindowMs: number;
  /** How long a person may take to answer a question about a certificate. */
  readonly promptWaitMs: number;
}

/** Whether the provider has this session: `maybe` when it was asked to start it and the answer was lost, or this service was. */
export type ProviderKnowledge = 'no' | 'maybe' | 'yes';

/** What the provider knows of the session. A session that it does not know is not tried again. */
export type AtProvider =
  | { readonly knows: 'no' }
  | {
      readonly knows: 'maybe' | 'yes';
      /** How long the provider keeps the session without its tenant. */
      readonly keptForMs: number;
      /** A broken session is tried again until then; null: nothing broke since the last grant. */
      readonly retryUntilMs: number | null;
      /** The provider said that the restore point is on disk. */
      readonly isCommitted: boolean;
    };

export interface TenantPending {
  readonly kind: 'pending';
  readonly attempt: number;
  readonly provider: AtProvider;
}

/** The number of the attempt is not the provider's yet. */
export interface TenantConnecting {
  readonly kind: 'connecting';
  readonly attempt: number;
  readonly provider: AtProvider;
  /** `asking`: connected and logged in, no grant yet. */
  readonly stage: 'dialing' | 'asking';
  readonly ending: 'cancel' | 'suspend' | null;
}

/** The attempt is granted, and the source mover works. `ending` says why the attempt is being ended. */
export interface TenantRunning {
  readonly kind: RunningKind;
  readonly stage: 'running';
  readonly attempt: number;
  readonly keptForMs: number;
  readonly isCommitted: boolean;
  readonly ending: 'cancel' | 'suspend' | { readonly pauseBy: SessionSide } | null;
}

/** The attempt has ended for a pause, and the provider is told. */
export interface TenantTellingPause {
  readonly kind: RunningKind;
  readonly stage: 'telling-pause';
  readonly attempt: number;
  readonly keptForMs: number;
  readonly isCommitted: boolean;
  readonly by: SessionSide;
  /** The provider keeps the session from then on if it cannot be told. */
  readonly lostAtMs: number;
  readonly ending: 'cancel' | 'suspend' | null;
}

/** The end is decided, and the provider is told. */
export interface TenantLastWord {
  readonly kind: 'finalizing';
  readonly stage: 'last-word';
  readonly attempt: number;
  readonly outcome: FinalState;
  readonly error: FarkeepError | null;
}

/** The next attempt follows by itself. */
export interface TenantRetrying {
  readonly kind: 'waiting-to-resume';
  readonly waitsFor: 'retry';
  readonly attempt: number;
  /** The provider knows an attempt of this number. */
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
  /** The control connection is open: the provider can resume or end what it has paused. */
  readonly hasLink: boolean;
}

/** Over. Nothing leads out of it. */
export interface TenantEnded {
  readonly kind: FinalState;
  readonly attempt: number;
}

/** Over for this process. The session goes on from its record when the service runs again. */
export interface TenantSuspended {
  readonly kind: 'suspended';
  readonly attempt: number;
}

export type TenantState =
  | TenantPending
  | TenantConnecting
  | TenantRunning
  | TenantTellingPause
  | TenantLastWord
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
  /** From the source mover. */
  | { readonly type: 'phase-reached'; readonly phase: RunningKind }
  /** The provider says that the restore point is on disk. */
  | { readonly type: 'committed' }
  /** @property failure the attempt came to its end, but its result is not what was asked for */
  | { readonly type: 'attempt-done'; readonly failure: FarkeepError | null }
  /** @property hasQuestion a person can lift the refusal */
  | { readonly type: 'attempt-failed'; readonly error: FarkeepError; readonly hasQuestion: boolean }
  | { readonly type: 'pause-wanted'; readonly by: SessionSide }
  /** @property keptForMs null: the provider could not be told */
  | { readonly type: 'pause-told'; readonly keptForMs: number | null; readonly hasLink: boolean }
  /** There was nothing left to pause. */
  | { readonly type: 'pause-too-late' }
  /** What ended the session at the provider meanwhile. */
  | { readonly type: 'pause-refused'; readonly error: FarkeepError }
  /** The control connection of a paused session is gone. */
  | { readonly type: 'link-lost' }
  | { readonly type: 'ended-at-provider'; readonly error: FarkeepError }
  | { readonly type: 'resume-wanted'; readonly by: SessionSide }
  | { readonly type: 'answered'; readonly answer: 'accept' | 'refuse' | 'withdrawn' }
  | { readonly type: 'cancel' }
  /** The service stops. */
  | { readonly type: 'suspend' }
  /** The provider took the last word, or did not. */
  | { readonly type: 'finish-told' }
  | { readonly type: 'timer-fired'; readonly timer: TenantTimer };

export type TenantEvent = TenantInput & Moment;

export type TenantEffect =
  | ShowEffect
  /** A line that the provider shows as well, now. */
  | { readonly type: 'note-pause'; readonly by: SessionSide }
  /** The running attempt has this number at the provider. */
  | { readonly type: 'take-number'; readonly attempt: number }
  | { readonly type: 'dial' }
  /** Start the source mover and ask the provider for a grant. */
  | { readonly type: 'run-attempt'; readonly knows: ProviderKnowledge }
  /** The grant must survive a restart. */
  | { readonly type: 'save-grant' }
  /** End what runs, in order. */
  | { readonly type: 'end-attempt' }
  /** @property isTroubled the gateway is tried last for a while */
  | { readonly type: 'close-link'; readonly isTroubled: boolean }
  | { readonly type: 'ask-person' }
  | { readonly type: 'tell-pause'; readonly by: SessionSide }
  /** To whoever waits for the pause. */
  | { readonly type: 'pause-begun' }
  | { readonly type: 'arm'; readonly timer: TenantTimer; readonly afterMs: number }
  | { readonly type: 'disarm'; readonly timer: TenantTimer }
  | { readonly type: 'tell-finish'; readonly outcome: FinalState; readonly error: FarkeepError | null }
  | { readonly type: 'cancel-at-provider' }
  /** Nothing follows in this process. */
  | { readonly type: 'leave'; readonly asksUsage: boolean }
  /** The request fails. */
  | { readonly type: 'refuse'; readonly error: FarkeepError };

export interface TenantStep {
  readonly state: TenantState;
  readonly effects: readonly TenantEffect[];
}
