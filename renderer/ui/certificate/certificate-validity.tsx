// Owns the badges of a certificate: who signed it, and how long it is valid.
import type { ReactNode } from 'react';
import type { CertificateSummary } from '../../../services/contracts/models/certificate.ts';
import { useText } from '../../i18n/use-text.ts';
import { daysUntil, formatInstant } from '../../platform/format.ts';
import { StatusBadge } from '../status-badge.tsx';
import { useNow } from '../use-now.ts';

const soonDays = 30;
const clockStepMs = 10_000;

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
  const now = useNow(true, clockStepMs);
  const { notBefore, notAfter } = certificate;
  const days = daysUntil(notAfter, now);
  if (Date.parse(notAfter) <= now) return <StatusBadge tone="danger">{t('certificate.expiry.passed')}</StatusBadge>;
  if (Date.parse(notBefore) > now) return <StatusBadge tone="danger">{t('certificate.expiry.notYet')}</StatusBadge>;
  if (days <= soonDays) return <StatusBadge tone="warning">{t('certificate.expiry.days', { days })}</StatusBadge>;
  return (
    <StatusBadge tone="success">{t('certificate.expiry.good', { date: formatInstant(notAfter, 'date') })}</StatusBadge>
  );
}
