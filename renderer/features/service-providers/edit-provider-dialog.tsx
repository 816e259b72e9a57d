// Owns the dialog that changes a service provider: name, address, user name, new password, or a new invitation. The service logs in with the
// new values before it saves them.
import { Button, Field, Input, ProgressBar, makeStyles } from '@fluentui/react-components';
import { MailOpenPerson20Regular } from '@fluentui/react-icons';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode, SyntheticEvent } from 'react';
import type { Invitation } from '../../../services/contracts/models/provider.ts';
import type { ServiceProvider } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import { tenantClients } from '../../platform/clients.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { errorSentences } from '../../ui/error-sentences.ts';
import { ErrorView } from '../../ui/error-view.tsx';
import { PasswordField } from '../../ui/form/password-field.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { useLiveErrors } from '../../ui/form/use-live-errors.ts';
import { showToast } from '../../ui/toast-store.ts';
import { useCall } from '../../ui/use-call.ts';
import { AddressPage } from './address-page.tsx';
import { changesOf, draftOf, problemsOf, renewCommand, setCommand } from './edit-draft.ts';
import type { EditDraft } from './edit-draft.ts';
import { InvitationPage } from './invitation-page.tsx';
import { openInvitation } from './open-invitation.ts';
import { withTrust } from './with-trust.ts';

const useStyles = makeStyles({
  form: { display: 'flex', flexDirection: 'column', gap: '12px' },
  intro: { margin: 0 },
  start: { marginRight: 'auto' },
});

interface EditProviderDialogProps {
  readonly providerId: string;
  /** The field for the new password has the focus. */
  readonly isPasswordWanted: boolean;
  readonly onClose: () => void;
}

export function EditProviderDialog({ providerId, isPasswordWanted, onClose }: EditProviderDialogProps): ReactNode {
  const current = useMirror(({ tenant }) => tenant.providers.find(({ id }) => id === providerId));
  // Events that change the provider meanwhile do not change what a person types.
  const [before] = useState(current);
  return before === undefined ? null : <EditForm {...{ before, isPasswordWanted, onClose }} />;
}

interface EditFormProps extends Pick<EditProviderDialogProps, 'isPasswordWanted' | 'onClose'> {
  readonly before: ServiceProvider;
}

function EditForm({ before, isPasswordWanted, onClose }: EditFormProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const { serviceProviders } = tenantClients;
  const providers = useMirror(({ tenant }) => tenant.providers);
  const [draft, setDraft] = useState(() => draftOf(before));
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const call = useCall();
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>(isPasswordWanted ? 'input[type="password"]' : 'input')?.focus();
  }, [isPasswordWanted]);

  const others = providers.flatMap(({ id, name }) => (id === before.id ? [] : [name]));
  const problems = problemsOf(draft, before, others);
  // With an invitation, only the name can be wrong.
  const shown = invitation === null ? problems : { ...(problems.name === undefined ? {} : { name: problems.name }) };
  const live = useLiveErrors(Object.fromEntries(Object.entries(shown).map(([field, key]) => [field, t(key)])));
  const refused = call.error?.field;
  const errors = {
    ...(call.error === null || refused === undefined ? {} : { [refused]: errorSentences(call.error) }),
    ...live.errors,
  };
  const changes = changesOf(draft, before);
  const command = invitation === null ? setCommand(before, changes) : renewCommand(before, draft.name);
  const change = (typed: Partial<EditDraft>): void => {
    setDraft({ ...draft, ...typed });
    if (refused !== undefined && refused in typed) call.clearError();
  };
  const open = async (): Promise<void> => {
    const opened = await openInvitation(t);
    if (opened !== null) setInvitation(opened);
  };
  const save = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    if (call.isBusy || !live.check()) return;
    const { id: providerId, name } = before;
    const isSaved = await call.run((signal) =>
      withTrust(name, t, () => {
        if (invitation === null) return serviceProviders.set({ providerId, ...changes }, { signal });
        return serviceProviders.accept({ invitation, providerId, name: draft.name }, { signal });
      }),
    );
    if (!isSaved) return;
    showToast('success', t('providerDialog.saved', { name: draft.name }));
    onClose();
  };

  return (
    <DialogFrame
      help="connect-to-a-provider"
      title={t('providerDialog.title', { name: before.name })}
      onDismiss={call.isBusy ? call.cancel : onClose}
      footer={
        <>
          {invitation === null && (
            <Button
              className={styles.start}
              icon={<MailOpenPerson20Regular />}
              disabled={call.isBusy}
              onClick={() => void open()}
            >
              {t('providerWizard.invitation.open')}
            </Button>
          )}
          <Button form="edit-provider" type="submit" appearance="primary" disabledFocusable={call.isBusy}>
            {t('providerDialog.save')}
          </Button>
          <Button onClick={call.isBusy ? call.cancel : onClose}>{t('word.cancel')}</Button>
        </>
      }
    >
      <form id="edit-provider" ref={form} className={styles.form} noValidate onSubmit={(event) => void save(event)}>
        {call.error !== null && refused === undefined && <ErrorView error={call.error} />}
        {invitation === null ? (
          <>
            <AddressPage values={draft} errors={errors} onChange={change} />
            <Field label={t('providerWizard.user')} required validationMessage={errors['userName'] ?? null}>
              <Input
                value={draft.userName}
                maxLength={64}
                spellCheck={false}
                onChange={(_event, data) => change({ userName: data.value })}
              />
            </Field>
            <PasswordField
              label={t('providerDialog.newPassword')}
              hint={t('providerDialog.newPassword.hint')}
              value={draft.password}
              error={errors['password']}
              onChange={(password) => change({ password })}
            />
          </>
        ) : (
          <>
            <p className={styles.intro}>{t('providerDialog.invitation.intro')}</p>
            <InvitationPage
              invitation={invitation}
              name={draft.name}
              nameError={errors['name']}
              onName={(name) => change({ name })}
              onForget={() => setInvitation(null)}
            />
          </>
        )}
        {call.isBusy && <ProgressBar aria-label={t('providerDialog.checking')} />}
        {command !== null && <ShowCommand commands={[command]} />}
      </form>
    </DialogFrame>
  );
}
