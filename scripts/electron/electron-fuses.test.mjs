// Tests setting fuses of an Electron executable: only the named ones change, and an unknown format is refused unchanged.
import { expect, it } from 'vitest';
import { fuse, setFuses } from './electron-fuses.mjs';

const sentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';

/** @param {string} fuses @param {{ version?: number, count?: number }} [header] */
const executable = (fuses, { version = 1, count = fuses.length } = {}) =>
  Buffer.concat([
    Buffer.from(`\u007fELF before 0101 ${sentinel}`, 'latin1'),
    Buffer.of(version, count),
    Buffer.from(`${fuses}1111 after`, 'latin1'),
  ]);

const wanted = new Map([
  [fuse.nodeCliInspect, true],
  [fuse.browserV8Snapshot, false],
]);

it('sets the named fuses and changes no other byte', () => {
  const bytes = executable('10100011');
  setFuses(bytes, wanted);
  expect(bytes).toEqual(executable('10110001'));
});

it('does not change fuses that are already set', () => {
  const bytes = executable('10110001');
  setFuses(bytes, wanted);
  expect(bytes).toEqual(executable('10110001'));
});

it('sets a fuse that inherits', () => {
  const bytes = executable('101\u0090001');
  setFuses(bytes, wanted);
  expect(bytes).toEqual(executable('1011000'));
});

it.each([
  ['no sentinel', Buffer.from('an executable without fuses'), 'it has no fuses'],
  ['two sentinels', Buffer.concat([executable('10100011'), executable('10100011')]), 'it has fuses twice'],
  ['another version', executable('10100011', { version: 2 }), 'its fuses have version 2'],
  ['too few fuses', executable('10100011', { count: 6 }), 'it has no fuse 6'],
  ['an end in the middle', executable('10100011').subarray(0, -12), 'it has no fuse 6'],
  ['a removed fuse', executable('101000r1'), 'its fuse 6 was removed'],
  ['an unknown state', executable('101x0011'), 'its fuse 3 has the unknown state 120'],
])('refuses %s and changes nothing', (_case, bytes, reason) => {
  const before = Buffer.from(bytes);
  expect(() => setFuses(bytes, wanted)).toThrow(reason);
  expect(bytes).toEqual(before);
});
