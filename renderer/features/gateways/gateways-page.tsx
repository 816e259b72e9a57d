// Owns the page of the provider's gateways.
import { ToolbarButton, ToolbarDivider } from '@fluentui/react-components';
import {
  Add20Regular,
  Delete20Regular,
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
import { ConfirmDialog } from '../../ui/dialog/confirm-dialog.tsx';
import type { TableColumn } from '../../ui/table/data-table.tsx';
import { DetailsPane } from '../../ui/table/details-pane.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { Instant } from '../../ui/instant.tsx';
import { ListPage } from '../../ui/table/list-page.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import type { Tone } from '../../ui/status-badge.tsx';
import { useCall } from '../../ui/use-call.ts';
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
      width: 'minmax(120px, 1fr)',
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
      isSecondary: true,
      width: '110px',
      isNumeric: true,
      sortBy: ({ relayedBytes }) => relayedBytes,
      cell: ({ relayedBytes }) => formatBytes(relayedBytes),
    },
    {
      id: 'lastSeen',
      title: t('gateways.column.lastSeen'),
      isSecondary: true,
      width: '168px',
      sortBy: ({ lastSeenAt }) => lastSeenAt ?? '',
      cell: ({ lastSeenAt }) => <Instant at={lastSeenAt} otherwise={t('word.never')} />,
    },
  ];
}

export function GatewaysPage(): ReactNode {
  const t = useText();
  const slice = useMirror(({ provider }) => provider);
  const [removing, setRemoving] = useState<Gateway | null>(null);
  const [isDoctorOpen, setDoctorOpen] = useState(false);
  const call = useCall();
  const columns = useMemo(() => columnsFor(t), [t]);
  const add = (): void => openDialog({ kind: 'add-gateway' });
  const setEnabled = ({ id, isEnabled }: Gateway): void =>
    void call.run(() => providerClients.gateways.setEnabled({ gatewayId: id, isEnabled: !isEnabled }));
  return (
    <>
      <ListPage
        title={t('gateways.title')}
        loaded={slice}
        onRetry={() => void mirror.refetch('provider')}
        columns={columns}
        rows={slice.gateways}
        leftOut={{ leftOut: slice.leftOut, lists: { gateways: 'gateways', 'gateways.addresses': 'addresses' } }}
        rowKey={({ id }) => id}
        notices={call.error === null ? null : <ErrorView error={call.error} />}
        commands={(selected) => (
          <>
            <ToolbarButton icon={<Add20Regular />} onClick={add}>
              {t('gateways.add')}
            </ToolbarButton>
            <ToolbarButton
              icon={<Stethoscope20Regular />}
              disabled={slice.gateways.length === 0}
              onClick={() => setDoctorOpen(true)}
            >
              {t('gateways.doctor')}
            </ToolbarButton>
            <ToolbarDivider />
            <ToolbarButton
              icon={selected?.isEnabled === false ? <Play20Regular /> : <Pause20Regular />}
              disabled={selected === null || call.isBusy}
              onClick={() => selected !== null && setEnabled(selected)}
            >
              {t(selected?.isEnabled === false ? 'gateways.enable' : 'gateways.disable')}
            </ToolbarButton>
            <ToolbarButton
              icon={<Delete20Regular />}
              disabled={selected === null}
              onClick={() => setRemoving(selected)}
            >
              {t('gateways.remove')}
            </ToolbarButton>
          </>
        )}
        details={(selected, close) => <GatewayDetails gateway={selected} onClose={close} />}
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
      {removing !== null && (
        <ConfirmDialog
          title={t('gateways.remove.title', { name: removing.name })}
          text={t('gateways.remove.text')}
          confirmLabel={t('gateways.remove.confirm')}
          onConfirm={() => providerClients.gateways.remove({ gatewayId: removing.id })}
          onClose={() => setRemoving(null)}
        />
      )}
    </>
  );
}

function GatewayDetails({ gateway, onClose }: { readonly gateway: Gateway; readonly onClose: () => void }): ReactNode {
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
    </DetailsPane>
  );
}
