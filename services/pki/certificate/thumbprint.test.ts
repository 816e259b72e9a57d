import { describe, expect, it } from 'vitest';
import { cleanThumbprint, matchesThumbprint, thumbprintOf, thumbprintWords } from './thumbprint.ts';
import { evenWords, oddWords } from './thumbprint-words.ts';

const der = Buffer.from('any bytes');
const sha256 = thumbprintOf(der);
const sha1 = thumbprintOf(der, 'SHA-1');

describe('cleanThumbprint', () => {
  it.each([
    ['as shown', sha256],
    ['lower case', sha256.toLowerCase()],
    ['bare', sha256.replaceAll(':', '')],
    ['spaces, as Windows shows it, with the mark in front', `\u200E${sha256.toLowerCase().replaceAll(':', ' ')}`],
    ['dashes of several kinds', sha256.replaceAll(':', '\u2013')],
    ['byte order mark, no-break spaces, line breaks', `\uFEFF${sha256.replaceAll(':', '\u00A0\r\n')}\t`],
    ['directional marks in the middle', sha256.replaceAll(':', '\u202A:\u202C')],
    ['full-width digits', sha256.replace(/[0-9A-F]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0))],
    ['as OpenSSL prints it', `sha256 Fingerprint=${sha256}`],
  ])('%s', (_, pasted) => {
    expect(cleanThumbprint(pasted)).toEqual({ algorithm: 'SHA-256', text: sha256 });
  });

  it('takes 40 digits as a SHA-1 thumbprint', () => {
    expect(cleanThumbprint(sha1.toLowerCase())).toEqual({ algorithm: 'SHA-1', text: sha1 });
    expect(cleanThumbprint(`SHA1 Fingerprint=${sha1}`)).toEqual({ algorithm: 'SHA-1', text: sha1 });
  });

  it.each(['', 'hello', sha256.slice(0, -1), `${sha256}0`, sha256.replace(/^./, 'G'), `${sha1}:00`])(
    'refuses %j',
    (pasted) => {
      expect(() => cleanThumbprint(pasted)).toThrow(expect.objectContaining({ code: 'trust.thumbprint-malformed' }));
    },
  );
});

it('matches only the thumbprint of this certificate, SHA-256 or SHA-1', () => {
  expect(matchesThumbprint(der, cleanThumbprint(sha256))).toBe(true);
  expect(matchesThumbprint(der, cleanThumbprint(sha1))).toBe(true);
  expect(matchesThumbprint(Buffer.from('other bytes'), cleanThumbprint(sha256))).toBe(false);
  expect(matchesThumbprint(der, { algorithm: 'SHA-256', text: '' })).toBe(false);
});

describe('words of a thumbprint', () => {
  it('come from two lists of 256 different words with no word in both', () => {
    expect(new Set([...evenWords, ...oddWords]).size).toBe(512);
  });

  it('equal the published example of the PGP word list', () => {
    expect(thumbprintWords('E58294F2E9A227486E8B061B31CC528FD7FA3F19').join(' ')).toBe(
      'topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa ' +
        'afflict bravado chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless',
    );
  });
});
