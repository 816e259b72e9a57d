// Owns the dialogs about one gateway: name and addresses, and a new enrollment token.
import { Button, Field, Input, MessageBar, MessageBarBody, Spinner, makeStyles } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode, SyntheticEvent } from 'react';
import type { Gateway } from '../../../services/contracts/models/provider.ts';
import { defaultPorts } from '../../../services/contracts/default-ports.ts';
import { useText } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { commandLine } from '../../platform/command-line.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { formatInstant } from '../../platform/format.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { nameProblem } from '../../ui/form/field-rules.ts';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { useCall } from '../../ui/use-call.ts';
import { gatewayAddresses, hasProblem, rowProblems, validMsOf } from './address-draft.ts';
import type { AddressProblems, GatewayAddressText, ValidityId } from './address-draft.ts';
import { AddressRows } from './address-rows.tsx';
import { TokenField, ValidityField } from './token-field.tsx';

const useStyles = makeStyles({
  form: { display: 'flex', flexDirection: 'column', gap: '14px' },
  text: { margin: 0 },
});

interface GatewayDialogProps {
  readonly gateway: Gateway;
  readonly onClose: () => void;
}

export function EditGatewayDialog({ gateway, onClose }: GatewayDialogProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [name, setName] = useState(gateway.name);
  const [rows, setRows] = useState<readonly GatewayAddressText[]>(() =>
    gateway.addresses.map(({ host, port }) => ({ host, port: String(port) })),
  );
  const [isTried, setTried] = useState(false);
  const call = useCall();
  const problems: readonly AddressProblems[] = isTried ? rowProblems(rows) : [];
  const nameIssue = nameProblem(name);
  const nameError =
    call.error?.field === 'name' ? call.error.message : isTried && nameIssue !== null ? t(nameIssue) : null;
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    if (nameIssue !== null || hasProblem(rowProblems(rows))) return;
    const input = { gatewayId: gateway.id, name: name.trim(), addresses: gatewayAddresses(rows) };
    if (await call.run(() => providerClients.gateways.set(input))) onClose();
  };
  return (
    <DialogFrame
      help="set-up-a-gateway-on-another-computer"
      title={t('gateways.edit.title', { name: gateway.name })}
      onDismiss={onClose}
      footer={
        <>
          <Button form="edit-gateway" type="submit" appearance="primary" disabled={call.isBusy}>
            {t('gateways.edit.save')}
          </Button>
          <Button onClick={onClose}>{t('word.cancel')}</Button>
        </>
      }
    >
      <form id="edit-gateway" className={styles.form} onSubmit={(event) => void submit(event)}>
        <p className={styles.text}>{t('gateways.edit.text')}</p>
        <Field label={t('gatewayWizard.name')} required validationMessage={nameError}>
          <Input
            value={name}
            maxLength={100}
            onChange={(_event, data) => {
              call.clearError();
              setName(data.value);
            }}
          />
        </Field>
        <AddressRows
          addresses={rows}
          problems={problems}
          onChange={setRows}
          newPort={String(defaultPorts.gateway.gateway)}
        />
        {call.error !== null && call.error.field !== 'name' && <ErrorView error={call.error} />}
      </form>
    </DialogFrame>
  );
}

export function NewTokenDialog({ gateway, onClose }: GatewayDialogProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [validity, setValidity] = useState<ValidityId>('1d');
  const [made, setMade] = useState<{ readonly token: string; readonly expiresAt: string } | null>(null);
  const call = useCall();
  const make = (): void =>
    void call.run(async () =>
      setMade(await providerClients.gateways.renewEnrollToken({ gatewayId: gateway.id, validMs: validMsOf(validity) })),
    );
  return (
    <DialogFrame
      help="set-up-a-gateway-on-another-computer"
      title={t('gateways.token.title', { name: gateway.name })}
      onDismiss={onClose}
      footer={
        <>
          {made === null && (
            <Button
              appearance="primary"
              disabled={call.isBusy}
              icon={call.isBusy ? <Spinner size="tiny" /> : null}
              onClick={make}
            >
              {t('gateways.token.make')}
            </Button>
          )}
          <Button onClick={onClose}>{t(made === null ? 'word.cancel' : 'word.close')}</Button>
        </>
      }
    >
      <div className={styles.form}>
        {made === null ? (
          <>
            <p className={styles.text}>{t('gateways.token.text')}</p>
            <ValidityField value={validity} onChange={setValidity} />
          </>
        ) : (
          <>
            <MessageBar intent="success" layout="multiline">
              <MessageBarBody role="status">
                {t('gatewayWizard.summary.elsewhere', { until: formatInstant(made.expiresAt) })}
              </MessageBarBody>
            </MessageBar>
            <TokenField token={made.token} />
            <ShowCommand commands={[commandLine('gateway', 'enroll-token', gateway.name, '--valid', validity)]} />
          </>
        )}
        {call.error !== null && (
          <ErrorView
            error={call.error}
            {...(call.error.code === 'gateway.provider-not-reachable'
              ? {
                  action: {
                    label: t('failure.network'),
                    run: () => openDialog({ kind: 'options', tab: 'network' }),
                  },
                }
              : {})}
          />
        )}
      </div>
    </DialogFrame>
  );
}
