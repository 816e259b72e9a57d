// Owns the requirements for every Storage, as tests; each backend runs them (folder-storage.test.ts; an S3 store later).
import { expect, it } from 'vitest';
import type { Storage } from '../../repository/storage/storage.ts';

async function put(storage: Storage, name: string, ...pieces: Buffer[]): Promise<void> {
  const output = await storage.create(name);
  try {
    await output.append(pieces);
    await output.sync();
  } finally {
    await output.close();
  }
}

/** Declares the tests; `make` returns an empty store that is removed when disposed. */
export function describeStorage(make: () => Promise<{ readonly storage: Storage } & AsyncDisposable>): void {
  it('returns what was appended, whole and by range', async () => {
    await using made = await make();
    const { storage } = made;
    await put(storage, 'a/b/c.pack', Buffer.from('one'), Buffer.alloc(0), Buffer.from('two'));
    expect((await storage.read('a/b/c.pack', 6)).toString()).toBe('onetwo');
    expect(await storage.sizeBytes('a/b/c.pack')).toBe(6);
    const into = Buffer.alloc(4, '.');
    expect(await storage.readRange('a/b/c.pack', 1, into)).toBe(4);
    expect(into.toString()).toBe('netw');
    expect(await storage.readRange('a/b/c.pack', 4, into)).toBe(2);
    expect(await storage.readRange('a/b/c.pack', 6, into)).toBe(0);
  });

  it('appends thousands of pieces in order', async () => {
    await using made = await make();
    const pieces = Array.from({ length: 5000 }, (_, index) => Buffer.from(`${index},`));
    await put(made.storage, 'many', ...pieces);
    expect(await made.storage.read('many', 1_000_000)).toEqual(Buffer.concat(pieces));
  });

  it('shows appended bytes to readers at once', async () => {
    await using made = await make();
    const output = await made.storage.create('growing');
    await output.append([Buffer.from('ab')]);
    const into = Buffer.alloc(4);
    expect(await made.storage.readRange('growing', 0, into)).toBe(2);
    await output.append([Buffer.from('cd')]);
    expect(await made.storage.readRange('growing', 0, into)).toBe(4);
    await output.close();
  });

  it('reports each kind of error with its own code', async () => {
    await using made = await make();
    const { storage } = made;
    await put(storage, 'x/there', Buffer.from('12345'));
    await expect(storage.create('x/there')).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(storage.read('x/missing', 10)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(storage.readRange('x/missing', 0, Buffer.alloc(1))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(storage.rename('x/missing', 'x/other')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(storage.read('x/there', 4)).rejects.toBeInstanceOf(RangeError);
    expect(await storage.sizeBytes('x/missing')).toBeUndefined();
    expect((await storage.read('x/there', 5)).toString()).toBe('12345');
  });

  it('renames to an existing name and into new folders, and removes the old name', async () => {
    await using made = await make();
    const { storage } = made;
    await put(storage, 'in/1', Buffer.from('first'));
    await put(storage, 'in/2', Buffer.from('second'));
    await storage.rename('in/1', 'out/deep/x');
    await storage.sync('out/deep');
    const into = Buffer.alloc(6);
    await storage.readRange('out/deep/x', 0, into);
    await storage.rename('in/2', 'out/deep/x');
    await storage.readRange('out/deep/x', 0, into);
    expect(into.toString()).toBe('second');
    expect(await storage.list('in')).toEqual([]);
    expect(await storage.list('out')).toEqual(['deep']);
    expect(await storage.list('out/deep')).toEqual(['x']);
  });

  it('lists in order, and removes a missing object without an error', async () => {
    await using made = await make();
    const { storage } = made;
    for (const name of ['f/c', 'f/a', 'f/b']) await put(storage, name, Buffer.from(name));
    expect(await storage.list('f')).toEqual(['a', 'b', 'c']);
    expect(await storage.list('nowhere')).toEqual([]);
    await storage.remove('f/b');
    await storage.remove('f/b');
    expect(await storage.list('f')).toEqual(['a', 'c']);
    await storage.remove('f/a');
    await storage.remove('f/c');
    await storage.removeFolder('f');
    await storage.removeFolder('f');
    expect(await storage.list('f')).toEqual([]);
  });

  it('reads many objects at once', async () => {
    await using made = await make();
    const { storage } = made;
    const names = Array.from({ length: 120 }, (_, index) => `n/${index}`);
    for (const name of names) await put(storage, name, Buffer.from(name.padEnd(8)));
    await Promise.all(
      [...names, ...names].map(async (name) => {
        const into = Buffer.alloc(8);
        await storage.readRange(name, 0, into);
        expect(into.toString()).toBe(name.padEnd(8));
      }),
    );
  });
}
