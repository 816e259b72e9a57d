// Owns the page of tenant accounts.
import { ToolbarButton, ToolbarDivider } from '@fluentui/react-components';
import {
  Add20Regular,
  Delete20Regular,
  Key20Regular,
  Mail20Regular,
  Pause20Regular,
  PeopleTeam32Regular,
  Play20Regular,
} from '@fluentui/react-icons';
import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { TenantAccount } from '../../../services/contracts/models/provider.ts';
import { useText } from '../../i18n/use-text.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { formatBytes, formatCount } from '../../platform/format.ts';
import { mirror, useMirror } from '../../platform/use-mirror.ts';
import { ConfirmDialog } from '../../ui/dialog/confirm-dialog.tsx';
import type { TableColumn } from '../../ui/table/data-table.tsx';
import { DetailsPane } from '../../ui/table/details-pane.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { Instant } from '../../ui/instant.tsx';
import { ListPage } from '../../ui/table/list-page.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { UsageBar } from '../../ui/session/usage-bar.tsx';
import { useCall } from '../../ui/use-call.ts';
import { saveInvitation } from './save-invitation.ts';
import { SetPasswordDialog } from './set-password-dialog.tsx';

const usedOf = ({ quotas }: TenantAccount): number => quotas.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
const limitOf = ({ quotas }: TenantAccount): number => quotas.reduce((sum, { limitBytes }) => sum + limitBytes, 0);

function columnsFor(t: TextFunction): readonly TableColumn<TenantAccount>[] {
  const stateText = ({ isEnabled }: TenantAccount): string => t(isEnabled ? 'word.enabled' : 'word.disabled');
  return [
    {
      id: 'name',
      title: t('tenants.column.name'),
      width: 'minmax(140px, 2fr)',
      text: ({ name }) => name,
      sortBy: ({ name }) => name,
      cell: ({ name }) => name,
    },
    {
      id: 'state',
      title: t('tenants.column.state'),
      width: '120px',
      text: stateText,
      sortBy: stateText,
      cell: (row) => <StatusBadge tone={row.isEnabled ? 'success' : 'neutral'}>{stateText(row)}</StatusBadge>,
    },
    {
      id: 'used',
      title: t('tenants.column.used'),
      width: '110px',
      isNumeric: true,
      sortBy: usedOf,
      cell: (row) => formatBytes(usedOf(row)),
    },
    {
      id: 'quota',
      title: t('tenants.column.quota'),
      width: '110px',
      isNumeric: true,
      sortBy: limitOf,
      cell: (row) => formatBytes(limitOf(row)),
    },
    {
      id: 'sessions',
      title: t('tenants.column.sessions'),
      isSecondary: true,
      width: '150px',
      isNumeric: true,
      sortBy: ({ activeSessions }) => activeSessions,
      cell: ({ activeSessions }) => formatCount(activeSessions),
    },
    {
      id: 'lastLogin',
      title: t('tenants.column.lastLogin'),
      isSecondary: true,
      width: '168px',
      sortBy: ({ lastLoginAt }) => lastLoginAt ?? '',
      cell: ({ lastLoginAt }) => <Instant at={lastLoginAt} otherwise={t('word.never')} />,
    },
  ];
}

export function TenantsPage(): ReactNode {
  const t = useText();
  const slice = useMirror(({ provider }) => provider);
  const [removing, setRemoving] = useState<TenantAccount | null>(null);
  const [disabling, setDisabling] = useState<TenantAccount | null>(null);
  const [passwordOf, setPasswordOf] = useState<TenantAccount | null>(null);
  const call = useCall();
  const columns = useMemo(() => columnsFor(t), [t]);
  const add = (): void => openDialog({ kind: 'add-tenant' });
  const { tenants } = providerClients;
  const toggle = (tenant: TenantAccount): void => {
    if (tenant.isEnabled) setDisabling(tenant);
    else void call.run(() => tenants.set({ tenantId: tenant.id, isEnabled: true }));
  };
  return (
    <>
      <ListPage
        title={t('tenants.title')}
        loaded={slice}
        onRetry={() => void mirror.refetch('provider')}
        columns={columns}
        rows={slice.tenants}
        leftOut={{ leftOut: slice.leftOut, lists: { tenants: 'tenants', 'tenants.quotas': 'quotas' } }}
        rowKey={({ id }) => id}
        notices={call.error === null ? null : <ErrorView error={call.error} />}
        commands={(selected) => (
          <>
            <ToolbarButton icon={<Add20Regular />} onClick={add}>
              {t('tenants.add')}
            </ToolbarButton>
            <ToolbarDivider />
            <ToolbarButton
              icon={<Mail20Regular />}
              disabled={selected === null || call.isBusy}
              onClick={() => selected !== null && void call.run(() => saveInvitation(selected, t))}
            >
              {t('tenants.invite')}
            </ToolbarButton>
            <ToolbarButton icon={<Key20Regular />} disabled={selected === null} onClick={() => setPasswordOf(selected)}>
              {t('tenants.password')}
            </ToolbarButton>
            <ToolbarButton
              icon={selected?.isEnabled === false ? <Play20Regular /> : <Pause20Regular />}
              disabled={selected === null || call.isBusy}
              onClick={() => selected !== null && toggle(selected)}
            >
              {t(selected?.isEnabled === false ? 'tenants.enable' : 'tenants.disable')}
            </ToolbarButton>
            <ToolbarButton
              icon={<Delete20Regular />}
              disabled={selected === null}
              onClick={() => setRemoving(selected)}
            >
              {t('tenants.remove')}
            </ToolbarButton>
          </>
        )}
        details={(selected, close) => <TenantDetails tenant={selected} onClose={close} />}
        empty={
          <EmptyState
            icon={<PeopleTeam32Regular />}
            title={t('tenants.empty.title')}
            text={t('tenants.empty.text')}
            action={{ label: t('tenants.add'), run: add }}
          />
        }
      />
      {passwordOf !== null && <SetPasswordDialog tenant={passwordOf} onClose={() => setPasswordOf(null)} />}
      {disabling !== null && (
        <ConfirmDialog
          title={t('tenants.disable.title', { name: disabling.name })}
          text={t('tenants.disable.text')}
          confirmLabel={t('tenants.disable.confirm')}
          onConfirm={() => tenants.set({ tenantId: disabling.id, isEnabled: false })}
          onClose={() => setDisabling(null)}
        />
      )}
      {removing !== null && (
        <ConfirmDialog
          title={t('tenants.remove.title', { name: removing.name })}
          text={[
            t('tenants.remove.text', { sessions: removing.activeSessions }),
            ...(removing.quotas.length === 0
              ? []
              : [
                  t('tenants.remove.kept', {
                    used: formatBytes(usedOf(removing)),
                    repositories: removing.quotas.map(({ repository }) => `“${repository}”`).join(', '),
                  }),
                ]),
          ].join('\n\n')}
          confirmLabel={t('tenants.remove.confirm')}
          onConfirm={() => tenants.remove({ tenantId: removing.id })}
          onClose={() => setRemoving(null)}
        />
      )}
    </>
  );
}

function TenantDetails({
  tenant,
  onClose,
}: {
  readonly tenant: TenantAccount;
  readonly onClose: () => void;
}): ReactNode {
  const t = useText();
  return (
    <DetailsPane title={tenant.name} onClose={onClose}>
      <StatusBadge tone={tenant.isEnabled ? 'success' : 'neutral'}>
        {t(tenant.isEnabled ? 'word.enabled' : 'word.disabled')}
      </StatusBadge>
      {tenant.quotas.map(({ repository, usedBytes, limitBytes }) => (
        <UsageBar
          key={repository}
          label={repository}
          text={t('tenants.quota.value', { used: formatBytes(usedBytes), limit: formatBytes(limitBytes) })}
          share={limitBytes === 0 ? 0 : usedBytes / limitBytes}
        />
      ))}
      <PropertyList
        isStacked
        properties={[
          { name: t('tenants.column.sessions'), value: formatCount(tenant.activeSessions) },
          {
            name: t('tenants.column.lastLogin'),
            value: <Instant at={tenant.lastLoginAt} otherwise={t('word.never')} />,
          },
          { name: t('tenants.created'), value: <Instant at={tenant.createdAt} /> },
          ...(tenant.leaseUntil === null
            ? []
            : [{ name: t('tenants.lease'), value: <Instant at={tenant.leaseUntil} style="date" /> }]),
        ]}
      />
    </DetailsPane>
  );
}
