// Owns the question when the console closes while its services work for others or sessions run: keep them running, or stop them.
import { Button, Checkbox, makeStyles } from '@fluentui/react-components';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../i18n/use-text.ts';
import { consoleClient } from '../platform/clients.ts';
import { mirror, useMirror } from '../platform/use-mirror.ts';
import { DialogFrame } from '../ui/dialog/dialog-frame.tsx';
import { useSentencesAboutStop } from '../ui/dialog/what-stops.ts';
import { ErrorView } from '../ui/error-view.tsx';
import { useCall } from '../ui/use-call.ts';

const useStyles = makeStyles({ text: { margin: '0 0 8px 0' } });

export function CloseRequestDialog(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const request = useMirror(({ console }) => console.closeRequest);
  const hasAttached = useMirror(({ console }) =>
    console.services.some(({ origin, pid }) => origin === 'attached' && pid !== null),
  );
  const sentences = useSentencesAboutStop(request?.stoppingRoles ?? []);
  const [isRemembered, setRemembered] = useState(false);
  const call = useCall();
  if (request === null) return null;

  const answer = async (choice: 'keep-running' | 'stop' | 'cancel'): Promise<void> => {
    const isDone = await call.run(() => consoleClient.answerClose({ answer: choice, remember: isRemembered }));
    if (isDone) mirror.clearCloseRequest();
  };
  const { runningSessions } = request;
  const texts = [
    ...sentences,
    ...(runningSessions > 0 ? [t('close.text', { count: runningSessions })] : []),
    t('close.reopen'),
    ...(hasAttached ? [t('close.attached')] : []),
  ];
  return (
    <DialogFrame
      help="run-as-a-service"
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
      {texts.map((text) => (
        <p key={text} className={styles.text}>
          {text}
        </p>
      ))}
      <Checkbox
        label={t('close.remember')}
        checked={isRemembered}
        onChange={(_event, data) => setRemembered(data.checked === true)}
      />
      {call.error !== null && <ErrorView error={call.error} />}
    </DialogFrame>
  );
}
