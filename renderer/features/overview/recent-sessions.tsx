// Owns the overview's list of running and recent sessions of both sides. Each session appears once.
import { Button, Link, ProgressBar, makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { SessionSummary } from '../../../services/contracts/models/session.ts';
import { useText } from '../../i18n/use-text.ts';
import type { SessionSide } from '../../platform/clients.ts';
import { formatBytes, formatPercent, formatRate } from '../../platform/format.ts';
import { isFinal } from '../../platform/mirror/apply-event.ts';
import { goTo, goToSession } from '../../platform/navigation-store.ts';
import { useHasRole, useMirror } from '../../platform/use-mirror.ts';
import { Instant } from '../../ui/time/instant.tsx';
import { LeftOutNotice } from '../../ui/left-out-notice.tsx';
import { RunTime } from '../../ui/session/run-time.tsx';
import { shownSessions } from '../../ui/session/session-rows.ts';
import { SessionStateBadge } from '../../ui/session/session-state-badge.tsx';
import { SimpleTable } from '../../ui/table/simple-table.tsx';
import { Card } from '../../ui/card.tsx';

interface SidedSession {
  readonly side: SessionSide;
  readonly session: SessionSummary;
}

const shownCount = 6;

const useStyles = makeStyles({
  running: { listStyle: 'none', margin: 0, padding: 0, display: 'flex', flexDirection: 'column', gap: '12px' },
  item: { display: 'flex', flexDirection: 'column', gap: '6px' },
  line: { display: 'flex', alignItems: 'center', gap: '14px' },
  space: { flexGrow: 1 },
  muted: { color: tokens.colorNeutralForeground3, margin: 0, fontVariantNumeric: 'tabular-nums' },
});

export function RecentSessions(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const isTenant = useHasRole('tenant');
  const ofTenant = useMirror(({ tenant }) => tenant.sessions);
  const ofProvider = useMirror(({ provider }) => provider.sessions);
  const unshownOfTenant = useMirror(({ tenant }) => tenant.leftOut);
  const unshownOfProvider = useMirror(({ provider }) => provider.leftOut);
  const all = onceEach(shownSessions(ofTenant, false), shownSessions(ofProvider, false));
  const running = all.filter(({ session }) => !isFinal(session));
  const ended = all.filter(({ session }) => isFinal(session)).slice(0, shownCount);
  return (
    <>
      {running.length > 0 && (
        <Card title={t('overview.running')}>
          <ul className={styles.running}>
            {running.map(({ side, session }) => (
              <RunningSession key={session.id} side={side} session={session} />
            ))}
          </ul>
        </Card>
      )}
      <Card
        title={t('overview.recent')}
        aside={
          <Button
            size="small"
            appearance="subtle"
            onClick={() => goTo(isTenant ? 'tenant/sessions' : 'provider/sessions')}
          >
            {t('overview.all')}
          </Button>
        }
      >
        <LeftOutNotice leftOut={unshownOfTenant} lists={{ sessions: 'sessions' }} />
        <LeftOutNotice leftOut={unshownOfProvider} lists={{ sessions: 'sessions' }} />
        {ended.length === 0 ? (
          <p className={styles.muted}>{t('overview.recent.none')}</p>
        ) : (
          <SimpleTable
            label={t('overview.recent')}
            rows={ended}
            rowKey={({ session }) => session.id}
            columns={[
              {
                id: 'job',
                title: t('sessions.column.job'),
                cell: ({ side, session }) => (
                  <Link onClick={() => goToSession(side, session.id)}>{session.jobName}</Link>
                ),
              },
              {
                id: 'state',
                title: t('sessions.column.state'),
                width: '150px',
                cell: ({ session }) => (
                  <SessionStateBadge state={session.state} hasSecurityWarning={session.hasSecurityWarning} />
                ),
              },
              {
                id: 'duration',
                title: t('sessions.column.duration'),
                width: '100px',
                isNumeric: true,
                cell: ({ session }) => <RunTime session={session} />,
              },
              {
                id: 'kind',
                title: t('sessions.column.kind'),
                width: '100px',
                cell: ({ session }) => t(`session.kind.${session.kind}`),
              },
              {
                id: 'started',
                title: t('sessions.column.started'),
                width: '170px',
                cell: ({ session }) => <Instant at={session.createdAt} />,
              },
              {
                id: 'processed',
                title: t('sessions.column.processed'),
                width: '110px',
                isNumeric: true,
                cell: ({ session }) => formatBytes(session.progress.processedBytes),
              },
            ]}
          />
        )}
      </Card>
    </>
  );
}

function onceEach(ofTenant: readonly SessionSummary[], ofProvider: readonly SessionSummary[]): readonly SidedSession[] {
  const known = new Set(ofTenant.map(({ id }) => id));
  const tenant = ofTenant.map((session): SidedSession => ({ side: 'tenant', session }));
  const provider = ofProvider
    .filter(({ id }) => !known.has(id))
    .map((session): SidedSession => ({ side: 'provider', session }));
  return [...tenant, ...provider].toSorted((left, right) =>
    right.session.createdAt.localeCompare(left.session.createdAt),
  );
}

function RunningSession({ side, session }: SidedSession): ReactNode {
  const t = useText();
  const styles = useStyles();
  const { processedBytes, totalBytes, readBytesPerSecond } = session.progress;
  // A session that waits has no rate.
  const isMoving = session.state !== 'paused' && session.state !== 'waiting-to-resume';
  const share = totalBytes === null || totalBytes === 0 ? undefined : Math.min(1, processedBytes / totalBytes);
  return (
    <li className={styles.item}>
      <div className={styles.line}>
        <Link onClick={() => goToSession(side, session.id)}>{session.jobName}</Link>
        <SessionStateBadge
          state={session.state}
          hasSecurityWarning={session.hasSecurityWarning}
          waitsForAnswer={session.waitsForAnswer}
        />
        <span className={styles.space} />
        <span className={styles.muted}>
          {totalBytes === null ? formatBytes(processedBytes) : formatPercent(processedBytes, totalBytes)}
          {isMoving && ` · ${formatRate(readBytesPerSecond)}`}
        </span>
      </div>
      <ProgressBar
        aria-label={t('session.progress', { job: session.jobName })}
        {...(share === undefined ? {} : { value: share })}
      />
    </li>
  );
}
