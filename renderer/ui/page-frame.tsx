// Owns the layout of a page: heading, command bar with search, the table, the details pane of the selection.
import { SearchBox, Toolbar, makeStyles, tokens } from '@fluentui/react-components';
import { useId } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../i18n/use-text.ts';

const useStyles = makeStyles({
  page: { display: 'flex', flexDirection: 'column', height: '100%', minHeight: 0 },
  head: { padding: '16px 24px 0 24px', display: 'flex', alignItems: 'baseline', gap: '12px' },
  title: {
    margin: 0,
    fontSize: tokens.fontSizeBase500,
    lineHeight: tokens.lineHeightBase500,
    fontWeight: tokens.fontWeightSemibold,
  },
  subtitle: { color: tokens.colorNeutralForeground3 },
  bar: {
    display: 'flex',
    alignItems: 'center',
    gap: '8px',
    padding: '8px 24px 8px 16px',
    minHeight: '48px',
    // Menus of the commands must open above the table.
    position: 'relative',
    zIndex: 5,
  },
  toolbar: { flexGrow: 1, padding: 0, gap: '2px' },
  search: { width: '260px' },
  notices: {
    padding: '0 24px 8px 24px',
    display: 'flex',
    flexDirection: 'column',
    gap: '8px',
    ':empty': { display: 'none' },
  },
  body: { display: 'flex', flexGrow: 1, minHeight: 0, gap: '12px', padding: '0 24px 16px 24px' },
  card: {
    display: 'flex',
    flexGrow: 1,
    minWidth: 0,
    backgroundColor: tokens.colorNeutralBackground1,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusLarge,
    overflow: 'hidden',
  },
});

interface PageFrameProps {
  readonly title: string;
  readonly subtitle?: string;
  readonly commands?: ReactNode;
  readonly search?: { readonly label: string; readonly text: string; readonly onChange: (text: string) => void };
  /** Errors and hints between command bar and table. */
  readonly notices?: ReactNode;
  readonly details?: ReactNode;
  readonly children: ReactNode;
}

export function PageFrame({
  title,
  subtitle,
  commands,
  search,
  notices,
  details,
  children,
}: PageFrameProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const titleId = useId();
  return (
    <section className={styles.page} aria-labelledby={titleId}>
      <div className={styles.head}>
        <h1 id={titleId} className={styles.title}>
          {title}
        </h1>
        {subtitle !== undefined && <span className={styles.subtitle}>{subtitle}</span>}
      </div>
      <div className={styles.bar}>
        <Toolbar className={styles.toolbar} aria-label={t('commands.label')}>
          {commands}
        </Toolbar>
        {search !== undefined && (
          <SearchBox
            className={styles.search}
            aria-label={search.label}
            placeholder={t('word.search')}
            value={search.text}
            onChange={(_event, data) => search.onChange(data.value)}
          />
        )}
      </div>
      <div className={styles.notices}>{notices}</div>
      <div className={styles.body}>
        <div className={styles.card}>{children}</div>
        {details}
      </div>
    </section>
  );
}
