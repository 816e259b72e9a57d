// Owns the bar above the page while a job waits for a trust decision. Its button opens the prompt. The prompt never opens by itself.
import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  MessageBarTitle,
  makeStyles,
} from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../i18n/use-text.ts';
import { askTrust } from '../platform/trust-question.ts';
import { useMirror } from '../platform/use-mirror.ts';
import { LeftOutNotice } from '../ui/left-out-notice.tsx';

const useStyles = makeStyles({
  bar: { borderRadius: 0, flexShrink: 0 },
  leftOut: { padding: '8px 24px 0 24px', ':empty': { display: 'none' } },
});

export function TrustNotices(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const prompt = useMirror(({ tenant }) => tenant.prompts.find(({ waitingJob }) => waitingJob !== null));
  const leftOut = useMirror(({ tenant }) => tenant.leftOut);
  const unshown = (
    <div className={styles.leftOut}>
      <LeftOutNotice leftOut={leftOut} lists={{ prompts: 'prompts' }} />
    </div>
  );
  if (prompt === undefined) return unshown;
  const title = t(prompt.kind === 'changed' ? 'notifications.changed' : 'notifications.untrusted', {
    identity: prompt.identity,
  });
  return (
    <>
      {unshown}
      <MessageBar intent="warning" className={styles.bar}>
        <MessageBarBody>
          <MessageBarTitle>{title}</MessageBarTitle> {t('notifications.waits', { job: prompt.waitingJob ?? '' })}
        </MessageBarBody>
        <MessageBarActions>
          <Button size="small" onClick={() => void askTrust(prompt)}>
            {t('notifications.review')}
          </Button>
        </MessageBarActions>
      </MessageBar>
    </>
  );
}
