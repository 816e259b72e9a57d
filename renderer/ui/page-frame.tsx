// Owns the layout of a page: heading with counts and search, command bar, the table, the details pane of the selection. Also owns the keys
// Ctrl+F and F5.
import { SearchBox, Toolbar, makeStyles, tokens } from '@fluentui/react-components';
import { useEffect, useEffectEvent, useId, useRef } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../i18n/use-text.ts';

const useStyles = makeStyles({
  page: { display: 'flex', flexDirection: 'column', height: '100%', minHeight: 0 },
  head: {
    padding: '12px 24px 0 24px',
    minHeight: '44px',
    flexShrink: 0,
    display: 'flex',
    alignItems: 'center',
    gap: '12px',
    // Menus of the tools and commands must open above the table.
    position: 'relative',
    zIndex: 6,
  },
  title: {
    margin: 0,
    fontSize: tokens.fontSizeBase500,
    lineHeight: tokens.lineHeightBase500,
    fontWeight: tokens.fontWeightSemibold,
    whiteSpace: 'nowrap',
  },
  counts: {
    display: 'flex',
    gap: '12px',
    flexGrow: 1,
    minWidth: 0,
    overflow: 'hidden',
    whiteSpace: 'nowrap',
    color: tokens.colorNeutralForeground3,
    paddingTop: '3px',
  },
  selected: { color: tokens.colorBrandForeground1, ':empty': { display: 'none' } },
  bar: {
    display: 'flex',
    alignItems: 'center',
    padding: '4px 24px 8px 16px',
    minHeight: '44px',
    flexShrink: 0,
    position: 'relative',
    zIndex: 5,
  },
  toolbar: { flexGrow: 1, padding: 0, gap: '2px', flexWrap: 'wrap' },
  // In a narrow window the search gives way to the counts.
  search: { width: '240px', minWidth: '120px', flexShrink: 1000 },
  box: { width: '100%', minWidth: 0 },
  notices: {
    padding: '0 24px 8px 24px',
    display: 'flex',
    flexDirection: 'column',
    gap: '8px',
    ':empty': { display: 'none' },
  },
  body: {
    display: 'flex',
    flexGrow: 1,
    minHeight: 0,
    gap: '12px',
    margin: '0 24px 16px 24px',
    // A narrow window has no room for the details beside the table, so they lie above it.
    position: 'relative',
  },
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
  /** A few words beside the title, such as how many rows there are. */
  readonly subtitle?: string;
  readonly selectedCount?: string;
  readonly commands?: ReactNode;
  readonly search?: { readonly label: string; readonly text: string; readonly onChange: (text: string) => void };
  /** Controls beside the search, such as a filter. */
  readonly tools?: ReactNode;
  /** Called for F5. */
  readonly onRefresh?: () => void;
  /** Errors and hints between command bar and table. */
  readonly notices?: ReactNode;
  readonly details?: ReactNode;
  readonly children: ReactNode;
}

export function PageFrame({
  title,
  subtitle = '',
  selectedCount = '',
  commands,
  search,
  tools,
  onRefresh,
  notices,
  details,
  children,
}: PageFrameProps): ReactNode {
  const t = useText();
  const styles = useStyles();
  const titleId = useId();
  const searchPlace = useRef<HTMLDivElement>(null);
  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    const isFind = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key === 'f';
    if (!isFind && event.key !== 'F5') return;
    event.preventDefault();
    // A dialog belongs to its page, and has no keys of the page.
    if (document.querySelector('[role="dialog"], [role="alertdialog"]') !== null) return;
    if (!isFind) onRefresh?.();
    else {
      const input = searchPlace.current?.querySelector('input');
      input?.focus();
      input?.select();
    }
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKeyDown(event);
    addEventListener('keydown', listener);
    return () => removeEventListener('keydown', listener);
  }, []);
  return (
    <section className={styles.page} aria-labelledby={titleId}>
      <div className={styles.head}>
        <h1 id={titleId} className={styles.title}>
          {title}
        </h1>
        <div className={styles.counts} aria-live="polite">
          <span>{subtitle}</span>
          <span className={styles.selected}>{selectedCount}</span>
        </div>
        {search !== undefined && (
          <div ref={searchPlace} className={styles.search}>
            <SearchBox
              className={styles.box}
              aria-label={search.label}
              aria-keyshortcuts="Control+F"
              placeholder={t('word.search')}
              value={search.text}
              onChange={(_event, data) => search.onChange(data.value)}
            />
          </div>
        )}
        {tools}
      </div>
      <div className={styles.bar}>
        <Toolbar className={styles.toolbar} aria-label={t('commands.label')}>
          {commands}
        </Toolbar>
      </div>
      <div className={styles.notices}>{notices}</div>
      <div className={styles.body}>
        <div className={styles.card}>{children}</div>
        {details}
      </div>
    </section>
  );
}
