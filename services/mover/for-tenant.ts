// Owns what a tenant learns of a failure at the provider: its code and meaning, never the provider's folders, disks or inner workings.
// The whole message stays in the provider's own session and log.
import { errorCatalogue, type ErrorCode } from '../contracts/errors.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';

/** Their messages may repeat what an operating system said, paths included. */
function mayTellOfDisks(code: ErrorCode): boolean {
  return code.startsWith('storage.') || code === 'call.internal' || code === 'point.incomplete';
}

const place = 'At the provider: ';

/** Whether it is what `forTenant` made of a failure here. */
export function isToldToTenant({ code, message }: FarkeepError): boolean {
  return mayTellOfDisks(code) && message.startsWith(place);
}

export function forTenant(error: FarkeepError): FarkeepError {
  const { code, retryable } = error;
  if (!mayTellOfDisks(code)) return error;
  return new FarkeepError(code, `${place}${errorCatalogue[code].title}`, {
    hint: code === 'point.incomplete' ? error.hint : 'The provider admin sees the particulars in this session.',
    retryable,
  });
}
