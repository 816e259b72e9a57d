// Owns the page Source of the job wizard: folders, and patterns of what is excluded.
import { Button, Field, Textarea, Tooltip, makeStyles } from '@fluentui/react-components';
import { Add16Regular, Dismiss16Regular } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import type { CheckedSource } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient } from '../../platform/clients.ts';
import { PathField } from '../../ui/form/path-field.tsx';

const useStyles = makeStyles({
  row: { display: 'flex', gap: '8px', alignItems: 'flex-start' },
  field: { flexGrow: 1, minWidth: 0 },
  remove: { marginTop: '26px' },
  add: { alignSelf: 'flex-start' },
});

interface SourcePageProps {
  readonly folders: readonly string[];
  readonly excludes: string;
  /** When no folder is given. */
  readonly error: string | undefined;
  /** Why the job cannot have this folder, from the last look of the service. */
  readonly problemOf: (folder: string) => CheckedSource['problem'] | undefined;
  readonly onFolders: (folders: readonly string[]) => void;
  readonly onExcludes: (excludes: string) => void;
}

export function SourcePage({ folders, excludes, error, problemOf, onFolders, onExcludes }: SourcePageProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const errorOf = (folder: string, index: number): string | undefined => {
    const problem = problemOf(folder) ?? null;
    if (problem !== null) return t(`jobWizard.source.problem.${problem}`);
    return index === 0 ? error : undefined;
  };
  return (
    <>
      {folders.map((folder, index) => (
        <div key={index} className={styles.row}>
          <div className={styles.field}>
            <PathField
              label={
                folders.length === 1 ? t('jobWizard.source') : t('jobWizard.source.numbered', { number: index + 1 })
              }
              value={folder}
              isRequired={index === 0}
              error={errorOf(folder, index)}
              {...(index === folders.length - 1 ? { hint: t('jobWizard.source.hint') } : {})}
              onChange={(path) => onFolders(folders.with(index, path))}
              browse={() => consoleClient.chooseFolder({ title: t('jobWizard.source.choose') })}
            />
          </div>
          {folders.length > 1 && (
            <Tooltip content={t('jobWizard.source.remove', { number: index + 1 })} relationship="label">
              <Button
                className={styles.remove}
                appearance="subtle"
                icon={<Dismiss16Regular />}
                onClick={() => onFolders(folders.toSpliced(index, 1))}
              />
            </Tooltip>
          )}
        </div>
      ))}
      <Button className={styles.add} size="small" icon={<Add16Regular />} onClick={() => onFolders([...folders, ''])}>
        {t('jobWizard.source.add')}
      </Button>
      <Field label={t('jobWizard.excludes')} hint={t('jobWizard.excludes.hint')}>
        <Textarea
          value={excludes}
          rows={3}
          onChange={(_event, data) => onExcludes(data.value)}
          onKeyDown={(event) => event.key === 'Enter' && event.stopPropagation()}
        />
      </Field>
    </>
  );
}
