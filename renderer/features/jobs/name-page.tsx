// Owns the page Name of the job wizard.
import { Field, Input } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';

interface NamePageProps {
  readonly name: string;
  readonly error: string | undefined;
  readonly onChange: (name: string) => void;
}

export function NamePage({ name, error, onChange }: NamePageProps): ReactNode {
  const t = useText();
  return (
    <Field label={t('jobWizard.name')} required hint={t('jobWizard.name.hint')} validationMessage={error ?? null}>
      <Input value={name} maxLength={100} onChange={(_event, data) => onChange(data.value)} />
    </Field>
  );
}
