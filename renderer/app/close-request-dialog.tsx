// Owns the question when the window closes while sessions run: keep running in the tray, or stop.
import { Button, Checkbox, makeStyles } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../i18n/use-text.ts';
import { consoleClient } from '../platform/clients.ts';
import { mirror, useMirror } from '../platform/use-mirror.ts';
import { DialogFrame } from '../ui/dialog/dialog-frame.tsx';
import { ErrorView } from '../ui/error-view.tsx';
import { useCall } from '../ui/use-call.ts';

const useStyles = makeStyles({ text: { margin: '0 0 8px 0' } });

export function CloseRequestDialog(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const count = useMirror(({ console }) => console.closeRequest);
  const [isRemembered, setRemembered] = useState(false);
  const call = useCall();
  if (count === null) return null;

  const answer = async (choice: 'keep-running' | 'stop' | 'cancel'): Promise<void> => {
    const isDone = await call.run(() => consoleClient.answerClose({ answer: choice, remember: isRemembered }));
    if (isDone) mirror.clearCloseRequest();
  };
  return (
    <DialogFrame
      title={t('close.title')}
      width="normal"
      isAlert
      onDismiss={() => void answer('cancel')}
      footer={
        <>
          <Button onClick={() => void answer('stop')} disabled={call.isBusy}>
            {t('close.stop')}
          </Button>
          <Button onClick={() => void answer('cancel')}>{t('word.cancel')}</Button>
          <Button
            appearance="primary"
            data-initial-focus
            onClick={() => void answer('keep-running')}
            disabled={call.isBusy}
          >
            {t('close.keep')}
          </Button>
        </>
      }
    >
      <p className={styles.text}>{t('close.text', { count })}</p>
      <Checkbox
        label={t('close.remember')}
        checked={isRemembered}
        onChange={(_event, data) => setRemembered(data.checked === true)}
      />
      {call.error !== null && <ErrorView error={call.error} />}
    </DialogFrame>
  );
}
