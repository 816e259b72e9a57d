// Owns what the state of a session means for its parts: whether something moves, and what an object that was not finished is called. Pure.
import { finalSessionStates } from '../../../services/contracts/models/session.ts';
import type { SessionDetail, SessionObject, SessionState } from '../../../services/contracts/models/session.ts';

export type Movement = 'moving' | 'still' | 'ended';
export type ShownObjectState = SessionObject['state'] | 'paused' | 'unfinished';

export function movementOf(state: SessionState): Movement {
  if (finalSessionStates.includes(state)) return 'ended';
  return state === 'paused' || state === 'waiting-to-resume' ? 'still' : 'moving';
}

/** Zeros of a session that ended before anything was counted are no figures: they would read as "looked, and there was nothing". */
export function hasFigures({ state, progress }: Pick<SessionDetail, 'state' | 'progress'>): boolean {
  const { totalBytes, processedBytes, readBytes, transferredBytes } = progress;
  return movementOf(state) !== 'ended' || totalBytes !== null || processedBytes + readBytes + transferredBytes > 0;
}

/** The data mover's last word about an object is "running" when it was ended in the middle: nothing runs in a session that does not. */
export function shownObjectState(object: SessionObject['state'], session: SessionState): ShownObjectState {
  if (object !== 'running' && object !== 'waiting') return object;
  switch (movementOf(session)) {
    case 'ended':
      return 'unfinished';
    case 'still':
      return session === 'paused' ? 'paused' : 'waiting';
    default:
      return object;
  }
}
