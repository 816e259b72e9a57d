// Owns the first page of the tenant wizard: name and password of a new account, and what can be changed later.
import { Checkbox, Field, Input, makeStyles } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { NewPasswordField } from '../../ui/form/new-password-field.tsx';
import type { AccountDraft, AccountProblems } from './tenant-draft.ts';

const useStyles = makeStyles({ short: { maxWidth: '200px' } });

interface AccountPageProps {
  readonly draft: AccountDraft;
  readonly isNew: boolean;
  readonly problems: AccountProblems;
  readonly onChange: (changes: Partial<AccountDraft>) => void;
}

export function AccountPage({ draft, isNew, problems, onChange }: AccountPageProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const textOf = (problem: AccountProblems[keyof AccountProblems]): string | undefined =>
    problem === undefined ? undefined : t(problem);
  return (
    <>
      {isNew ? (
        <>
          <Field
            label={t('tenantWizard.name')}
            required
            hint={t('tenantWizard.name.hint')}
            validationMessage={textOf(problems.name) ?? null}
          >
            <Input
              value={draft.name}
              maxLength={64}
              spellCheck={false}
              onChange={(_event, data) => onChange({ name: data.value })}
            />
          </Field>
          <NewPasswordField
            value={draft.password}
            onChange={(password) => onChange({ password })}
            error={textOf(problems.password)}
          />
        </>
      ) : (
        <Field hint={t('tenantWizard.enabled.hint')}>
          <Checkbox
            label={t('tenantWizard.enabled')}
            checked={draft.isEnabled}
            onChange={(_event, data) => onChange({ isEnabled: data.checked === true })}
          />
        </Field>
      )}
      <Field
        label={t('tenantWizard.lease')}
        hint={t('tenantWizard.lease.hint')}
        validationMessage={textOf(problems.lease) ?? null}
      >
        <Input
          className={styles.short}
          type="date"
          value={draft.leaseDay}
          onChange={(_event, data) => onChange({ leaseDay: data.value })}
        />
      </Field>
      <Field
        label={t('tenantWizard.tasks')}
        hint={t('tenantWizard.tasks.hint')}
        validationMessage={textOf(problems.tasks) ?? null}
      >
        <Input
          className={styles.short}
          inputMode="numeric"
          value={draft.tasks}
          onChange={(_event, data) => onChange({ tasks: data.value })}
        />
      </Field>
    </>
  );
}
