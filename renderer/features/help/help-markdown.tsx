// Owns drawing the Markdown of a help page as React elements. Knows the few kinds that help pages use; everything else, such as HTML, is
// drawn as its plain text.
import { Link, makeStyles, tokens } from '@fluentui/react-components';
import type { Token, Tokens } from 'marked';
import { Fragment } from 'react';
import type { ReactNode } from 'react';
import type { HelpPage } from '../../platform/help-pages.ts';
import { linkedPage } from './help-content.ts';

const useStyles = makeStyles({
  heading: {
    margin: '18px 0 6px 0',
    fontSize: tokens.fontSizeBase300,
    lineHeight: tokens.lineHeightBase300,
    fontWeight: tokens.fontWeightSemibold,
  },
  paragraph: { margin: '0 0 10px 0' },
  list: { margin: '0 0 10px 0', paddingLeft: '24px' },
  item: { marginBottom: '4px' },
  control: { fontStyle: 'normal', fontWeight: tokens.fontWeightSemibold },
  code: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, overflowWrap: 'anywhere' },
  block: {
    margin: '0 0 10px 0',
    padding: '8px 12px',
    whiteSpace: 'pre-wrap',
    borderRadius: tokens.borderRadiusMedium,
    backgroundColor: tokens.colorNeutralBackground3,
  },
});

interface HelpMarkdownProps {
  readonly tokens: readonly Token[];
  readonly onPage: (page: HelpPage) => void;
}

export function HelpMarkdown({ tokens: parts, onPage }: HelpMarkdownProps): ReactNode {
  return parts.map((token, index) => <Part key={index} token={token} onPage={onPage} />);
}

function Part({ token, onPage }: { readonly token: Token; readonly onPage: HelpMarkdownProps['onPage'] }): ReactNode {
  const styles = useStyles();
  const inner = (): ReactNode =>
    'tokens' in token && Array.isArray(token.tokens) ? (
      <HelpMarkdown tokens={token.tokens} onPage={onPage} />
    ) : (
      textOf(token)
    );
  switch (token.type) {
    case 'space':
      return null;
    case 'heading':
      return <h3 className={styles.heading}>{inner()}</h3>;
    case 'paragraph':
      return <p className={styles.paragraph}>{inner()}</p>;
    case 'text':
      return <Fragment>{inner()}</Fragment>;
    case 'strong':
      return <strong>{inner()}</strong>;
    case 'em':
      return <em className={styles.control}>{inner()}</em>;
    case 'codespan':
      return <code className={styles.code}>{textOf(token)}</code>;
    case 'code':
      return <pre className={`${styles.code} ${styles.block}`}>{textOf(token)}</pre>;
    case 'list': {
      const { ordered, items } = token as Tokens.List;
      const List = ordered ? 'ol' : 'ul';
      return (
        <List className={styles.list}>
          {items.map((item, index) => (
            <li key={index} className={styles.item}>
              <HelpMarkdown tokens={item.tokens} onPage={onPage} />
            </li>
          ))}
        </List>
      );
    }
    case 'link': {
      const page = linkedPage((token as Tokens.Link).href);
      if (page === undefined) return <Fragment>{inner()}</Fragment>;
      return (
        <Link as="button" type="button" inline onClick={() => onPage(page)}>
          {inner()}
        </Link>
      );
    }
    default:
      return token.raw;
  }
}

function textOf(token: Token): string {
  return 'text' in token ? String(token.text) : token.raw;
}
