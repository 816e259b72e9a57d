// Owns the rows of a certificate's summary, on the screen and as text. docs/certificates.md names them. Pure.
import type { CertificateSummary, KeyProtection } from '../../../services/contracts/models/certificate.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { formatInstant } from '../../platform/format.ts';

export interface CertificateRow {
  readonly id: string;
  readonly name: string;
  readonly value: string;
  readonly isCode: boolean;
}

interface ShownCertificate {
  readonly friendlyName: string;
  readonly summary: CertificateSummary;
  readonly keyProtection: KeyProtection;
}

/** Exactly these rows in this order, because people keep the copied text in their files. */
export function certificateRows(
  { friendlyName, summary, keyProtection }: ShownCertificate,
  t: TextFunction,
): readonly CertificateRow[] {
  const names = [...summary.dnsNames, ...summary.ipAddresses];
  const row = (id: string, name: string, value: string, isCode = false): CertificateRow => ({
    id,
    name,
    value,
    isCode,
  });
  return [
    row('name', t('certificate.row.name'), friendlyName),
    row('issuedTo', t('certificate.row.issuedTo'), summary.subject),
    row('issuedBy', t('certificate.row.issuedBy'), summary.issuer),
    row('validFrom', t('certificate.row.validFrom'), formatInstant(summary.notBefore)),
    row('expires', t('certificate.row.expires'), formatInstant(summary.notAfter)),
    row('sha256', t('certificate.row.sha256'), summary.sha256, true),
    row('sha1', t('certificate.row.sha1'), summary.sha1, true),
    row('serial', t('certificate.row.serial'), summary.serialNumber, true),
    row('names', t('certificate.row.names'), names.length === 0 ? t('certificate.names.none') : names.join(', ')),
    row('readers', t('certificate.row.readers'), keyProtection.readers.join(', ') || t('word.unknown')),
  ];
}

export function rowsAsText(rows: readonly CertificateRow[]): string {
  return rows.map(({ name, value }) => `${name}: ${value}`).join('\n');
}
