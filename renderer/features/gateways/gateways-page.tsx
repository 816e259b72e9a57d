// Owns the page of the provider's gateways.
import { Button } from '@fluentui/react-components';
import {
  Add20Regular,
  Delete20Regular,
  Edit20Regular,
  Key20Regular,
  Play20Regular,
  Pause20Regular,
  RouterRegular,
  Stethoscope20Regular,
} from '@fluentui/react-icons';
import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { Gateway } from '../../../services/contracts/models/provider.ts';
import { useText } from '../../i18n/use-text.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { formatBytes, formatCount } from '../../platform/format.ts';
import { mirror, useMirror } from '../../platform/use-mirror.ts';
import { ConfirmRows } from '../../ui/dialog/confirm-rows.tsx';
import type { RowsQuestion } from '../../ui/dialog/confirm-rows.tsx';
import { callEach } from '../../ui/table/bulk.ts';
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
import type { Tone } from '../../ui/status-badge.tsx';
import { useCall } from '../../ui/use-call.ts';
import { EditGatewayDialog, NewTokenDialog } from './gateway-dialogs.tsx';
import { GatewayDoctorDialog } from './gateway-doctor-dialog.tsx';

const tones: Readonly<Record<Gateway['state'], Tone>> = {
  'waiting-for-enrollment': 'info',
  connected: 'success',
  disconnected: 'danger',
  disabled: 'neutral',
};

function addressesOf({ addresses }: Gateway): string {
  return addresses.map(({ host, port }) => `${host}:${port}`).join(', ');
}

function columnsFor(t: TextFunction): readonly TableColumn<Gateway>[] {
  return [
    {
      id: 'name',
      title: t('gateways.column.name'),
      width: 'minmax(200px, 1fr)',
      text: ({ name }) => name,
      sortBy: ({ name }) => name,
      cell: ({ name }) => name,
    },
    {
      id: 'state',
      title: t('gateways.column.state'),
      width: '190px',
      text: ({ state }) => t(`gateways.state.${state}`),
      sortBy: ({ state }) => state,
      cell: ({ state, isCoveredByCertificate }) => (
        <StatusBadge tone={state === 'connected' && !isCoveredByCertificate ? 'warning' : tones[state]}>
          {t(`gateways.state.${state}`)}
        </StatusBadge>
      ),
    },
    {
      id: 'addresses',
      title: t('gateways.column.addresses'),
      width: 'minmax(180px, 2fr)',
      text: addressesOf,
      sortBy: addressesOf,
      cell: addressesOf,
    },
    {
      id: 'connections',
      title: t('gateways.column.connections'),
      width: '120px',
      isNumeric: true,
      sortBy: ({ connections }) => connections,
      cell: ({ connections }) => formatCount(connections),
    },
    {
      id: 'relayed',
      title: t('gateways.column.relayed'),
      width: '110px',
      isNumeric: true,
      sortBy: ({ relayedBytes }) => relayedBytes,
      cell: ({ relayedBytes }) => formatBytes(relayedBytes),
    },
    {
      id: 'lastSeen',
      title: t('gateways.column.lastSeen'),
      width: '168px',
      sortBy: ({ lastSeenAt }) => lastSeenAt ?? '',
      cell: ({ lastSeenAt }) => <Instant at={lastSeenAt} otherwise={t('word.never')} />,
    },
  ];
}

const states: readonly Gateway['state'][] = ['connected', 'disconnected', 'waiting-for-enrollment', 'disabled'];

function filtersFor(t: TextFunction): readonly ListFilter<Gateway>[] {
  return [
    ...states.map((id) => ({
      id,
      label: t(`gateways.state.${id}`),
      isMatch: ({ state }: Gateway) => state === id,
    })),
    {
      id: 'not-covered',
      label: t('gateways.filter.notCovered'),
      isMatch: ({ isCoveredByCertificate }) => !isCoveredByCertificate,
    },
  ];
}

function removeQuestion(rows: readonly Gateway[], t: TextFunction): RowsQuestion {
  const [only] = rows;
  return rows.length === 1 && only !== undefined
    ? {
        title: t('gateways.remove.title', { name: only.name }),
        text: t('gateways.remove.text'),
        confirmLabel: t('gateways.remove.confirm'),
      }
    : {
        title: t('gateways.removeMany.title', { count: rows.length }),
        text: t('gateways.removeMany.text'),
        confirmLabel: t('gateways.removeMany.confirm'),
      };
}

export function GatewaysPage(): ReactNode {
  const t = useText();
  const slice = useMirror(({ provider }) => provider);
  const [removing, setRemoving] = useState<readonly Gateway[]>([]);
  const [disabling, setDisabling] = useState<readonly Gateway[]>([]);
  const [editing, setEditing] = useState<Gateway | null>(null);
  const [renewing, setRenewing] = useState<Gateway | null>(null);
  const [isDoctorOpen, setDoctorOpen] = useState(false);
  const call = useCall();
  const columns = useMemo(() => columnsFor(t), [t]);
  const filters = useMemo(() => filtersFor(t), [t]);
  const add = (): void => openDialog({ kind: 'add-gateway' });
  const setEnabled = ({ id }: Gateway, isEnabled: boolean): Promise<unknown> =>
    providerClients.gateways.setEnabled({ gatewayId: id, isEnabled });
  /** Disabled gateways are enabled if no enabled one is selected; otherwise the enabled ones are disabled. */
  const isEnabling = (rows: readonly Gateway[]): boolean => rows.length > 0 && rows.every((row) => !row.isEnabled);
  const toggle = (rows: readonly Gateway[]): void => {
    const enabled = rows.filter(({ isEnabled }) => isEnabled);
    if (rows.length > 1 && enabled.length > 0) setDisabling(enabled);
    else void call.run(() => callEach(rows, (row) => setEnabled(row, enabled.length === 0)));
  };
  const commands: readonly ListCommand<Gateway>[] = [
    { id: 'add', label: t('gateways.add'), icon: <Add20Regular />, needs: 'nothing', run: add },
    {
      id: 'doctor',
      label: t('gateways.doctor'),
      icon: <Stethoscope20Regular />,
      needs: 'nothing',
      canRun: () => slice.gateways.length > 0,
      run: () => setDoctorOpen(true),
    },
    {
      id: 'edit',
      label: t('gateways.edit'),
      icon: <Edit20Regular />,
      needs: 'one',
      key: 'F2',
      run: ([row]) => setEditing(row ?? null),
    },
    {
      id: 'enable',
      label: t('gateways.enable'),
      icon: <Play20Regular />,
      needs: 'some',
      isShown: isEnabling,
      canRun: () => !call.isBusy,
      run: toggle,
    },
    {
      // The same button, so that it keeps the focus.
      id: 'enable',
      label: t('gateways.disable'),
      icon: <Pause20Regular />,
      needs: 'some',
      isShown: (rows) => !isEnabling(rows),
      canRun: () => !call.isBusy,
      run: toggle,
    },
    {
      id: 'remove',
      label: t('gateways.remove'),
      icon: <Delete20Regular />,
      needs: 'some',
      key: 'Delete',
      run: setRemoving,
    },
    {
      id: 'token',
      label: t('gateways.token'),
      icon: <Key20Regular />,
      needs: 'one',
      place: 'menu',
      run: ([row]) => setRenewing(row ?? null),
    },
  ];
  return (
    <>
      <ListPage
        title={t('gateways.title')}
        kind="gateways"
        loaded={slice}
        onRetry={() => void mirror.refetch('provider')}
        columns={columns}
        rows={slice.gateways}
        leftOut={{ leftOut: slice.leftOut, lists: { gateways: 'gateways', 'gateways.addresses': 'addresses' } }}
        rowKey={({ id }) => id}
        notices={call.error === null ? null : <ErrorView error={call.error} />}
        commands={commands}
        filters={filters}
        details={(selected, close) => (
          <GatewayDetails gateway={selected} onRenew={() => setRenewing(selected)} onClose={close} />
        )}
        empty={
          <EmptyState
            icon={<RouterRegular />}
            title={t('gateways.empty.title')}
            text={t('gateways.empty.text')}
            action={{ label: t('gateways.add'), run: add }}
          />
        }
      />
      {isDoctorOpen && <GatewayDoctorDialog onClose={() => setDoctorOpen(false)} />}
      {editing !== null && <EditGatewayDialog gateway={editing} onClose={() => setEditing(null)} />}
      {renewing !== null && <NewTokenDialog gateway={renewing} onClose={() => setRenewing(null)} />}
      {disabling.length > 0 && (
        <ConfirmRows
          rows={disabling}
          nameOf={({ name }) => name}
          ask={({ length }) => ({
            title: t('gateways.disableMany.title', { count: length }),
            text: t('gateways.disableMany.text'),
            confirmLabel: t('gateways.disableMany.confirm', { count: length }),
          })}
          onConfirm={(row) => setEnabled(row, false)}
          onClose={() => setDisabling([])}
        />
      )}
      {removing.length > 0 && (
        <ConfirmRows
          rows={removing}
          nameOf={({ name }) => name}
          ask={(rows) => removeQuestion(rows, t)}
          onConfirm={({ id }) => providerClients.gateways.remove({ gatewayId: id })}
          onClose={() => setRemoving([])}
        />
      )}
    </>
  );
}

interface GatewayDetailsProps {
  readonly gateway: Gateway;
  readonly onRenew: () => void;
  readonly onClose: () => void;
}

function GatewayDetails({ gateway, onRenew, onClose }: GatewayDetailsProps): ReactNode {
  const t = useText();
  const covered = gateway.isCoveredByCertificate;
  return (
    <DetailsPane title={gateway.name} onClose={onClose}>
      <StatusBadge tone={tones[gateway.state]}>{t(`gateways.state.${gateway.state}`)}</StatusBadge>
      <PropertyList
        isStacked
        properties={[
          { name: t('gateways.column.addresses'), value: addressesOf(gateway) },
          {
            name: t('gateways.covered'),
            value: (
              <>
                <StatusBadge tone={covered ? 'success' : 'warning'}>
                  {t(covered ? 'gateways.covered.yes' : 'gateways.covered.no')}
                </StatusBadge>
                {!covered && <div>{t('gateways.covered.no.help')}</div>}
              </>
            ),
          },
          { name: t('gateways.enrolledAt'), value: <Instant at={gateway.enrolledAt} otherwise={t('word.never')} /> },
          {
            name: t('gateways.column.lastSeen'),
            value: <Instant at={gateway.lastSeenAt} otherwise={t('word.never')} />,
          },
          { name: t('gateways.column.connections'), value: formatCount(gateway.connections) },
          { name: t('gateways.column.relayed'), value: formatBytes(gateway.relayedBytes) },
          { name: t('gateways.refused'), value: formatCount(gateway.refusedConnections) },
        ]}
      />
      <Button size="small" onClick={onRenew}>
        {t('gateways.token')}
      </Button>
    </DetailsPane>
  );
}
