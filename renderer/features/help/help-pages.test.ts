// The help is complete and names only controls that exist.
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { marked } from 'marked';
import type { Token } from 'marked';
import { texts } from '../../i18n/texts.ts';
import { helpPages } from '../../platform/help-pages.ts';
import { helpText, linkedPage, readHelp } from './help-content.ts';
import { HelpMarkdown } from './help-markdown.tsx';

const drawnKinds = new Set([
  ...[
    'space',
    'heading',
    'paragraph',
    'text',
    'strong',
    'em',
    'codespan',
    'code',
    'list',
    'list_item',
    'link',
    'escape',
  ],
]);

function tokensOf(text: string): Token[] {
  const found: Token[] = [];
  void marked.walkTokens(marked.lexer(text), (token) => void found.push(token));
  return found;
}

function textsOf(text: string, kind: Token['type']): string[] {
  return tokensOf(text).flatMap((token) => (token.type === kind && 'text' in token ? [String(token.text)] : []));
}

describe('the help', () => {
  it('has a file for each page, and no other file', () => {
    const files = Object.keys(import.meta.glob('../../../docs/help/*.md', { query: '?raw' }));
    expect(files.map((file) => file.replace(/^.*\/|\.md$/g, '')).toSorted()).toEqual([...helpPages].toSorted());
  });

  it.each(helpPages)('%s is short, has a title, and uses only what the console can draw', (page) => {
    const text = helpText(page);
    expect(text.split('\n').length).toBeLessThanOrEqual(60);
    expect(readHelp(text).title).not.toBe('');
    expect(tokensOf(text).filter(({ type }) => !drawnKinds.has(type))).toEqual([]);
  });

  it.each(helpPages)('%s links only to pages that exist', (page) => {
    const targets = tokensOf(helpText(page)).flatMap((token) => (token.type === 'link' ? [String(token.href)] : []));
    expect(targets.filter((target) => linkedPage(target) === undefined)).toEqual([]);
  });

  it.each(helpPages)('%s names only controls that exist', (page) => {
    const labels = new Set<string>(Object.values(texts));
    expect(textsOf(helpText(page), 'em').filter((name) => !labels.has(name))).toEqual([]);
  });

  it('never draws HTML, and follows no link that leads out of the help', () => {
    const { tokens } = readHelp('# T\n\n<script>alert(1)</script>\n\nA <b>b</b> [c](https://a.test/) ![d](e.png)\n');
    const markup = renderToStaticMarkup(createElement(HelpMarkdown, { tokens, onPage: () => undefined }));
    expect(markup).not.toMatch(/<(script|b|a|img)\b/);
    expect(markup).toContain('&lt;script&gt;');
  });
});

describe('every wizard and dialog', () => {
  const sources = Object.entries(
    import.meta.glob<string>(['../**/*.tsx', '../../app/**/*.tsx'], { query: '?raw', import: 'default', eager: true }),
  ).filter(([file]) => !file.endsWith('/help-dialog.tsx'));
  const frames = sources.flatMap(([file, text]) =>
    [...text.matchAll(/<(?:Wizard|DialogFrame)\b(.*?)\n\s*\/?>/gs)].map(([, properties]) => ({ file, properties })),
  );

  it('has a help page', () => {
    expect(frames.length).toBeGreaterThan(15);
    expect(frames.filter(({ properties = '' }) => !/\bhelp=/.test(properties)).map(({ file }) => file)).toEqual([]);
  });
});
