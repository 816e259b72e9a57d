// Owns the buttons that copy and save the log of a session.
import { Button, makeStyles } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../../i18n/use-text.ts';
import { consoleClient } from '../../../platform/clients.ts';
import { toErrorInfo } from '../../../platform/error-info.ts';
import { CopyButton } from '../../../ui/form/copy-button.tsx';
import { showToast } from '../../../ui/toast-store.ts';
import { sessionLog } from './session-log.ts';
import type { LoggedSession } from './session-log.ts';

const useStyles = makeStyles({ buttons: { display: 'flex', flexWrap: 'wrap', justifyContent: 'flex-end' } });

export function LogButtons(session: LoggedSession): ReactNode {
  const t = useText();
  const styles = useStyles();
  const save = async (): Promise<void> => {
    try {
      const { path } = await consoleClient.saveText({
        title: t('actions.save.title'),
        suggestedName: `farkeep-session-${session.sessionId.slice(0, 8)}.txt`,
        text: sessionLog(session),
      });
      if (path !== null) showToast('success', t('saved.to', { path }));
    } catch (error) {
      showToast('error', toErrorInfo(error).message);
    }
  };
  return (
    <div className={styles.buttons}>
      <CopyButton label={t('actions.copy')} text={() => sessionLog(session)} size="small" appearance="subtle" />
      <Button size="small" appearance="subtle" onClick={() => void save()}>
        {t('actions.save')}
      </Button>
    </div>
  );
}
