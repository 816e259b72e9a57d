// Owns the page of tenant accounts.
import {
  Add20Regular,
  Delete20Regular,
  Edit20Regular,
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
import { ConfirmRows } from '../../ui/dialog/confirm-rows.tsx';
import type { RowsQuestion } from '../../ui/dialog/confirm-rows.tsx';
import type { TableColumn } from '../../ui/table/data-table.tsx';
import { DetailsPane } from '../../ui/table/details-pane.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { Instant } from '../../ui/time/instant.tsx';
import type { ListCommand } from '../../ui/table/list-command.ts';
import type { ListFilter } from '../../ui/table/list-filter.ts';
import { ListPage } from '../../ui/table/list-page.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { UsageBar } from '../../ui/session/usage-bar.tsx';
import { useCall } from '../../ui/use-call.ts';
import { InvitationDialog } from './invitation-dialog.tsx';
import { SetPasswordDialog } from './set-password-dialog.tsx';
import { TenantWizard } from './tenant-wizard.tsx';

const usedOf = ({ quotas }: TenantAccount): number => quotas.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
const limitOf = ({ quotas }: TenantAccount): number => quotas.reduce((sum, { limitBytes }) => sum + limitBytes, 0);

function columnsFor(t: TextFunction): readonly TableColumn<TenantAccount>[] {
  const stateText = ({ isEnabled }: TenantAccount): string => t(isEnabled ? 'word.enabled' : 'word.disabled');
  return [
    {
      id: 'name',
      title: t('tenants.column.name'),
      width: 'minmax(200px, 2fr)',
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
      width: '150px',
      isNumeric: true,
      sortBy: ({ activeSessions }) => activeSessions,
      cell: ({ activeSessions }) => formatCount(activeSessions),
    },
    {
      id: 'lastLogin',
      title: t('tenants.column.lastLogin'),
      width: '168px',
      sortBy: ({ lastLoginAt }) => lastLoginAt ?? '',
      cell: ({ lastLoginAt }) => <Instant at={lastLoginAt} otherwise={t('word.never')} />,
    },
  ];
}

function isNearlyFull({ quotas }: TenantAccount): boolean {
  return quotas.some(({ usedBytes, limitBytes }) => limitBytes > 0 && usedBytes > 0.9 * limitBytes);
}

function filtersFor(t: TextFunction): readonly ListFilter<TenantAccount>[] {
  return [
    { id: 'enabled', label: t('word.enabled'), isMatch: ({ isEnabled }) => isEnabled },
    { id: 'disabled', label: t('word.disabled'), isMatch: ({ isEnabled }) => !isEnabled },
    { id: 'nearly-full', label: t('tenants.filter.nearlyFull'), isMatch: isNearlyFull },
    {
      id: 'lease-expired',
      label: t('tenants.filter.leaseExpired'),
      isMatch: ({ leaseUntil }) => leaseUntil !== null && Date.parse(leaseUntil) <= Date.now(),
    },
  ];
}

function removeQuestion(rows: readonly TenantAccount[], t: TextFunction): RowsQuestion {
  const [only] = rows.length === 1 ? rows : [];
  const sessions = rows.reduce((sum, { activeSessions }) => sum + activeSessions, 0);
  const used = formatBytes(rows.reduce((sum, row) => sum + usedOf(row), 0));
  const repositories = only?.quotas.map(({ repository }) => `“${repository}”`).join(', ');
  const kept =
    only === undefined
      ? t('tenants.removeMany.kept', { used })
      : only.quotas.length === 0
        ? ''
        : t('tenants.remove.kept', { used, repositories: repositories ?? '' });
  return {
    title:
      only === undefined
        ? t('tenants.removeMany.title', { count: rows.length })
        : t('tenants.remove.title', { name: only.name }),
    text: [t(only === undefined ? 'tenants.removeMany.text' : 'tenants.remove.text', { sessions }), kept]
      .filter(Boolean)
      .join('\n\n'),
    confirmLabel: t(only === undefined ? 'tenants.removeMany.confirm' : 'tenants.remove.confirm'),
  };
}

function enableQuestion(rows: readonly TenantAccount[], isEnabled: boolean, t: TextFunction): RowsQuestion {
  const [only] = rows.length === 1 ? rows : [];
  if (only !== undefined && !isEnabled) {
    return {
      title: t('tenants.disable.title', { name: only.name }),
      text: t('tenants.disable.text'),
      confirmLabel: t('tenants.disable.confirm'),
    };
  }
  const change = isEnabled ? 'enableMany' : 'disableMany';
  return {
    title: t(`tenants.${change}.title`, { count: rows.length }),
    text: t(`tenants.${change}.text`),
    confirmLabel: t(`tenants.${change}.confirm`),
  };
}

export function TenantsPage(): ReactNode {
  const t = useText();
  const slice = useMirror(({ provider }) => provider);
  const [removing, setRemoving] = useState<readonly TenantAccount[]>([]);
  const [enabling, setEnabling] = useState<{
    readonly rows: readonly TenantAccount[];
    readonly isEnabled: boolean;
  } | null>(null);
  const [editing, setEditing] = useState<TenantAccount | null>(null);
  const [inviting, setInviting] = useState<TenantAccount | null>(null);
  const [passwordOf, setPasswordOf] = useState<TenantAccount | null>(null);
  const call = useCall();
  const columns = useMemo(() => columnsFor(t), [t]);
  const filters = useMemo(() => filtersFor(t), [t]);
  const add = (): void => openDialog({ kind: 'add-tenant' });
  const { tenants } = providerClients;
  /** Disabled tenants are enabled if no enabled one is selected; otherwise the enabled ones are disabled. */
  const isEnabling = (rows: readonly TenantAccount[]): boolean =>
    rows.length > 0 && rows.every((row) => !row.isEnabled);
  const toggle = (rows: readonly TenantAccount[]): void => {
    const [only] = rows;
    if (rows.length === 1 && only !== undefined && isEnabling(rows))
      void call.run(() => tenants.set({ tenantId: only.id, isEnabled: true }));
    else
      setEnabling(
        isEnabling(rows)
          ? { rows, isEnabled: true }
          : { rows: rows.filter(({ isEnabled }) => isEnabled), isEnabled: false },
      );
  };
  const commands: readonly ListCommand<TenantAccount>[] = [
    { id: 'add', label: t('tenants.add'), icon: <Add20Regular />, needs: 'nothing', run: add },
    {
      id: 'edit',
      label: t('tenants.edit'),
      icon: <Edit20Regular />,
      needs: 'one',
      key: 'F2',
      run: ([tenant]) => setEditing(tenant ?? null),
    },
    {
      id: 'invite',
      label: t('tenants.invite'),
      icon: <Mail20Regular />,
      needs: 'one',
      run: ([tenant]) => setInviting(tenant ?? null),
    },
    {
      id: 'password',
      label: t('tenants.password'),
      icon: <Key20Regular />,
      needs: 'one',
      run: ([tenant]) => setPasswordOf(tenant ?? null),
    },
    {
      id: 'enable',
      label: t('tenants.enable'),
      icon: <Play20Regular />,
      needs: 'some',
      isShown: isEnabling,
      canRun: () => !call.isBusy,
      run: toggle,
    },
    {
      // The same button, so that it keeps the focus.
      id: 'enable',
      label: t('tenants.disable'),
      icon: <Pause20Regular />,
      needs: 'some',
      isShown: (rows) => !isEnabling(rows),
      canRun: () => !call.isBusy,
      run: toggle,
    },
    {
      id: 'remove',
      label: t('tenants.remove'),
      icon: <Delete20Regular />,
      needs: 'some',
      key: 'Delete',
      run: setRemoving,
    },
  ];
  return (
    <>
      <ListPage
        title={t('tenants.title')}
        kind="tenants"
        loaded={slice}
        onRetry={() => void mirror.refetch('provider')}
        columns={columns}
        rows={slice.tenants}
        leftOut={{ leftOut: slice.leftOut, lists: { tenants: 'tenants', 'tenants.quotas': 'quotas' } }}
        rowKey={({ id }) => id}
        notices={call.error === null ? null : <ErrorView error={call.error} />}
        commands={commands}
        filters={filters}
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
      {editing !== null && <TenantWizard tenant={editing} onClose={() => setEditing(null)} />}
      {inviting !== null && <InvitationDialog tenant={inviting} onClose={() => setInviting(null)} />}
      {passwordOf !== null && <SetPasswordDialog tenant={passwordOf} onClose={() => setPasswordOf(null)} />}
      {enabling !== null && (
        <ConfirmRows
          rows={enabling.rows}
          nameOf={({ name }) => name}
          ask={(rows) => enableQuestion(rows, enabling.isEnabled, t)}
          onConfirm={({ id }) => tenants.set({ tenantId: id, isEnabled: enabling.isEnabled })}
          onClose={() => setEnabling(null)}
        />
      )}
      {removing.length > 0 && (
        <ConfirmRows
          rows={removing}
          nameOf={({ name }) => name}
          ask={(rows) => removeQuestion(rows, t)}
          onConfirm={({ id }) => tenants.remove({ tenantId: id })}
          onClose={() => setRemoving([])}
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
          {
            name: t('tenants.lease'),
            value: <Instant at={tenant.leaseUntil} style="date" otherwise={t('tenants.lease.none')} />,
          },
          {
            name: t('tenants.tasks'),
            value: tenant.maxTasks == null ? t('tenants.tasks.default') : formatCount(tenant.maxTasks),
          },
          { name: t('tenants.created'), value: <Instant at={tenant.createdAt} /> },
        ]}
      />
    </DetailsPane>
  );
}
