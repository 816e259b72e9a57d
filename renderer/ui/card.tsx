// Owns the frame of all cards: border, heading, and the controls beside the heading.
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { useId } from 'react';
import type { ReactNode } from 'react';

const useStyles = makeStyles({
  card: {
    backgroundColor: tokens.colorNeutralBackground1,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusLarge,
    padding: '14px 16px 16px 16px',
    display: 'flex',
    flexDirection: 'column',
    gap: '10px',
    minWidth: 0,
  },
  compact: { padding: '8px 14px 10px 14px', gap: 0 },
  head: { display: 'flex', alignItems: 'center', justifyContent: 'space-between', gap: '12px', minHeight: '24px' },
  compactHead: { minHeight: '32px' },
  title: { margin: 0, fontSize: tokens.fontSizeBase400, fontWeight: tokens.fontWeightSemibold },
  compactTitle: { fontSize: tokens.fontSizeBase300, color: tokens.colorNeutralForeground2 },
});

interface CardProps {
  readonly title: string;
  readonly aside?: ReactNode;
  /** True for a card on a page that shows many cards at once, such as the session view. */
  readonly isCompact?: boolean;
  readonly className?: string;
  readonly children: ReactNode;
}

export function Card({ title, aside, isCompact = false, className, children }: CardProps): ReactNode {
  const styles = useStyles();
  const titleId = useId();
  return (
    <section className={mergeClasses(styles.card, isCompact && styles.compact, className)} aria-labelledby={titleId}>
      <div className={mergeClasses(styles.head, isCompact && styles.compactHead)}>
        <h2 id={titleId} className={mergeClasses(styles.title, isCompact && styles.compactTitle)}>
          {title}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
