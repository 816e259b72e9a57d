// Owns the port of the stored history of sessions: one record for each session. Decides neither what is kept nor when it is written.
import type { ErrorCode } from '../contracts/errors.ts';
import type { SessionProgress, SessionSummary } from '../contracts/models/session.ts';
import type { StoredSession } from './session-record.ts';

export interface ArchivedSession extends StoredSession {
  /** Job or account of the session. */
  readonly owner: string;
  /** The role's own data about the session. */
  readonly context: unknown;
}

export interface HistoryRecord extends ArchivedSession {
  readonly summary: SessionSummary;
}

/**
 * Limits for the history, so that it does not fill the disk. The limits apply to each owner separately: no account pushes out the history
 * of another account. Successful sessions have their own limit, so that canceled sessions do not push them out.
 */
export interface KeptHistory {
  readonly good: number;
  readonly others: number;
  /** Limit in bytes for each owner: this number for successful sessions, and a quarter of it for others. */
  readonly bytes: number;
}

/** A list is a result of `readRows`: it leaves out unreadable records and names them. */
export interface SessionHistory {
  /** After the history was closed, nothing is written. */
  readonly isClosed: boolean;
  /**
   * Adds the record, or replaces an existing one except for its owner and its place in the order. @returns false when the disk refuses the
   * write
   */
  save(record: HistoryRecord): Promise<boolean>;
  /** Stores the figures of unfinished sessions, much more cheaply than their whole records. They may be lost when the disk refuses. */
  saveFigures(figures: ReadonlyMap<string, SessionProgress>): Promise<void>;
  /** @throws storage.damaged for a record that cannot be read */
  find(sessionId: string): Promise<ArchivedSession | undefined>;
  /** Milliseconds since the epoch; undefined for an unfinished or unknown session. */
  endedAtMs(sessionId: string): Promise<number | undefined>;
  /** The last started session first. */
  list(limit: number): Promise<SessionSummary[]>;
  /** The last started session of this owner first. */
  listOf(owner: string, limit: number): Promise<SessionSummary[]>;
  /** Identifiers, the last started session first. */
  endedOf(owner: string, limit: number): Promise<string[]>;
  /** Identifiers of the ended sessions that have a warning with this code. */
  withWarning(code: ErrorCode): Promise<string[]>;
  /** Unfinished sessions, in order of their start. A session that cannot be read counts as ended from then on. */
  unfinished(): Promise<ArchivedSession[]>;
  owners(): Promise<string[]>;
  /** Removes the oldest ended sessions of this owner beyond the limits. */
  prune(owner: string, kept: KeptHistory): Promise<void>;
}
