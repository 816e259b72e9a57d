// Owns setting a new password for an account.
import { Button, makeStyles } from '@fluentui/react-components';
import { useState } from 'react';
import type { SyntheticEvent, ReactNode } from 'react';
import type { TenantAccount } from '../../../services/contracts/models/provider.ts';
import { useText } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { NewPasswordField, leastPasswordLength } from '../../ui/form/new-password-field.tsx';
import { useCall } from '../../ui/use-call.ts';

const useStyles = makeStyles({ text: { margin: '0 0 14px 0' } });

export function SetPasswordDialog({
  tenant,
  onClose,
}: {
  readonly tenant: TenantAccount;
  readonly onClose: () => void;
}): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [password, setPassword] = useState('');
  const [isTooShort, setTooShort] = useState(false);
  const call = useCall();
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    setTooShort(password.length < leastPasswordLength);
    if (password.length < leastPasswordLength) return;
    if (await call.run(() => providerClients.tenants.set({ tenantId: tenant.id, password }))) onClose();
  };
  return (
    <DialogFrame
      title={t('tenants.password.title', { name: tenant.name })}
      onDismiss={onClose}
      footer={
        <>
          <Button form="set-password" type="submit" appearance="primary" disabled={call.isBusy}>
            {t('tenants.password.set')}
          </Button>
          <Button onClick={onClose}>{t('word.cancel')}</Button>
        </>
      }
    >
      <form id="set-password" onSubmit={(event) => void submit(event)}>
        <p className={styles.text}>{t('tenants.password.text')}</p>
        <NewPasswordField
          value={password}
          onChange={setPassword}
          error={isTooShort ? t('tenantWizard.password.short') : undefined}
        />
      </form>
      {call.error !== null && <ErrorView error={call.error} />}
    </DialogFrame>
  );
}
