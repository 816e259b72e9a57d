// Owns the text of the help pages, which the build puts into the console, and their reading. Raw HTML of a page is never drawn. Pure.
import { marked } from 'marked';
import type { Token } from 'marked';
import { isHelpPage } from '../../platform/help-pages.ts';
import type { HelpPage } from '../../platform/help-pages.ts';

const files = import.meta.glob<string>('../../../docs/help/*.md', { query: '?raw', import: 'default', eager: true });

const texts: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(files).map(([file, text]) => [/([^/]+)\.md$/.exec(file)?.[1] ?? file, text]),
);

export interface HelpContent {
  readonly title: string;
  /** Without the title. */
  readonly tokens: readonly Token[];
}

export function helpText(page: HelpPage): string {
  return texts[page] ?? '';
}

export function readHelp(text: string): HelpContent {
  const tokens = marked.lexer(text).filter(({ type }) => type !== 'space');
  const [first, ...rest] = tokens;
  return first?.type === 'heading' && 'text' in first
    ? { title: String(first.text), tokens: rest }
    : { title: '', tokens };
}

/** "add-a-tenant.md" leads to another page; no other link does. */
export function linkedPage(href: string): HelpPage | undefined {
  const name = /^([a-z-]+)\.md$/.exec(href)?.[1];
  return isHelpPage(name) ? name : undefined;
}
