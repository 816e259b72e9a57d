// Owns what is told when a phase of a session is over: one line with how long it took. Each side tells its own; a phase that broke is told by
// what broke it.
import type { SessionDetail, SessionState } from '../contracts/models/session.ts';

const order: readonly SessionState[] = [
  'pending',
  'connecting',
  'key-exchange',
  'transferring',
  'finalizing',
  'warning',
  'succeeded',
];

const texts: Partial<Record<SessionState, Partial<Record<SessionDetail['kind'], string>>>> = {
  connecting: {
    backup: 'Connected, logged in and authorized',
    restore: 'Connected, logged in and authorized',
  },
  'key-exchange': {
    backup: 'Keys exchanged and data streams opened',
    restore: 'Keys exchanged and data streams opened',
  },
  transferring: { backup: 'What is new was read, sent and stored', restore: 'Data was received, checked and written' },
  finalizing: { backup: 'Restore point completed', restore: 'Restore completed' },
};

/** Undefined when the session does not get on by this, or nobody needs to know. */
export function phaseText(kind: SessionDetail['kind'], from: SessionState, to: SessionState): string | undefined {
  return order.indexOf(to) > order.indexOf(from) ? texts[from]?.[kind] : undefined;
}
