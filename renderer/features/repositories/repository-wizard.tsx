// Owns the wizard "Repository": name, folder, summary.
import { Field, Input } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient, providerClients } from '../../platform/clients.ts';
import { commandLine } from '../../platform/command-line.ts';
import { nameProblem } from '../../ui/form/field-rules.ts';
import { PathField } from '../../ui/form/path-field.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { showToast } from '../../ui/toast-store.ts';
import { Wizard } from '../../ui/wizard/wizard.tsx';

export function RepositoryWizard({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useText();
  const [name, setName] = useState('');
  const [folder, setFolder] = useState('');
  const [errors, setErrors] = useState<Partial<Record<'name' | 'folder', string>>>({});
  return (
    <Wizard
      title={t('repositoryWizard.title')}
      isDirty={name !== '' || folder !== ''}
      onClose={onClose}
      steps={[
        {
          id: 'name',
          title: t('repositoryWizard.step.name'),
          content: (
            <Field
              label={t('repositoryWizard.name')}
              required
              hint={t('repositoryWizard.name.hint')}
              validationMessage={errors.name ?? null}
            >
              <Input value={name} maxLength={100} onChange={(_event, data) => setName(data.value)} />
            </Field>
          ),
          validate: () => {
            const problem = nameProblem(name);
            setErrors(problem === null ? {} : { name: t(problem) });
            return problem === null;
          },
        },
        {
          id: 'folder',
          title: t('repositoryWizard.step.folder'),
          content: (
            <PathField
              label={t('repositoryWizard.folder')}
              hint={t('repositoryWizard.folder.hint')}
              value={folder}
              isRequired
              error={errors.folder}
              onChange={setFolder}
              browse={() => consoleClient.chooseFolder({ title: t('repositoryWizard.folder.choose') })}
            />
          ),
          validate: () => {
            const isEmpty = folder.trim() === '';
            setErrors(isEmpty ? { folder: t('field.required') } : {});
            return !isEmpty;
          },
        },
        {
          id: 'summary',
          title: t('repositoryWizard.step.summary'),
          intro: t('repositoryWizard.summary.intro'),
          content: (
            <>
              <PropertyList
                properties={[
                  { name: t('repositoryWizard.name'), value: name },
                  { name: t('repositoryWizard.folder'), value: folder.trim() },
                ]}
              />
              <ShowCommand commands={[commandLine('repository', 'add', name, '--folder', folder.trim())]} />
            </>
          ),
          workLabel: t('repositoryWizard.work'),
          work: async (signal) => {
            await providerClients.repositories.add({ name, folder: folder.trim() }, { signal });
            showToast('success', t('repositoryWizard.added', { name }));
          },
        },
      ]}
    />
  );
}
