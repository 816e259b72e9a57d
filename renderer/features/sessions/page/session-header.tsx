// Owns the head of the session view: job, state, attempt, Sessions (back), Pause or Resume, Stop and Export evidence.
import { Button, ProgressBar, makeStyles, tokens } from '@fluentui/react-components';
import { ArrowLeft20Regular, DocumentArrowDown20Regular, Stop20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { SessionDetail } from '../../../../services/contracts/models/session.ts';
import { useText } from '../../../i18n/use-text.ts';
import { sessionClients } from '../../../platform/clients.ts';
import type { SessionSide } from '../../../platform/clients.ts';
import { isFinal } from '../../../platform/mirror/apply-event.ts';
import { goTo } from '../../../platform/navigation-store.ts';
import { ConfirmDialog } from '../../../ui/dialog/confirm-dialog.tsx';
import { ErrorView } from '../../../ui/error-view.tsx';
import { SessionStateBadge } from '../../../ui/session/session-state-badge.tsx';
import { useCall } from '../../../ui/use-call.ts';
import { exportEvidence } from './export-evidence.ts';
import { PauseButton } from './pause-button.tsx';
import { RunAgainButton } from './run-again-button.tsx';
import { SessionLinks } from './session-links.tsx';

const useStyles = makeStyles({
  root: { display: 'flex', flexDirection: 'column', gap: '8px' },
  // In a narrow window the buttons move to a line of their own.
  line: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '6px 10px', minHeight: '32px' },
  back: { minWidth: 'unset', marginLeft: '-8px', whiteSpace: 'nowrap', flexShrink: 0 },
  title: {
    margin: 0,
    fontSize: tokens.fontSizeBase500,
    lineHeight: tokens.lineHeightBase500,
    fontWeight: tokens.fontWeightSemibold,
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
    minWidth: '80px',
  },
  button: { whiteSpace: 'nowrap', flexShrink: 0 },
  space: { flexGrow: 1 },
  // The value changes ten times a second. Fluent's animated width would lay out the whole page again for every frame.
  bar: { transitionDuration: '0s' },
});

interface SessionHeaderProps {
  readonly side: SessionSide;
  readonly detail: SessionDetail;
}

export function SessionHeader({ side, detail }: SessionHeaderProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [isStopping, setStopping] = useState(false);
  const call = useCall();
  const isRunning = !isFinal(detail);
  const isStandingStill = detail.state === 'waiting-to-resume' || detail.state === 'paused';
  const { totalBytes, processedBytes } = detail.progress;
  // Entries that could not be read also count as processed.
  const isDone = detail.state === 'succeeded' || detail.state === 'warning';
  const counted = totalBytes === null || totalBytes === 0 ? undefined : Math.min(1, processedBytes / totalBytes);
  const share = isDone ? 1 : counted;
  const barColor =
    detail.state === 'failed'
      ? 'error'
      : detail.state === 'warning' || detail.state === 'waiting-to-resume'
        ? 'warning'
        : detail.state === 'succeeded'
          ? 'success'
          : 'brand';
  return (
    <div className={styles.root}>
      <div className={styles.line}>
        <Button
          className={styles.back}
          appearance="subtle"
          icon={<ArrowLeft20Regular />}
          onClick={() => goTo(`${side}/sessions`)}
        >
          {t('session.back')}
        </Button>
        <h1 className={styles.title} title={detail.jobName}>
          {detail.jobName}
        </h1>
        <SessionStateBadge
          state={detail.state}
          hasSecurityWarning={detail.hasSecurityWarning}
          waitsForAnswer={side === 'tenant' && detail.state === 'waiting-to-resume' && detail.nextAttemptAt === null}
          isPill
        />
        <span className={styles.space} />
        <RunAgainButton className={styles.button} detail={detail} call={call} />
        <Button
          className={styles.button}
          icon={<DocumentArrowDown20Regular />}
          disabled={call.isBusy}
          onClick={() => void call.run(() => exportEvidence(side, detail.id, t))}
        >
          {t('sessions.evidence')}
        </Button>
        <PauseButton className={styles.button} side={side} detail={detail} call={call} />
        <Button
          className={styles.button}
          icon={<Stop20Regular />}
          disabled={!isRunning}
          onClick={() => setStopping(true)}
        >
          {t('sessions.stop')}
        </Button>
      </div>
      <SessionLinks side={side} detail={detail} />
      <ProgressBar
        aria-label={t('session.progress', { job: detail.jobName })}
        thickness="large"
        color={barColor}
        bar={{ className: styles.bar }}
        {...(isRunning && !isStandingStill && share === undefined
          ? {}
          : { value: isRunning ? (share ?? 0) : (share ?? 1) })}
      />
      {call.error !== null && <ErrorView error={call.error} />}
      {isStopping && (
        <ConfirmDialog
          title={t('session.stop.title', { job: detail.jobName })}
          text={t(detail.kind === 'backup' ? 'session.stop.backup' : 'session.stop.restore')}
          confirmLabel={t('session.stop.confirm')}
          cancelLabel={t('session.stop.stay')}
          onConfirm={() => sessionClients[side].cancel({ sessionId: detail.id })}
          onClose={() => setStopping(false)}
        />
      )}
    </div>
  );
}
