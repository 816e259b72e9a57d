// Owns the event for a completed phase of a session, with its duration. Each side reports its own phases. For a failed phase, the error is
// reported instead of the duration.
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

/** Undefined when the change completes no phase, or the phase is not shown. */
export function phaseEvent(
  kind: SessionDetail['kind'],
  from: SessionState,
  to: SessionState,
): NotableEvent | undefined {
  return order.indexOf(to) > order.indexOf(from) ? events[from]?.[kind] : undefined;
}
