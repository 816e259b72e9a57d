// Owns the wizard "Backup Job", for a new job and for an existing one: name, source, destination, summary.
import { Checkbox, MessageBar, MessageBarBody } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { CallError } from '../../../services/contracts/client.ts';
import type { CheckedSource, Job } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import { tenantClients } from '../../platform/clients.ts';
import { commandLine } from '../../platform/command-line.ts';
import { makeErrorInfo } from '../../platform/error-info.ts';
import { goToSession } from '../../platform/navigation-store.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { nameProblem } from '../../ui/form/field-rules.ts';
import { PropertyList } from '../../ui/property-list.tsx';
import { ShowCommand } from '../../ui/form/show-command.tsx';
import { Wizard } from '../../ui/wizard/wizard.tsx';
import { DestinationPage } from './destination-page.tsx';
import {
  addCommand,
  changesOf,
  draftOf,
  excludePatterns,
  isMoved,
  parseStreams,
  pathsToCheck,
  setCommand,
  sourcePathsOf,
  sourceProblems,
} from './job-draft.ts';
import type { JobDraft, JobSettings } from './job-draft.ts';
import { NamePage } from './name-page.tsx';
import { SourcePage } from './source-page.tsx';

type Errors = Partial<Record<'name' | 'source' | 'provider' | 'repository' | 'streams', string>>;

interface JobWizardProps {
  /** The job to change; undefined for a new one. */
  readonly job?: Job;
  readonly onClose: () => void;
}

export function JobWizard({ job, onClose }: JobWizardProps): ReactNode {
  const t = useText();
  const providers = useMirror(({ tenant }) => tenant.providers);
  const jobs = useMirror(({ tenant }) => tenant.jobs);
  const [draft, setDraft] = useState(() => draftOf(job));
  const [chosenProvider, setChosenProvider] = useState(job?.providerId ?? null);
  const [chosenRepository, setChosenRepository] = useState(job?.repository ?? null);
  const [isRunWanted, setRunWanted] = useState(job === undefined);
  const [problems, setProblems] = useState<ReadonlyMap<string, NonNullable<CheckedSource['problem']>>>(new Map());
  const [errors, setErrors] = useState<Errors>({});
  const change = (changes: Partial<JobDraft>): void => setDraft({ ...draft, ...changes });
  const refuse = (found: Errors): boolean => {
    setErrors(found);
    return Object.keys(found).length === 0;
  };
  const provider =
    providers.find(({ id }) => id === chosenProvider) ?? (providers.length === 1 ? providers[0] : undefined);
  const offered = provider?.repositories ?? [];
  const repository =
    offered.find((candidate) => candidate.name === chosenRepository) ?? (offered.length === 1 ? offered[0] : undefined);
  const { name } = draft;
  const sourcePaths = sourcePathsOf(draft);
  const excludes = excludePatterns(draft.excludes);
  const settings: JobSettings = {
    name,
    sourcePaths,
    excludes: [...excludes],
    streams: parseStreams(draft.streams) ?? 2,
    providerId: provider?.id ?? '',
    repository: repository?.name ?? '',
  };
  const isRunning = jobs.some(({ id, runningSessionId }) => id === job?.id && runningSessionId !== null);
  const isNameTaken = jobs.some((other) => other.id !== job?.id && other.name.toLowerCase() === name.toLowerCase());
  const setOrAdd =
    job === undefined ? addCommand(settings, provider?.name ?? '') : setCommand(job, settings, provider?.name ?? '');

  const checkSources = async (signal: AbortSignal): Promise<void> => {
    const paths = pathsToCheck(sourcePaths, job);
    if (paths.length === 0) return;
    const { sources } = await tenantClients.jobs.checkSources({ sourcePaths: paths }, { signal });
    const found = sourceProblems(sources);
    setProblems(found);
    const [first] = found;
    // Each wrong folder has its own error beside it, so the page shows no other error.
    if (first !== undefined) throw new CallError(makeErrorInfo('source.missing', first[0], 'sourcePaths'));
  };

  return (
    <Wizard
      help="create-a-job"
      title={job === undefined ? t('jobWizard.title') : t('jobWizard.title.edit', { name: job.name })}
      isDirty={job === undefined ? name !== '' || sourcePaths.length > 0 : setOrAdd !== null}
      onClose={onClose}
      steps={[
        {
          id: 'name',
          title: t('jobWizard.step.name'),
          content: <NamePage name={name} error={errors.name} onChange={(typed) => change({ name: typed })} />,
          validate: () => {
            const problem = name === job?.name ? null : nameProblem(name);
            if (problem !== null) return refuse({ name: t(problem) });
            return refuse(isNameTaken ? { name: t('jobWizard.name.taken') } : {});
          },
        },
        {
          id: 'source',
          title: t('jobWizard.step.source'),
          fields: ['sourcePaths'],
          content: (
            <SourcePage
              folders={draft.folders}
              excludes={draft.excludes}
              error={errors.source}
              problemOf={(folder) => problems.get(folder.trim())}
              onFolders={(folders) => change({ folders })}
              onExcludes={(text) => change({ excludes: text })}
            />
          ),
          validate: () => refuse(sourcePaths.length === 0 ? { source: t('field.required') } : {}),
          workLabel: t('jobWizard.source.checking'),
          work: checkSources,
        },
        {
          id: 'destination',
          title: t('jobWizard.step.destination'),
          content: (
            <DestinationPage
              providers={providers}
              providerId={provider?.id ?? null}
              repository={repository?.name ?? null}
              streams={draft.streams}
              isFixed={isRunning}
              errors={errors}
              onProvider={(id) => {
                setChosenProvider(id);
                setChosenRepository(null);
              }}
              onRepository={setChosenRepository}
              onStreams={(streams) => change({ streams })}
            />
          ),
          validate: () =>
            refuse({
              ...(provider === undefined ? { provider: t('jobWizard.provider.choose') } : {}),
              ...(provider !== undefined && repository === undefined
                ? { repository: t('jobWizard.repository.choose') }
                : {}),
              ...(parseStreams(draft.streams) === null ? { streams: t('jobWizard.streams.invalid') } : {}),
            }),
        },
        {
          id: 'summary',
          title: t('jobWizard.step.summary'),
          intro: t(job === undefined ? 'jobWizard.summary.intro' : 'jobWizard.summary.intro.edit'),
          content: (
            <>
              {job !== undefined && isMoved(job, settings) && (
                <MessageBar intent="info" layout="multiline">
                  <MessageBarBody>
                    {t('jobWizard.summary.moved', { destination: `${job.providerName} / ${job.repository}` })}
                  </MessageBarBody>
                </MessageBar>
              )}
              <PropertyList
                properties={[
                  { name: t('jobWizard.name'), value: name },
                  { name: t('jobs.column.source'), value: sourcePaths.join('\n') },
                  ...(excludes.length === 0 ? [] : [{ name: t('jobs.excludes'), value: excludes.join('\n') }]),
                  { name: t('jobs.column.destination'), value: `${provider?.name ?? ''} / ${repository?.name ?? ''}` },
                  { name: t('jobWizard.streams'), value: draft.streams.trim() },
                ]}
              />
              <Checkbox
                label={t('jobWizard.summary.run')}
                checked={isRunWanted && !isRunning}
                disabled={isRunning}
                onChange={(_event, data) => setRunWanted(data.checked === true)}
              />
              <ShowCommand
                commands={[
                  ...(setOrAdd === null ? [] : [setOrAdd]),
                  ...(isRunWanted || setOrAdd === null ? [commandLine('job', 'run', name)] : []),
                ]}
              />
            </>
          ),
          workLabel: t(job === undefined ? 'jobWizard.work' : 'jobWizard.work.edit'),
          work: async (signal) => {
            if (provider === undefined || repository === undefined) return;
            const saved =
              job === undefined
                ? await tenantClients.jobs.add(settings, { signal })
                : await tenantClients.jobs.set({ jobId: job.id, ...changesOf(job, settings) }, { signal });
            if (!isRunWanted || isRunning) return;
            const { sessionId } = await tenantClients.jobs.run({ jobId: saved.id });
            goToSession('tenant', sessionId);
          },
        },
      ]}
    />
  );
}
