import { describe, expect, it } from 'vitest';
import { formatThumbprint, readThumbprint, shortThumbprint, thumbprintDigits } from './thumbprint.ts';

const sha256 = Array.from({ length: 32 }, (_byte, index) => (index * 7 + 3).toString(16).padStart(2, '0'))
  .join(':')
  .toUpperCase();

describe('a thumbprint for people', () => {
  it('is written in pairs, in full or only start and end', () => {
    expect(formatThumbprint('abcd01')).toBe('AB:CD:01');
    expect(formatThumbprint('AB:CD:01')).toBe('AB:CD:01');
    expect(shortThumbprint('ABCDEF0102030405')).toBe('AB:CD:EF…04:05');
    expect(shortThumbprint('AB:CD')).toBe('AB:CD');
    expect(thumbprintDigits('ab:cd')).toBe('ABCD');
  });

  it.each([
    ['in groups of four', thumbprintDigits(sha256).replaceAll(/(.{4})/g, '$1 ')],
    ['in lines of several bytes', sha256.replace(/^(.{48})/, '$1\n')],
    ['with a word in front', `SHA-256 thumbprint: ${sha256}`],
    ['with an invisible mark and a word in front', `\u200eSHA-256: ${sha256}`],
    ['with commas', sha256.replaceAll(':', ', ')],
  ])('is read %s', (_form, pasted) => {
    expect(readThumbprint(pasted)).toEqual({ kind: 'read', algorithm: 'SHA-256', text: sha256 });
  });

  it('is refused with the reason', () => {
    expect(readThumbprint('hello')).toEqual({ kind: 'no-hex' });
    expect(readThumbprint('AB CD')).toEqual({ kind: 'wrong-length', digitCount: 4 });
  });
});
