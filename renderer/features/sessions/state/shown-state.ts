// Owns what a session's state means for its cards: whether data moves, and whether there are figures. Pure.
import { finalSessionStates } from '../../../../services/contracts/models/session.ts';
import type { SessionDetail, SessionState } from '../../../../services/contracts/models/session.ts';

export type Movement = 'moving' | 'still' | 'ended';

export function movementOf(state: SessionState): Movement {
  if (finalSessionStates.includes(state)) return 'ended';
  return state === 'paused' || state === 'waiting-to-resume' ? 'still' : 'moving';
}

/**
 * Whether the session has figures to show. A session that ended before anything was counted has only zeros. Shown zeros would mean "the
 * source was empty".
 */
export function hasFigures({ state, progress }: Pick<SessionDetail, 'state' | 'progress'>): boolean {
  const { totalBytes, processedBytes, readBytes, transferredBytes } = progress;
  return movementOf(state) !== 'ended' || totalBytes !== null || processedBytes + readBytes + transferredBytes > 0;
}
