// Owns the display of a new enrollment token, with copy, and the choice of its validity.
import { Field, Input, Select, makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { CopyButton } from '../../ui/form/copy-button.tsx';
import { validities, type ValidityId } from './address-draft.ts';

const useStyles = makeStyles({
  token: { display: 'flex', gap: '8px', alignItems: 'flex-start' },
  field: { flexGrow: 1, minWidth: 0 },
  mono: { fontFamily: tokens.fontFamilyMonospace },
  copy: { marginTop: '26px', flexShrink: 0, '& button': { whiteSpace: 'nowrap' } },
});

export function TokenField({ token }: { readonly token: string }): ReactNode {
  const t = useText();
  const styles = useStyles();
  return (
    <div className={styles.token}>
      <Field className={styles.field} label={t('gatewayWizard.token')} hint={t('gatewayWizard.token.how')}>
        <Input className={styles.mono} readOnly value={token} />
      </Field>
      <div className={styles.copy}>
        <CopyButton label={t('gatewayWizard.token.copy')} text={token} />
      </div>
    </div>
  );
}

interface ValidityFieldProps {
  readonly value: ValidityId;
  readonly onChange: (value: ValidityId) => void;
}

export function ValidityField({ value, onChange }: ValidityFieldProps): ReactNode {
  const t = useText();
  return (
    <Field label={t('gatewayWizard.validity')}>
      <Select
        value={value}
        onChange={(_event, data) => onChange(validities.find(({ id }) => id === data.value)?.id ?? '1d')}
      >
        {validities.map(({ id }) => (
          <option key={id} value={id}>
            {t(`gatewayWizard.validity.${id}`)}
          </option>
        ))}
      </Select>
    </Field>
  );
}
