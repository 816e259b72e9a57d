// Owns a password input that can show its content. The content goes only to the parent and is stored nowhere else.
import { Button, Field, Input, Tooltip } from '@fluentui/react-components';
import { Eye16Regular, EyeOff16Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';

interface PasswordFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error?: string | undefined;
  readonly hint?: string;
  readonly isRequired?: boolean;
  readonly autoComplete?: 'new-password' | 'off';
}

export function PasswordField({
  label,
  value,
  onChange,
  error,
  hint,
  isRequired = false,
  autoComplete = 'off',
}: PasswordFieldProps): ReactNode {
  const t = useText();
  const [isRevealed, setRevealed] = useState(false);
  const toggleLabel = isRevealed ? t('field.password.hide') : t('field.password.show');
  return (
    <Field label={label} required={isRequired} validationMessage={error ?? null} hint={hint ?? null}>
      <Input
        type={isRevealed ? 'text' : 'password'}
        value={value}
        autoComplete={autoComplete}
        spellCheck={false}
        onChange={(_event, data) => onChange(data.value)}
        contentAfter={
          <Tooltip content={toggleLabel} relationship="label">
            <Button
              appearance="transparent"
              size="small"
              icon={isRevealed ? <EyeOff16Regular /> : <Eye16Regular />}
              onClick={() => setRevealed(!isRevealed)}
            />
          </Tooltip>
        }
      />
    </Field>
  );
}
