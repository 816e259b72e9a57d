// Errors of the operating system or SQLite keep their readable reason and never become "something went wrong inside the service".
import { expect, it } from 'vitest';
import { toFarkeepError } from './farkeep-error.ts';

const systemError = (code: string, more: object = {}): Error =>
  Object.assign(new Error(`${code}: as the system says, write`), { errno: -1, syscall: 'write', code, ...more });

it('explains a system error and names its file', () => {
  const expected = {
    ENOSPC: 'storage.disk-full',
    EDQUOT: 'storage.disk-full',
    EROFS: 'storage.read-only',
    EACCES: 'storage.io',
    EPERM: 'storage.io',
    EIO: 'storage.io',
    EMFILE: 'storage.io',
    ENFILE: 'storage.io',
    EISDIR: 'storage.io',
    ENOTDIR: 'storage.io',
    ELOOP: 'storage.io',
    ESOMETHINGNEW: 'storage.io',
    ECONNREFUSED: 'connection.lost',
  };
  for (const [code, meaning] of Object.entries(expected)) {
    expect(toFarkeepError(systemError(code, { path: '/home/f' })), code).toMatchObject({
      code: meaning,
      message: `/home/f: ${code}: as the system says, write`,
    });
  }
});

it('keeps a more exact error, and treats a defect of the program as internal error', () => {
  expect(toFarkeepError(systemError('EISDIR'), 'connection.lost').code).toBe('connection.lost');
  expect(toFarkeepError(new TypeError('x is undefined')).code).toBe('call.internal');
});
