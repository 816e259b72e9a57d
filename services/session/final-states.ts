// Owns what becomes of a session's parts when it stands still or ends: a data mover that was ended in the middle has no last word about them.
// Pure.
import {
  finalSessionStates,
  type HandshakeStep,
  type SessionDetail,
  type SessionObject,
  type SessionState,
} from '../contracts/models/session.ts';

/** What an object is called while its session is in this state. */
export function objectStateIn(session: SessionState, object: SessionObject['state']): SessionObject['state'] {
  if (object !== 'running' && object !== 'waiting' && object !== 'paused') return object;
  switch (session) {
    case 'succeeded':
    case 'warning':
      return 'done';
    case 'paused':
      return 'paused';
    case 'waiting-to-resume':
    case 'connecting': // the next data mover has not got to it
      return 'waiting';
    default:
      return finalSessionStates.includes(session) ? 'unfinished' : object;
  }
}

/** What the steps that were going on are when their session ends in this state. */
export function settledSteps(
  { steps, attempt, error }: Pick<SessionDetail, 'steps' | 'attempt' | 'error'>,
  end: 'succeeded' | 'warning' | 'failed' | 'canceled',
  nowMs: number,
): HandshakeStep[] {
  const reason = error?.message ?? (end === 'canceled' ? 'The session was canceled' : 'The session failed');
  return steps
    .filter(({ outcome }) => outcome === 'active')
    .map((step) => {
      if (step.attempt !== attempt) return { ...step, outcome: 'failed', detail: 'The attempt ended in this step' };
      const times = { at: new Date(nowMs).toISOString(), durationMs: Math.max(0, nowMs - Date.parse(step.at)) };
      // Each step is needed for a good end: only the word about it was lost.
      if (end === 'succeeded' || end === 'warning') return { ...step, ...times, outcome: 'done' };
      return { ...step, ...times, outcome: 'failed', detail: reason };
    });
}
