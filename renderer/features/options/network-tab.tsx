// Owns the Network tab: name, addresses and ports of each role that is switched on. Works also while a service cannot start.
import { Button, Field, Input, Spinner, Textarea, makeStyles, tokens } from '@fluentui/react-components';
import { Add16Regular, Delete16Regular } from '@fluentui/react-icons';
import { useCallback, useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import { defaultPorts } from '../../../services/contracts/default-ports.ts';
import type {
  GatewayNetwork,
  Network,
  ProviderNetwork,
  TenantNetwork,
} from '../../../services/contracts/models/network.ts';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient } from '../../platform/clients.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { ErrorView } from '../../ui/error-view.tsx';
import { useCall } from '../../ui/use-call.ts';
import { AddressRow, ownAddressListId } from './address-row.tsx';
import {
  gatewayDraft,
  gatewayProblems,
  gatewaySettings,
  providerDraft,
  providerProblems,
  providerSettings,
  tenantDraft,
  tenantProblems,
  tenantSettings,
} from './network-draft.ts';
import { NetworkSection } from './network-section.tsx';
import { OptionsSection } from './options-section.tsx';

const useStyles = makeStyles({
  root: { display: 'flex', flexDirection: 'column', gap: '24px', paddingRight: '16px', paddingBottom: '8px' },
  intro: { margin: 0, color: tokens.colorNeutralForeground2 },
  row: { gridColumn: '1 / -1', marginTop: '4px', justifySelf: 'start' },
  add: { alignSelf: 'flex-start' },
});

interface SectionProps<Settings> {
  readonly file: string;
  readonly settings: Settings;
  readonly isCheckedFirst: boolean;
  readonly onSaved: (network: Network) => void;
}

/** @param problemRole the role whose addresses are checked at once, because its service cannot start */
export function NetworkTab({ problemRole }: { readonly problemRole: ServiceRole | null }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const roles = useMirror(({ console }) => console.roles);
  const [network, setNetwork] = useState<Network | null>(null);
  const { run, error } = useCall();
  useEffect(() => {
    void run(async (signal) => setNetwork(await consoleClient.getNetwork({}, { signal })));
  }, [run]);
  const section = useCallback(
    (role: ServiceRole, found: Network): ReactNode => {
      const { file, error: problem } = found[role];
      if (problem !== null) {
        return (
          <OptionsSection key={role} title={t(`role.${role}`)}>
            <ErrorView error={problem} />
          </OptionsSection>
        );
      }
      const common = { file, isCheckedFirst: problemRole === role, onSaved: setNetwork };
      const { provider, gateway, tenant } = found;
      if (role === 'provider' && provider.settings !== null) {
        return <ProviderSection key={role} {...common} settings={provider.settings} />;
      }
      if (role === 'gateway' && gateway.settings !== null) {
        return <GatewaySection key={role} {...common} settings={gateway.settings} />;
      }
      return tenant.settings === null ? null : <TenantSection key={role} {...common} settings={tenant.settings} />;
    },
    [problemRole, t],
  );
  if (error !== null) return <ErrorView error={error} />;
  if (network === null) return <Spinner label={t('word.loading')} />;
  return (
    <div className={styles.root}>
      <p className={styles.intro}>{t('network.intro')}</p>
      <datalist id={ownAddressListId}>
        {network.ownAddresses.map(({ address, networkInterface }) => (
          <option key={address} value={address}>
            {networkInterface}
          </option>
        ))}
        <option value="0.0.0.0">{t('network.all')}</option>
        <option value="127.0.0.1">{t('network.reach.this-computer')}</option>
      </datalist>
      {(['provider', 'gateway', 'tenant'] as const)
        .filter((role) => roles.includes(role))
        .map((role) => section(role, network))}
    </div>
  );
}

function ProviderSection({ file, settings, isCheckedFirst, onSaved }: SectionProps<ProviderNetwork>): ReactNode {
  const t = useText();
  return (
    <NetworkSection
      role="provider"
      file={file}
      saved={providerDraft(settings)}
      problemsOf={providerProblems}
      settingsOf={providerSettings}
      onSaved={onSaved}
    >
      {(draft, change, errorOf) => (
        <>
          <Field
            label={t('network.provider.name')}
            hint={t('network.provider.name.hint')}
            validationMessage={errorOf('name') ?? null}
          >
            <Input value={draft.name} maxLength={100} onChange={(_event, data) => change({ name: data.value })} />
          </Field>
          <AddressRow
            role="provider"
            use="listen"
            label={t('network.infrastructure')}
            hint={t('network.infrastructure.hint')}
            host={draft.infrastructure.host}
            port={draft.infrastructure.port}
            onHost={(host) => change({ infrastructure: { ...draft.infrastructure, host } })}
            onPort={(port) => change({ infrastructure: { ...draft.infrastructure, port } })}
            hostError={errorOf('infrastructure.host')}
            portError={errorOf('infrastructure.port')}
            isCheckedFirst={isCheckedFirst}
          />
          <AddressRow
            role="provider"
            use="dial"
            label={t('network.infrastructureAddress')}
            hint={t('network.infrastructureAddress.hint')}
            host={draft.infrastructureAddress}
            port={null}
            checkedPort={draft.infrastructure.port}
            onHost={(infrastructureAddress) => change({ infrastructureAddress })}
            hostError={errorOf('infrastructureAddress')}
          />
          <AddressRow
            role="provider"
            use="listen"
            label={t('network.control')}
            hint={t('network.control.hint')}
            host={draft.control.host}
            port={draft.control.port}
            onHost={(host) => change({ control: { ...draft.control, host } })}
            onPort={(port) => change({ control: { ...draft.control, port } })}
            hostError={errorOf('control.host')}
            portError={errorOf('control.port')}
            isCheckedFirst={isCheckedFirst}
          />
          <AddressRow
            role="provider"
            use="listen"
            label={t('network.moverHost')}
            hint={t('network.moverHost.hint')}
            host={draft.moverHost}
            port={null}
            onHost={(moverHost) => change({ moverHost })}
            hostError={errorOf('moverHost')}
          />
          <AddressRow
            role="provider"
            use="dial"
            label={t('network.advertisedHost')}
            hint={t('network.advertisedHost.hint')}
            host={draft.advertisedHost}
            port={null}
            checkedPort={draft.control.port}
            onHost={(advertisedHost) => change({ advertisedHost })}
            hostError={errorOf('advertisedHost')}
          />
        </>
      )}
    </NetworkSection>
  );
}

function GatewaySection({ file, settings, isCheckedFirst, onSaved }: SectionProps<GatewayNetwork>): ReactNode {
  const t = useText();
  const styles = useStyles();
  return (
    <NetworkSection
      role="gateway"
      file={file}
      saved={gatewayDraft(settings)}
      problemsOf={gatewayProblems}
      settingsOf={gatewaySettings}
      onSaved={onSaved}
    >
      {(draft, change, errorOf) => (
        <>
          <Field label={t('network.gateway.name')} validationMessage={errorOf('name') ?? null}>
            <Input value={draft.name} maxLength={128} onChange={(_event, data) => change({ name: data.value })} />
          </Field>
          {draft.listen.map((address, index) => {
            const replace = (part: Partial<typeof address>): void =>
              change({ listen: draft.listen.map((other, at) => (at === index ? { ...other, ...part } : other)) });
            return (
              <AddressRow
                // Rows have no identity of their own.
                key={index}
                role="gateway"
                use="listen"
                label={t('network.listen', { number: index + 1, total: draft.listen.length })}
                host={address.host}
                port={address.port}
                onHost={(host) => replace({ host })}
                onPort={(port) => replace({ port })}
                hostError={errorOf(`listen.${index}.host`)}
                portError={errorOf(`listen.${index}.port`)}
                isCheckedFirst={isCheckedFirst}
                extra={
                  draft.listen.length > 1 && (
                    <Button
                      className={styles.row}
                      size="small"
                      appearance="subtle"
                      icon={<Delete16Regular />}
                      onClick={() => change({ listen: draft.listen.filter((_other, at) => at !== index) })}
                    >
                      {t('network.listen.remove')}
                    </Button>
                  )
                }
              />
            );
          })}
          <Button
            className={styles.add}
            size="small"
            icon={<Add16Regular />}
            disabled={draft.listen.length >= 16}
            onClick={() =>
              change({ listen: [...draft.listen, { host: '0.0.0.0', port: String(defaultPorts.gateway.gateway) }] })
            }
          >
            {t('network.listen.add')}
          </Button>
        </>
      )}
    </NetworkSection>
  );
}

function TenantSection({ file, settings, onSaved }: SectionProps<TenantNetwork>): ReactNode {
  const t = useText();
  return (
    <NetworkSection
      role="tenant"
      file={file}
      saved={tenantDraft(settings)}
      problemsOf={tenantProblems}
      settingsOf={tenantSettings}
      onSaved={onSaved}
    >
      {(draft, change, errorOf) => (
        <Field
          label={t('network.tenant.hosts')}
          hint={t('network.tenant.hosts.hint')}
          validationMessage={errorOf('hostAddresses') ?? null}
        >
          <Textarea
            value={draft.hostAddresses}
            spellCheck={false}
            onChange={(_event, data) => change({ hostAddresses: data.value })}
          />
        </Field>
      )}
    </NetworkSection>
  );
}
