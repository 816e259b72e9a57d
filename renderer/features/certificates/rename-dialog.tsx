// Owns the dialog for the friendly name of a stored certificate.
import { Button, Field, Input } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode, SyntheticEvent } from 'react';
import type { StoredCertificate } from '../../../services/contracts/models/certificate.ts';
import { displayNameSchema } from '../../../services/contracts/models/values.ts';
import { useText } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { useLiveErrors } from '../../ui/form/use-live-errors.ts';
import { useCall } from '../../ui/use-call.ts';

interface RenameDialogProps {
  readonly certificate: StoredCertificate;
  readonly onRenamed: () => void;
  readonly onClose: () => void;
}

export function RenameDialog({ certificate, onRenamed, onClose }: RenameDialogProps): ReactNode {
  const t = useText();
  const [name, setName] = useState(certificate.friendlyName);
  const call = useCall();
  const isGood = displayNameSchema.safeParse(name).success;
  const { errors, check } = useLiveErrors(
    isGood ? {} : { name: t(name.trim() === '' ? 'field.required' : 'field.name') },
  );
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    if (call.isBusy || !check()) return;
    const isDone = await call.run((signal) =>
      providerClients.certificate.rename({ certificateId: certificate.id, friendlyName: name }, { signal }),
    );
    if (!isDone) return;
    onRenamed();
    onClose();
  };
  return (
    <DialogFrame
      help="change-a-certificate"
      title={t('storedCertificates.rename.title', { name: certificate.friendlyName })}
      width="narrow"
      onDismiss={onClose}
      footer={
        <>
          <Button form="rename-certificate" type="submit" appearance="primary" disabledFocusable={call.isBusy}>
            {t('storedCertificates.rename.confirm')}
          </Button>
          <Button onClick={onClose}>{t('word.cancel')}</Button>
        </>
      }
    >
      <form id="rename-certificate" onSubmit={(event) => void submit(event)} noValidate>
        <Field label={t('certificate.generate.name')} required validationMessage={errors.name ?? null}>
          <Input value={name} maxLength={100} onChange={(_event, data) => setName(data.value)} />
        </Field>
      </form>
      {call.error !== null && <ErrorView error={call.error} />}
    </DialogFrame>
  );
}
