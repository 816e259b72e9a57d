// Owns the wizard "Repository": name, folder, summary. Adds a repository, or changes its name or its place.
import { Field, Input } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { CommandOutput } from '../../../services/contracts/contract.ts';
import type { Repository } from '../../../services/contracts/models/provider.ts';
import type { repositoriesDomain } from '../../../services/contracts/rpc/repositories.ts';
import { useText } from '../../i18n/use-text.ts';
import { consoleClient, providerClients } from '../../platform/clients.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { PathField } from '../../ui/form/path-field.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { useLiveErrors } from '../../ui/form/use-live-errors.ts';
import { showToast } from '../../ui/toast-store.ts';
import { Wizard } from '../../ui/wizard/wizard.tsx';
import { repositoryChanges, repositoryCommand, repositoryNameProblem } from './repository-draft.ts';

type FolderState = CommandOutput<typeof repositoriesDomain, 'checkFolder'>['state'];

interface RepositoryWizardProps {
  /** The repository to change. Without it, the wizard adds one. */
  readonly repository?: Repository;
  readonly onClose: () => void;
}

export function RepositoryWizard({ repository, onClose }: RepositoryWizardProps): ReactNode {
  const t = useText();
  const known = useMirror(({ provider }) => provider.repositories);
  const before = repository ?? null;
  const [name, setName] = useState(repository?.name ?? '');
  const [folder, setFolder] = useState(repository?.folder ?? '');
  /** The folder of the last check: an error of the check belongs to this folder only. */
  const [checked, setChecked] = useState('');
  const [state, setState] = useState<FolderState | null>(null);
  const problem = repositoryNameProblem(
    name,
    known.filter(({ id }) => id !== repository?.id),
  );
  const ofName = useLiveErrors(problem === null ? {} : { name: t(problem) });
  const ofFolder = useLiveErrors(folder.trim() === '' ? { folder: t('field.required') } : {});
  const changes = before === null ? {} : repositoryChanges(before, { name, folder });
  const isSame = before !== null && Object.keys(changes).length === 0;

  const save = async (signal: AbortSignal): Promise<void> => {
    if (repository === undefined) {
      await providerClients.repositories.add({ name, folder: folder.trim() }, { signal });
      showToast('success', t('repositoryWizard.added', { name }));
    } else if (!isSame) {
      await providerClients.repositories.set({ repositoryId: repository.id, ...changes }, { signal });
      showToast('success', t('repositoryWizard.changed', { name }));
    }
  };

  return (
    <Wizard
      help="set-up-a-provider"
      title={before === null ? t('repositoryWizard.title') : t('repositoryWizard.title.edit', { name: before.name })}
      isDirty={before === null ? name !== '' || folder !== '' : !isSame}
      onClose={onClose}
      steps={[
        {
          id: 'name',
          title: t('repositoryWizard.step.name'),
          content: (
            <Field
              label={t('repositoryWizard.name')}
              required
              hint={t(before === null ? 'repositoryWizard.name.hint' : 'repositoryWizard.name.hint.edit')}
              validationMessage={ofName.errors.name ?? null}
            >
              <Input value={name} maxLength={100} onChange={(_event, data) => setName(data.value)} />
            </Field>
          ),
          validate: ofName.check,
        },
        {
          id: 'folder',
          title: t('repositoryWizard.step.folder'),
          fields: ['folder'],
          content: (fieldErrors) => (
            <PathField
              label={t('repositoryWizard.folder')}
              hint={t(before === null ? 'repositoryWizard.folder.hint' : 'repositoryWizard.folder.hint.edit')}
              value={folder}
              isRequired
              error={ofFolder.errors.folder ?? (folder.trim() === checked ? fieldErrors['folder'] : undefined)}
              onChange={setFolder}
              browse={() => consoleClient.chooseFolder({ title: t('repositoryWizard.folder.choose') })}
            />
          ),
          validate: ofFolder.check,
          workLabel: t('repositoryWizard.checking'),
          work: async (signal) => {
            setState(null);
            setChecked(folder.trim());
            if (before !== null && changes.folder === undefined) return;
            const found = await providerClients.repositories.checkFolder(
              { folder: folder.trim(), ...(before === null ? {} : { repositoryId: before.id }) },
              { signal },
            );
            setState(found.state);
          },
        },
        {
          id: 'summary',
          title: t('repositoryWizard.step.summary'),
          intro: t(
            before === null
              ? 'repositoryWizard.summary.intro'
              : isSame
                ? 'repositoryWizard.summary.same'
                : 'repositoryWizard.summary.edit',
          ),
          content: (
            <>
              <PropertyList
                properties={[
                  { name: t('repositoryWizard.name'), value: name },
                  { name: t('repositoryWizard.folder'), value: folder.trim() },
                  ...(before === null && state !== null
                    ? [{ name: t('repositoryWizard.content'), value: t(`repositoryWizard.content.${state}`) }]
                    : []),
                ]}
              />
              {!isSame && <ShowCommand commands={[repositoryCommand(before, { name, folder })]} />}
            </>
          ),
          workLabel: t(before === null ? 'repositoryWizard.work' : 'repositoryWizard.work.edit'),
          work: save,
        },
      ]}
    />
  );
}
