// Tests the choice of parts by --only.
import { expect, it } from 'vitest';
import { benchParts, chooseParts, isEverything } from './bench-parts.ts';

it('returns all parts, or the named ones', () => {
  expect(isEverything(chooseParts(undefined))).toBe(true);
  expect([...chooseParts('console, handshakes')]).toEqual(['handshakes', 'console']);
  expect(isEverything(chooseParts('console'))).toBe(false);
  expect(isEverything(chooseParts(benchParts.join(',')))).toBe(true);
});

it('names the existing parts when an unknown part is requested', () => {
  expect(() => chooseParts('console,consle')).toThrow('There is no part "consle"; the parts are throughput,');
  expect(() => chooseParts('')).toThrow('There is no part ""');
});
