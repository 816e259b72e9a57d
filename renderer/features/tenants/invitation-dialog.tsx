// Owns making an invitation: how long it is valid, then the file or the clipboard.
import { Button, Field, Select, makeStyles } from '@fluentui/react-components';
import { Mail20Regular, Save20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { Invitation, TenantAccount } from '../../../services/contracts/models/provider.ts';
import { useText } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { commandLine } from '../../platform/command-line.ts';
import { formatInstant } from '../../platform/format.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { CopyButton } from '../../ui/form/copy-button.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { takeFocus } from '../../ui/dialog/take-focus.ts';
import { useCall } from '../../ui/use-call.ts';
import { useNow } from '../../ui/time/use-now.ts';
import { invitationText, saveInvitation } from './save-invitation.ts';

const useStyles = makeStyles({
  content: { display: 'flex', flexDirection: 'column', gap: '14px' },
  text: { margin: 0 },
  actions: { display: 'flex', flexWrap: 'wrap', gap: '8px' },
});

const dayMs = 86_400_000;
const dayChoices = [1, 3, 7, 30];

interface InvitationDialogProps {
  readonly tenant: TenantAccount;
  readonly onClose: () => void;
}

export function InvitationDialog({ tenant, onClose }: InvitationDialogProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [days, setDays] = useState(3);
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const making = useCall();
  const saving = useCall();
  const now = useNow(invitation === null);
  const make = (): Promise<boolean> =>
    making.run(async (signal) => {
      const made = await providerClients.tenants.invite({ tenantId: tenant.id, validMs: days * dayMs }, { signal });
      setInvitation(made.invitation);
    });
  const error = making.error ?? saving.error;
  return (
    <DialogFrame
      help="add-a-tenant"
      title={t('tenants.invitation.title', { name: tenant.name })}
      onDismiss={onClose}
      footer={
        <>
          {invitation === null && (
            <Button
              appearance="primary"
              icon={<Mail20Regular />}
              disabledFocusable={making.isBusy}
              onClick={() => void make()}
            >
              {t('tenants.invitation.create')}
            </Button>
          )}
          <Button onClick={onClose}>{t(invitation === null ? 'word.cancel' : 'word.close')}</Button>
        </>
      }
    >
      <div className={styles.content}>
        <p className={styles.text}>{t('tenants.invitation.text')}</p>
        {invitation === null ? (
          <Field
            label={t('tenants.invitation.validity')}
            hint={t('tenants.invitation.until', { until: formatInstant(new Date(now + days * dayMs).toISOString()) })}
          >
            <Select value={String(days)} onChange={(_event, data) => setDays(Number(data.value))}>
              {dayChoices.map((count) => (
                <option key={count} value={count}>
                  {t('tenants.invitation.days', { count })}
                </option>
              ))}
            </Select>
          </Field>
        ) : (
          <>
            <p className={styles.text} role="status">
              {t('tenants.invitation.made', { until: formatInstant(invitation.expiresAt) })}
            </p>
            <div className={styles.actions}>
              <Button
                ref={takeFocus}
                icon={<Save20Regular />}
                disabledFocusable={saving.isBusy}
                onClick={() => void saving.run(() => saveInvitation(invitation, t))}
              >
                {t('tenants.invitation.saveFile')}
              </Button>
              <CopyButton label={t('tenantWizard.summary.copy')} text={() => invitationText(invitation)} />
            </div>
          </>
        )}
        {error !== null && <ErrorView error={error} />}
        <ShowCommand
          commands={[
            commandLine(
              ...['tenant', 'invite', tenant.name, '--out', `farkeep-invitation-${tenant.name}.json`],
              ...['--expires', `${days}d`],
            ),
          ]}
        />
      </div>
    </DialogFrame>
  );
}
