// Owns the types that both session machines use, and the history entries that an outcome causes on either side. Must not decide anything
// else.
import type { SessionAction, SessionState } from '../../contracts/models/session.ts';
import type { FarkeepError } from '../../kernel/farkeep-error.ts';

export type FinalState = Extract<SessionState, 'succeeded' | 'warning' | 'failed' | 'canceled'>;
/** The states in which an attempt runs. */
export type RunningKind = Extract<SessionState, 'key-exchange' | 'transferring' | 'finalizing'>;

/** Part of every event, so that a machine never reads a clock. */
export interface Moment {
  readonly nowMs: number;
  /** The session's record has warnings: a successful end becomes the state `warning`. */
  readonly hasWarnings: boolean;
}

/** A line in the history of the session. */
export interface Note {
  readonly type: 'note';
  readonly level: SessionAction['level'];
  readonly text: string;
}

/** The transfer was attacked, or is damaged in a way that looks like an attack. The warning stays for ever. */
export interface SecurityWarning {
  readonly type: 'raise-security-warning';
  readonly text: string;
}

/** What the end of a session adds to its history. */
export function endNotes(error: FarkeepError | null, outcome: FinalState): (Note | SecurityWarning)[] {
  if (error === null) return [];
  if (error.code.startsWith('security.')) return [{ type: 'raise-security-warning', text: error.message }];
  return outcome === 'failed' ? [note('error', error.message)] : [];
}

export function note(level: Note['level'], text: string): Note {
  return { type: 'note', level, text };
}

export function goodEnd({ hasWarnings }: Moment): FinalState {
  return hasWarnings ? 'warning' : 'succeeded';
}
