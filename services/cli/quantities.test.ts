import { describe, expect, it } from 'vitest';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import {
  formatBytes,
  formatCounted,
  formatDuration,
  parseDate,
  parseDuration,
  parseSize,
  parseWholeNumber,
} from './quantities.ts';

const usage = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof FarkeepError) return error.code;
  }
  return 'no error';
};

describe('sizes', () => {
  it.each([
    ['0', 0],
    ['1048576', 1_048_576],
    ['5 B', 5],
    ['1KB', 1_000],
    ['1KiB', 1_024],
    ['500GB', 500_000_000_000],
    ['500 gib', 536_870_912_000],
    ['1.5TB', 1_500_000_000_000],
    ['2TiB', 2_199_023_255_552],
  ])('%s is %d bytes', (text, bytes) => expect(parseSize(text, '--quota')).toBe(bytes));

  it.each(['', 'GB', '-1GB', '1 GB 2', '1XB', '1e3', '99999999TB', 'NaN', '１GB', '1,5GB'])('refuses "%s"', (text) =>
    expect(usage(() => parseSize(text, '--quota'))).toBe('call.invalid'),
  );

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.00 KB'],
    [9_996, '10.0 KB'],
    [999_499, '999 KB'],
    [999_500, '1.00 MB'],
    [1_234_567_890, '1.23 GB'],
  ])('%d bytes are shown as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe('durations', () => {
  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['12h', 43_200_000],
    ['30d', 2_592_000_000],
    ['1.5h', 5_400_000],
  ])('%s is %d ms', (text, durationMs) => expect(parseDuration(text, '--expires')).toBe(durationMs));

  it.each(['', '5', '5 weeks', '-1h', 'h', '1h30m'])('refuses "%s"', (text) =>
    expect(usage(() => parseDuration(text, '--expires'))).toBe('call.invalid'),
  );

  it.each([
    ['1m', 60_000],
    ['90s', 90_000],
    ['30d', 2_592_000_000],
  ])('takes %s within a range', (text, durationMs) =>
    expect(parseDuration(text, '--expires', { min: '1m', max: '30d' })).toBe(durationMs),
  );

  it.each(['0s', '59s', '31d'])('refuses %s outside a range', (text) =>
    expect(usage(() => parseDuration(text, '--expires', { min: '1m', max: '30d' }))).toBe('call.invalid'),
  );

  it.each([
    [400, '0.4 s'],
    [42_000, '42 s'],
    [59_700, '1 min 00 s'],
    [187_000, '3 min 07 s'],
    [7_500_000, '2 h 05 min'],
    [273_600_000, '3 d 04 h'],
  ])('%d ms are shown as %s', (durationMs, text) => expect(formatDuration(durationMs)).toBe(text));
});

describe('dates', () => {
  it('uses a day until its end, in UTC', () =>
    expect(parseDate('2027-03-31', '--lease')).toBe('2027-03-31T23:59:59.999Z'));

  it('accepts an instant', () =>
    expect(parseDate('2027-03-31T12:00:00+02:00', '--lease')).toBe('2027-03-31T10:00:00.000Z'));

  it.each(['', 'tomorrow', '2027-02-30', '31.03.2027', '2027-13-01', '2027'])('refuses "%s"', (text) =>
    expect(usage(() => parseDate(text, '--lease'))).toBe('call.invalid'),
  );
});

describe('whole numbers', () => {
  it('accept their limits', () => {
    expect(parseWholeNumber('1', '--streams', { min: 1, max: 16 })).toBe(1);
    expect(parseWholeNumber('16', '--streams', { min: 1, max: 16 })).toBe(16);
  });

  it.each(['0', '17', '1.5', '0x10', '', '-1', '1e1'])('refuses "%s"', (text) =>
    expect(usage(() => parseWholeNumber(text, '--streams', { min: 1, max: 16 }))).toBe('call.invalid'),
  );

  it('have the singular for one thing', () => {
    expect([0, 1, 2_000].map((count) => formatCounted(count, 'file'))).toEqual(['0 files', '1 file', '2,000 files']);
  });
});
