// Owns the page Backup Storage: the repositories that the provider offers to this account.
import type { ReactNode } from 'react';
import type { ServiceProvider } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import { formatBytes } from '../../platform/format.ts';
import { SimpleTable } from '../../ui/table/simple-table.tsx';

export function StoragePage({ provider: { repositories } }: { readonly provider: ServiceProvider }): ReactNode {
  const t = useText();
  if (repositories.length === 0) return <p>{t('providerWizard.storage.none')}</p>;
  return (
    <SimpleTable
      label={t('providerWizard.step.storage')}
      rows={repositories}
      rowKey={({ name }) => name}
      columns={[
        { id: 'name', title: t('providerWizard.storage.repository'), cell: ({ name }) => name },
        {
          id: 'quota',
          title: t('providerWizard.storage.quota'),
          isNumeric: true,
          width: '130px',
          cell: ({ limitBytes }) => formatBytes(limitBytes),
        },
        {
          id: 'used',
          title: t('providerWizard.storage.used'),
          isNumeric: true,
          width: '130px',
          cell: ({ usedBytes }) => formatBytes(usedBytes),
        },
      ]}
    />
  );
}
