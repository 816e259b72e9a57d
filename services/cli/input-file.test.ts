import { execFileSync } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { readInputFile } from './input-file.ts';

describe('a file that an option names', () => {
  it('is read as bytes or as text', async () => {
    const file = path.join(await makeTemporaryFolder(), 'a.pem');
    await writeFile(file, 'text');
    expect(await readInputFile('--roots', file)).toEqual(Buffer.from('text'));
    expect(await readInputFile('--roots', file, 'utf8')).toBe('text');
  });

  it('is refused at once when it is missing, a folder or too large', async () => {
    const folder = await makeTemporaryFolder();
    const large = path.join(folder, 'disk.img');
    await writeFile(large, '');
    await truncate(large, 17 * 1024 * 1024);
    for (const file of [path.join(folder, 'missing'), folder, large]) {
      await expect(readInputFile('--roots', file)).rejects.toMatchObject({
        code: 'call.invalid',
        field: 'roots',
        message: expect.stringContaining(`${file} cannot be read`) as string,
      });
    }
  });

  it.skipIf(process.platform === 'win32')('is refused at once when it is a pipe', async () => {
    const pipe = path.join(await makeTemporaryFolder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(readInputFile('--crl', pipe)).rejects.toMatchObject({ code: 'call.invalid', field: 'crl' });
  });
});
