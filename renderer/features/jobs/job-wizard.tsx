// Owns the wizard "Backup Job": name, source, destination, summary.
import { Checkbox } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { tenantClients } from '../../platform/clients.ts';
import { commandLine } from '../../platform/command-line.ts';
import { goToSession } from '../../platform/navigation-store.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { nameProblem } from '../../ui/form/field-rules.ts';
import { PropertyList } from '../../ui/property-list.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { Wizard } from '../../ui/wizard/wizard.tsx';
import { DestinationPage } from './destination-page.tsx';
import { excludePatterns } from './job-draft.ts';
import { NamePage } from './name-page.tsx';
import { SourcePage } from './source-page.tsx';

type Errors = Partial<Record<'name' | 'source' | 'provider' | 'repository', string>>;

export function JobWizard({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useText();
  const providers = useMirror(({ tenant }) => tenant.providers);
  const [name, setName] = useState('');
  const [folders, setFolders] = useState<readonly string[]>(['']);
  const [excludes, setExcludes] = useState('');
  const [chosenProvider, setChosenProvider] = useState<string | null>(null);
  const [chosenRepository, setChosenRepository] = useState<string | null>(null);
  const [isRunWanted, setRunWanted] = useState(true);
  const [errors, setErrors] = useState<Errors>({});
  const refuse = (found: Errors): boolean => {
    setErrors(found);
    return Object.keys(found).length === 0;
  };
  const provider =
    providers.find(({ id }) => id === chosenProvider) ?? (providers.length === 1 ? providers[0] : undefined);
  const offered = provider?.repositories ?? [];
  const repository =
    offered.find((candidate) => candidate.name === chosenRepository) ?? (offered.length === 1 ? offered[0] : undefined);
  const sourcePaths = folders.map((folder) => folder.trim()).filter((folder) => folder !== '');
  const patterns = excludePatterns(excludes);

  return (
    <Wizard
      title={t('jobWizard.title')}
      isDirty={name !== '' || sourcePaths.length > 0}
      onClose={onClose}
      steps={[
        {
          id: 'name',
          title: t('jobWizard.step.name'),
          content: <NamePage name={name} error={errors.name} onChange={setName} />,
          validate: () => {
            const problem = nameProblem(name);
            return refuse(problem === null ? {} : { name: t(problem) });
          },
        },
        {
          id: 'source',
          title: t('jobWizard.step.source'),
          content: (
            <SourcePage
              folders={folders}
              excludes={excludes}
              error={errors.source}
              onFolders={setFolders}
              onExcludes={setExcludes}
            />
          ),
          validate: () => refuse(sourcePaths.length === 0 ? { source: t('field.required') } : {}),
        },
        {
          id: 'destination',
          title: t('jobWizard.step.destination'),
          content: (
            <DestinationPage
              providers={providers}
              providerId={provider?.id ?? null}
              repository={repository?.name ?? null}
              errors={errors}
              onProvider={(id) => {
                setChosenProvider(id);
                setChosenRepository(null);
              }}
              onRepository={setChosenRepository}
            />
          ),
          validate: () =>
            refuse({
              ...(provider === undefined ? { provider: t('jobWizard.provider.choose') } : {}),
              ...(provider !== undefined && repository === undefined
                ? { repository: t('jobWizard.repository.choose') }
                : {}),
            }),
        },
        {
          id: 'summary',
          title: t('jobWizard.step.summary'),
          intro: t('jobWizard.summary.intro'),
          content: (
            <>
              <PropertyList
                properties={[
                  { name: t('jobWizard.name'), value: name },
                  { name: t('jobs.column.source'), value: sourcePaths.join(', ') },
                  ...(patterns.length === 0 ? [] : [{ name: t('jobs.excludes'), value: patterns.join(', ') }]),
                  { name: t('jobs.column.destination'), value: `${provider?.name ?? ''} / ${repository?.name ?? ''}` },
                ]}
              />
              <Checkbox
                label={t('jobWizard.summary.run')}
                checked={isRunWanted}
                onChange={(_event, data) => setRunWanted(data.checked === true)}
              />
              <ShowCommand
                commands={[
                  commandLine(
                    ...['job', 'add', name],
                    ...sourcePaths.flatMap((path) => ['--source', path]),
                    ...['--provider', provider?.name ?? '', '--repository', repository?.name ?? ''],
                    ...patterns.flatMap((pattern) => ['--exclude', pattern]),
                  ),
                  ...(isRunWanted ? [commandLine('job', 'run', name)] : []),
                ]}
              />
            </>
          ),
          workLabel: t('jobWizard.work'),
          work: async (signal) => {
            if (provider === undefined || repository === undefined) return;
            const input = {
              name,
              sourcePaths,
              excludes: [...patterns],
              providerId: provider.id,
              repository: repository.name,
            };
            const job = await tenantClients.jobs.add(input, { signal });
            if (!isRunWanted) return;
            const { sessionId } = await tenantClients.jobs.run({ jobId: job.id });
            goToSession('tenant', sessionId);
          },
        },
      ]}
    />
  );
}
