// Owns how the tenant judges the failure of an attempt: whether another attempt may succeed, and the hint for people. Pure.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { isResumable } from '../attempt-error.ts';
import type { TenantRules } from './tenant-states.ts';

/**
 * A gateway that the certificate covers but that does not answer may answer later. A gateway that the certificate does not cover stays
 * excluded. The provider is busy while it starts, or ends, the previous attempt.
 */
export function isWorthAnotherAttempt({ code, retryable }: FarkeepError): boolean {
  return isResumable(code) || (code === 'gateway.excluded' && retryable) || code === 'session.busy';
}

/** Before the first request there is no automatic retry, so the hint of a lost connection or a dead mover must not promise one. */
export function withManualRetryHint(error: FarkeepError, operation: TenantRules['operation']): FarkeepError {
  const { code, message, retryable, details } = error;
  if (code !== 'connection.lost' && code !== 'session.mover-died') return error;
  return new FarkeepError(code, message, {
    hint: operation === 'backup' ? 'Run the job again.' : 'Start the operation again.',
    retryable,
    ...(details === undefined ? {} : { details }),
    cause: error,
  });
}
