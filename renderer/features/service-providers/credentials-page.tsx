// Owns the page Credentials. The page exists only after the provider's certificate was trusted.
import { Field, Input } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { CertificateSummary } from '../../../services/contracts/models/certificate.ts';
import { useText } from '../../i18n/use-text.ts';
import { PasswordField } from '../../ui/form/password-field.tsx';
import type { FieldErrors } from '../../ui/wizard/wizard.tsx';
import { CertificateBanner } from './certificate-banner.tsx';

interface CredentialsPageProps {
  readonly certificate: CertificateSummary;
  readonly trust: 'trusted' | 'pinned';
  readonly values: { readonly userName: string; readonly password: string };
  readonly errors: FieldErrors;
  readonly onUserName: (userName: string) => void;
  readonly onPassword: (password: string) => void;
}

export function CredentialsPage({
  certificate,
  trust,
  values,
  errors,
  onUserName,
  onPassword,
}: CredentialsPageProps): ReactNode {
  const t = useText();
  return (
    <>
      <CertificateBanner certificate={certificate} trust={trust} />
      <Field label={t('providerWizard.user')} required validationMessage={errors['userName'] ?? null}>
        <Input
          value={values.userName}
          maxLength={64}
          spellCheck={false}
          onChange={(_event, data) => onUserName(data.value)}
        />
      </Field>
      <PasswordField
        label={t('providerWizard.password')}
        isRequired
        value={values.password}
        error={errors['password']}
        onChange={onPassword}
      />
    </>
  );
}
