import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { makeFolders } from './make-folders.ts';

describe('makeFolders', () => {
  it('makes missing folders with the mode, and accepts existing ones', async () => {
    const root = await makeTemporaryFolder();
    const folder = path.join(root, 'a', 'b', 'c');
    await makeFolders(folder, { mode: 0o700 });
    await makeFolders(folder);
    expect((await stat(path.join(root, 'a'))).mode & 0o777).toBe(0o700);
    expect((await stat(folder)).isDirectory()).toBe(true);
  });

  it('ends with an error where no folder can be made', async () => {
    const root = await makeTemporaryFolder();
    await writeFile(path.join(root, 'file'), '');
    await expect(makeFolders(path.join(root, 'file', 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  it.runIf(process.platform === 'linux')('ends with an error in /proc, where `mkdir` does not end', async () => {
    await expect(makeFolders('/proc/farkeep')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
