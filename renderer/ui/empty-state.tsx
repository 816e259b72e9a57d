// Owns the content of an empty list: what will appear there, its purpose, and the action that adds the first row.
import { Button, makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';

const useStyles = makeStyles({
  root: {
    display: 'flex',
    flexDirection: 'column',
    alignItems: 'center',
    justifyContent: 'center',
    textAlign: 'center',
    flexGrow: 1,
    padding: '32px',
    gap: '6px',
    minHeight: '220px',
  },
  icon: { color: tokens.colorNeutralForeground3, fontSize: '40px', lineHeight: 1, marginBottom: '6px' },
  title: { margin: 0, fontSize: tokens.fontSizeBase400, fontWeight: tokens.fontWeightSemibold },
  text: { margin: 0, maxWidth: '460px', textWrap: 'balance', color: tokens.colorNeutralForeground2 },
  action: { marginTop: '14px' },
});

interface EmptyStateProps {
  readonly icon: ReactNode;
  readonly title: string;
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

export function EmptyState({ icon, title, text, action }: EmptyStateProps): ReactNode {
  const styles = useStyles();
  return (
    <div className={styles.root}>
      <span className={styles.icon} aria-hidden>
        {icon}
      </span>
      <h2 className={styles.title}>{title}</h2>
      <p className={styles.text}>{text}</p>
      {action !== undefined && (
        <Button appearance="primary" className={styles.action} onClick={action.run}>
          {action.label}
        </Button>
      )}
    </div>
  );
}
