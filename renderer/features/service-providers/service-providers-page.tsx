// Owns the page of the tenant's service providers.
import { Button, ToolbarButton, ToolbarDivider, makeStyles, tokens } from '@fluentui/react-components';
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
import { ConfirmDialog } from '../../ui/dialog/confirm-dialog.tsx';
import type { TableColumn } from '../../ui/table/data-table.tsx';
import { Thumbprint } from '../../ui/certificate/thumbprint.tsx';
import { DetailsPane } from '../../ui/table/details-pane.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { Instant } from '../../ui/instant.tsx';
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
      width: 'minmax(140px, 2fr)',
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
      isSecondary: true,
      width: '130px',
      text: ({ userName }) => userName,
      sortBy: ({ userName }) => userName,
      cell: ({ userName }) => userName,
    },
    {
      id: 'used',
      title: t('providers.column.used'),
      isSecondary: true,
      width: '100px',
      isNumeric: true,
      sortBy: usedOf,
      cell: (row) => formatBytes(usedOf(row)),
    },
    {
      id: 'lastContact',
      title: t('providers.column.lastContact'),
      isSecondary: true,
      width: '168px',
      sortBy: ({ lastContactAt }) => lastContactAt ?? '',
      cell: ({ lastContactAt }) => <Instant at={lastContactAt} otherwise={t('word.never')} />,
    },
  ];
}

export function ServiceProvidersPage(): ReactNode {
  const t = useText();
  const slice = useMirror(({ tenant }) => tenant);
  const [removing, setRemoving] = useState<ServiceProvider | null>(null);
  const call = useCall();
  const columns = useMemo(() => columnsFor(t), [t]);
  const add = (): void => openDialog({ kind: 'add-service-provider' });
  const edit = ({ id }: ServiceProvider): void => openDialog({ kind: 'edit-service-provider', providerId: id });
  const view = ({ name, certificate }: ServiceProvider): void =>
    openDialog({ kind: 'view-certificate', title: t('certificate.view.title', { name }), certificate });
  return (
    <>
      <ListPage
        title={t('providers.title')}
        loaded={slice}
        onRetry={() => void mirror.refetch('tenant')}
        columns={columns}
        rows={slice.providers}
        leftOut={{
          leftOut: slice.leftOut,
          lists: { providers: 'providers', 'providers.repositories': 'repositories', 'providers.gateways': 'gateways' },
        }}
        rowKey={({ id }) => id}
        onOpen={edit}
        notices={
          <>
            {call.error !== null && <ErrorView error={call.error} />}
            <RefusedLoginNotices />
          </>
        }
        commands={(selected) => (
          <>
            <ToolbarButton icon={<Add20Regular />} onClick={add}>
              {t('providers.add')}
            </ToolbarButton>
            <ToolbarDivider />
            <ToolbarButton
              icon={<ArrowClockwise20Regular />}
              disabled={selected === null || call.isBusy}
              onClick={() =>
                selected !== null &&
                void call.run((signal) =>
                  tenantClients.serviceProviders.rescan({ providerId: selected.id }, { signal }),
                )
              }
            >
              {t('providers.rescan')}
            </ToolbarButton>
            <ToolbarButton
              icon={<Edit20Regular />}
              disabled={selected === null}
              onClick={() => selected !== null && edit(selected)}
            >
              {t('providers.edit')}
            </ToolbarButton>
            <ToolbarButton
              icon={<Certificate20Regular />}
              disabled={selected === null}
              onClick={() => selected !== null && view(selected)}
            >
              {t('providers.certificate')}
            </ToolbarButton>
            <ToolbarButton
              icon={<Delete20Regular />}
              disabled={selected === null}
              onClick={() => setRemoving(selected)}
            >
              {t('providers.remove')}
            </ToolbarButton>
          </>
        )}
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
      {removing !== null && (
        <ConfirmDialog
          title={t('providers.remove.title', { name: removing.name })}
          text={t('providers.remove.text')}
          confirmLabel={t('providers.remove.confirm')}
          onConfirm={() => tenantClients.serviceProviders.remove({ providerId: removing.id })}
          onClose={() => setRemoving(null)}
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
