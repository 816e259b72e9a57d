// Owns the question before data is destroyed. It names what is lost, and the safe button has the focus.
import { Button, Spinner, makeStyles } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { DialogFrame } from './dialog-frame.tsx';
import { ErrorView } from '../error-view.tsx';
import { useCall } from '../use-call.ts';

const useStyles = makeStyles({ text: { margin: '0 0 8px 0', whiteSpace: 'pre-line', overflowWrap: 'anywhere' } });

interface ConfirmDialogProps {
  readonly title: string;
  readonly text: string;
  /** What the text speaks about, below it. */
  readonly detail?: ReactNode;
  readonly confirmLabel: string;
  readonly cancelLabel?: string;
  readonly onConfirm: () => Promise<unknown>;
  readonly onClose: () => void;
}

export function ConfirmDialog({
  title,
  text,
  detail,
  confirmLabel,
  cancelLabel,
  onConfirm,
  onClose,
}: ConfirmDialogProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const call = useCall();
  const confirm = async (): Promise<void> => {
    if (await call.run(onConfirm)) onClose();
  };
  return (
    <DialogFrame
      title={title}
      width="narrow"
      isAlert
      onDismiss={onClose}
      footer={
        <>
          <Button
            disabled={call.isBusy}
            icon={call.isBusy ? <Spinner size="tiny" /> : null}
            onClick={() => void confirm()}
          >
            {confirmLabel}
          </Button>
          <Button appearance="primary" data-initial-focus onClick={onClose}>
            {cancelLabel ?? t('word.cancel')}
          </Button>
        </>
      }
    >
      <p className={styles.text}>{text}</p>
      {detail}
      {call.error !== null && <ErrorView error={call.error} />}
    </DialogFrame>
  );
}
