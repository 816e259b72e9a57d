// Owns the page of the tenant's service providers.
import { Button, makeStyles, tokens } from '@fluentui/react-components';
import {
  Add20Regular,
  ArrowClockwise20Regular,
  BuildingCloud24Regular,
  Certificate20Regular,
  Delete20Regular,
  Edit20Regular,
} from '@fluentui/react-icons';
import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { ServiceProvider } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { tenantClients } from '../../platform/clients.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { formatBytes } from '../../platform/format.ts';
import { mirror, useMirror } from '../../platform/use-mirror.ts';
import { ConfirmRows } from '../../ui/dialog/confirm-rows.tsx';
import type { RowsQuestion } from '../../ui/dialog/confirm-rows.tsx';
import { callEach } from '../../ui/table/bulk.ts';
import type { TableColumn } from '../../ui/table/data-table.tsx';
import { Thumbprint } from '../../ui/certificate/thumbprint.tsx';
import { DetailsPane } from '../../ui/table/details-pane.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { Instant } from '../../ui/time/instant.tsx';
import type { ListCommand } from '../../ui/table/list-command.ts';
import type { ListFilter } from '../../ui/table/list-filter.ts';
import { ListPage } from '../../ui/table/list-page.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { RefusedLoginNotices } from '../../ui/refused-login-notices.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { UsageBar } from '../../ui/session/usage-bar.tsx';
import { useCall } from '../../ui/use-call.ts';

const usedOf = ({ repositories }: ServiceProvider): number =>
  repositories.reduce((sum, { usedBytes }) => sum + usedBytes, 0);

function columnsFor(t: TextFunction): readonly TableColumn<ServiceProvider>[] {
  return [
    {
      id: 'name',
      title: t('providers.column.name'),
      width: 'minmax(200px, 2fr)',
      text: ({ name }) => name,
      sortBy: ({ name }) => name,
      cell: ({ name }) => name,
    },
    {
      id: 'address',
      title: t('providers.column.address'),
      width: 'minmax(160px, 2fr)',
      text: ({ host, port }) => `${host}:${port}`,
      sortBy: ({ host }) => host,
      cell: ({ host, port }) => `${host}:${port}`,
    },
    {
      id: 'trust',
      title: t('providers.column.trust'),
      width: '170px',
      sortBy: ({ trust }) => trust,
      cell: ({ trust, problem }) => (
        <StatusBadge tone={problem === null ? 'success' : 'warning'}>{t(`providers.trust.${trust}`)}</StatusBadge>
      ),
    },
    {
      id: 'user',
      title: t('providers.column.user'),
      width: '130px',
      text: ({ userName }) => userName,
      sortBy: ({ userName }) => userName,
      cell: ({ userName }) => userName,
    },
    {
      id: 'used',
      title: t('providers.column.used'),
      width: '100px',
      isNumeric: true,
      sortBy: usedOf,
      cell: (row) => formatBytes(usedOf(row)),
    },
    {
      id: 'lastContact',
      title: t('providers.column.lastContact'),
      width: '168px',
      sortBy: ({ lastContactAt }) => lastContactAt ?? '',
      cell: ({ lastContactAt }) => <Instant at={lastContactAt} otherwise={t('word.never')} />,
    },
  ];
}

function filtersFor(t: TextFunction): readonly ListFilter<ServiceProvider>[] {
  return [
    { id: 'good', label: t('providers.filter.good'), isMatch: ({ problem }) => problem === null },
    { id: 'problem', label: t('providers.filter.problem'), isMatch: ({ problem }) => problem !== null },
  ];
}

function removeQuestion(rows: readonly ServiceProvider[], t: TextFunction): RowsQuestion {
  const [only] = rows;
  return rows.length === 1 && only !== undefined
    ? {
        title: t('providers.remove.title', { name: only.name }),
        text: t('providers.remove.text'),
        confirmLabel: t('providers.remove.confirm'),
      }
    : {
        title: t('providers.removeMany.title', { count: rows.length }),
        text: t('providers.removeMany.text'),
        confirmLabel: t('providers.removeMany.confirm'),
      };
}

export function ServiceProvidersPage(): ReactNode {
  const t = useText();
  const slice = useMirror(({ tenant }) => tenant);
  const [removing, setRemoving] = useState<readonly ServiceProvider[]>([]);
  const call = useCall();
  const columns = useMemo(() => columnsFor(t), [t]);
  const filters = useMemo(() => filtersFor(t), [t]);
  const add = (): void => openDialog({ kind: 'add-service-provider' });
  const edit = ({ id }: ServiceProvider): void => openDialog({ kind: 'edit-service-provider', providerId: id });
  const view = ({ name, certificate }: ServiceProvider): void =>
    openDialog({ kind: 'view-certificate', title: t('certificate.view.title', { name }), certificate });
  const commands: readonly ListCommand<ServiceProvider>[] = [
    { id: 'add', label: t('providers.add'), icon: <Add20Regular />, needs: 'nothing', run: add },
    {
      id: 'rescan',
      label: t('providers.rescan'),
      icon: <ArrowClockwise20Regular />,
      needs: 'some',
      canRun: () => !call.isBusy,
      run: (rows) =>
        void call.run((signal) =>
          callEach(rows, ({ id }) => tenantClients.serviceProviders.rescan({ providerId: id }, { signal })),
        ),
    },
    {
      id: 'edit',
      label: t('providers.edit'),
      icon: <Edit20Regular />,
      needs: 'one',
      key: 'F2',
      run: ([provider]) => provider !== undefined && edit(provider),
    },
    {
      id: 'certificate',
      label: t('providers.certificate'),
      icon: <Certificate20Regular />,
      needs: 'one',
      key: 'Enter',
      run: ([provider]) => provider !== undefined && view(provider),
    },
    {
      id: 'remove',
      label: t('providers.remove'),
      icon: <Delete20Regular />,
      needs: 'some',
      key: 'Delete',
      run: setRemoving,
    },
  ];
  return (
    <>
      <ListPage
        title={t('providers.title')}
        kind="providers"
        loaded={slice}
        onRetry={() => void mirror.refetch('tenant')}
        columns={columns}
        rows={slice.providers}
        leftOut={{
          leftOut: slice.leftOut,
          lists: { providers: 'providers', 'providers.repositories': 'repositories', 'providers.gateways': 'gateways' },
        }}
        rowKey={({ id }) => id}
        notices={
          <>
            {call.error !== null && <ErrorView error={call.error} />}
            <RefusedLoginNotices />
          </>
        }
        commands={commands}
        filters={filters}
        details={(selected, close) => (
          <ProviderDetails provider={selected} onEdit={() => edit(selected)} onClose={close} />
        )}
        empty={
          <EmptyState
            icon={<BuildingCloud24Regular />}
            title={t('providers.empty.title')}
            text={t('providers.empty.text')}
            action={{ label: t('providers.add'), run: add }}
          />
        }
      />
      {removing.length > 0 && (
        <ConfirmRows
          rows={removing}
          nameOf={({ name }) => name}
          ask={(rows) => removeQuestion(rows, t)}
          onConfirm={({ id }) => tenantClients.serviceProviders.remove({ providerId: id })}
          onClose={() => setRemoving([])}
        />
      )}
    </>
  );
}

const useStyles = makeStyles({
  title: { margin: '0 0 4px 0', fontSize: tokens.fontSizeBase300, fontWeight: tokens.fontWeightSemibold },
  list: { listStyle: 'none', margin: 0, padding: 0, display: 'flex', flexDirection: 'column', gap: '6px' },
  address: { color: tokens.colorNeutralForeground2, verticalAlign: 'middle', overflowWrap: 'anywhere' },
  reason: { color: tokens.colorNeutralForeground2 },
});

function ProviderDetails({
  provider,
  onEdit,
  onClose,
}: {
  readonly provider: ServiceProvider;
  readonly onEdit: () => void;
  readonly onClose: () => void;
}): ReactNode {
  const t = useText();
  const styles = useStyles();
  return (
    <DetailsPane title={provider.name} onClose={onClose}>
      <StatusBadge tone={provider.problem === null ? 'success' : 'warning'}>
        {provider.problem ?? t(`providers.trust.${provider.trust}`)}
      </StatusBadge>
      {provider.repositories.map(({ name, usedBytes, limitBytes }) => (
        <UsageBar
          key={name}
          label={name}
          text={t('providers.repository.value', { used: formatBytes(usedBytes), limit: formatBytes(limitBytes) })}
          share={limitBytes === 0 ? 0 : usedBytes / limitBytes}
        />
      ))}
      <section>
        <h3 className={styles.title}>{t('providers.gateways')}</h3>
        <ul className={styles.list}>
          {provider.gateways.map(({ name, host, port, isUsable, reason }) => (
            <li key={`${host}:${port}`}>
              <StatusBadge tone={isUsable ? 'success' : 'warning'}>{name}</StatusBadge>{' '}
              <span className={styles.address}>{`${host}:${port}`}</span>
              {reason !== null && <div className={styles.reason}>{reason}</div>}
            </li>
          ))}
        </ul>
      </section>
      <PropertyList
        isStacked
        properties={[
          { name: t('providers.thumbprint'), value: <Thumbprint value={provider.certificate.sha256} lineBytes={8} /> },
          { name: t('providers.column.user'), value: provider.userName },
        ]}
      />
      <div>
        <Button onClick={onEdit}>{t('providers.edit')}</Button>
      </div>
    </DetailsPane>
  );
}
