import { describe, expect, it } from 'vitest';
import {
  daysUntil,
  formatRunTime,
  formatBytes,
  formatClock,
  formatCountdown,
  formatDuration,
  formatInstant,
  formatPercent,
  formatRate,
  formatRatio,
  groupKeyIdentifier,
} from './format.ts';

describe('formatBytes', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1.0 KB'],
    [99_949, '99.9 KB'],
    [99_950, '100 KB'],
    [999_499, '999 KB'],
    [999_500, '1.0 MB'],
    [4_100_000_000, '4.1 GB'],
    [2_800_000_000_000, '2.8 TB'],
    [5_000_000_000_000_000_000, '5,000 PB'],
  ])('writes %d as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe('formatDuration', () => {
  it.each([
    [0.2, '< 1 ms'],
    [38.4, '38 ms'],
    [999.6, '1.0 s'],
    [4200, '4.2 s'],
    [9_960, '10 s'],
    [59_600, '1 min'],
    [130_000, '2 min 10 s'],
    [3_599_700, '1 h'],
    [11_100_000, '3 h 5 min'],
    [90_000_000, '1 d 1 h'],
  ])('writes %d ms as %s', (milliseconds, text) => expect(formatDuration(milliseconds)).toBe(text));
});

describe('figures', () => {
  it('writes clocks with days in front', () => {
    expect(formatClock(221_999)).toBe('00:03:41');
    expect(formatClock(90_061_000)).toBe('1 d 01:01:01');
    expect(formatClock(-5)).toBe('00:00:00');
  });

  it('never shows zero before a wait has ended', () => {
    expect(formatCountdown(1)).toBe('00:00:01');
    expect(formatCountdown(1000)).toBe('00:00:01');
    expect(formatCountdown(1001)).toBe('00:00:02');
    expect(formatCountdown(0)).toBe('00:00:00');
  });

  it('never shows 100 % before the end, and never 0 % after the start', () => {
    expect(formatPercent(0, 100)).toBe('0 %');
    expect(formatPercent(1, 1_000_000)).toBe('1 %');
    expect(formatPercent(999_999, 1_000_000)).toBe('99 %');
    expect(formatPercent(1_000_000, 1_000_000)).toBe('100 %');
    expect(formatPercent(5, 0)).toBe('0 %');
  });

  it('writes rates and ratios, and no ratio without figures', () => {
    expect(formatRate(0.4)).toBe('0 MB/s');
    expect(formatRate(312_000_000)).toBe('312 MB/s');
    expect(formatRatio(12_400, 4_100)).toBe('3.0x');
    expect(formatRatio(0, 10)).toBeNull();
    expect(formatRatio(10, 0)).toBeNull();
    expect(formatRatio(13, 357)).toBeNull();
    expect(formatRatio(6_300_000, 11)).toBe('> 999x');
    expect(formatRatio(90, 100)).toBe('0.9x');
  });

  it('groups identifiers', () => {
    expect(groupKeyIdentifier('6d4102ef9b7c11a0')).toBe('6d41 02ef 9b7c 11a0');
  });
});

describe('instants', () => {
  it('are written in the given zone, the exact one with milliseconds and zone', () => {
    const at = '2026-11-21T21:04:12.381Z';
    expect(formatInstant(at, 'date', 'UTC')).toBe('Nov 21, 2026');
    expect(formatInstant(at, 'date-time', 'UTC')).toBe('Nov 21, 2026, 21:04');
    expect(formatInstant(at, 'time', 'UTC')).toBe('21:04:12');
    expect(formatInstant(at, 'exact', 'UTC')).toBe('Nov 21, 2026, 21:04:12.381 UTC');
  });

  it('show midnight as hour 0', () => {
    expect(formatInstant('2026-11-21T00:00:00.000Z', 'time', 'UTC')).toBe('00:00:00');
  });

  it('count whole days', () => {
    const now = Date.parse('2026-11-21T12:00:00.000Z');
    expect(daysUntil('2026-11-23T11:00:00.000Z', now)).toBe(1);
    expect(daysUntil('2026-11-20T12:00:00.000Z', now)).toBe(-1);
  });
});

it('never shows the run time of a short session as zero', () => {
  expect(formatRunTime(0)).toBe('< 1 s');
  expect(formatRunTime(999)).toBe('< 1 s');
  expect(formatRunTime(1000)).toBe('00:00:01');
});
