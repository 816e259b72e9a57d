// Owns what lists of sessions show of a session: which sessions, and the progress in percent. Pure.
import type { SessionSummary } from '../../../services/contracts/models/session.ts';
import { formatPercent } from '../../platform/format.ts';
import { isFinal } from '../../platform/mirror/apply-event.ts';

/** Opening a folder of a restore point is a session too. Lists leave it out unless a person asks for it. */
export function shownSessions(
  sessions: readonly SessionSummary[],
  isBrowsingShown: boolean,
): readonly SessionSummary[] {
  return isBrowsingShown ? sessions : sessions.filter(({ kind }) => kind !== 'browse');
}

/** Null if the total is not known, and for a session that ended without success. */
export function percentOf(session: SessionSummary): string | null {
  const { totalBytes, processedBytes } = session.progress;
  if (session.state === 'succeeded' || session.state === 'warning') return formatPercent(1, 1);
  if (totalBytes === null || isFinal(session)) return null;
  return formatPercent(processedBytes, totalBytes);
}
