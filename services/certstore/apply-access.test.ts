import { chmod, chown, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { applyAccess } from './apply-access.ts';
import { PosixAccess } from './posix-access.ts';

const groupId = process.getgid?.() ?? 0;
const nobody = 65_534;

describe.skipIf(process.platform === 'win32')('a service group that was configured later', () => {
  it('gets access to existing files, and targets of symbolic links do not change', async () => {
    const root = await makeTemporaryFolder();
    const [folder, outside] = [path.join(root, 'certificates'), path.join(root, 'outside')];
    await mkdir(path.join(folder, 'one'), { recursive: true, mode: 0o700 });
    const key = path.join(folder, 'one', 'key.pem');
    for (const file of [key, outside]) await writeFile(file, '', { mode: 0o600 });
    await symlink(outside, path.join(folder, 'one', 'link'));
    await applyAccess(folder, new PosixAccess(groupId));
    const modes = await Promise.all(
      [folder, path.dirname(key), key, outside].map(async (entry) => (await stat(entry)).mode & 0o777),
    );
    expect(modes).toEqual([0o750, 0o750, 0o640, 0o600]);
    await applyAccess(path.join(root, 'missing'), new PosixAccess(groupId));
  });

  it('is the only group that may read', async () => {
    const file = path.join(await makeTemporaryFolder(), 'key.pem');
    await writeFile(file, '');
    await chmod(file, 0o640);
    expect(await new PosixAccess(groupId).findTooWide(file, 'file')).toBeUndefined();
    expect(await new PosixAccess(groupId + 1).findTooWide(file, 'file')).toContain('not the service group');
    await chmod(file, 0o600);
    expect(await new PosixAccess(groupId + 1).findTooWide(file, 'file')).toBeUndefined();
  });

  it('must be a group of the account; otherwise the error says so', async () => {
    const folder = await makeTemporaryFolder();
    const file = path.join(folder, 'key.pem');
    await writeFile(file, '');
    // Root may give files to any group, so as root this test runs as another account.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) {
      await chmod(folder, 0o755);
      await chown(file, nobody, nobody);
      process.seteuid?.(nobody);
    }
    try {
      await expect(new PosixAccess(0).apply(file, 'file')).rejects.toMatchObject({
        code: 'config.invalid',
        field: 'serviceGroup',
      });
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });
});
