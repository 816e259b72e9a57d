// Owns converting an error before it crosses to the other side. A tenant learns code and meaning, never the provider's folders, disks or
// internals; the full message stays in the provider's session and log. An error that the tenant reported returns to it unchanged.
// `details.side` says whose failure it is, also when the error has crossed and comes back.
import { errorCatalogue, isErrorCode, type ErrorCode } from '../../contracts/errors.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';

type Side = 'tenant' | 'provider';

/** Their messages may repeat what an operating system said, paths included. */
function mayTellOfDisks(code: ErrorCode): boolean {
  return code.startsWith('storage.') || code === 'call.internal' || code === 'point.incomplete';
}

function isOf(side: Side, { details }: FarkeepError): boolean {
  return details?.['side'] === side;
}

/** Whether it is what `forTenant` made of a failure here. */
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

/** Names the tenant in the message for the provider's staff: they must not look for a full disk of the tenant on their own machines. */
export function withTenantNamed(error: FarkeepError): FarkeepError {
  const { code, message, hint, retryable, details } = error;
  // An error can pass a mover and come back.
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
    hint: code === 'point.incomplete' ? error.hint : 'The provider admin sees the particulars in this session.',
    retryable,
    details: { side: 'provider' },
  });
}
