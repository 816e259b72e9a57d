// Owns where short confirmations appear. Screen readers announce them politely, and they disappear after a moment.
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
import { dismissToast, holdToasts, releaseToasts, useToasts } from '../ui/toast-store.ts';

const useStyles = makeStyles({
  area: {
    position: 'fixed',
    right: '20px',
    // Above the status bar, far from the commands, the search and the heads of columns.
    bottom: '40px',
    width: '380px',
    maxWidth: 'calc(100vw - 40px)',
    display: 'flex',
    flexDirection: 'column',
    gap: '8px',
    // Above dialogs, because a copy button in a dialog also confirms.
    zIndex: 2_000_000,
    pointerEvents: 'none',
  },
  // The buttons of dialogs are at the bottom, but there is room beside the title.
  besideDialog: { top: '8px', bottom: 'auto' },
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
    <div
      className={area}
      aria-live="polite"
      data-tabster='{"uncontrolled": {}}'
      onPointerEnter={holdToasts}
      onPointerLeave={releaseToasts}
      onFocus={holdToasts}
      onBlur={releaseToasts}
    >
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
