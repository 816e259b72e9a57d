import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { certificateOf } from '../../testing/fixtures.ts';
import { Thumbprint } from './thumbprint.tsx';

const { sha256, sha1 } = certificateOf(5);
const textOf = (markup: string): string => markup.replaceAll(/<[^>]*>/g, '');

describe('a thumbprint in the console', () => {
  it.each([sha256, sha256.replaceAll(':', '').toLowerCase(), sha1])('is copied as it is: %s', (value) => {
    const shown = textOf(renderToStaticMarkup(createElement(Thumbprint, { value })));
    expect(shown.replaceAll(':', '')).toBe(value.replaceAll(':', '').toUpperCase());
    expect(shown).toMatch(/^([0-9A-F]{2}:)+[0-9A-F]{2}$/);
  });

  it('lets a line end only between two bytes', () => {
    const markup = renderToStaticMarkup(createElement(Thumbprint, { value: sha256, lineBytes: 8 }));
    const pieces = markup.split(/<[^>]*>/).filter((piece) => piece !== '');
    expect(pieces).toHaveLength(32);
    for (const piece of pieces) expect(piece).toMatch(/^[0-9A-F]{2}:?$/);
    expect(markup.match(/<wbr\/?>/g)).toHaveLength(32);
  });

  it('keeps the whole thumbprint in the tooltip of the short form', () => {
    const markup = renderToStaticMarkup(createElement(Thumbprint, { value: sha256, isShort: true }));
    expect(markup).toContain(`title="${sha256}"`);
    expect(textOf(markup)).toBe(`${sha256.slice(0, 8)}…${sha256.slice(-5)}`);
  });
});

describe('every place of the console', () => {
  const sources = Object.entries(
    import.meta.glob<string>('../../**/*.{ts,tsx}', { query: '?raw', import: 'default', eager: true }),
  ).filter(([file]) => !/\.test\.ts$|\/testing\/|\/thumbprint\.tsx$/.test(file));

  it('shows thumbprints and serial numbers with this component, and has no format of its own', () => {
    expect(sources.length).toBeGreaterThan(100);
    const found = sources.flatMap(([file, text]) =>
      [...rawPlaces, ...ownFormats].flatMap((pattern) => [...text.matchAll(pattern)].map(([hit]) => `${file}: ${hit}`)),
    );
    expect(found).toEqual([]);
  });

  it('would be found', () => {
    for (const line of [
      '<span>{certificate.sha256}</span>',
      "{ name: t('a'), value: invitation.fingerprint },",
      '<p>\n  {sha1}\n</p>',
    ]) {
      expect(
        rawPlaces.some((pattern) => [...line.matchAll(pattern)].length > 0),
        line,
      ).toBe(true);
    }
    for (const line of ['sha256.slice(0, 11)', "thumbprint.replaceAll(':', '')", 'digits.match(/.{1,4}/g)']) {
      expect(
        ownFormats.some((pattern) => [...line.matchAll(pattern)].length > 0),
        line,
      ).toBe(true);
    }
  });
});

/** A thumbprint as the content of an element, or as the value of a property list. */
const rawPlaces = [
  />\s*\{[\w.?]*\b(sha256|sha1|fingerprint|serialNumber)\}/g,
  /\bvalue: [\w.?]*\b(sha256|sha1|fingerprint|serialNumber) \}/g,
] as const;
const ownFormats = [
  /\b\w*(sha256|sha1|[Tt]humbprint|[Ff]ingerprint|serialNumber)\.(slice|match|replace|replaceAll|split|substring)\(/g,
  /match\(\/\.(\{1,4\}|\.)\/g\)/g,
] as const;
