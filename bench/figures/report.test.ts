// Tests the printed table and its verdicts.
import { expect, it } from 'vitest';
import { atLeast, atMost, formatRow, isReached, measured, toJson } from './report.ts';

it('compares a value with its goal, and gives no verdict without a goal', () => {
  expect(isReached(atLeast('rate', 0.45, 0.45))).toBe(true);
  expect(isReached(atLeast('rate', 0.44, 0.45))).toBe(false);
  expect(isReached(atMost('memory', 150, 150, 'MiB'))).toBe(true);
  expect(isReached(atMost('memory', 151, 150, 'MiB'))).toBe(false);
  expect(isReached(atMost('memory', undefined, 150, 'MiB'))).toBeNull();
  expect(isReached(measured('start', 0.2, 's'))).toBeNull();
});

it('prints the verdict in words', () => {
  expect(formatRow(atMost('memory', 133.25, 150, 'MiB'))).toMatch(/^memory +133 MiB {3}at most 150 MiB: reached$/);
  expect(formatRow(atLeast('rate', 1.288, 1.5))).toMatch(/^rate +1\.29 {3}at least 1\.5: MISSED$/);
  expect(formatRow(atLeast('rate', undefined, 1.5))).toMatch(/^rate +- {3}at least 1\.5: not measured$/);
});

it('prints a value without a goal, with the note about its measurement below', () => {
  const [line, note] = formatRow(measured('login', 14.04, '/s', 'four at a time')).split('\n');
  expect(line).toMatch(/^login +14\.0 \/s$/);
  expect(note).toBe('    four at a time');
});

it('stores a goal with its verdict, and null for a missing value', () => {
  expect(toJson(atMost('memory', 133, 150, 'MiB'))).toEqual({
    text: 'memory',
    value: 133,
    unit: 'MiB',
    limit: 150,
    isAtLeast: false,
    isReached: true,
  });
  expect(toJson(measured('start', undefined, 's', 'a note'))).toEqual({ text: 'start', value: null, unit: 's' });
});
