// Owns the page of backup jobs: run, stop, and open the running session.
import { ToolbarButton, ToolbarDivider } from '@fluentui/react-components';
import {
  Add20Regular,
  ClockBill32Regular,
  Delete20Regular,
  Edit20Regular,
  Open20Regular,
  Stop20Regular,
} from '@fluentui/react-icons';
import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { Job } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { tenantClients } from '../../platform/clients.ts';
import { openDialog } from '../../platform/dialog-store.ts';
import { goToSession } from '../../platform/navigation-store.ts';
import { mirror, useMirror } from '../../platform/use-mirror.ts';
import { ConfirmDialog } from '../../ui/dialog/confirm-dialog.tsx';
import type { TableColumn } from '../../ui/table/data-table.tsx';
import { DetailsPane } from '../../ui/table/details-pane.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { Instant } from '../../ui/instant.tsx';
import { ListPage } from '../../ui/table/list-page.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { RefusedLoginNotices } from '../../ui/refused-login-notices.tsx';
import { useCall } from '../../ui/use-call.ts';
import { JobState } from './job-state.tsx';
import { RunButton } from './run-button.tsx';
import type { RunOptions } from './run-button.tsx';

function columnsFor(t: TextFunction): readonly TableColumn<Job>[] {
  const sources = ({ sourcePaths }: Job): string => sourcePaths.join(', ');
  const destination = ({ providerName, repository }: Job): string => `${providerName} / ${repository}`;
  return [
    {
      id: 'name',
      title: t('jobs.column.name'),
      width: 'minmax(140px, 2fr)',
      text: ({ name }) => name,
      sortBy: ({ name }) => name,
      cell: ({ name }) => name,
    },
    {
      id: 'state',
      title: t('jobs.column.state'),
      width: '170px',
      sortBy: ({ lastRun }) => lastRun?.state ?? '',
      cell: (job) => <JobState job={job} />,
    },
    {
      id: 'source',
      title: t('jobs.column.source'),
      width: 'minmax(140px, 2fr)',
      text: sources,
      sortBy: sources,
      cell: (job) => <span title={job.sourcePaths.join('\n')}>{sources(job)}</span>,
    },
    {
      id: 'destination',
      title: t('jobs.column.destination'),
      isSecondary: true,
      width: 'minmax(140px, 2fr)',
      text: destination,
      sortBy: destination,
      cell: destination,
    },
    {
      id: 'lastRun',
      title: t('jobs.column.lastRun'),
      isSecondary: true,
      width: '168px',
      sortBy: ({ lastRun }) => lastRun?.endedAt ?? '',
      cell: ({ lastRun }) => <Instant at={lastRun?.endedAt ?? null} otherwise={t('word.never')} />,
    },
  ];
}

export function JobsPage(): ReactNode {
  const t = useText();
  const slice = useMirror(({ tenant }) => tenant);
  const [removing, setRemoving] = useState<Job | null>(null);
  const [stopping, setStopping] = useState<Job | null>(null);
  const call = useCall();
  const columns = useMemo(() => columnsFor(t), [t]);
  const add = (): void => openDialog({ kind: 'add-job' });
  const run = (job: Job, options: RunOptions): void =>
    void call.run(async () => {
      const { sessionId } = await tenantClients.jobs.run({ jobId: job.id, ...options });
      goToSession('tenant', sessionId);
    });
  const sessionOf = (job: Job | null): string | null => job?.runningSessionId ?? job?.lastRun?.sessionId ?? null;
  const open = (job: Job | null): void => {
    const sessionId = sessionOf(job);
    if (sessionId !== null) goToSession('tenant', sessionId);
  };
  const hasProvider = slice.providers.length > 0;
  return (
    <>
      <ListPage
        title={t('jobs.title')}
        loaded={slice}
        onRetry={() => void mirror.refetch('tenant')}
        columns={columns}
        rows={slice.jobs}
        leftOut={{ leftOut: slice.leftOut, lists: { jobs: 'jobs' } }}
        rowKey={({ id }) => id}
        onOpen={open}
        notices={
          <>
            {call.error !== null && <ErrorView error={call.error} />}
            <RefusedLoginNotices />
          </>
        }
        commands={(selected) => (
          <>
            <ToolbarButton icon={<Add20Regular />} onClick={add}>
              {t('jobs.add')}
            </ToolbarButton>
            <ToolbarDivider />
            <RunButton
              isDisabled={selected === null || selected.runningSessionId !== null || call.isBusy}
              onRun={(options) => selected !== null && run(selected, options)}
            />
            <ToolbarButton
              icon={<Stop20Regular />}
              disabled={selected === null || selected.runningSessionId === null}
              onClick={() => setStopping(selected)}
            >
              {t('jobs.stop')}
            </ToolbarButton>
            <ToolbarButton
              icon={<Open20Regular />}
              disabled={sessionOf(selected) === null}
              onClick={() => open(selected)}
            >
              {t('jobs.openSession')}
            </ToolbarButton>
            <ToolbarButton
              icon={<Edit20Regular />}
              disabled={selected === null}
              onClick={() => selected !== null && openDialog({ kind: 'edit-job', jobId: selected.id })}
            >
              {t('jobs.edit')}
            </ToolbarButton>
            <ToolbarButton
              icon={<Delete20Regular />}
              disabled={selected === null || selected.runningSessionId !== null}
              onClick={() => setRemoving(selected)}
            >
              {t('jobs.remove')}
            </ToolbarButton>
          </>
        )}
        details={(selected, close) => (
          <DetailsPane title={selected.name} onClose={close}>
            <JobState job={selected} />
            <PropertyList
              isStacked
              properties={[
                { name: t('jobs.column.source'), value: selected.sourcePaths.join('\n') },
                ...(selected.excludes.length === 0
                  ? []
                  : [{ name: t('jobs.excludes'), value: selected.excludes.join('\n') }]),
                { name: t('jobs.column.destination'), value: `${selected.providerName} / ${selected.repository}` },
                { name: t('jobWizard.streams'), value: String(selected.streams) },
                {
                  name: t('jobs.column.lastRun'),
                  value: <Instant at={selected.lastRun?.endedAt ?? null} otherwise={t('word.never')} />,
                },
                { name: t('jobs.created'), value: <Instant at={selected.createdAt} /> },
              ]}
            />
          </DetailsPane>
        )}
        empty={
          hasProvider ? (
            <EmptyState
              icon={<ClockBill32Regular />}
              title={t('jobs.empty.title')}
              text={t('jobs.empty.text')}
              action={{ label: t('jobs.add'), run: add }}
            />
          ) : (
            <EmptyState
              icon={<ClockBill32Regular />}
              title={t('jobs.empty.title')}
              text={t('jobs.empty.noProvider')}
              action={{ label: t('providers.add'), run: () => openDialog({ kind: 'add-service-provider' }) }}
            />
          )
        }
      />
      {stopping?.runningSessionId != null && (
        <ConfirmDialog
          title={t('session.stop.title', { job: stopping.name })}
          text={t('session.stop.backup')}
          confirmLabel={t('session.stop.confirm')}
          cancelLabel={t('session.stop.stay')}
          onConfirm={() => tenantClients.sessions.cancel({ sessionId: stopping.runningSessionId ?? '' })}
          onClose={() => setStopping(null)}
        />
      )}
      {removing !== null && (
        <ConfirmDialog
          title={t('jobs.remove.title', { name: removing.name })}
          text={t('jobs.remove.text')}
          confirmLabel={t('jobs.remove.confirm')}
          onConfirm={() => tenantClients.jobs.remove({ jobId: removing.id })}
          onClose={() => setRemoving(null)}
        />
      )}
    </>
  );
}
