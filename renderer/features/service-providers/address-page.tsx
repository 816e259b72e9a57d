// Owns the page Service Provider: the address of its gateway.
import { Field, Input, makeStyles } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import type { FieldErrors } from '../../ui/wizard/wizard.tsx';

const useStyles = makeStyles({
  row: {
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 1fr) 120px',
    gap: '12px',
    alignItems: 'start',
    '& .fui-Input': { minWidth: 0 },
    '& input': { minWidth: 0, width: '100%' },
  },
});

interface AddressPageProps {
  readonly values: { readonly name: string; readonly host: string; readonly port: string };
  readonly errors: FieldErrors;
  readonly onChange: (change: { readonly name?: string; readonly host?: string; readonly port?: string }) => void;
}

export function AddressPage({ values, errors, onChange }: AddressPageProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  return (
    <>
      <div className={styles.row}>
        <Field label={t('providerWizard.host')} required validationMessage={errors['host'] ?? null}>
          <Input value={values.host} spellCheck={false} onChange={(_event, data) => onChange({ host: data.value })} />
        </Field>
        <Field label={t('providerWizard.port')} required validationMessage={errors['port'] ?? null}>
          <Input value={values.port} inputMode="numeric" onChange={(_event, data) => onChange({ port: data.value })} />
        </Field>
      </div>
      <Field
        label={t('providerWizard.name')}
        hint={t('providerWizard.name.hint')}
        validationMessage={errors['name'] ?? null}
      >
        <Input value={values.name} maxLength={100} onChange={(_event, data) => onChange({ name: data.value })} />
      </Field>
    </>
  );
}
