// Owns the reason why a session cannot be paused now. Pure. The service decides by the same rule.
import { canPause, type SessionDetail } from '../../../../services/contracts/models/session.ts';
import { isFinal } from '../../../platform/mirror/apply-event.ts';

export type PauseObstacle =
  | 'session.pause.ended'
  | 'session.pause.browse'
  | 'session.pause.waiting'
  | 'session.pause.late'
  | 'session.pause.early';

/** @returns the text with the reason; null if the session can be paused */
export function whyNotPause(detail: SessionDetail): PauseObstacle | null {
  const { state, kind, viewer } = detail;
  if (isFinal(detail)) return 'session.pause.ended';
  if (kind === 'browse') return 'session.pause.browse';
  if (state === 'finalizing') return 'session.pause.late';
  // Without a connection, only the tenant knows what the tenant waits for.
  if (state === 'waiting-to-resume' && viewer === 'provider') return 'session.pause.early';
  if (canPause(detail)) return null;
  return state === 'waiting-to-resume' ? 'session.pause.waiting' : 'session.pause.early';
}
