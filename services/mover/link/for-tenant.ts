// Owns converting an error before the provider sends it to the tenant. A tenant gets the code and its meaning, never the provider's
// folders, disks or internals; the full message stays in the provider's session and log. An error that the tenant reported returns to it
// unchanged. `details.side` says which side has failed, also after both sides have repeated the error.
import { errorCatalogue, isErrorCode, type ErrorCode } from '../../contracts/errors.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';

type Side = 'tenant' | 'provider';

/** Whether the message of this error may repeat text of the operating system, with paths. */
function mayTellOfDisks(code: ErrorCode): boolean {
  return code.startsWith('storage.') || code === 'call.internal' || code === 'point.incomplete';
}

function isOf(side: Side, { details }: FarkeepError): boolean {
  return details?.['side'] === side;
}

/** Whether `forTenant` made this error from a failure at the provider. */
export function isToldToTenant(error: FarkeepError): boolean {
  return mayTellOfDisks(error.code) && isOf('provider', error);
}

/** An error that the source reported. It concerns the tenant's own files and disks, even when the provider repeats it. */
export function failureOfTenant(code: string, message: string): FarkeepError {
  return new FarkeepError(isErrorCode(code) ? code : 'call.canceled', message, { details: { side: 'tenant' } });
}

/** An error that the target reported, in the form that `forTenant` gave it. */
export function failureOfProvider(code: string, message: string): FarkeepError {
  return new FarkeepError(isErrorCode(code) ? code : 'call.internal', message, { details: { side: 'provider' } });
}

export function isOfTenant(error: FarkeepError): boolean {
  return isOf('tenant', error);
}

/**
 * Names the tenant in the message for the provider's staff. Without the name, the staff would look for a full disk of the tenant on the
 * provider's machines.
 */
export function withTenantNamed(error: FarkeepError): FarkeepError {
  const { code, message, hint, retryable, details } = error;
  // An error can pass through a mover and return, so it may already name the side.
  if (!mayTellOfDisks(code) || details?.['isSideNamed'] === true) return error;
  return new FarkeepError(code, `At the tenant: ${message}`, {
    hint,
    retryable,
    details: { ...details, side: 'tenant', isSideNamed: true },
    cause: error,
  });
}

export function forTenant(error: FarkeepError): FarkeepError {
  const { code, retryable } = error;
  if (!mayTellOfDisks(code) || isOfTenant(error)) return error;
  return new FarkeepError(code, `At the provider: ${errorCatalogue[code].title}`, {
    hint: code === 'point.incomplete' ? error.hint : "The provider's administrator sees the details in this session.",
    retryable,
    details: { side: 'provider' },
  });
}
