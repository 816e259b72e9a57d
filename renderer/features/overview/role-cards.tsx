// Owns the overview's cards of provider and tenant: a few figures that show whether everything works.
import type { ReactNode } from 'react';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import { useText } from '../../i18n/use-text.ts';
import { formatBytes, formatCount } from '../../platform/format.ts';
import { isFinal } from '../../platform/mirror/apply-event.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { ValidityBadge } from '../../ui/certificate/certificate-validity.tsx';
import { Instant } from '../../ui/time/instant.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { Card } from '../../ui/card.tsx';

export function ProviderCard(): ReactNode {
  const t = useText();
  const { gateways, tenants, repositories, certificates } = useMirror(({ provider }) => provider);
  const usedBytes = repositories.reduce((sum, repository) => sum + repository.usedBytes, 0);
  const connected = gateways.filter(({ state }) => state === 'connected').length;
  const certificate = certificates.provider;
  const unsound = repositories.filter(
    ({ problem, verification }) => problem !== null || (verification?.findings ?? 0) > 0,
  ).length;
  return (
    <Card title={t('overview.provider')}>
      <PropertyList
        properties={[
          {
            name: t('overview.stat.certificate'),
            value: certificate === null ? '–' : <ValidityBadge certificate={certificate.summary} />,
          },
          {
            name: t('overview.stat.gateways'),
            value: t('overview.stat.gateways.value', { connected, total: gateways.length }),
          },
          { name: t('overview.stat.tenants'), value: formatCount(tenants.length) },
          {
            name: t('overview.stat.repositories'),
            value:
              unsound === 0 ? (
                formatCount(repositories.length)
              ) : (
                <StatusBadge tone="danger">
                  {t('overview.stat.repositories.unsound', { unsound, total: repositories.length })}
                </StatusBadge>
              ),
          },
          { name: t('overview.stat.used'), value: formatBytes(usedBytes) },
        ]}
      />
    </Card>
  );
}

/** Takes the place of a role's card while its service has failed: old or empty figures would look healthy. */
export function FailedCard({ role }: { readonly role: ServiceRole }): ReactNode {
  const t = useText();
  return (
    <Card title={t(`overview.${role}`)}>
      <StatusBadge tone="danger">{t('failure.title', { service: t(`role.${role}.service`) })}</StatusBadge>
      <span>{t('failure.none')}</span>
    </Card>
  );
}

export function TenantCard(): ReactNode {
  const t = useText();
  const providers = useMirror(({ tenant }) => tenant.providers);
  const jobs = useMirror(({ tenant }) => tenant.jobs);
  const lastBackup = useMirror(({ tenant }) =>
    tenant.sessions.find((session) => session.kind === 'backup' && isFinal(session) && session.pointId !== null),
  );
  return (
    <Card title={t('overview.tenant')}>
      <PropertyList
        properties={[
          { name: t('overview.stat.providers'), value: formatCount(providers.length) },
          { name: t('overview.stat.jobs'), value: formatCount(jobs.length) },
          {
            name: t('overview.stat.lastBackup'),
            value: <Instant at={lastBackup?.endedAt ?? null} otherwise={t('word.never')} />,
          },
        ]}
      />
    </Card>
  );
}
