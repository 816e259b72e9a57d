// Owns what the state of a session means for what is shown of it: whether something moves, and whether there are figures. Pure.
import { finalSessionStates } from '../../../../services/contracts/models/session.ts';
import type { SessionDetail, SessionState } from '../../../../services/contracts/models/session.ts';

export type Movement = 'moving' | 'still' | 'ended';

export function movementOf(state: SessionState): Movement {
  if (finalSessionStates.includes(state)) return 'ended';
  return state === 'paused' || state === 'waiting-to-resume' ? 'still' : 'moving';
}

/** Zeros of a session that ended before anything was counted are no figures: they would read as "looked, and there was nothing". */
export function hasFigures({ state, progress }: Pick<SessionDetail, 'state' | 'progress'>): boolean {
  const { totalBytes, processedBytes, readBytes, transferredBytes } = progress;
  return movementOf(state) !== 'ended' || totalBytes !== null || processedBytes + readBytes + transferredBytes > 0;
}
