// Owns the states of a session's objects and steps when the session pauses or ends. A data mover that was stopped in the middle cannot
// report them. Pure.
import {
  finalSessionStates,
  type HandshakeStep,
  type SessionDetail,
  type SessionObject,
  type SessionState,
} from '../contracts/models/session.ts';

/** The state that is shown for an object while its session is in this state. */
export function objectStateIn(session: SessionState, object: SessionObject['state']): SessionObject['state'] {
  if (object !== 'running' && object !== 'waiting' && object !== 'paused') return object;
  switch (session) {
    case 'succeeded':
    case 'warning':
      return 'done';
    case 'paused':
      return 'paused';
    case 'waiting-to-resume':
    case 'connecting': // the next data mover has not started with the object
      return 'waiting';
    default:
      return finalSessionStates.includes(session) ? 'unfinished' : object;
  }
}

/** The outcome of unfinished steps when their session ends in this state. */
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
      // A successful session has completed every step. Only the report of this step was lost.
      if (end === 'succeeded' || end === 'warning') return { ...step, ...times, outcome: 'done' };
      return { ...step, ...times, outcome: 'failed', detail: reason };
    });
}
