import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockIdOf } from '../../blocks/block.ts';
import { describeManifest, readManifestReferences } from './manifest-chain.ts';
import { ManifestDecoder, ManifestEncoder, readManifest } from './manifest.ts';
import { decodePointRoot, encodePointRoot } from './point-root.ts';
import { entryOf, rootOf } from '../../testing/repository/repository-fixture.ts';
import { compareTreePaths, type ManifestItem, type TreeEntry } from './tree-entry.ts';
import { TreeIndex } from './tree-index.ts';
import { isAtOrBelow } from './tree-selection.ts';

function encode(items: Iterable<ManifestItem>): { contents: Buffer[]; encoder: ManifestEncoder } {
  const encoder = new ManifestEncoder();
  const contents: Buffer[] = [];
  for (const item of items) contents.push(...encoder.add(item));
  contents.push(encoder.finish());
  return { contents, encoder };
}

async function decode(contents: Iterable<Buffer>): Promise<ManifestItem[]> {
  const items: ManifestItem[] = [];
  for await (const item of readManifest(contents)) items.push(item);
  return items;
}

const nameBytes = fc
  .uint8Array({ minLength: 1, maxLength: 6 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte))))
  .filter((name) => !(name.equals(Buffer.from('.')) || name.equals(Buffer.from('..'))));

const reference = fc.record({
  id: fc.option(
    fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
    { nil: null },
  ),
  lengthBytes: fc.integer({ min: 1, max: 4_194_304 }),
});

/** Removes adjacent holes, because the encoder joins them. A separate test covers this. */
function withoutTouchingHoles(content: { id: Buffer | null; lengthBytes: number }[]): typeof content {
  return content.filter(({ id }, index) => id !== null || content[index - 1]?.id !== null);
}

interface Node {
  readonly name: Buffer;
  readonly kind: number;
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly content: { id: Buffer | null; lengthBytes: number }[];
  readonly children: Node[];
}

const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.record({
    name: nameBytes,
    kind: fc.integer({ min: 0, max: 4 }),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    mtimeNs: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 63n }),
    content: fc.array(reference, { maxLength: 4 }).map(withoutTouchingHoles),
    children: fc.oneof({ maxDepth: 3 }, fc.constant<Node[]>([]), fc.array(tie('node'), { maxLength: 5 })),
  }),
}));

function* itemsOf(nodes: Node[], parent: Buffer): Generator<ManifestItem> {
  const unique = new Map(nodes.map((each) => [each.name.toString('latin1'), each]));
  for (const each of [...unique.values()].sort((a, b) => Buffer.compare(a.name, b.name))) {
    const path = parent.length === 0 ? each.name : Buffer.concat([parent, Buffer.from('/'), each.name]);
    const { mode, mtimeNs, content } = each;
    const sizeBytes = content.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
    switch (each.kind) {
      case 0:
        yield { type: 'entry', entry: entryOf('folder', path, { mode, mtimeNs }) };
        yield* itemsOf(each.children, path);
        break;
      case 1:
        yield {
          type: 'entry',
          entry: entryOf('file', path, { mode, mtimeNs, content, sizeBytes, isChangedWhileRead: mode > 100 }),
        };
        break;
      case 2:
        yield { type: 'entry', entry: entryOf('symlink', path, { mode, target: each.name }) };
        break;
      case 3:
        yield {
          type: 'entry',
          entry: entryOf('special', path, { special: 'block-device', deviceMajor: 8, deviceMinor: mode }),
        };
        break;
      default:
        yield { type: 'entry', entry: entryOf('file', path, { content, isContinued: true }) };
        if (content.length > 0) yield { type: 'content', content };
        yield { type: 'file-end', sizeBytes: 2 * sizeBytes, isChangedWhileRead: false, isUnreadable: false };
    }
  }
}

const top: ManifestItem = { type: 'entry', entry: entryOf('folder', '') };

describe('manifest codec', () => {
  it('decodes any encoded tree unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(node, { maxLength: 8 }), async (nodes) => {
        const items = [top, ...itemsOf(nodes, Buffer.alloc(0))];
        const { contents, encoder } = encode(items);
        expect(await decode(contents)).toEqual(items);
        const entries = items.flatMap((item) => (item.type === 'entry' ? [item.entry] : []));
        expect(encoder.totals).toMatchObject({
          files: entries.filter(({ kind }) => kind === 'file').length,
          folders: entries.filter(({ kind }) => kind === 'folder').length,
        });
      }),
      { numRuns: 150 },
    );
  });

  it('joins adjacent holes when writing and when reading', async () => {
    const holes = [1, 2, 3].map((lengthBytes) => ({ id: null, lengthBytes }));
    const file = (content: { id: null; lengthBytes: number }[]): ManifestItem[] => [
      top,
      { type: 'entry', entry: entryOf('file', 'f', { sizeBytes: 6, content }) },
    ];
    const joined = file([{ id: null, lengthBytes: 6 }]);
    expect(encode(file(holes)).contents).toEqual(encode(joined).contents);
    expect(await decode(encode(file(holes)).contents)).toEqual(joined);
  });

  it('yields only a safe, ordered tree for any input bytes, and fails only with storage.damaged', async () => {
    const items = [
      top,
      ...['a', 'b', 'c'].map((name): ManifestItem => ({ type: 'entry', entry: entryOf('symlink', name) })),
    ];
    const { contents } = encode(items);
    const whole = contents[0] ?? Buffer.alloc(0);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 5 }),
        fc.nat(whole.length),
        async (changes, cut) => {
          const bytes = Buffer.from(whole.subarray(0, whole.length - (cut % 3 === 0 ? cut : 0)));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          let before: Buffer | undefined;
          try {
            for await (const item of readManifest([bytes])) {
              if (item.type !== 'entry') continue;
              const names = item.entry.path.toString('latin1').split('/');
              expect(
                item.entry.path.length === 0 ||
                  names.every((name) => !['', '.', '..'].includes(name) && !name.includes('\0')),
              ).toBe(true);
              if (before !== undefined) expect(compareTreePaths(before, item.entry.path)).toBeLessThan(0);
              before = item.entry.path;
            }
          } catch (error) {
            expect(error).toMatchObject({ code: 'storage.damaged' });
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each<[string, TreeEntry[]]>([
    ['no top folder', [entryOf('file', 'a')]],
    ['the same name twice', [entryOf('folder', ''), entryOf('symlink', 'a'), entryOf('file', 'a')]],
    ['names out of order', [entryOf('folder', ''), entryOf('file', 'b'), entryOf('file', 'a')]],
    ['an entry below a link', [entryOf('folder', ''), entryOf('symlink', 'a'), entryOf('file', 'a/b')]],
    ['a missing parent folder', [entryOf('folder', ''), entryOf('file', 'a/b')]],
    ['the name ".."', [entryOf('folder', ''), entryOf('file', '..')]],
    ['an absolute name', [entryOf('folder', ''), entryOf('file', '/a')]],
    ['a zero byte', [entryOf('folder', ''), entryOf('file', 'a\0')]],
    ['a hard link to a later entry', [entryOf('folder', ''), entryOf('hardlink', 'a', { target: Buffer.from('b') })]],
    [
      'a hard link that leaves the tree',
      [entryOf('folder', ''), entryOf('hardlink', 'a', { target: Buffer.from('../b') })],
    ],
    ['a mode that is too large', [entryOf('folder', '', { mode: 0o100755 })]],
    ['a size that differs from its content', [entryOf('folder', ''), entryOf('file', 'a', { sizeBytes: 1 })]],
  ])('refuses to encode %s', (_name, entries) => {
    expect(() => encode(entries.map((entry) => ({ type: 'entry', entry })))).toThrow(
      expect.objectContaining({ code: 'call.invalid' }),
    );
  });

  it('refuses a manifest with a missing, repeated or swapped block, or without its end', async () => {
    const { contents } = encode(manyItems(40_000));
    expect(contents.length).toBeGreaterThan(3);
    const [first, second, ...rest] = contents;
    if (first === undefined || second === undefined) throw new Error('too few blocks');
    for (const wrong of [
      [second, ...rest],
      [first, ...rest],
      [first, first, second, ...rest],
      [first, ...rest.slice(0, 1), second, ...rest.slice(1)],
      contents.slice(0, -1),
    ]) {
      await expect(decode(wrong)).rejects.toMatchObject({ code: 'storage.damaged' });
    }
  });

  it('splits very many references of one file into records of bounded size', async () => {
    const count = 300_000;
    const encoder = new ManifestEncoder();
    const sizes: number[] = [];
    const decoder = new ManifestDecoder();
    let seen = 0;
    const take = (contents: Buffer[]): void => {
      for (const content of contents) {
        sizes.push(content.length);
        for (const item of decoder.decode(content)) {
          if (item.type === 'content') seen += item.content.length;
        }
      }
    };
    take(encoder.add(top));
    take(encoder.add({ type: 'entry', entry: entryOf('file', 'huge', { isContinued: true }) }));
    const content = Array.from({ length: 1000 }, (_, index) => ({
      id: Buffer.alloc(32, index),
      lengthBytes: 1_048_576,
    }));
    for (let done = 0; done < count; done += 1000) take(encoder.add({ type: 'content', content }));
    take(
      encoder.add({ type: 'file-end', sizeBytes: count * 1_048_576, isChangedWhileRead: false, isUnreadable: false }),
    );
    take([encoder.finish()]);
    decoder.finish();
    expect(seen).toBe(count);
    expect(Math.max(...sizes)).toBeLessThan(2 * 1024 * 1024);
    expect(encoder.totals).toMatchObject({ blocks: count, sourceBytes: count * 1_048_576 });
  });

  it('splits a long list of references that is added in one call', async () => {
    const content = Array.from({ length: 3000 }, (_, index) => ({
      id: Buffer.alloc(32, index % 251),
      lengthBytes: 10,
    }));
    const { contents } = encode([
      top,
      { type: 'entry', entry: entryOf('file', 'f', { content, sizeBytes: 30_000, isChangedWhileRead: true }) },
    ]);
    const items = await decode(contents);
    expect(
      items.flatMap((item) =>
        item.type === 'entry'
          ? item.entry.kind === 'file'
            ? item.entry.content
            : []
          : item.type === 'content'
            ? item.content
            : [],
      ),
    ).toEqual(content);
    expect(items.at(-1)).toEqual({
      type: 'file-end',
      sizeBytes: 30_000,
      isChangedWhileRead: true,
      isUnreadable: false,
    });
  });

  it('an edit changes only the manifest blocks near the edit', () => {
    const before = encode(manyItems(60_000)).contents.map((content) => blockIdOf(content).toString('hex'));
    const changed = [...manyItems(60_000)];
    changed[30_000] = { type: 'entry', entry: { ...(changed[30_000] as { entry: TreeEntry }).entry, mode: 0o600 } };
    const after = encode(changed).contents.map((content) => blockIdOf(content).toString('hex'));
    expect(before.length).toBeGreaterThan(8);
    expect(after.filter((id) => !before.includes(id)).length).toBeLessThanOrEqual(2);
  });
});

/** Yields folders d00000, d00001 ... with ten files each, and one folder with very many files. */
function* manyItems(count: number): Generator<ManifestItem> {
  yield top;
  for (let index = 0; index < count; index += 1) {
    const folder = index < count / 2 ? `d${String(Math.floor(index / 10)).padStart(5, '0')}` : 'e';
    if (index < count / 2 ? index % 10 === 0 : index === Math.ceil(count / 2))
      yield { type: 'entry', entry: entryOf('folder', folder) };
    const id = blockIdOf(Buffer.from(String(index)));
    yield {
      type: 'entry',
      entry: entryOf('file', `${folder}/f${String(index).padStart(6, '0')}`, {
        sizeBytes: 5,
        content: [{ id, lengthBytes: 5 }],
      }),
    };
  }
  yield { type: 'entry', entry: entryOf('file', 'last') };
}

describe('TreeIndex', () => {
  it('lists a folder and finds an entry without reading all blocks', async () => {
    const { contents } = encode(manyItems(60_000));
    let reads = 0;
    const index = new TreeIndex({
      count: contents.length,
      read: (at) => {
        reads += 1;
        return Promise.resolve(contents[at] ?? Buffer.alloc(0));
      },
    });
    const deep = await index.list(Buffer.from('d01234'));
    expect(deep.entries.map(({ path }) => path.toString())).toEqual(
      Array.from({ length: 10 }, (_, at) => `d01234/f${String(12_340 + at).padStart(6, '0')}`),
    );
    expect(reads).toBeLessThan(10);
    const big = await index.list(Buffer.from('e'), { limit: 5 });
    expect(big).toMatchObject({ isCut: true });
    const next = await index.list(Buffer.from('e'), { limit: 5, after: big.entries[4]?.path ?? Buffer.alloc(0) });
    expect(next.entries[0]?.path.toString()).toBe('e/f030005');
    const all = await index.list(Buffer.alloc(0));
    expect(all.entries.length).toBe(3000 + 2);
    expect(all.entries.at(-1)?.path.toString()).toBe('last');
    expect((await index.find(Buffer.from('e/f059999')))?.kind).toBe('file');
    expect(await index.find(Buffer.from('e/f06'))).toBeUndefined();
    await expect(index.list(Buffer.from('last'))).rejects.toMatchObject({ code: 'call.not-found' });
    const found: string[] = [];
    for await (const entry of index.search(({ path }) => path.includes('99999'))) found.push(entry.path.toString());
    expect(found).toEqual([]);
    for await (const entry of index.search(({ path }) => path.toString().endsWith('f012345')))
      found.push(entry.path.toString());
    expect(found).toEqual(['d01234/f012345']);
  });

  it('lists the same entries as a read of the whole manifest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(node, { maxLength: 8 }), async (nodes) => {
        const items = [top, ...itemsOf(nodes, Buffer.alloc(0))];
        const { contents } = encode(items);
        const index = new TreeIndex({
          count: contents.length,
          read: (at) => Promise.resolve(contents[at] ?? Buffer.alloc(0)),
        });
        const entries = items.flatMap((item) => (item.type === 'entry' ? [item.entry] : []));
        for (const folder of entries.filter(({ kind }) => kind === 'folder')) {
          const expected = entries.filter(
            ({ path }) =>
              path.length > folder.path.length &&
              isAtOrBelow(path, folder.path) &&
              path.indexOf(0x2f, folder.path.length === 0 ? 0 : folder.path.length + 1) === -1,
          );
          const listing = await index.list(folder.path);
          expect(listing.entries.map(({ path }) => path.toString('latin1'))).toEqual(
            expected.map(({ path }) => path.toString('latin1')),
          );
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('point root', () => {
  it('is decoded unchanged, and any changed byte is refused', () => {
    const bytes = encodePointRoot(rootOf('p-1'));
    expect(decodePointRoot(bytes)).toEqual(rootOf('p-1'));
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x20;
      expect(() => decodePointRoot(changed)).toThrow(expect.objectContaining({ code: 'storage.damaged' }));
    }
    expect(() => decodePointRoot(bytes.subarray(0, 50))).toThrow(expect.objectContaining({ code: 'storage.damaged' }));
    expect(() => encodePointRoot(rootOf('../p'))).toThrow(expect.objectContaining({ code: 'call.invalid' }));
  });

  it('names very many manifest blocks through a list', async () => {
    const references = Array.from({ length: 40_000 }, (_, index) => ({
      id: blockIdOf(Buffer.from(String(index))),
      lengthBytes: 1 + index,
    }));
    const { manifest, listBlocks } = describeManifest(references, blockIdOf);
    const stored = new Map(listBlocks.map(({ id, content }) => [id.toString('hex'), content]));
    const root = decodePointRoot(encodePointRoot(rootOf('p', { manifest })));
    const found = await readManifestReferences(root, (id) =>
      Promise.resolve(stored.get(id.toString('hex')) ?? Buffer.alloc(0)),
    );
    expect(found.blocks).toEqual(references);
    expect(manifest.blocks.length).toBe(3);
  });
});
