// Owns the bars above the diagram: security warning, error, waiting to resume with a countdown, and who paused the session.
import { MessageBar, MessageBarBody, MessageBarTitle, makeStyles } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { SessionDetail } from '../../../../services/contracts/models/session.ts';
import type { LeftOutRows } from '../../../../services/contracts/row-list.ts';
import { useText } from '../../../i18n/use-text.ts';
import { openDialog } from '../../../platform/dialog-store.ts';
import { formatBytes, formatCountdown, formatInstant } from '../../../platform/format.ts';
import { useMirror } from '../../../platform/use-mirror.ts';
import { ErrorView } from '../../../ui/error-view.tsx';
import { LeftOutNotice } from '../../../ui/left-out-notice.tsx';
import type { LeftOutLists } from '../../../ui/left-out-text.ts';
import { useNow } from '../../../ui/time/use-now.ts';
import { LessDataNotice } from './less-data-notice.tsx';
import { refusedProvider } from './refused-provider.ts';

const useStyles = makeStyles({
  notices: { display: 'flex', flexDirection: 'column', gap: '8px', ':empty': { display: 'none' } },
  body: { whiteSpace: 'normal' },
});

/** The lists of a session, with the kind of their rows. */
const lists: LeftOutLists = {
  steps: 'steps',
  keys: 'keys',
  objects: 'objects',
  actions: 'actions',
  warnings: 'warnings',
};

interface SessionNoticesProps {
  readonly detail: SessionDetail;
  readonly leftOut: readonly LeftOutRows[];
}

export function SessionNotices({ detail, leftOut }: SessionNoticesProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const refused = useMirror(({ tenant }) => refusedProvider(detail, tenant.providers));
  const isErrorTheWarning = detail.error?.code.startsWith('security.') === true;
  const securityAction = detail.actions.findLast(({ level }) => level === 'security');
  return (
    <div className={styles.notices}>
      {detail.hasSecurityWarning && !isErrorTheWarning && (
        <MessageBar intent="error" layout="multiline">
          <MessageBarBody className={styles.body} role="alert">
            <MessageBarTitle>{t('session.warning.title')}</MessageBarTitle> {securityAction?.text}
          </MessageBarBody>
        </MessageBar>
      )}
      {detail.error !== null && (
        <ErrorView
          error={detail.error}
          {...(refused === undefined
            ? {}
            : {
                action: {
                  label: t('login.refused.enter'),
                  run: () =>
                    openDialog({ kind: 'edit-service-provider', providerId: refused.id, isPasswordWanted: true }),
                },
              })}
        />
      )}
      {detail.state === 'waiting-to-resume' && <ResumeNotice detail={detail} />}
      {detail.state === 'paused' && <PausedNotice detail={detail} />}
      <LessDataNotice detail={detail} />
      <LeftOutNotice leftOut={leftOut} lists={lists} />
    </div>
  );
}

function PausedNotice({ detail }: { readonly detail: SessionDetail }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const { pausedBy, viewer, kind, progress, resumeUntil } = detail;
  const by = pausedBy ?? 'tenant';
  return (
    <MessageBar intent="info" layout="multiline">
      <MessageBarBody className={styles.body}>
        <MessageBarTitle>{t(`session.paused.${by}.${by === viewer ? 'own' : 'other'}`)}</MessageBarTitle>{' '}
        {kind === 'restore' && t('session.paused.restore')}
        {kind === 'backup' &&
          progress.safeBytes > 0 &&
          t('session.paused.backup', { bytes: formatBytes(progress.safeBytes) })}{' '}
        {t('session.paused.keys')}{' '}
        {resumeUntil !== null && t('session.paused.until', { time: formatInstant(resumeUntil, 'time') })}
      </MessageBarBody>
    </MessageBar>
  );
}

function ResumeNotice({ detail }: { readonly detail: SessionDetail }): ReactNode {
  const t = useText();
  const styles = useStyles();
  const { resumeUntil, progress, kind, actions, viewer, nextAttemptAt } = detail;
  const isQuestion = viewer === 'tenant' && nextAttemptAt === null;
  const reason = actions.findLast(({ level }) => level === 'warning' || level === 'security');
  return (
    <MessageBar intent="warning" layout="multiline">
      <MessageBarBody className={styles.body}>
        <MessageBarTitle>{t(isQuestion ? 'session.resume.title.question' : 'session.resume.title')}</MessageBarTitle>{' '}
        {reason !== undefined && <>{reason.text}. </>}
        {kind === 'backup' &&
          progress.safeBytes > 0 &&
          t('session.resume.safe', { bytes: formatBytes(progress.safeBytes) })}{' '}
        <NextAttempt detail={detail} />{' '}
        {resumeUntil !== null &&
          t(isQuestion ? 'session.resume.until.question' : `session.resume.until.${viewer}`, {
            time: formatInstant(resumeUntil, 'time'),
          })}
      </MessageBarBody>
    </MessageBar>
  );
}

/** Only the tenant knows when its next attempt starts. */
function NextAttempt({ detail }: { readonly detail: SessionDetail }): ReactNode {
  const t = useText();
  const now = useNow();
  const { nextAttemptAt, attempt, viewer } = detail;
  if (viewer === 'provider') return t('session.resume.ofTenant.next');
  if (nextAttemptAt === null) return t('session.resume.question');
  const leftMs = Date.parse(nextAttemptAt) - now;
  return leftMs <= 0
    ? t('session.resume.soon')
    : t('session.resume.next', { attempt: attempt + 1, time: formatCountdown(leftMs) });
}
