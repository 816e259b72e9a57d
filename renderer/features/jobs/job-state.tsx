// Owns how a job's state and its last runs look: running with its progress, paused, or the result of the last run.
import { Link } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { Job } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import { formatPercent } from '../../platform/format.ts';
import { goToSession } from '../../platform/navigation-store.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { Instant } from '../../ui/time/instant.tsx';
import { SessionStateBadge } from '../../ui/session/session-state-badge.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { lastRunsOf } from './last-runs.ts';

export function JobState({ job }: { readonly job: Job }): ReactNode {
  const t = useText();
  const running = useMirror(({ tenant }) => tenant.sessions.find(({ id }) => id === job.runningSessionId));
  if (job.runningSessionId !== null) {
    if (running?.state === 'paused' || running?.state === 'waiting-to-resume')
      return <SessionStateBadge state={running.state} waitsForAnswer={running.waitsForAnswer} />;
    const total = running?.progress.totalBytes ?? null;
    return (
      <StatusBadge tone="info">
        {running === undefined || total === null
          ? t('jobs.runningNow')
          : t('jobs.running', { percent: formatPercent(running.progress.processedBytes, total) })}
      </StatusBadge>
    );
  }
  if (job.lastRun === null) return <StatusBadge tone="neutral">{t('jobs.neverRan')}</StatusBadge>;
  return <SessionStateBadge state={job.lastRun.state} />;
}

/** The last run in a list: a running job is running, whatever ran before. */
export function LastRun({ job }: { readonly job: Job }): ReactNode {
  const t = useText();
  const { isRunning, finished } = lastRunsOf(job);
  if (isRunning) return t('jobs.runningNow');
  return <Instant at={finished?.endedAt ?? null} otherwise={t('word.never')} />;
}

/** The last finished run with its result; it stays visible while the job runs again. */
export function LastFinishedRun({ job }: { readonly job: Job }): ReactNode {
  const t = useText();
  const { finished } = lastRunsOf(job);
  if (finished === null) return t('word.never');
  return (
    <Link onClick={() => goToSession('tenant', finished.sessionId)}>
      <Instant at={finished.endedAt} /> ({t(`session.state.${finished.state}`)})
    </Link>
  );
}
