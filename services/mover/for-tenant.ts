// Owns whose failure a failure is, once it crosses to the other side. A tenant learns its code and meaning, never the provider's folders, disks or
// inner workings: the whole message stays in the provider's own session and log. What the tenant told itself comes back as it was told.
import { errorCatalogue, isErrorCode, type ErrorCode } from '../contracts/errors.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';

/** Their messages may repeat what an operating system said, paths included. */
function mayTellOfDisks(code: ErrorCode): boolean {
  return code.startsWith('storage.') || code === 'call.internal' || code === 'point.incomplete';
}

const atProvider = 'At the provider: ';
const atTenant = 'At the tenant: ';

/** Whether it is what `forTenant` made of a failure here. */
export function isToldToTenant({ code, message }: FarkeepError): boolean {
  return mayTellOfDisks(code) && message.startsWith(atProvider);
}

/** What the source has failed with: about the tenant's own files and disks, whoever repeats it. */
export function failureOfTenant(code: string, message: string): FarkeepError {
  return new FarkeepError(isErrorCode(code) ? code : 'call.cancelled', message, {
    ...(message.startsWith(atProvider) ? {} : { details: { side: 'tenant' } }),
  });
}

export function isOfTenant({ details }: FarkeepError): boolean {
  return details?.['side'] === 'tenant';
}

/** For the provider's people: a full disk of the tenant must not send them to their own disks. */
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
    hint: code === 'point.incomplete' ? error.hint : 'The provider admin sees the particulars in this session.',
    retryable,
  });
}
