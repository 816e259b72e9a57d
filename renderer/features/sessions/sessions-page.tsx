// Owns the list of sessions of one side.
import { Checkbox } from '@fluentui/react-components';
import {
  DocumentArrowDown20Regular,
  FolderOpen20Regular,
  Open20Regular,
  PlugConnected32Regular,
  Stop20Regular,
} from '@fluentui/react-icons';
import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { SessionSummary } from '../../../services/contracts/models/session.ts';
import { useText } from '../../i18n/use-text.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { sessionClients } from '../../platform/clients.ts';
import type { SessionSide } from '../../platform/clients.ts';
import { formatBytes } from '../../platform/format.ts';
import { isFinal } from '../../platform/mirror/apply-event.ts';
import { goTo, goToSession } from '../../platform/navigation-store.ts';
import { mirror, useMirror } from '../../platform/use-mirror.ts';
import { ConfirmRows } from '../../ui/dialog/confirm-rows.tsx';
import type { RowsQuestion } from '../../ui/dialog/confirm-rows.tsx';
import type { TableColumn } from '../../ui/table/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorView } from '../../ui/error-view.tsx';
import { Instant } from '../../ui/time/instant.tsx';
import type { ListCommand } from '../../ui/table/list-command.ts';
import type { ListFilter } from '../../ui/table/list-filter.ts';
import { ListPage } from '../../ui/table/list-page.tsx';
import { RunTime } from '../../ui/session/run-time.tsx';
import { percentOf, shownSessions } from '../../ui/session/session-rows.ts';
import { SessionStateBadge } from '../../ui/session/session-state-badge.tsx';
import { useCall } from '../../ui/use-call.ts';
import { exportEvidence } from './page/export-evidence.ts';

function columnsFor(side: SessionSide, t: TextFunction): readonly TableColumn<SessionSummary>[] {
  return [
    {
      id: 'job',
      title: t('sessions.column.job'),
      width: 'minmax(200px, 2fr)',
      text: ({ jobName }) => jobName,
      sortBy: ({ jobName }) => jobName,
      cell: ({ jobName }) => jobName,
    },
    {
      id: 'state',
      title: t('sessions.column.state'),
      width: '176px',
      text: ({ state, waitsForAnswer }) =>
        t(waitsForAnswer === true ? 'session.state.waiting-for-answer' : `session.state.${state}`),
      sortBy: ({ state }) => t(`session.state.${state}`),
      cell: ({ state, hasSecurityWarning, waitsForAnswer }) => (
        <SessionStateBadge state={state} hasSecurityWarning={hasSecurityWarning} waitsForAnswer={waitsForAnswer} />
      ),
    },
    {
      id: 'kind',
      title: t('sessions.column.kind'),
      width: '80px',
      text: ({ kind }) => t(`session.kind.${kind}`),
      sortBy: ({ kind }) => kind,
      cell: ({ kind }) => t(`session.kind.${kind}`),
    },
    {
      id: 'otherSide',
      title: t(`sessions.column.otherSide.${side}`),
      width: 'minmax(120px, 1fr)',
      text: ({ otherSide, repository }) => `${otherSide} ${repository}`,
      sortBy: ({ otherSide }) => otherSide,
      cell: ({ otherSide }) => otherSide,
    },
    {
      id: 'started',
      title: t('sessions.column.started'),
      width: '168px',
      sortBy: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => <Instant at={createdAt} />,
    },
    {
      id: 'duration',
      title: t('sessions.column.duration'),
      width: '92px',
      isNumeric: true,
      cell: (session) => <RunTime session={session} />,
    },
    {
      id: 'progress',
      title: t('sessions.column.progress'),
      width: '78px',
      isNumeric: true,
      cell: (session) => percentOf(session) ?? '–',
    },
    {
      id: 'processed',
      title: t('sessions.column.processed'),
      width: '100px',
      isNumeric: true,
      sortBy: ({ progress }) => progress.processedBytes,
      cell: ({ progress }) => formatBytes(progress.processedBytes),
    },
  ];
}

function filtersFor(t: TextFunction): readonly ListFilter<SessionSummary>[] {
  return [
    {
      id: 'running',
      label: t('sessions.filter.running'),
      isMatch: (session) => !isFinal(session) && session.state !== 'paused',
    },
    ...(['paused', 'succeeded', 'warning', 'failed', 'canceled'] as const).map((id) => ({
      id,
      label: t(`session.state.${id}`),
      isMatch: ({ state }: SessionSummary) => state === id,
    })),
  ];
}

function stopQuestion(rows: readonly SessionSummary[], t: TextFunction): RowsQuestion {
  const [only] = rows;
  const answers = { cancelLabel: t('session.stop.stay') };
  return rows.length === 1 && only !== undefined
    ? {
        title: t('session.stop.title', { job: only.jobName }),
        text: t(only.kind === 'backup' ? 'session.stop.backup' : 'session.stop.restore'),
        confirmLabel: t('session.stop.confirm'),
        ...answers,
      }
    : {
        title: t('sessions.stopMany.title', { count: rows.length }),
        text: t('sessions.stopMany.text'),
        confirmLabel: t('sessions.stopMany.confirm'),
        ...answers,
      };
}

export function SessionsPage({ side }: { readonly side: SessionSide }): ReactNode {
  const t = useText();
  const slice = useMirror((state) => state[side]);
  const [isBrowsingShown, setBrowsingShown] = useState(false);
  const rows = useMemo(() => shownSessions(slice.sessions, isBrowsingShown), [slice.sessions, isBrowsingShown]);
  const [stopping, setStopping] = useState<readonly SessionSummary[]>([]);
  const call = useCall();
  const columns = useMemo(() => columnsFor(side, t), [side, t]);
  const filters = useMemo(() => filtersFor(t), [t]);
  const commands: readonly ListCommand<SessionSummary>[] = [
    {
      id: 'open',
      label: t('sessions.open'),
      icon: <Open20Regular />,
      needs: 'one',
      key: 'Enter',
      run: ([session]) => session !== undefined && goToSession(side, session.id),
    },
    {
      id: 'stop',
      label: t('sessions.stop'),
      icon: <Stop20Regular />,
      needs: 'some',
      canRun: (rows) => rows.some((session) => !isFinal(session)),
      run: (rows) => setStopping(rows.filter((session) => !isFinal(session))),
    },
    {
      id: 'evidence',
      label: t('sessions.evidence'),
      icon: <DocumentArrowDown20Regular />,
      needs: 'one',
      canRun: () => !call.isBusy,
      run: ([session]) => session !== undefined && void call.run(() => exportEvidence(side, session.id, t)),
    },
    {
      id: 'browse',
      label: t('sessions.showBrowse'),
      icon: <FolderOpen20Regular />,
      needs: 'nothing',
      place: 'bar',
      run: () => setBrowsingShown(!isBrowsingShown),
      draw: () => (
        <Checkbox
          label={t('sessions.showBrowse')}
          checked={isBrowsingShown}
          onChange={(_event, data) => setBrowsingShown(data.checked === true)}
        />
      ),
    },
  ];
  return (
    <>
      <ListPage
        title={t('sessions.title')}
        kind="sessions"
        loaded={slice}
        onRetry={() => void mirror.refetch(side)}
        columns={columns}
        rows={rows}
        leftOut={{ leftOut: slice.leftOut, lists: { sessions: 'sessions' } }}
        rowKey={({ id }) => id}
        notices={call.error === null ? null : <ErrorView error={call.error} />}
        commands={commands}
        filters={filters}
        empty={
          <EmptyState
            icon={<PlugConnected32Regular />}
            title={t('sessions.empty.title')}
            text={t(`sessions.empty.${side}`)}
            {...(side === 'tenant'
              ? { action: { label: t('sessions.empty.action'), run: () => goTo('tenant/jobs') } }
              : {})}
          />
        }
      />
      {stopping.length > 0 && (
        <ConfirmRows
          rows={stopping}
          nameOf={({ jobName }) => jobName}
          ask={(rows) => stopQuestion(rows, t)}
          onConfirm={({ id }) => sessionClients[side].cancel({ sessionId: id })}
          onClose={() => setStopping([])}
        />
      )}
    </>
  );
}
