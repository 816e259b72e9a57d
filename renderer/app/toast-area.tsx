// Owns where short confirmations appear. They are announced politely and go by themselves.
import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  Tooltip,
  makeStyles,
  mergeClasses,
  tokens,
} from '@fluentui/react-components';
import { Dismiss16Regular } from '@fluentui/react-icons';
import type { ReactNode } from 'react';
import { useText } from '../i18n/use-text.ts';
import { useDialogs } from '../platform/dialog-store.ts';
import { useTrustQuestions } from '../platform/trust-question.ts';
import { dismissToast, useToasts } from '../ui/toast-store.ts';

const useStyles = makeStyles({
  area: {
    position: 'fixed',
    right: '20px',
    // Beside nothing that is pressed: the buttons of dialogs are at the bottom, the bar about a waiting job is above.
    top: '90px',
    width: '380px',
    display: 'flex',
    flexDirection: 'column',
    gap: '8px',
    // Above dialogs: a copy button in a dialog confirms too.
    zIndex: 2_000_000,
    pointerEvents: 'none',
  },
  // A dialog covers that bar; beside its title there is room.
  besideDialog: { top: '8px' },
  toast: { boxShadow: tokens.shadow16, pointerEvents: 'auto' },
  body: { overflowWrap: 'anywhere', whiteSpace: 'normal' },
});

export function ToastArea(): ReactNode {
  const t = useText();
  const styles = useStyles();
  const toasts = useToasts((state) => state.toasts);
  const isRequestedOpen = useDialogs(({ open }) => open.length > 0);
  const isPromptOpen = useTrustQuestions(({ questions }) => questions.length > 0);
  const area = mergeClasses(styles.area, (isRequestedOpen || isPromptOpen) && styles.besideDialog);
  return (
    <div className={area} aria-live="polite" data-tabster='{"uncontrolled": {}}'>
      {toasts.map(({ key, intent, text }) => (
        <MessageBar key={key} intent={intent} layout="multiline" className={styles.toast}>
          <MessageBarBody className={styles.body}>{text}</MessageBarBody>
          <MessageBarActions
            containerAction={
              <Tooltip content={t('word.close')} relationship="label">
                <Button appearance="transparent" icon={<Dismiss16Regular />} onClick={() => dismissToast(key)} />
              </Tooltip>
            }
          />
        </MessageBar>
      ))}
    </div>
  );
}
