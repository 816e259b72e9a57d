// Owns the field for an account's new password: typed, or generated and then shown.
import { Button, makeStyles } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { generatePassword } from './generate-password.ts';
import { PasswordField } from './password-field.tsx';

const useStyles = makeStyles({
  row: { display: 'flex', gap: '8px', alignItems: 'flex-start' },
  field: { flexGrow: 1 },
  button: { marginTop: '26px' },
});

interface NewPasswordFieldProps {
  readonly value: string;
  readonly onChange: (password: string) => void;
  readonly error?: string | undefined;
}

export function NewPasswordField({ value, onChange, error }: NewPasswordFieldProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  return (
    <div className={styles.row}>
      <div className={styles.field}>
        <PasswordField
          label={t('tenantWizard.password')}
          hint={t('tenantWizard.password.hint')}
          value={value}
          onChange={onChange}
          error={error}
          isRequired
          autoComplete="new-password"
        />
      </div>
      <Button className={styles.button} onClick={() => onChange(generatePassword())}>
        {t('tenantWizard.password.generate')}
      </Button>
    </div>
  );
}
