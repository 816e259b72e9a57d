// Owns what a certificate's dates mean now, and the moments at which this changes. Pure.
import type { CertificateSummary } from '../../../services/contracts/models/certificate.ts';
import { daysUntil } from '../../platform/format.ts';

const soonDays = 30;
const dayMs = 86_400_000;

type Dates = Pick<CertificateSummary, 'notBefore' | 'notAfter'>;

export type Validity =
  { readonly kind: 'not-yet' | 'good' | 'expired' } | { readonly kind: 'soon'; readonly days: number };

/** @param now milliseconds since 1970 */
export function validityOf({ notBefore, notAfter }: Dates, now: number): Validity {
  if (Date.parse(notAfter) <= now) return { kind: 'expired' };
  if (Date.parse(notBefore) > now) return { kind: 'not-yet' };
  const days = daysUntil(notAfter, now);
  return days <= soonDays ? { kind: 'soon', days } : { kind: 'good' };
}

/** Every moment at which `validityOf` gives another result, in milliseconds since 1970. */
export function changesOfValidity({ notBefore, notAfter }: Dates): readonly number[] {
  const endMs = Date.parse(notAfter);
  const days = Array.from({ length: soonDays + 2 }, (_, day) => endMs - day * dayMs + 1);
  return [Date.parse(notBefore), ...days, endMs];
}
