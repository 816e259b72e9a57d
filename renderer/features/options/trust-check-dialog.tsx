// Owns checking the trust in a gateway, and accepting its certificate in advance by a thumbprint that the provider gave.
import { Button, Field, Input, MessageBar, MessageBarBody, Spinner, makeStyles } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode, SyntheticEvent } from 'react';
import type { CommandOutput } from '../../../services/contracts/contract.ts';
import { defaultPorts } from '../../../services/contracts/default-ports.ts';
import type { trustDomain } from '../../../services/contracts/rpc/trust.ts';
import { useText } from '../../i18n/use-text.ts';
import { tenantClients } from '../../platform/clients.ts';
import { commandLine } from '../../platform/command-line.ts';
import { formatInstant } from '../../platform/format.ts';
import { CertificateSummaryTable } from '../../ui/certificate/certificate-summary.tsx';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { addressProblems, parsePort } from '../../ui/form/field-rules.ts';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { useLiveErrors } from '../../ui/form/use-live-errors.ts';
import { SimpleTable } from '../../ui/table/simple-table.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { showToast } from '../../ui/toast-store.ts';
import { useCall } from '../../ui/use-call.ts';

type Check = CommandOutput<typeof trustDomain, 'check'>;

const useStyles = makeStyles({
  content: { display: 'flex', flexDirection: 'column', gap: '14px' },
  text: { margin: 0 },
  address: { display: 'grid', gridTemplateColumns: '1fr 120px', gap: '12px' },
  body: { whiteSpace: 'normal' },
});

export function TrustCheckDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [host, setHost] = useState('');
  const [port, setPort] = useState(String(defaultPorts.gateway.gateway));
  const [fingerprint, setFingerprint] = useState('');
  const [check, setCheck] = useState<Check | null>(null);
  const call = useCall();
  const address = useLiveErrors(addressProblems(host, port));
  const target = (): { host: string; port: number } => ({ host: host.trim(), port: parsePort(port) ?? 0 });
  /** A finding belongs to the input that was checked. */
  const change = (set: (text: string) => void) => (_event: unknown, data: { readonly value: string }) => {
    set(data.value);
    setCheck(null);
    call.clearError();
  };
  const run = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    if (call.isBusy || !address.check()) return;
    setCheck(null);
    await call.run(async (signal) => {
      const pasted = fingerprint.trim();
      const input = { ...target(), ...(pasted === '' ? {} : { fingerprint: pasted }) };
      setCheck(await tenantClients.trust.check(input, { signal }));
    });
  };
  const accept = async (): Promise<void> => {
    const isDone = await call.run(async (signal) => {
      const { identity } = await tenantClients.trust.acceptInAdvance(
        { ...target(), fingerprint: fingerprint.trim() },
        { signal },
      );
      showToast('success', t('trustCheck.accepted', { identity }));
    });
    if (isDone) onClose();
  };
  const canAccept = check !== null && fingerprint.trim() !== '' && check.decision !== 'refused';
  const { host: hostError, port: portError } = address.errors;
  const isFieldError = call.error?.field === 'fingerprint';
  return (
    <DialogFrame
      help="connect-to-a-provider"
      title={t('trustCheck.title')}
      width="wide"
      onDismiss={onClose}
      footer={
        <>
          {canAccept && (
            <Button disabledFocusable={call.isBusy} onClick={() => void accept()}>
              {t('trustCheck.accept')}
            </Button>
          )}
          <Button form="trust-check" type="submit" appearance="primary" disabledFocusable={call.isBusy}>
            {t('trustCheck.check')}
          </Button>
          <Button onClick={onClose}>{t('word.close')}</Button>
        </>
      }
    >
      <form id="trust-check" className={styles.content} onSubmit={(event) => void run(event)} noValidate>
        <p className={styles.text}>{t('trustCheck.text')}</p>
        <div className={styles.address}>
          <Field
            label={t('trustCheck.host')}
            required
            validationMessage={hostError === undefined ? null : t(hostError)}
          >
            <Input value={host} spellCheck={false} onChange={change(setHost)} />
          </Field>
          <Field label={t('trustCheck.port')} validationMessage={portError === undefined ? null : t(portError)}>
            <Input value={port} inputMode="numeric" onChange={change(setPort)} />
          </Field>
        </div>
        <Field
          label={t('trustCheck.fingerprint')}
          hint={t('trustCheck.fingerprint.hint')}
          validationMessage={isFieldError ? call.error.message : null}
        >
          <Input value={fingerprint} spellCheck={false} onChange={change(setFingerprint)} />
        </Field>
        {call.isBusy && <Spinner size="tiny" label={t('trustCheck.working')} />}
        {call.error !== null && !isFieldError && <ErrorView error={call.error} />}
        {check !== null && <CheckResult check={check} />}
        <ShowCommand
          commands={[
            commandLine(
              ...['trust', 'check', '--host', host.trim(), '--port', port.trim()],
              ...(fingerprint.trim() === '' ? [] : ['--fingerprint', fingerprint.trim()]),
            ),
          ]}
        />
      </form>
    </DialogFrame>
  );
}

function CheckResult({ check }: { readonly check: Check }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const { certificate, tls } = check;
  const row = (id: string, name: string, value: string, isCode = false) => ({ id, name, value, isCode });
  const names = [...certificate.dnsNames, ...certificate.ipAddresses].join(', ');
  return (
    <>
      <MessageBar intent={check.decision === 'refused' ? 'error' : 'success'} layout="multiline">
        <MessageBarBody className={styles.body} role="status">
          {t(`trustCheck.decision.${check.decision}`)} {check.advice ?? ''}
        </MessageBarBody>
      </MessageBar>
      <SimpleTable
        label={t('trustCheck.findings')}
        rows={check.findings}
        rowKey={({ reason }) => reason}
        columns={[
          {
            id: 'outcome',
            title: t('trustCheck.outcome'),
            width: '130px',
            cell: ({ isRefusing }) => (
              <StatusBadge tone={isRefusing ? 'danger' : 'success'}>
                {t(isRefusing ? 'trustCheck.outcome.refused' : 'trustCheck.outcome.ok')}
              </StatusBadge>
            ),
          },
          { id: 'finding', title: t('trustCheck.finding'), isBreakable: true, cell: ({ message }) => message },
        ]}
      />
      <CertificateSummaryTable
        label={t('trustCheck.certificate')}
        rows={[
          row('issuedTo', t('certificate.row.issuedTo'), certificate.subject),
          row('issuedBy', t('certificate.row.issuedBy'), certificate.issuer),
          row('validFrom', t('certificate.row.validFrom'), formatInstant(certificate.notBefore)),
          row('expires', t('certificate.row.expires'), formatInstant(certificate.notAfter)),
          row('names', t('certificate.row.names'), names || t('certificate.names.none')),
          row('sha256', t('certificate.row.sha256'), certificate.sha256, true),
          row('sha1', t('certificate.row.sha1'), certificate.sha1, true),
          row('tls', t('trustCheck.tls'), `${tls.version}, ${tls.cipher}, ${tls.group}`),
        ]}
      />
    </>
  );
}
