// Owns the history of sessions in the SQLite database of a role: one row for each session. Never holds a key; holds file names only where
// the session itself shows them.
import type { ErrorCode } from '../../contracts/errors.ts';
import {
  finalSessionStates,
  sessionDetailSchema,
  sessionProgressSchema,
  sessionSummarySchema,
  type SessionProgress,
  type SessionSummary,
} from '../../contracts/models/session.ts';
import { reviveOldSpelling } from '../../contracts/old-spellings.ts';
import { readRows } from '../../contracts/row-list.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Database, Row } from '../../kernel/state/database.ts';
import { grown } from '../attempt-figures.ts';
import { objectStateIn } from '../final-states.ts';
import type { ArchivedSession, HistoryRecord, KeptHistory, SessionHistory } from '../session-history.ts';
import type { StoredSession } from '../session-record.ts';

/** One migration script for the database of a role. `context` is the role's own JSON about a session. */
export const sessionHistoryMigration = `
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

/** The newest figures of unfinished sessions: their records are written only when more than the figures changed. */
export const sessionFiguresMigration = `
  CREATE TABLE session_figures (id TEXT PRIMARY KEY, progress TEXT NOT NULL) STRICT;
`;

const recordColumns = `id, owner, detail, samples, context,
  (SELECT progress FROM session_figures WHERE session_figures.id = sessions.id) AS progress`;

export class SqliteSessionHistory implements SessionHistory {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get isClosed(): boolean {
    return this.#database.isClosed;
  }

  async save({ owner, summary, detail, samples, context }: HistoryRecord): Promise<boolean> {
    const isFinal = finalSessionStates.includes(detail.state);
    const noted = this.#database.note(
      `INSERT INTO sessions (id, owner, is_final, created_at, summary, detail, samples, context)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET is_final = excluded.is_final, summary = excluded.summary,
         detail = excluded.detail, samples = excluded.samples, context = excluded.context`,
      detail.id,
      owner,
      isFinal ? 1 : 0,
      detail.createdAt,
      JSON.stringify(summary),
      JSON.stringify(detail),
      JSON.stringify(samples),
      JSON.stringify(context),
    );
    if (isFinal) this.#database.note('DELETE FROM session_figures WHERE id = ?', detail.id);
    return noted !== undefined;
  }

  async saveFigures(figures: ReadonlyMap<string, SessionProgress>): Promise<void> {
    this.#database.noteAll(() => {
      for (const [id, progress] of figures) {
        this.#database.run(
          `INSERT INTO session_figures (id, progress) VALUES (?, ?)
           ON CONFLICT (id) DO UPDATE SET progress = excluded.progress`,
          id,
          JSON.stringify(progress),
        );
      }
    });
  }

  async find(sessionId: string): Promise<ArchivedSession | undefined> {
    const row = this.#database.get(`SELECT ${recordColumns} FROM sessions WHERE id = ?`, sessionId);
    if (row === undefined) return undefined;
    try {
      return read(row);
    } catch (error) {
      throw new FarkeepError('storage.damaged', `The record of session ${sessionId} cannot be read`, { cause: error });
    }
  }

  async endedAtMs(sessionId: string): Promise<number | undefined> {
    const row = this.#database.get(
      `SELECT CASE WHEN json_valid(summary) THEN json_extract(summary, '$.endedAt') END AS ended_at FROM sessions WHERE id = ?`,
      sessionId,
    );
    const endedAtMs = Date.parse(String(row?.['ended_at']));
    return Number.isNaN(endedAtMs) ? undefined : endedAtMs;
  }

  /** Rows are numbered in order of their start, independent of clocks. */
  async list(limit: number): Promise<SessionSummary[]> {
    return readRows(
      this.#database.all('SELECT id, summary FROM sessions ORDER BY rowid DESC LIMIT ?', limit),
      readSummary,
    );
  }

  async listOf(owner: string, limit: number): Promise<SessionSummary[]> {
    return readRows(
      this.#database.all('SELECT summary FROM sessions WHERE owner = ? ORDER BY rowid DESC LIMIT ?', owner, limit),
      readSummary,
    );
  }

  async endedOf(owner: string, limit: number): Promise<string[]> {
    return this.#database
      .all('SELECT id FROM sessions WHERE owner = ? AND is_final = 1 ORDER BY rowid DESC LIMIT ?', owner, limit)
      .map(({ id }) => String(id));
  }

  async withWarning(code: ErrorCode): Promise<string[]> {
    return this.#database
      .all(
        // The search for the text is much faster than JSON, and leaves few records.
        `SELECT id FROM sessions WHERE is_final = 1 AND instr(detail, ?) > 0 AND json_valid(detail) AND EXISTS (
           SELECT 1 FROM json_each(detail, '$.warnings') WHERE json_extract(value, '$.code') = ?)`,
        code,
        code,
      )
      .map(({ id }) => String(id));
  }

  async unfinished(): Promise<ArchivedSession[]> {
    return readRows(
      this.#database.all(`SELECT ${recordColumns} FROM sessions WHERE is_final = 0 ORDER BY created_at`),
      (row) => {
        try {
          return read(row);
        } catch (error) {
          this.#database.note('UPDATE sessions SET is_final = 1 WHERE id = ?', String(row['id']));
          throw error;
        }
      },
    );
  }

  async owners(): Promise<string[]> {
    return this.#database.all('SELECT DISTINCT owner FROM sessions').map(({ owner }) => String(owner));
  }

  async prune(owner: string, { good, others, bytes }: KeptHistory): Promise<void> {
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

function readSummary(row: Row): SessionSummary {
  return sessionSummarySchema.parse(JSON.parse(String(row['summary']), reviveOldSpelling));
}

function read(row: Row): ArchivedSession {
  const detail = sessionDetailSchema.parse(JSON.parse(String(row['detail']), reviveOldSpelling));
  // Earlier versions stored the object states that the data mover had reported last, even for ended sessions.
  const objects = detail.objects.map((object) => ({ ...object, state: objectStateIn(detail.state, object.state) }));
  return {
    owner: String(row['owner']),
    detail: { ...detail, objects, progress: withFigures(detail.progress, row['progress']) },
    samples: JSON.parse(String(row['samples'])) as StoredSession['samples'],
    context: JSON.parse(String(row['context'])),
  };
}

/** Figures only grow, so the larger ones are the newer ones. Unreadable ones are not worth a record. */
function withFigures(progress: SessionProgress, figures: Row[string] | undefined): SessionProgress {
  if (typeof figures !== 'string') return progress;
  const parsed = sessionProgressSchema.safeParse(parsedJson(figures));
  return parsed.success ? grown(progress, parsed.data) : progress;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
