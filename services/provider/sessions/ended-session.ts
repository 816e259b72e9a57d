// Owns the answer to a tenant that asks for more of a session which has ended at the provider. Pure.
import type { ErrorInfo } from '../../contracts/errors.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { forTenant } from '../../mover/link/for-tenant.ts';
import { isResumable } from '../../session/attempt-error.ts';

/** @param error the error that ended the session; null when it ended well */
export function endedSessionError(error: ErrorInfo | null): FarkeepError {
  const reason = error === null ? undefined : forTenant(FarkeepError.fromInfo(error));
  if (reason !== undefined && !isResumable(reason.code)) return reason;
  // The error of an ended session must not suggest that another attempt can succeed. Its message still says what happened.
  const message = reason === undefined ? 'The session has ended' : `The session has ended: ${reason.message}`;
  return new FarkeepError('call.conflict', message, { hint: 'Start it again as a new session.' });
}
