// Owns setting a new password for an account. The password is then shown once.
import { Button, MessageBar, MessageBarBody, makeStyles } from '@fluentui/react-components';
import { useState } from 'react';
import type { SyntheticEvent, ReactNode } from 'react';
import type { TenantAccount } from '../../../services/contracts/models/provider.ts';
import { useText } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { commandLine } from '../../platform/command-line.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { NewPasswordField } from '../../ui/form/new-password-field.tsx';
import { leastPasswordLength } from '../../ui/form/password-rules.ts';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { takeFocus } from '../../ui/dialog/take-focus.ts';
import { useLiveErrors } from '../../ui/form/use-live-errors.ts';
import { useCall } from '../../ui/use-call.ts';
import { NewPassword } from './new-password.tsx';

const useStyles = makeStyles({
  content: { display: 'flex', flexDirection: 'column', gap: '14px' },
  text: { margin: 0 },
  body: { whiteSpace: 'normal' },
});

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
  const [isSet, setSet] = useState(false);
  const { errors, check } = useLiveErrors(
    password.length < leastPasswordLength ? { password: t('tenantWizard.password.short') } : {},
  );
  const call = useCall();
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    if (call.isBusy || !check()) return;
    if (await call.run(() => providerClients.tenants.set({ tenantId: tenant.id, password }))) setSet(true);
  };
  return (
    <DialogFrame
      help="add-a-tenant"
      title={t('tenants.password.title', { name: tenant.name })}
      onDismiss={onClose}
      footer={
        isSet ? (
          <Button key="close" ref={takeFocus} onClick={onClose}>
            {t('word.close')}
          </Button>
        ) : (
          <>
            <Button form="set-password" type="submit" appearance="primary" disabledFocusable={call.isBusy}>
              {t('tenants.password.set')}
            </Button>
            <Button onClick={onClose}>{t('word.cancel')}</Button>
          </>
        )
      }
    >
      {isSet ? (
        <div className={styles.content}>
          <MessageBar intent="success" layout="multiline">
            <MessageBarBody className={styles.body} role="status">
              {t('tenants.password.done', { name: tenant.name })}
            </MessageBarBody>
          </MessageBar>
          <NewPassword password={password} />
          <p className={styles.text}>{t('tenants.password.once')}</p>
        </div>
      ) : (
        <form id="set-password" className={styles.content} onSubmit={(event) => void submit(event)} noValidate>
          <p className={styles.text}>{t('tenants.password.text')}</p>
          <NewPasswordField value={password} onChange={setPassword} error={errors.password} />
          {call.error !== null && <ErrorView error={call.error} />}
          <ShowCommand commands={[commandLine('tenant', 'set', tenant.name, '--password-file', 'PASSWORD_FILE')]} />
        </form>
      )}
    </DialogFrame>
  );
}
