// Owns what becomes of a session's parts when it stands still or ends: a data mover that was ended in the middle has no last word about them.
// Pure.
import { finalSessionStates, type SessionObject, type SessionState } from '../contracts/models/session.ts';

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
