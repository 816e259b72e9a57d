// Owns the pane at the right with the details of the selected row.
import { Button, Tooltip, makeStyles, tokens } from '@fluentui/react-components';
import { Dismiss16Regular } from '@fluentui/react-icons';
import { useId } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';

const useStyles = makeStyles({
  pane: {
    width: 'clamp(288px, 24vw, 400px)',
    flexShrink: 0,
    display: 'flex',
    flexDirection: 'column',
    backgroundColor: tokens.colorNeutralBackground1,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusLarge,
    overflow: 'hidden',
    // Beside the details, names would have too little room.
    '@media (max-width: 1100px)': {
      position: 'absolute',
      top: 0,
      right: 0,
      bottom: 0,
      zIndex: 4,
      boxShadow: tokens.shadow16,
    },
  },
  head: { display: 'flex', alignItems: 'flex-start', gap: '8px', padding: '12px 8px 8px 16px' },
  title: {
    margin: 0,
    flexGrow: 1,
    fontSize: tokens.fontSizeBase400,
    fontWeight: tokens.fontWeightSemibold,
    overflowWrap: 'anywhere',
    lineHeight: '26px',
  },
  content: {
    padding: '4px 16px 16px 16px',
    overflowY: 'auto',
    flexGrow: 1,
    minHeight: 0,
    display: 'flex',
    flexDirection: 'column',
    gap: '14px',
  },
});

interface DetailsPaneProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function DetailsPane({ title, onClose, children }: DetailsPaneProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const titleId = useId();
  const closeOnEscape = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    event.preventDefault();
    onClose();
  };
  return (
    <aside className={styles.pane} aria-labelledby={titleId} onKeyDown={closeOnEscape}>
      <div className={styles.head}>
        <h2 id={titleId} className={styles.title}>
          {title}
        </h2>
        <Tooltip content={t('word.close')} relationship="label">
          <Button appearance="subtle" size="small" icon={<Dismiss16Regular />} onClick={onClose} />
        </Tooltip>
      </div>
      <div className={styles.content} tabIndex={0} role="group" aria-labelledby={titleId}>
        {children}
      </div>
    </aside>
  );
}
