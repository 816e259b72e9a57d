// Owns the page Import Certificate: file, key file, password. An error appears beside its field.
import type { ReactNode } from 'react';
import type { ErrorInfo } from '../../../services/contracts/errors.ts';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient } from '../../platform/clients.ts';
import { PasswordField } from '../../ui/form/password-field.tsx';
import { PathField } from '../../ui/form/path-field.tsx';
import type { FieldErrors } from '../../ui/wizard/wizard.tsx';
import type { CertificateDraft } from './certificate-draft.ts';

const certificateExtensions = ['pfx', 'p12', 'pem', 'crt', 'cer', 'der'];
const keyExtensions = ['key', 'pem', 'der', 'pk8'];

export const importFields = ['file', 'keyFile', 'password'] as const;

/** The service names the field if it can. Otherwise the error code selects the field. */
export function importFieldOf({ code }: ErrorInfo, hasKeyFile: boolean): string | undefined {
  if (code === 'certificate.wrong-password') return 'password';
  if (code === 'certificate.key-mismatch' || (code === 'certificate.no-private-key' && hasKeyFile)) return 'keyFile';
  return code.startsWith('certificate.') ? 'file' : undefined;
}

interface ImportPageProps {
  readonly draft: CertificateDraft;
  readonly errors: FieldErrors;
  readonly onChange: (change: Partial<Pick<CertificateDraft, 'file' | 'keyFile' | 'password'>>) => void;
}

export function ImportPage({ draft, errors, onChange }: ImportPageProps): ReactNode {
  const t = useText();
  const browse = (title: string, extensions: readonly string[]) => () =>
    consoleClient.chooseFile({
      title,
      filters: [
        { name: t('certificate.import.filter'), extensions: [...extensions] },
        { name: t('certificate.import.filter.all'), extensions: ['*'] },
      ],
    });
  return (
    <>
      <PathField
        label={t('certificate.import.file')}
        hint={t('certificate.import.file.hint')}
        value={draft.file}
        isRequired
        error={errors['file']}
        onChange={(file) => onChange({ file })}
        browse={browse(t('certificate.import.file.choose'), certificateExtensions)}
      />
      <PasswordField
        label={t('certificate.import.password')}
        hint={t('certificate.import.password.hint')}
        value={draft.password}
        error={errors['password']}
        onChange={(password) => onChange({ password })}
      />
      <PathField
        label={t('certificate.import.keyFile')}
        hint={t('certificate.import.keyFile.hint')}
        value={draft.keyFile}
        error={errors['keyFile']}
        onChange={(keyFile) => onChange({ keyFile })}
        browse={browse(t('certificate.import.keyFile.choose'), keyExtensions)}
      />
    </>
  );
}
