// Owns how the tenant judges the failure of an attempt: whether another attempt may do better, and what a person is told to do. Pure.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { isResumable } from '../attempt-error.ts';
import type { TenantRules } from './tenant-states.ts';

/**
 * Gateways that the certificate covers but do not answer right now may come back; one that it does not cover stays excluded. Busy is a
 * provider that still starts, or ends, the attempt before.
 */
export function isWorthAnotherAttempt({ code, retryable }: FarkeepError): boolean {
  return isResumable(code) || (code === 'gateway.excluded' && retryable) || code === 'session.busy';
}

/** Nothing is tried again before the first request, so the hint of a lost connection or a dead mover must not say so. */
export function withManualRetryHint(error: FarkeepError, operation: TenantRules['operation']): FarkeepError {
  const { code, message, retryable, details } = error;
  if (code !== 'connection.lost' && code !== 'session.mover-died') return error;
  return new FarkeepError(code, message, {
    hint: operation === 'backup' ? 'Run the job again.' : 'Start it again.',
    retryable,
    ...(details === undefined ? {} : { details }),
    cause: error,
  });
}
