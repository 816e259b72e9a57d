// Owns sessions on disk: one row each, so that lists survive a restart and a session that was cut by a crash can be told as such.
// Never holds a key; file names only as the session itself shows them.
import {
  finalSessionStates,
  sessionDetailSchema,
  sessionSummarySchema,
  type SessionSummary,
} from '../contracts/models/session.ts';
import { leftOutOf, readRows, type LeftOut } from '../contracts/row-list.ts';
import type { Database } from '../kernel/database.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { LiveSession } from './live-session.ts';
import type { StoredSession } from './session-record.ts';
import { objectStateIn } from './settled-parts.ts';

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
 * What lists show and disks hold without anybody having to look after it. For each owner by itself: no account pushes the history of another out. What
 * came to a good end is counted apart, so that sessions which are started and cancelled do not push that out either.
 */
export interface KeptHistory {
  readonly good: number;
  readonly others: number;
  /** Of one owner. The good ones count first. */
  readonly bytes: number;
}

const keptHistory: KeptHistory = { good: 5000, others: 1000, bytes: 128 * 1024 * 1024 };
/** An owner's history is looked at when so many more sessions of it have ended. */
const endsBetweenLooks = 20;

export interface ArchivedSession extends StoredSession {
  readonly owner: string;
  readonly context: unknown;
}

export class SessionArchive {
  readonly #database: Database;
  readonly #kept: KeptHistory;
  readonly #endsOf = new Map<string, number>();

  constructor(database: Database, kept: KeptHistory = keptHistory) {
    this.#database = database;
    this.#kept = kept;
  }

  /** @param owner job or account that the session belongs to */
  save(session: LiveSession, owner: string, context: unknown): void {
    const { detail, samples } = session.toStored();
    const isFinal = finalSessionStates.includes(detail.state);
    this.#database.run(
      `INSERT INTO sessions (id, owner, is_final, created_at, summary, detail, samples, context)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET is_final = excluded.is_final, summary = excluded.summary,
         detail = excluded.detail, samples = excluded.samples, context = excluded.context`,
      detail.id,
      owner,
      isFinal ? 1 : 0,
      detail.createdAt,
      JSON.stringify(session.summary()),
      JSON.stringify(detail),
      JSON.stringify(samples),
      JSON.stringify(context),
    );
    if (isFinal) this.#noteEnd(owner);
  }

  /** @throws storage.damaged for a row that cannot be read */
  find(sessionId: string): ArchivedSession | undefined {
    const row = this.#database.get('SELECT owner, detail, samples, context FROM sessions WHERE id = ?', sessionId);
    if (row === undefined) return undefined;
    try {
      return read(row);
    } catch (error) {
      throw new FarkeepError('storage.damaged', `The record of session ${sessionId} cannot be read`, { cause: error });
    }
  }

  /** Keeps the newest sessions of each owner; those that have not ended stay in any case. */
  prune(): void {
    for (const { owner } of this.#database.all('SELECT DISTINCT owner FROM sessions')) this.#pruneOwner(String(owner));
  }

  /** Newest first. */
  list(limit: number): SessionSummary[] {
    return readRows(
      this.#database.all('SELECT id, summary FROM sessions ORDER BY created_at DESC, id LIMIT ?', limit),
      readSummary,
    );
  }

  /** Sessions that had not ended when the service did. One that cannot be read counts as ended from now on: nothing waits for it. */
  unfinished(): { readonly sessions: ArchivedSession[]; readonly leftOut: LeftOut | undefined } {
    const sessions = readRows(
      this.#database.all(
        'SELECT id, owner, detail, samples, context FROM sessions WHERE is_final = 0 ORDER BY created_at',
      ),
      (row) => {
        try {
          return read(row);
        } catch (error) {
          this.#database.run('UPDATE sessions SET is_final = 1 WHERE id = ?', String(row['id']));
          throw error;
        }
      },
    );
    return { sessions, leftOut: leftOutOf(sessions) };
  }

  lastOf(owner: string): SessionSummary | undefined {
    const row = this.#database.get(
      'SELECT summary FROM sessions WHERE owner = ? ORDER BY created_at DESC LIMIT 1',
      owner,
    );
    return row === undefined ? undefined : readRows([row], readSummary)[0];
  }

  #noteEnd(owner: string): void {
    const ends = (this.#endsOf.get(owner) ?? 0) + 1;
    this.#endsOf.set(owner, ends % endsBetweenLooks);
    if (ends >= endsBetweenLooks) this.#pruneOwner(owner);
  }

  #pruneOwner(owner: string): void {
    const { good, others, bytes } = this.#kept;
    this.#database.run(
      `DELETE FROM sessions WHERE id IN (
         SELECT id FROM (
           SELECT id, is_good, row_number() OVER (PARTITION BY is_good ORDER BY created_at DESC) AS place,
             sum(bytes) OVER (ORDER BY is_good DESC, created_at DESC, id) AS bytes
           FROM (
             SELECT id, created_at,
               octet_length(summary) + octet_length(detail) + octet_length(samples) + octet_length(context) AS bytes,
               CASE WHEN json_valid(summary) THEN json_extract(summary, '$.state') IN ('succeeded', 'warning') ELSE 0 END
                 AS is_good
             FROM sessions WHERE owner = ? AND is_final = 1))
         WHERE place > CASE is_good WHEN 1 THEN ? ELSE ? END OR bytes > ?)`,
      owner,
      good,
      others,
      bytes,
    );
  }
}

function readSummary(row: Record<string, unknown>): SessionSummary {
  return sessionSummarySchema.parse(JSON.parse(String(row['summary'])));
}

function read(row: Record<string, unknown>): ArchivedSession {
  const detail = sessionDetailSchema.parse(JSON.parse(String(row['detail'])));
  // Earlier versions kept what the data mover had said last, also for sessions that had ended.
  const objects = detail.objects.map((object) => ({ ...object, state: objectStateIn(detail.state, object.state) }));
  return {
    owner: String(row['owner']),
    detail: { ...detail, objects },
    samples: JSON.parse(String(row['samples'])) as StoredSession['samples'],
    context: JSON.parse(String(row['context'])),
  };
}
