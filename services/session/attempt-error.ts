// Owns the lists of failures that end one attempt and of failures that end the session. Both sides use the same lists.
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

/** Whether the next attempt can succeed without a change by a person (docs/protocol.md, section 7). */
export function isResumable(code: ErrorCode): boolean {
  return resumable.includes(code);
}

/** The provider does not keep the reservation of a paused session for ever. */
export function pausedTooLong(): FarkeepError {
  return new FarkeepError('session.resume-expired', 'The session was paused for longer than the provider keeps it');
}
