import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FolderStorage } from './folder-storage.ts';
import { MemoryStorage } from '../../testing/repository/memory-storage.ts';
import { describeStorage } from '../../testing/repository/storage-conformance.ts';
import { scratchFolder } from '../../testing/repository/repository-fixture.ts';

describe('FolderStorage', () => {
  describeStorage(async () => {
    const scratch = await scratchFolder();
    const storage = new FolderStorage(scratch.folder);
    return {
      storage,
      [Symbol.asyncDispose]: async () => {
        await storage.close();
        await scratch[Symbol.asyncDispose]();
      },
    };
  });

  it.each(['../x', 'a/../../x', '/x', 'a//b', 'a/', '.', 'a\0', 'a b'])('refuses the name %j', async (name) => {
    await using scratch = await scratchFolder();
    const storage = new FolderStorage(path.join(scratch.folder));
    await expect(storage.create(name)).rejects.toThrow();
    await expect(storage.read(name, 1)).rejects.toThrow();
    expect(readdirSync(scratch.folder)).toEqual([]);
  });

  it('makes files that only their owner can read, and keeps a bounded number of files open', async () => {
    await using scratch = await scratchFolder();
    const storage = new FolderStorage(scratch.folder);
    for (let index = 0; index < 100; index += 1) {
      const output = await storage.create(`d/${index}`);
      await output.append([Buffer.from('x')]);
      await output.close();
      await storage.readRange(`d/${index}`, 0, Buffer.alloc(1));
    }
    expect(statSync(path.join(scratch.folder, 'd/1')).mode & 0o777).toBe(0o600);
    expect(statSync(path.join(scratch.folder, 'd')).mode & 0o777).toBe(0o700);
    if (process.platform === 'linux') expect(readdirSync('/proc/self/fd').length).toBeLessThan(100);
    await storage.close();
  });
});

describe('MemoryStorage', () => {
  describeStorage(() =>
    Promise.resolve({ storage: new MemoryStorage(), [Symbol.asyncDispose]: () => Promise.resolve() }),
  );
});
