// Owns how a job's state looks: running with its progress, paused, or the result of the last run.
import type { ReactNode } from 'react';
import type { Job } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import { formatPercent } from '../../platform/format.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { SessionStateBadge } from '../../ui/session/session-state-badge.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';

export function JobState({ job }: { readonly job: Job }): ReactNode {
  const t = useText();
  const running = useMirror(({ tenant }) => tenant.sessions.find(({ id }) => id === job.runningSessionId));
  if (job.runningSessionId !== null) {
    if (running?.state === 'paused' || running?.state === 'waiting-to-resume')
      return <SessionStateBadge state={running.state} />;
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
