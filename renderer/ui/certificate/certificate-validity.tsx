// Owns the badges of a certificate: who signed it, and how long it is valid.
import type { ReactNode } from 'react';
import type { CertificateSummary } from '../../../services/contracts/models/certificate.ts';
import { useText } from '../../i18n/use-text.ts';
import { formatInstant } from '../../platform/format.ts';
import { StatusBadge } from '../status-badge.tsx';
import { useLastPassed } from '../time/use-now.ts';
import { changesOfValidity, validityOf } from './validity.ts';

export function IssuerBadge({ certificate }: { readonly certificate: CertificateSummary }): ReactNode {
  const t = useText();
  return (
    <StatusBadge tone={certificate.isSelfSigned ? 'neutral' : 'success'} isPill>
      {t(certificate.isSelfSigned ? 'certificate.badge.selfSigned' : 'certificate.badge.caSigned')}
    </StatusBadge>
  );
}

export function ValidityBadge({ certificate }: { readonly certificate: CertificateSummary }): ReactNode {
  const t = useText();
  const now = useLastPassed(changesOfValidity(certificate));
  const validity = validityOf(certificate, now);
  switch (validity.kind) {
    case 'expired':
      return <StatusBadge tone="danger">{t('certificate.expiry.passed')}</StatusBadge>;
    case 'not-yet':
      return <StatusBadge tone="danger">{t('certificate.expiry.notYet')}</StatusBadge>;
    case 'soon':
      return <StatusBadge tone="warning">{t('certificate.expiry.days', { days: validity.days })}</StatusBadge>;
    case 'good': {
      const date = formatInstant(certificate.notAfter, 'date');
      return <StatusBadge tone="success">{t('certificate.expiry.good', { date })}</StatusBadge>;
    }
  }
}
