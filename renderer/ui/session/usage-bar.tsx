// Owns a bar that shows how much of a quota is used, with the figures as text.
import { ProgressBar, makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';

const useStyles = makeStyles({
  root: { display: 'flex', flexDirection: 'column', gap: '4px' },
  line: { display: 'flex', justifyContent: 'space-between', gap: '12px' },
  label: { overflowWrap: 'anywhere' },
  text: { color: tokens.colorNeutralForeground3, whiteSpace: 'nowrap', fontVariantNumeric: 'tabular-nums' },
});

interface UsageBarProps {
  readonly label: string;
  readonly text: string;
  /** 0 to 1. */
  readonly share: number;
}

export function UsageBar({ label, text, share }: UsageBarProps): ReactNode {
  const styles = useStyles();
  const color = share >= 0.95 ? 'error' : share >= 0.8 ? 'warning' : 'brand';
  return (
    <div className={styles.root}>
      <div className={styles.line}>
        <span className={styles.label}>{label}</span>
        <span className={styles.text}>{text}</span>
      </div>
      <ProgressBar aria-label={`${label}: ${text}`} value={Math.min(1, share)} color={color} thickness="large" />
    </div>
  );
}
