// Owns the built-in help: the list of its pages, one page, and the way back. It works without a network.
import { Button, Link, makeStyles, tokens } from '@fluentui/react-components';
import { ArrowLeft20Regular } from '@fluentui/react-icons';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useText } from '../../i18n/use-text.ts';
import { helpPages } from '../../platform/help-pages.ts';
import type { HelpPage } from '../../platform/help-pages.ts';
import { DialogFrame } from '../../ui/dialog/dialog-frame.tsx';
import { helpText, readHelp } from './help-content.ts';
import { HelpMarkdown } from './help-markdown.tsx';

const useStyles = makeStyles({
  columns: { display: 'grid', gridTemplateColumns: '232px minmax(0, 1fr)', columnGap: '28px', minHeight: '320px' },
  contents: { display: 'flex', flexDirection: 'column', alignItems: 'flex-start', gap: '8px', textAlign: 'left' },
  current: { fontWeight: tokens.fontWeightSemibold, color: tokens.colorNeutralForeground1 },
  page: { maxWidth: '620px', outlineStyle: 'none' },
  title: {
    margin: '0 0 10px 0',
    fontSize: tokens.fontSizeBase400,
    lineHeight: tokens.lineHeightBase400,
    fontWeight: tokens.fontWeightSemibold,
  },
  space: { flexGrow: 1 },
});

export function HelpDialog({
  initialPage,
  onClose,
}: {
  readonly initialPage: HelpPage;
  readonly onClose: () => void;
}): ReactNode {
  const t = useText();
  const styles = useStyles();
  const [visited, setVisited] = useState<readonly HelpPage[]>([initialPage]);
  const page = visited.at(-1) ?? initialPage;
  const { title, tokens: content } = readHelp(helpText(page));
  const article = useRef<HTMLElement>(null);
  const goTo = (next: HelpPage): void => {
    if (next !== page) setVisited([...visited, next]);
  };
  useEffect(() => {
    if (visited.length > 1) article.current?.focus();
    article.current?.parentElement?.parentElement?.scrollTo(0, 0);
  }, [visited]);
  return (
    <DialogFrame
      title={t('help.title')}
      width="wide"
      isOnlyShown
      onDismiss={onClose}
      footer={
        <>
          <Button
            icon={<ArrowLeft20Regular />}
            disabled={visited.length === 1}
            onClick={() => setVisited(visited.slice(0, -1))}
          >
            {t('help.back')}
          </Button>
          <span className={styles.space} />
          <Button appearance="primary" data-initial-focus onClick={onClose}>
            {t('word.close')}
          </Button>
        </>
      }
    >
      <div className={styles.columns}>
        <nav className={styles.contents} aria-label={t('help.contents')}>
          {helpPages.map((each) => (
            <Link
              key={each}
              as="button"
              type="button"
              className={each === page ? styles.current : ''}
              aria-current={each === page ? 'page' : undefined}
              onClick={() => goTo(each)}
            >
              {readHelp(helpText(each)).title}
            </Link>
          ))}
        </nav>
        <article className={styles.page} ref={article} tabIndex={-1} aria-label={title}>
          <h3 className={styles.title}>{title}</h3>
          <HelpMarkdown tokens={content} onPage={goTo} />
        </article>
      </div>
    </DialogFrame>
  );
}
