// Owns which changes of a running session are written, and how soon. Must not decide how they are stored (session-archive.ts).
import type { LiveSession } from './live-session.ts';
import type { SessionArchive } from './session-archive.ts';
import type { SessionObserver } from './session-record.ts';

export interface RunningRecord {
  readonly session: LiveSession;
  /** Job or account of the session. */
  readonly owner: string;
  readonly context: unknown;
}

/** @param find undefined for a session that this service does not run */
export function archiveObserver(
  archive: Pick<SessionArchive, 'save' | 'note'>,
  find: (sessionId: string) => RunningRecord | undefined,
): SessionObserver {
  const note = (sessionId: string, what: 'figures' | 'steps' | 'history'): void => {
    const record = find(sessionId);
    if (record !== undefined) archive.note(record.session, record.owner, record.context, what);
  };
  return {
    changed: ({ id }) => {
      const record = find(id);
      if (record !== undefined) void archive.save(record.session, record.owner, record.context);
    },
    stepped: (sessionId) => note(sessionId, 'steps'),
    progressed: (sessionId) => note(sessionId, 'figures'),
    acted: (sessionId) => note(sessionId, 'history'),
    objectChanged: (sessionId) => note(sessionId, 'history'),
  };
}
