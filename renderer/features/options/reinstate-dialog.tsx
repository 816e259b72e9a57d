// Owns the dialog that trusts a revoked certificate again. It requires the certificate's thumbprint.
import { Button, Field, Input, makeStyles, tokens } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Pin } from '../../../services/contracts/models/trust.ts';
import { useText } from '../../i18n/use-text.ts';
import { tenantClients } from '../../platform/clients.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { useCall } from '../../ui/use-call.ts';

const useStyles = makeStyles({
  text: { margin: '0 0 12px 0' },
  mono: { fontFamily: tokens.fontFamilyMonospace },
});

export function ReinstateDialog({ pin, onClose }: { readonly pin: Pin; readonly onClose: () => void }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [pasted, setPasted] = useState('');
  const call = useCall();
  const confirm = async (): Promise<void> => {
    if (await call.run(() => tenantClients.trust.reinstatePin({ pinId: pin.id, pasted }))) onClose();
  };
  return (
    <DialogFrame
      help="connect-to-a-provider"
      title={t('pins.reinstate.title', { identity: pin.identity })}
      width="narrow"
      isAlert
      onDismiss={onClose}
      footer={
        <>
          <Button disabled={call.isBusy || pasted.trim() === ''} onClick={() => void confirm()}>
            {t('pins.reinstate.confirm')}
          </Button>
          <Button appearance="primary" data-initial-focus onClick={onClose}>
            {t('word.cancel')}
          </Button>
        </>
      }
    >
      <p className={styles.text}>{t('pins.reinstate.text')}</p>
      <Field label={t('trust.paste')}>
        <Input
          className={styles.mono}
          value={pasted}
          spellCheck={false}
          onChange={(_event, data) => {
            setPasted(data.value);
            call.clearError();
          }}
        />
      </Field>
      {call.error !== null && <ErrorView error={call.error} />}
    </DialogFrame>
  );
}
