// Owns how an error looks: title by its code, what happened, the next step, and at most one button.
import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  MessageBarTitle,
  makeStyles,
  tokens,
} from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { ErrorInfo } from '../../services/contracts/errors.ts';
import { useText } from '../i18n/use-text.ts';
import { errorTitle } from '../platform/error-info.ts';

const useStyles = makeStyles({
  bar: { alignItems: 'start', paddingTop: '8px', paddingBottom: '8px', minHeight: 'unset' },
  body: { whiteSpace: 'normal', overflowWrap: 'anywhere' },
  message: { display: 'block' },
  hint: { display: 'block', marginTop: '2px' },
  correlation: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, marginLeft: '6px' },
  actions: { alignSelf: 'center' },
});

interface ErrorViewProps {
  readonly error: ErrorInfo;
  readonly action?: { readonly label: string; readonly run: () => void };
}

export function ErrorView({ error, action }: ErrorViewProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const isSecurity = error.code.startsWith('security.');
  return (
    <MessageBar
      intent={error.code === 'call.canceled' && !isSecurity ? 'info' : 'error'}
      layout="multiline"
      className={styles.bar}
    >
      <MessageBarBody className={styles.body} role="alert">
        <MessageBarTitle>{errorTitle(error.code)}</MessageBarTitle>
        <span className={styles.message}>{error.message}</span>
        {error.hint !== '' && (
          <span className={styles.hint}>
            {error.hint}
            {error.correlationId !== undefined && (
              <span className={styles.correlation}>{t('error.correlation', { id: error.correlationId })}</span>
            )}
          </span>
        )}
      </MessageBarBody>
      {action !== undefined && (
        <MessageBarActions className={styles.actions}>
          <Button size="small" onClick={action.run}>
            {action.label}
          </Button>
        </MessageBarActions>
      )}
    </MessageBar>
  );
}
