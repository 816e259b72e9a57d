// Owns the overview's card of the gateway role: its link, its counters, and enrollment with the token of a provider on another computer.
import { Button, Field, Input, makeStyles } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { gatewayClients } from '../../platform/clients.ts';
import { formatBytes, formatCount } from '../../platform/format.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { ConfirmDialog } from '../../ui/dialog/confirm-dialog.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import type { Tone } from '../../ui/status-badge.tsx';
import { useCall } from '../../ui/use-call.ts';
import { Card } from '../../ui/card.tsx';

const tones: Readonly<Record<'not-enrolled' | 'connecting' | 'connected' | 'waiting', Tone>> = {
  'not-enrolled': 'neutral',
  connecting: 'info',
  connected: 'success',
  waiting: 'warning',
};

const useStyles = makeStyles({
  form: { display: 'flex', alignItems: 'flex-start', gap: '8px' },
  field: { flexGrow: 1 },
  button: { marginTop: '26px' },
  again: { alignSelf: 'flex-start' },
});

export function GatewayCard(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const node = useMirror(({ gateway }) => gateway.node);
  const isProviderHere = useMirror(({ console }) => console.roles.includes('provider'));
  const [token, setToken] = useState('');
  const call = useCall();
  const [isReplacing, setReplacing] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const isEnrolled = node?.isEnrolled === true;
  const send = async (): Promise<void> => {
    await gatewayClients.gatewayNode.enroll({ token: token.trim(), replace: isEnrolled });
    setToken('');
    setReplacing(false);
  };
  const enroll = (): void => {
    // A working or waiting enrollment is not given up without a question.
    if (isEnrolled) setAsking(true);
    else void call.run(send);
  };
  return (
    <Card title={t('overview.gateway')}>
      <PropertyList
        properties={[
          {
            name: t('overview.stat.link'),
            value:
              node === null ? (
                '–'
              ) : (
                <StatusBadge tone={tones[node.link]}>{t(`overview.link.${node.link}`)}</StatusBadge>
              ),
          },
          ...(node === null || node.linkReason === null ? [] : [{ name: t('service.reason'), value: node.linkReason }]),
          { name: t('service.listeners'), value: node?.listeners.join(', ') ?? '–' },
          { name: t('overview.stat.connections'), value: formatCount(node?.connections ?? 0) },
          { name: t('overview.stat.relayed'), value: formatBytes(node?.relayedBytes ?? 0) },
        ]}
      />
      {isEnrolled && !isReplacing && (
        <Button className={styles.again} size="small" onClick={() => setReplacing(true)}>
          {t('overview.enroll.again')}
        </Button>
      )}
      {node !== null && (isEnrolled ? isReplacing : !isProviderHere) && (
        <form
          className={styles.form}
          onSubmit={(event) => {
            event.preventDefault();
            enroll();
          }}
        >
          <Field className={styles.field} label={t('overview.enroll.token')} hint={t('overview.enroll.hint')}>
            <Input value={token} spellCheck={false} onChange={(_event, data) => setToken(data.value)} />
          </Field>
          <Button
            className={styles.button}
            type="submit"
            appearance="primary"
            disabled={token.trim() === '' || call.isBusy}
          >
            {t('overview.enroll.run')}
          </Button>
        </form>
      )}
      {call.error !== null && <ErrorView error={call.error} />}
      {isAsking && (
        <ConfirmDialog
          title={t('overview.enroll.replace.title')}
          text={t('overview.enroll.replace.text', { address: node?.providerAddress ?? '' })}
          confirmLabel={t('overview.enroll.replace.confirm')}
          onConfirm={send}
          onClose={() => setAsking(false)}
        />
      )}
    </Card>
  );
}
