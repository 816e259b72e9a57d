// Owns which failures end one attempt and which end the session. Both sides judge by the same list.
import type { ErrorCode } from '../contracts/errors.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';

const resumable: readonly ErrorCode[] = [
  'connection.lost',
  'connection.refused-limit',
  'session.mover-died',
  'gateway.unreachable',
  'gateway.provider-unreachable',
  'gateway.none-usable',
  'gateway.link-down',
  'call.timeout',
  'ticket.invalid',
  'service.not-running',
  'tls.failed',
];

/** Whether the next attempt may succeed without anybody changing anything (docs/protocol.md, section 7). */
export function isResumable(code: ErrorCode): boolean {
  return resumable.includes(code);
}

/** A pause has an end: the provider does not keep a reservation for ever. */
export function pausedTooLong(): FarkeepError {
  return new FarkeepError('session.resume-expired', 'The session was paused for longer than the provider keeps it');
}
