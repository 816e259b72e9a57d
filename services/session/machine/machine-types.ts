// Owns the types that both session machines use, and the history entries that an outcome causes on either side. Must not decide anything
// else.
import type { SessionAction, SessionState } from '../../contracts/models/session.ts';
import { notable, type NotableEvent } from '../../contracts/notable-events.ts';
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
  readonly event: NotableEvent;
}

/** The transfer was attacked, or is damaged in a way that looks like an attack. The warning stays for ever. */
export interface SecurityWarning {
  readonly type: 'raise-security-warning';
  readonly event: NotableEvent;
}

/** What the end of a session adds to its history. */
export function endNotes(error: FarkeepError | null, outcome: FinalState): (Note | SecurityWarning)[] {
  if (error === null) return [];
  if (error.code.startsWith('security.'))
    return [{ type: 'raise-security-warning', event: notable('session.security-warning', { message: error.message }) }];
  return outcome === 'failed' ? [errorNote(error)] : [];
}

export function note(level: Note['level'], event: NotableEvent): Note {
  return { type: 'note', level, event };
}

export function errorNote({ message }: FarkeepError): Note {
  return note('error', notable('session.error', { message }));
}

export function goodEnd({ hasWarnings }: Moment): FinalState {
  return hasWarnings ? 'warning' : 'succeeded';
}
