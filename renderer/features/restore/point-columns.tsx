// Owns the columns of restore points, in the list and in the restore wizard.
import type { RestorePoint } from '../../../services/contracts/models/tenant.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { formatBytes, formatCount, formatInstant } from '../../platform/format.ts';
import type { TableColumn } from '../../ui/table/data-table.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { Instant } from '../../ui/time/instant.tsx';

export function pointColumns(t: TextFunction): readonly TableColumn<RestorePoint>[] {
  return [
    {
      id: 'job',
      title: t('points.column.job'),
      width: 'minmax(140px, 2fr)',
      text: ({ job }) => job,
      sortBy: ({ job }) => job,
      cell: ({ job }) => job,
    },
    {
      id: 'created',
      title: t('points.column.created'),
      width: '176px',
      text: ({ createdAt }) => formatInstant(createdAt),
      sortBy: ({ committedAt, createdAt }) => committedAt ?? createdAt,
      cell: ({ createdAt }) => <Instant at={createdAt} />,
    },
    {
      id: 'size',
      title: t('points.column.size'),
      width: '112px',
      isNumeric: true,
      sortBy: ({ sourceBytes }) => sourceBytes,
      cell: ({ sourceBytes, isShrunk }) =>
        isShrunk === true ? (
          <span title={t('points.shrunk')}>
            <StatusBadge tone="warning">
              {formatBytes(sourceBytes)}
              <span className="visually-hidden">, {t('points.shrunk')}</span>
            </StatusBadge>
          </span>
        ) : (
          formatBytes(sourceBytes)
        ),
    },
    {
      id: 'files',
      title: t('points.column.files'),
      width: '80px',
      isNumeric: true,
      sortBy: ({ files }) => files,
      cell: ({ files }) => formatCount(files),
    },
    {
      id: 'warnings',
      title: t('points.column.warnings'),
      width: '100px',
      isNumeric: true,
      sortBy: ({ warnings }) => warnings,
      cell: ({ warnings }) => formatCount(warnings),
    },
    {
      id: 'provider',
      title: t('points.column.provider'),
      width: 'minmax(130px, 1fr)',
      text: ({ providerName, repository }) => `${providerName} ${repository}`,
      sortBy: ({ providerName }) => providerName,
      cell: ({ providerName }) => providerName,
    },
  ];
}
