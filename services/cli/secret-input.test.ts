import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { readPassword } from './secret-input.ts';

describe('a password file', () => {
  const read = async (content: string, canBeEmpty?: boolean): Promise<string> => {
    const file = path.join(await makeTemporaryFolder(), 'password');
    await writeFile(file, content);
    const { signal } = new AbortController();
    return readPassword(file, { question: '', signal, ...(canBeEmpty === undefined ? {} : { canBeEmpty }) });
  };

  it.each(['secret', 'secret\n', 'secret\r\n', '\uFEFFsecret\nsecond line\n'])(
    '%j: the first line is the password',
    async (content) => {
      expect(await read(content)).toBe('secret');
    },
  );

  it("may be empty only as the password of another program's file", async () => {
    for (const content of ['', '\n']) {
      await expect(read(content)).rejects.toMatchObject({ code: 'call.invalid', field: 'password-file' });
      expect(await read(content, true)).toBe('');
    }
  });
});
