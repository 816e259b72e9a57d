// Owns converting an error before the provider sends it to the tenant. A tenant gets the code and its meaning, never the provider's
// folders, disks or internals; the full message stays in the provider's session and log. An error that the tenant reported returns to it
// unchanged.
import { errorCatalogue, isErrorCode, type ErrorCode } from '../../contracts/errors.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';

/** Whether the message of this error may repeat text of the operating system, with paths. */
function mayTellOfDisks(code: ErrorCode): boolean {
  return code.startsWith('storage.') || code === 'call.internal' || code === 'point.incomplete';
}

const atProvider = 'At the provider: ';
const atTenant = 'At the tenant: ';

/** Whether `forTenant` made this error from a failure at the provider. */
export function isToldToTenant({ code, message }: FarkeepError): boolean {
  return mayTellOfDisks(code) && message.startsWith(atProvider);
}

/** An error that the source reported. It concerns the tenant's own files and disks, even when the provider repeats it. */
export function failureOfTenant(code: string, message: string): FarkeepError {
  return new FarkeepError(isErrorCode(code) ? code : 'call.canceled', message, {
    ...(message.startsWith(atProvider) ? {} : { details: { side: 'tenant' } }),
  });
}

export function isOfTenant({ details }: FarkeepError): boolean {
  return details?.['side'] === 'tenant';
}

/**
 * Names the tenant in the message for the provider's staff. Otherwise they would look for a full disk of the tenant on their own machines.
 */
export function withTenantNamed(error: FarkeepError): FarkeepError {
  const { code, message, hint, retryable, details } = error;
  if (!mayTellOfDisks(code) || message.startsWith(atTenant)) return error;
  return new FarkeepError(code, `${atTenant}${message}`, {
    hint,
    retryable,
    ...(details === undefined ? {} : { details }),
    cause: error,
  });
}

export function forTenant(error: FarkeepError): FarkeepError {
  const { code, retryable } = error;
  if (!mayTellOfDisks(code) || isOfTenant(error)) return error;
  return new FarkeepError(code, `${atProvider}${errorCatalogue[code].title}`, {
    hint: code === 'point.incomplete' ? error.hint : "The provider's administrator sees the details in this session.",
    retryable,
  });
}
