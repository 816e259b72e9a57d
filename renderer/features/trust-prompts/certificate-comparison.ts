// Owns which lines of two certificates are shown side by side, and which of them differ. Pure.
import type { CertificateSummary } from '../../../services/contracts/models/certificate.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { formatInstant } from '../../platform/format.ts';

export interface ComparedRow {
  readonly id: 'issuedTo' | 'issuedBy' | 'valid' | 'names' | 'sha256' | 'sha1' | 'words';
  readonly name: string;
  /** Null if no certificate was saved. */
  readonly saved: string | null;
  readonly presented: string;
  readonly isDifferent: boolean;
}

type Value = (certificate: CertificateSummary, t: TextFunction) => string;

const values: readonly { readonly id: ComparedRow['id']; readonly value: Value }[] = [
  { id: 'issuedTo', value: ({ subject }) => subject },
  { id: 'issuedBy', value: ({ isSelfSigned, issuer }, t) => (isSelfSigned ? t('trust.selfSigned') : issuer) },
  {
    id: 'valid',
    value: ({ notBefore, notAfter }, t) =>
      t('trust.valid', { from: formatInstant(notBefore, 'date'), until: formatInstant(notAfter, 'date') }),
  },
  { id: 'sha256', value: ({ sha256 }) => sha256 },
  { id: 'sha1', value: ({ sha1 }) => sha1 },
  { id: 'words', value: ({ sha256Words }) => sha256Words.join(' · ') },
  // Last, because there may be dozens of names, and the thumbprints decide.
  {
    id: 'names',
    value: ({ dnsNames, ipAddresses }, t) => [...dnsNames, ...ipAddresses].join(', ') || t('certificate.names.none'),
  },
];

export function compareCertificates(
  saved: CertificateSummary | null,
  presented: CertificateSummary,
  t: TextFunction,
): readonly ComparedRow[] {
  const hasNames = [saved, presented].some(
    (certificate) => [...(certificate?.dnsNames ?? []), ...(certificate?.ipAddresses ?? [])].length > 0,
  );
  // If neither certificate has names, the line of the names is left out. This line would only push other lines out of view.
  return values
    .filter(({ id }) => id !== 'names' || hasNames || saved === null)
    .map(({ id, value }) => {
      const savedValue = saved === null ? null : value(saved, t);
      const presentedValue = value(presented, t);
      return {
        id,
        name: t(`trust.row.${id}`),
        saved: savedValue,
        presented: presentedValue,
        isDifferent: savedValue !== null && savedValue !== presentedValue,
      };
    });
}
