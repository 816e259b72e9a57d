// Owns what is told when a phase of a session is over: one event with how long it took. Each side tells its own; a phase that broke is told by
// what broke it.
import type { SessionDetail, SessionState } from '../contracts/models/session.ts';
import { notable, type NotableEvent } from '../contracts/notable-events.ts';

const order: readonly SessionState[] = [
  'pending',
  'connecting',
  'key-exchange',
  'transferring',
  'finalizing',
  'warning',
  'succeeded',
];

const connected = notable('phase.connected');
const keysExchanged = notable('phase.keys-exchanged');

const events: Partial<Record<SessionState, Partial<Record<SessionDetail['kind'], NotableEvent>>>> = {
  connecting: { backup: connected, restore: connected },
  'key-exchange': { backup: keysExchanged, restore: keysExchanged },
  transferring: { backup: notable('phase.sent'), restore: notable('phase.received') },
  finalizing: { backup: notable('phase.backup-completed'), restore: notable('phase.restore-completed') },
};

/** Undefined when the session does not get on by this, or nobody needs to know. */
export function phaseEvent(
  kind: SessionDetail['kind'],
  from: SessionState,
  to: SessionState,
): NotableEvent | undefined {
  return order.indexOf(to) > order.indexOf(from) ? events[from]?.[kind] : undefined;
}
