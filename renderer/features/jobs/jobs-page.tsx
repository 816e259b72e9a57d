// Owns the page of backup jobs: run, stop, and open the running session.
import {
  Add20Regular,
  ClockBill32Regular,
  Delete20Regular,
  Edit20Regular,
  Open20Regular,
  Play20Regular,
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
import { ConfirmRows } from '../../ui/dialog/confirm-rows.tsx';
import type { RowsQuestion } from '../../ui/dialog/confirm-rows.tsx';
import { callEach } from '../../ui/table/bulk.ts';
import type { TableColumn } from '../../ui/table/data-table.tsx';
import { DetailsPane } from '../../ui/table/details-pane.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { Instant } from '../../ui/time/instant.tsx';
import type { ListCommand } from '../../ui/table/list-command.ts';
import type { ListFilter } from '../../ui/table/list-filter.ts';
import { ListPage } from '../../ui/table/list-page.tsx';
import { PropertyList } from '../../ui/property-list.tsx';
import { RefusedLoginNotices } from '../../ui/refused-login-notices.tsx';
import { showToast } from '../../ui/toast-store.ts';
import { useCall } from '../../ui/use-call.ts';
import { JobState, LastFinishedRun, LastRun } from './job-state.tsx';
import { lastRunsOf } from './last-runs.ts';
import { RunButton } from './run-button.tsx';
import type { RunOptions } from './run-button.tsx';

function columnsFor(t: TextFunction): readonly TableColumn<Job>[] {
  const sources = ({ sourcePaths }: Job): string => sourcePaths.join(', ');
  const destination = ({ providerName, repository }: Job): string => `${providerName} / ${repository}`;
  return [
    {
      id: 'name',
      title: t('jobs.column.name'),
      width: 'minmax(200px, 2fr)',
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
      width: 'minmax(140px, 2fr)',
      text: destination,
      sortBy: destination,
      cell: destination,
    },
    {
      id: 'lastRun',
      title: t('jobs.column.lastRun'),
      width: '168px',
      sortBy: (job) => lastRunsOf(job).finished?.endedAt ?? '',
      cell: (job) => <LastRun job={job} />,
    },
  ];
}

const isIdle = ({ runningSessionId }: Job): boolean => runningSessionId === null;
const sessionOf = ({ runningSessionId, lastRun }: Job): string | null => runningSessionId ?? lastRun?.sessionId ?? null;

function filtersFor(t: TextFunction): readonly ListFilter<Job>[] {
  return [
    { id: 'running', label: t('jobs.filter.running'), isMatch: (job) => !isIdle(job) },
    { id: 'failed', label: t('jobs.filter.failed'), isMatch: ({ lastRun }) => lastRun?.state === 'failed' },
    { id: 'never', label: t('jobs.filter.never'), isMatch: (job) => sessionOf(job) === null },
  ];
}

function stopQuestion(rows: readonly Job[], t: TextFunction): RowsQuestion {
  const [only] = rows;
  const isOne = rows.length === 1 && only !== undefined;
  return {
    title: isOne ? t('session.stop.title', { job: only.name }) : t('sessions.stopMany.title', { count: rows.length }),
    text: t(isOne ? 'session.stop.backup' : 'sessions.stopMany.text'),
    confirmLabel: t(isOne ? 'session.stop.confirm' : 'sessions.stopMany.confirm'),
    cancelLabel: t('session.stop.stay'),
  };
}

function removeQuestion(rows: readonly Job[], t: TextFunction): RowsQuestion {
  const [only] = rows;
  return rows.length === 1 && only !== undefined
    ? {
        title: t('jobs.remove.title', { name: only.name }),
        text: t('jobs.remove.text'),
        confirmLabel: t('jobs.remove.confirm'),
      }
    : {
        title: t('jobs.removeMany.title', { count: rows.length }),
        text: t('jobs.removeMany.text'),
        confirmLabel: t('jobs.removeMany.confirm'),
      };
}

export function JobsPage(): ReactNode {
  const t = useText();
  const slice = useMirror(({ tenant }) => tenant);
  const [removing, setRemoving] = useState<readonly Job[]>([]);
  const [stopping, setStopping] = useState<readonly Job[]>([]);
  const call = useCall();
  const columns = useMemo(() => columnsFor(t), [t]);
  const filters = useMemo(() => filtersFor(t), [t]);
  const add = (): void => openDialog({ kind: 'add-job' });
  const run = (jobs: readonly Job[], options: RunOptions): void =>
    void call.run(async () => {
      const idle = jobs.filter(isIdle);
      const [only] = idle;
      if (jobs.length === 1 && only !== undefined) {
        const { sessionId } = await tenantClients.jobs.run({ jobId: only.id, ...options });
        goToSession('tenant', sessionId);
        return;
      }
      await callEach(idle, ({ id }) => tenantClients.jobs.run({ jobId: id, ...options }));
      showToast('success', t('jobs.runMany', { count: idle.length }));
    });
  const open = (job: Job): void => {
    const sessionId = sessionOf(job);
    if (sessionId !== null) goToSession('tenant', sessionId);
  };
  const hasProvider = slice.providers.length > 0;
  const commands: readonly ListCommand<Job>[] = [
    { id: 'add', label: t('jobs.add'), icon: <Add20Regular />, needs: 'nothing', run: add },
    {
      id: 'run',
      label: t('jobs.run'),
      icon: <Play20Regular />,
      needs: 'some',
      canRun: (rows) => rows.some(isIdle) && !call.isBusy,
      run: (rows) => run(rows, {}),
      draw: (isEnabled, rows) => <RunButton isDisabled={!isEnabled} onRun={(options) => run(rows, options)} />,
    },
    {
      id: 'stop',
      label: t('jobs.stop'),
      icon: <Stop20Regular />,
      needs: 'some',
      canRun: (rows) => !rows.every(isIdle),
      run: (rows) => setStopping(rows.filter((job) => !isIdle(job))),
    },
    {
      id: 'open',
      label: t('jobs.openSession'),
      icon: <Open20Regular />,
      needs: 'one',
      key: 'Enter',
      canRun: ([job]) => job !== undefined && sessionOf(job) !== null,
      run: ([job]) => job !== undefined && open(job),
    },
    {
      id: 'edit',
      label: t('jobs.edit'),
      icon: <Edit20Regular />,
      needs: 'one',
      key: 'F2',
      run: ([job]) => job !== undefined && openDialog({ kind: 'edit-job', jobId: job.id }),
    },
    {
      id: 'remove',
      label: t('jobs.remove'),
      icon: <Delete20Regular />,
      needs: 'some',
      key: 'Delete',
      canRun: (rows) => rows.every(isIdle),
      run: setRemoving,
    },
  ];
  return (
    <>
      <ListPage
        title={t('jobs.title')}
        kind="jobs"
        loaded={slice}
        onRetry={() => void mirror.refetch('tenant')}
        columns={columns}
        rows={slice.jobs}
        leftOut={{ leftOut: slice.leftOut, lists: { jobs: 'jobs' } }}
        rowKey={({ id }) => id}
        notices={
          <>
            {call.error !== null && <ErrorView error={call.error} />}
            <RefusedLoginNotices />
          </>
        }
        commands={commands}
        filters={filters}
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
                { name: t('jobs.lastFinished'), value: <LastFinishedRun job={selected} /> },
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
      {stopping.length > 0 && (
        <ConfirmRows
          rows={stopping}
          nameOf={({ name }) => name}
          ask={(rows) => stopQuestion(rows, t)}
          onConfirm={({ runningSessionId }) => tenantClients.sessions.cancel({ sessionId: runningSessionId ?? '' })}
          onClose={() => setStopping([])}
        />
      )}
      {removing.length > 0 && (
        <ConfirmRows
          rows={removing}
          nameOf={({ name }) => name}
          ask={(rows) => removeQuestion(rows, t)}
          onConfirm={({ id }) => tenantClients.jobs.remove({ jobId: id })}
          onClose={() => setRemoving([])}
        />
      )}
    </>
  );
}
