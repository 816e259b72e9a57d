// What --only chooses.
import { expect, it } from 'vitest';
import { benchParts, chooseParts, isEverything } from './bench-parts.ts';

it('takes everything, or what was named', () => {
  expect(isEverything(chooseParts(undefined))).toBe(true);
  expect([...chooseParts('console, handshakes')]).toEqual(['handshakes', 'console']);
  expect(isEverything(chooseParts('console'))).toBe(false);
  expect(isEverything(chooseParts(benchParts.join(',')))).toBe(true);
});

it('names what there is when something else was asked for', () => {
  expect(() => chooseParts('console,consle')).toThrow('There is no part "consle"; the parts are throughput,');
  expect(() => chooseParts('')).toThrow('There is no part ""');
});
