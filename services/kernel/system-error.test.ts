import { readFile, readdir, mkdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import {
  isDenied,
  isInvalid,
  isMissing,
  isNotFolder,
  isNotPermitted,
  isTaken,
  systemErrorCode,
} from './system-error.ts';

const thrownBy = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
const withCode = (code: unknown): Error => Object.assign(new Error('injected'), { code });

it('reads the code of what the system throws', async () => {
  const missing = await thrownBy(readFile('/does/not/exist'));
  expect([systemErrorCode(missing), isMissing(missing), isTaken(missing)]).toEqual(['ENOENT', true, false]);
  expect(isTaken(await thrownBy(mkdir('/')))).toBe(true);
  expect(isNotFolder(await thrownBy(readdir(import.meta.filename)))).toBe(true);
});

it('distinguishes a denied access from a missing right', () => {
  expect([isDenied(withCode('EACCES')), isNotPermitted(withCode('EACCES'))]).toEqual([true, false]);
  expect([isDenied(withCode('EPERM')), isNotPermitted(withCode('EPERM'))]).toEqual([true, true]);
  expect(isDenied(withCode('ENOENT'))).toBe(false);
  expect(isInvalid(withCode('EINVAL'))).toBe(true);
});

it('finds no code in an error without one', () => {
  for (const error of [undefined, null, 'ENOENT', { code: 'ENOENT' }, new Error('ENOENT'), withCode(2)]) {
    expect(systemErrorCode(error)).toBeUndefined();
    expect(isMissing(error)).toBe(false);
  }
});
