// Owns sessions on disk: one row each, so that lists survive a restart and a session that was cut by a crash can be told as such.
// Never holds a key; file names only as the session itself shows them.
import {
  finalSessionStates,
  sessionDetailSchema,
  sessionSummarySchema,
  type SessionSummary,
} from '../contracts/models/session.ts';
import { reviveOldSpelling } from '../contracts/old-spellings.ts';
import { keepLeftOut, leftOutOf, readRows, type LeftOut } from '../contracts/row-list.ts';
import { every, type Schedule } from '../kernel/schedule.ts';
import type { Database } from '../kernel/state/database.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { LiveSession } from './live-session.ts';
import type { StoredSession } from './session-record.ts';
import { objectStateIn } from './final-states.ts';

/** One migration script for the database of a role. `context` is the role's own JSON about a session. */
export const sessionArchiveMigration = `
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    is_final INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    summary TEXT NOT NULL,
    detail TEXT NOT NULL,
    samples TEXT NOT NULL,
    context TEXT NOT NULL
  ) STRICT;
  CREATE INDEX sessions_by_time ON sessions (created_at DESC);
  CREATE INDEX sessions_by_owner ON sessions (owner, created_at DESC);
`;

/**
 * Limits for the history, so that disks do not fill without supervision. They apply to each owner separately: no account pushes out the
 * history of another. Successful sessions are counted separately, so that started and canceled sessions do not push them out.
 */
export interface KeptHistory {
  readonly good: number;
  readonly others: number;
  /** Bytes for each owner: this much for successful sessions, and a quarter of it for others. */
  readonly bytes: number;
}

const keptHistory: KeptHistory = { good: 5000, others: 1000, bytes: 128 * 1024 * 1024 };
/** The limits of an owner are checked after this number of ended sessions. */
const endsBetweenLooks = 20;

export interface ArchivedSession extends StoredSession {
  readonly owner: string;
  readonly context: unknown;
}

/** Limit of sessions that wait for room on the disk; each keeps its whole history in memory. */
const maxUnsaved = 200;
const retryIntervalMs = 10_000;

interface Unsaved {
  readonly session: LiveSession;
  readonly owner: string;
  readonly context: unknown;
}

export class SessionArchive {
  readonly #database: Database;
  /** A full disk does not end a backup: a history that could not be written stays here, is shown from here, and is written later. */
  readonly #unsaved = new Map<string, Unsaved>();
  #retry: Schedule | undefined;
  readonly #kept: KeptHistory;
  readonly #endsOf = new Map<string, number>();

  constructor(database: Database, kept: KeptHistory = keptHistory) {
    this.#database = database;
    this.#kept = kept;
  }

  /**
   * Never throws a disk error: a history that cannot be written now is written later, or lost with this process.
   * @param owner job or account of the session
   */
  save(session: LiveSession, owner: string, context: unknown): void {
    this.#unsaved.delete(session.id);
    if (this.#write({ session, owner, context })) {
      this.#saveLate();
      return;
    }
    this.#unsaved.set(session.id, { session, owner, context });
    for (const [id, { session: kept }] of this.#unsaved) {
      if (this.#unsaved.size <= maxUnsaved) break;
      if (kept.isFinal) this.#unsaved.delete(id);
    }
    this.#retry ??= every(retryIntervalMs, () => this.#saveLate(), { isBackground: true });
  }

  #saveLate(): void {
    if (!this.#database.isClosed) {
      for (const [id, unsaved] of this.#unsaved) {
        if (!this.#write(unsaved)) return;
        this.#unsaved.delete(id);
      }
    }
    this.#retry?.stop();
    this.#retry = undefined;
  }

  /** @returns false when the disk refuses the write */
  #write({ session, owner, context }: Unsaved): boolean {
    const { detail, samples } = session.toStored();
    const noted = this.#database.note(
      `INSERT INTO sessions (id, owner, is_final, created_at, summary, detail, samples, context)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET is_final = excluded.is_final, summary = excluded.summary,
         detail = excluded.detail, samples = excluded.samples, context = excluded.context`,
      detail.id,
      owner,
      finalSessionStates.includes(detail.state) ? 1 : 0,
      detail.createdAt,
      JSON.stringify(session.summary()),
      JSON.stringify(detail),
      JSON.stringify(samples),
      JSON.stringify(context),
    );
    if (noted !== undefined && session.isFinal) this.#noteEnd(owner);
    return noted !== undefined;
  }

  /** @throws storage.damaged for a row that cannot be read */
  find(sessionId: string): ArchivedSession | undefined {
    const unsaved = this.#unsaved.get(sessionId);
    if (unsaved !== undefined) {
      const { session, owner, context } = unsaved;
      return { ...session.toStored(), owner, context };
    }
    const row = this.#database.get('SELECT owner, detail, samples, context FROM sessions WHERE id = ?', sessionId);
    if (row === undefined) return undefined;
    try {
      return read(row);
    } catch (error) {
      throw new FarkeepError('storage.damaged', `The record of session ${sessionId} cannot be read`, { cause: error });
    }
  }

  /** Keeps the newest sessions of each owner. Unfinished sessions always stay. */
  prune(): void {
    for (const { owner } of this.#database.all('SELECT DISTINCT owner FROM sessions')) this.#pruneOwner(String(owner));
  }

  /** End time by this machine's clock; undefined for an unfinished or forgotten session. */
  endedAtMs(sessionId: string): number | undefined {
    const row = this.#database.get(
      `SELECT CASE WHEN json_valid(summary) THEN json_extract(summary, '$.endedAt') END AS ended_at FROM sessions WHERE id = ?`,
      sessionId,
    );
    const endedAtMs = Date.parse(String(row?.['ended_at']));
    return Number.isNaN(endedAtMs) ? undefined : endedAtMs;
  }

  /** Lists the last started session first, whatever the clock said: rows are numbered in order of their start. */
  list(limit: number): SessionSummary[] {
    const unsaved = [...this.#unsaved.values()].map(({ session }) => session.summary()).reverse();
    const saved = readRows(
      this.#database.all('SELECT id, summary FROM sessions ORDER BY rowid DESC LIMIT ?', limit),
      readSummary,
    );
    return keepLeftOut(saved, [...unsaved, ...saved.filter(({ id }) => !this.#unsaved.has(id))].slice(0, limit));
  }

  /** Sessions that were unfinished when the service stopped. An unreadable one is marked as ended now, because no process waits for it. */
  unfinished(): { readonly sessions: ArchivedSession[]; readonly leftOut: LeftOut | undefined } {
    const sessions = readRows(
      this.#database.all(
        'SELECT id, owner, detail, samples, context FROM sessions WHERE is_final = 0 ORDER BY created_at',
      ),
      (row) => {
        try {
          return read(row);
        } catch (error) {
          this.#database.note('UPDATE sessions SET is_final = 1 WHERE id = ?', String(row['id']));
          throw error;
        }
      },
    );
    return { sessions, leftOut: leftOutOf(sessions) };
  }

  /** The newest ended session of this owner that satisfies `isWanted`, among the last hundred. */
  findLast(owner: string, isWanted: (session: ArchivedSession) => boolean): ArchivedSession | undefined {
    for (const { session, owner: ofWhom, context } of [...this.#unsaved.values()].reverse()) {
      if (ofWhom !== owner || !session.isFinal) continue;
      const found = { ...session.toStored(), owner, context };
      if (isWanted(found)) return found;
    }
    const rows = this.#database.all(
      'SELECT id FROM sessions WHERE owner = ? AND is_final = 1 ORDER BY rowid DESC LIMIT 100',
      owner,
    );
    for (const { id } of rows) {
      const [found] = readRows([id], () => this.find(String(id)));
      if (found !== undefined && isWanted(found)) return found;
    }
    return undefined;
  }

  /** The newest session of this owner that can be read. */
  lastOf(owner: string): SessionSummary | undefined {
    const unsaved = [...this.#unsaved.values()].findLast((session) => session.owner === owner);
    if (unsaved !== undefined) return unsaved.session.summary();
    const newest = (count: number): SessionSummary | undefined =>
      readRows(
        this.#database.all('SELECT summary FROM sessions WHERE owner = ? ORDER BY rowid DESC LIMIT ?', owner, count),
        readSummary,
      )[0];
    return newest(1) ?? newest(100);
  }

  #noteEnd(owner: string): void {
    const ends = (this.#endsOf.get(owner) ?? 0) + 1;
    this.#endsOf.set(owner, ends % endsBetweenLooks);
    if (ends >= endsBetweenLooks) this.#pruneOwner(owner);
  }

  #pruneOwner(owner: string): void {
    const { good, others, bytes } = this.#kept;
    this.#database.note(
      `DELETE FROM sessions WHERE id IN (
         SELECT id FROM (
           SELECT id, is_good, row_number() OVER (PARTITION BY is_good ORDER BY number DESC) AS place,
             sum(bytes) OVER (PARTITION BY is_good ORDER BY number DESC) AS bytes
           FROM (
             SELECT id, rowid AS number,
               octet_length(summary) + octet_length(detail) + octet_length(samples) + octet_length(context) AS bytes,
               CASE WHEN json_valid(summary) THEN json_extract(summary, '$.state') IN ('succeeded', 'warning') ELSE 0 END
                 AS is_good
             FROM sessions WHERE owner = ? AND is_final = 1))
         WHERE place > CASE is_good WHEN 1 THEN ? ELSE ? END OR bytes > CASE is_good WHEN 1 THEN ? ELSE ? END)`,
      owner,
      good,
      others,
      bytes,
      bytes / 4,
    );
  }
}

function readSummary(row: Record<string, unknown>): SessionSummary {
  return sessionSummarySchema.parse(JSON.parse(String(row['summary']), reviveOldSpelling));
}

function read(row: Record<string, unknown>): ArchivedSession {
  const detail = sessionDetailSchema.parse(JSON.parse(String(row['detail']), reviveOldSpelling));
  // Earlier versions kept what the data mover had said last, also for sessions that had ended.
  const objects = detail.objects.map((object) => ({ ...object, state: objectStateIn(detail.state, object.state) }));
  return {
    owner: String(row['owner']),
    detail: { ...detail, objects },
    samples: JSON.parse(String(row['samples'])) as StoredSession['samples'],
    context: JSON.parse(String(row['context'])),
  };
}
