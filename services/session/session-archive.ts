// Owns the history of sessions of a role: writes each change, and shows unwritten changes as if they were written. A full disk must not end
// a backup. Does not know how the history is stored.
import type { ErrorCode } from '../contracts/errors.ts';
import type { SessionProgress, SessionSummary } from '../contracts/models/session.ts';
import { keepLeftOut, leftOutOf, type LeftOut } from '../contracts/row-list.ts';
import { systemClock } from '../kernel/clock.ts';
import { every, type Schedule } from '../kernel/schedule.ts';
import type { LiveSession } from './live-session.ts';
import type { ArchivedSession, KeptHistory, SessionHistory } from './session-history.ts';

const keptHistory: KeptHistory = { good: 5000, others: 1000, bytes: 128 * 1024 * 1024 };
/** The limits of an owner are checked after this number of ended sessions. */
const endsBetweenLooks = 20;

/** Limit of sessions that wait for free space on the disk. Memory holds the whole history of each. */
const maxUnsaved = 200;
const retryIntervalMs = 10_000;
/** Killed between two writes, a service has lost this much of a session's figures, until the other side reports them. */
const figuresIntervalMs = 1_000;
/** Actions and objects of a running session are written at most this often, because a record can be large. */
const recordIntervalMs = 10_000;
/** A search for a session looks at this number of ended sessions of an owner. */
const searchedSessions = 100;
const newestSessions = 3;

interface Unsaved {
  readonly session: LiveSession;
  readonly owner: string;
  readonly context: unknown;
}

export class SessionArchive {
  readonly #history: SessionHistory;
  /** Sessions whose newest state is not written yet; the last changed session is last. */
  readonly #unsaved = new Map<string, Unsaved>();
  #writing: Promise<void> | undefined;
  #retry: Schedule | undefined;
  /** Running sessions with unwritten figures; `recordDueMs`: the time at which the whole record is written. */
  readonly #running = new Map<string, Unsaved & { recordDueMs: number }>();
  #figures: Schedule | undefined;
  readonly #kept: KeptHistory;
  readonly #endsOf = new Map<string, number>();

  constructor(history: SessionHistory, kept: KeptHistory = keptHistory) {
    this.#history = history;
    this.#kept = kept;
  }

  /**
   * Resolves when the session is written, or when the disk has refused the write. Never rejects for a disk error: a history that cannot be
   * written now is written later, or lost with this process.
   * @param owner job or account of the session
   */
  save(session: LiveSession, owner: string, context: unknown): Promise<void> {
    this.#running.delete(session.id);
    this.#unsaved.delete(session.id);
    this.#unsaved.set(session.id, { session, owner, context });
    return this.#writeAll();
  }

  /**
   * Remembers a change of a running session between two saves, so that little is lost if the process is killed. @param what `steps` are
   * written soon; `history` may wait longer
   */
  note(session: LiveSession, owner: string, context: unknown, what: 'figures' | 'steps' | 'history'): void {
    if (session.isFinal) return;
    const nowMs = systemClock.now();
    const waitMs = { figures: Infinity, steps: 0, history: recordIntervalMs }[what];
    const recordDueMs = Math.min(this.#running.get(session.id)?.recordDueMs ?? Infinity, nowMs + waitMs);
    this.#running.set(session.id, { session, owner, context, recordDueMs });
    this.#figures ??= every(figuresIntervalMs, () => this.#writeNoted(), { isBackground: true });
  }

  async #writeNoted(): Promise<void> {
    const nowMs = systemClock.now();
    const figures = new Map<string, SessionProgress>();
    for (const [id, { session, owner, context, recordDueMs }] of this.#running) {
      if (recordDueMs <= nowMs) void this.save(session, owner, context);
      else if (!session.isFinal) {
        figures.set(id, session.progress);
        // The record still waits for its time.
        if (recordDueMs !== Infinity) continue;
      }
      this.#running.delete(id);
    }
    if (figures.size > 0 && !this.#history.isClosed) await this.#history.saveFigures(figures);
    if (this.#running.size > 0) return;
    this.#figures?.stop();
    this.#figures = undefined;
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    this.#figures?.stop();
    this.#figures = undefined;
    await this.#writing;
  }

  /** Runs one write after the other, so that an older state never replaces a newer one. */
  #writeAll(): Promise<void> {
    this.#writing ??= this.#writeUnsaved().finally(() => (this.#writing = undefined));
    return this.#writing;
  }

  async #writeUnsaved(): Promise<void> {
    // The loop also reaches sessions that are added while it runs.
    for (const [id, unsaved] of this.#unsaved) {
      if (this.#history.isClosed) break;
      if (!(await this.#write(unsaved))) {
        this.#dropOldest();
        this.#retry ??= every(retryIntervalMs, () => this.#writeAll(), { isBackground: true });
        return;
      }
      if (this.#unsaved.get(id) === unsaved) this.#unsaved.delete(id);
    }
    this.#retry?.stop();
    this.#retry = undefined;
  }

  #dropOldest(): void {
    for (const [id, { session }] of this.#unsaved) {
      if (this.#unsaved.size <= maxUnsaved) break;
      if (session.isFinal) this.#unsaved.delete(id);
    }
  }

  /** @returns false when the disk refuses the write */
  async #write({ session, owner, context }: Unsaved): Promise<boolean> {
    const { isFinal } = session;
    const isSaved = await this.#history.save({ ...session.toStored(), summary: session.summary(), owner, context });
    if (isSaved && isFinal) await this.#noteEnd(owner);
    return isSaved;
  }

  /** @throws storage.damaged for a row that cannot be read */
  async find(sessionId: string): Promise<ArchivedSession | undefined> {
    const unsaved = this.#unsaved.get(sessionId);
    return unsaved === undefined ? this.#history.find(sessionId) : archived(unsaved);
  }

  /** Keeps the newest sessions of each owner. Unfinished sessions always stay. */
  async prune(): Promise<void> {
    for (const owner of await this.#history.owners()) await this.#history.prune(owner, this.#kept);
  }

  /** End time by this machine's clock; undefined for an unfinished or forgotten session. */
  endedAtMs(sessionId: string): Promise<number | undefined> {
    return this.#history.endedAtMs(sessionId);
  }

  /** Lists the last started session first. The order does not depend on clocks. */
  async list(limit: number): Promise<SessionSummary[]> {
    const saved = await this.#history.list(limit);
    const savedIds = new Set(saved.map(({ id }) => id));
    const added = [...this.#unsaved.values()].filter(({ session }) => !savedIds.has(session.id)).reverse();
    const shown = [
      ...added.map(({ session }) => session.summary()),
      ...saved.map((summary) => this.#unsaved.get(summary.id)?.session.summary() ?? summary),
    ];
    return keepLeftOut(saved, shown.slice(0, limit));
  }

  /** Sessions that were unfinished when the service stopped. An unreadable one is marked as ended now, because no process waits for it. */
  async unfinished(): Promise<{ readonly sessions: ArchivedSession[]; readonly leftOut: LeftOut | undefined }> {
    const sessions = await this.#history.unfinished();
    return { sessions, leftOut: leftOutOf(sessions) };
  }

  /** The newest ended session of this owner that satisfies `isWanted`, among the last hundred. */
  async findLast(owner: string, isWanted: (session: ArchivedSession) => boolean): Promise<ArchivedSession | undefined> {
    for (const unsaved of [...this.#unsaved.values()].reverse()) {
      if (unsaved.owner !== owner || !unsaved.session.isFinal) continue;
      const found = archived(unsaved);
      if (isWanted(found)) return found;
    }
    for (const id of await this.#history.endedOf(owner, searchedSessions)) {
      const found = await this.find(id).catch(() => undefined);
      if (found !== undefined && isWanted(found)) return found;
    }
    return undefined;
  }

  /** The ended sessions that have a warning with this code. */
  async warnedWith(code: ErrorCode): Promise<ReadonlySet<string>> {
    const unsaved = [...this.#unsaved.values()].filter(
      ({ session }) => session.isFinal && session.detail().warnings.some((warning) => warning.code === code),
    );
    return new Set([...(await this.#history.withWarning(code)), ...unsaved.map(({ session }) => session.id)]);
  }

  /** The newest session of this owner that can be read and satisfies `isWanted`, among the last hundred. */
  async lastOf(
    owner: string,
    isWanted: (session: SessionSummary) => boolean = () => true,
  ): Promise<SessionSummary | undefined> {
    const unsaved = [...this.#unsaved.values()]
      .filter((session) => session.owner === owner)
      .map(({ session }) => session.summary());
    // Most jobs are answered by their newest sessions.
    for (const limit of [newestSessions, searchedSessions]) {
      const saved = await this.#history.listOf(owner, limit);
      const current = saved.map((summary) => unsaved.find(({ id }) => id === summary.id) ?? summary);
      const added = unsaved.filter(({ id }) => !saved.some((summary) => summary.id === id)).reverse();
      const found = [...added, ...current].find(isWanted);
      if (found !== undefined || saved.length < limit) return found;
    }
    return undefined;
  }

  async #noteEnd(owner: string): Promise<void> {
    const ends = (this.#endsOf.get(owner) ?? 0) + 1;
    this.#endsOf.set(owner, ends % endsBetweenLooks);
    if (ends >= endsBetweenLooks) await this.#history.prune(owner, this.#kept);
  }
}

function archived({ session, owner, context }: Unsaved): ArchivedSession {
  return { ...session.toStored(), owner, context };
}
