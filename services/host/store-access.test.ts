import { describe, expect, it } from 'vitest';
import { PosixAccess } from '../certstore/posix-access.ts';
import { WindowsAccess } from '../certstore/windows-access.ts';
import { WindowsCertificates } from '../certstore/windows-certificates.ts';
import { storeAccess, windowsCertificates } from './store-access.ts';

describe('access rights of the certificate store', () => {
  it('are an ACL on Windows and modes elsewhere', async () => {
    expect(await storeAccess(undefined, 'win32')).toBeInstanceOf(WindowsAccess);
    for (const platform of ['linux', 'darwin'] as const) {
      expect(await storeAccess(undefined, platform)).toMatchObject({ fileMode: 0o600, folderMode: 0o700 });
    }
  });

  it.skipIf(process.platform === 'win32')(
    'let an existing service group read the files, and refuse an unknown group',
    async () => {
      for (const group of ['daemon', '1']) {
        const access = await storeAccess(group);
        expect(access).toBeInstanceOf(PosixAccess);
        expect(access).toMatchObject({ fileMode: 0o640, folderMode: 0o750 });
      }
      await expect(storeAccess('no-such-group')).rejects.toMatchObject({
        code: 'config.invalid',
        field: 'serviceGroup',
        message: expect.stringContaining('no-such-group') as string,
      });
      await expect(storeAccess('daemon', 'win32')).rejects.toMatchObject({ code: 'config.invalid' });
    },
  );

  it('include a system certificate store on Windows only', () => {
    expect(windowsCertificates('win32')).toBeInstanceOf(WindowsCertificates);
    for (const platform of ['linux', 'darwin'] as const) expect(windowsCertificates(platform)).toBeUndefined();
  });
});
