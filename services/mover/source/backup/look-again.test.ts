import { expect, it } from 'vitest';
import { FileStat } from '../walk/file-stat.ts';
import { lookAgain, type NewLook } from './look-again.ts';
import type { SourceDisk } from '../walk/source-disk.ts';
import type { ScannedEntry } from '../walk/tree-scanner.ts';

const statOf = (mode: number): FileStat =>
  FileStat.of({
    mode,
    uid: 0,
    gid: 0,
    nlink: 1,
    sizeBytes: 0,
    blocks: 0,
    ino: 1n,
    dev: 1,
    rdev: 0,
    mtimeNs: 5n,
    ctimeNs: 5n,
    attributes: 0,
  });

/** Result of each look: a mode, or an error code. */
function lookAt(...found: (number | string)[]): NewLook {
  const disk = {
    stat: () => {
      const next = found.shift();
      if (typeof next === 'number') return statOf(next);
      throw Object.assign(new Error('refused'), { code: next });
    },
    readLink: () => 'elsewhere',
  };
  return lookAgain(disk as unknown as SourceDisk, { name: 'name' } as ScannedEntry);
}

it('returns the current kind of a name', () => {
  expect(lookAt(0o100644)).toEqual({ type: 'file' });
  expect(lookAt(0o040755)).toMatchObject({ type: 'folder' });
  expect(lookAt(0o010644)).toMatchObject({ type: 'other', linkTarget: undefined });
  expect(lookAt('ENOENT')).toEqual({ type: 'gone' });
  expect(lookAt('EACCES')).toMatchObject({ type: 'unreadable' });
});

it('accepts the target of a link only if the link did not change during the look', () => {
  expect(lookAt(0o120777, 0o120777)).toMatchObject({ type: 'other', linkTarget: 'elsewhere' });
  expect(lookAt(0o120777, 0o100644, 0o100644)).toEqual({ type: 'file' });
});
