import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { encodeNow } from '../../testing/repository/plain-blocks.ts';
import type { StoredBlock } from '../../blocks/block.ts';
import type { BlockOutcome } from '../../blocks/block-store.ts';
import type { FileSink } from './file-sink.ts';
import { entryOf, randomContent } from '../../testing/repository/repository-fixture.ts';
import type { ManifestItem, TreeEntry } from '../points/tree-entry.ts';
import { restoreTree } from './tree-restore.ts';
import { selectTree } from '../points/tree-selection.ts';

/** Records all calls instead of writing files. */
class RememberingWriter {
  readonly files = new Map<string, string>();
  readonly entries: TreeEntry[] = [];
  mostOpen = 0;
  #open = 0;

  begin(entry: TreeEntry): { readonly sink: FileSink } | undefined {
    this.entries.push(entry);
    if (entry.kind !== 'file') return undefined;
    const name = entry.path.toString();
    const pieces: string[] = [];
    this.#open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.#open);
    const end = (outcome: string): Promise<void> => {
      if (!this.files.has(name)) {
        this.#open -= 1;
        this.files.set(name, outcome);
      }
      return Promise.resolve();
    };
    return {
      sink: {
        entry,
        write: (content) => Promise.resolve(void pieces.push(content.toString('latin1'))),
        hole: (lengthBytes) => void pieces.push('\0'.repeat(lengthBytes)),
        finish: () => end(pieces.join('')),
        fail: (error) => end(error instanceof FarkeepError ? error.code : 'unknown'),
      },
    };
  }
}

function readerOf(blocks: ReadonlyMap<string, StoredBlock>) {
  return async function* (ids: AsyncIterable<Buffer | undefined>): AsyncGenerator<BlockOutcome | undefined> {
    let waiting: Buffer[] = [];
    const give = function* (): Generator<BlockOutcome> {
      for (const id of waiting) {
        const block = blocks.get(id.toString('hex'));
        yield block === undefined ? { id, block, error: new FarkeepError('storage.damaged') } : { id, block };
      }
      waiting = [];
    };
    // This fake store may hold blocks back until it gets an `undefined`. The real store may do the same.
    for await (const id of ids) {
      if (id === undefined) {
        yield* give();
        yield undefined;
      } else waiting.push(id);
    }
    yield* give();
  };
}

describe('restoreTree', () => {
  it('writes the content of each file, for any mixture of blocks, holes, empty and continued files', async () => {
    const contents = Array.from({ length: 5 }, (_, index) => encodeNow(randomContent(index * 9 + 1)));
    const blocks = new Map(contents.map((block) => [block.id.toString('hex'), block]));
    const piece = fc.integer({ min: -2, max: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.array(piece, { maxLength: 4 }), fc.boolean()), { maxLength: 10 }),
        async (files) => {
          const items: ManifestItem[] = [{ type: 'entry', entry: entryOf('folder', '') }];
          const expected = new Map<string, string>();
          files.forEach(([pieces, isContinued], index) => {
            const path = String(index).padStart(2, '0');
            const content = pieces.map((at) => {
              const block = contents[at];
              if (at === -1) return { id: null, lengthBytes: 3 };
              return block === undefined
                ? { id: Buffer.alloc(32, 1), lengthBytes: 7 }
                : { id: block.id, lengthBytes: block.contentLength };
            });
            const text = pieces.map((at) => (at === -1 ? '\0\0\0' : (contents[at]?.stored.toString('latin1') ?? '')));
            expected.set(path, pieces.includes(-2) ? 'storage.damaged' : text.join(''));
            if (isContinued) {
              items.push({ type: 'entry', entry: entryOf('file', path, { isContinued }) });
              for (const each of content) items.push({ type: 'content', content: [each] });
              items.push({ type: 'file-end', sizeBytes: 0, isChangedWhileRead: false, isUnreadable: false });
            } else items.push({ type: 'entry', entry: entryOf('file', path, { content }) });
          });
          const writer = new RememberingWriter();
          await restoreTree({ items, writer, chain: 'job', blocks: { readMany: readerOf(blocks) } });
          expect(writer.files).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('keeps few files open when very many empty files follow a block that has not arrived', async () => {
    const block = encodeNow(randomContent(10));
    const name = (index: number): string => String(index).padStart(6, '0');
    function* items(): Generator<ManifestItem> {
      yield { type: 'entry', entry: entryOf('folder', '') };
      yield { type: 'entry', entry: entryOf('file', name(0), { content: [{ id: block.id, lengthBytes: 10 }] }) };
      for (let index = 1; index < 20_000; index += 1) yield { type: 'entry', entry: entryOf('file', name(index)) };
    }
    const writer = new RememberingWriter();
    await restoreTree({
      items: items(),
      chain: 'job',
      writer,
      blocks: { readMany: readerOf(new Map([[block.id.toString('hex'), block]])) },
    });
    expect(writer.files.size).toBe(20_000);
    expect(writer.mostOpen).toBeLessThan(10_000);
  });

  it('fails when blocks are missing or were not requested, and when the restore is canceled', async () => {
    const block = encodeNow(randomContent(10));
    const items: ManifestItem[] = [
      { type: 'entry', entry: entryOf('folder', '') },
      { type: 'entry', entry: entryOf('file', 'a', { content: [{ id: block.id, lengthBytes: 10 }] }) },
    ];
    const writer = new RememberingWriter();
    const none = async function* (ids: AsyncIterable<Buffer | undefined>): AsyncGenerator<BlockOutcome | undefined> {
      for await (const id of ids) if (id === undefined) return;
    };
    await expect(restoreTree({ items, writer, chain: 'job', blocks: { readMany: none } })).rejects.toMatchObject({
      code: 'connection.lost',
    });
    const twice = async function* (ids: AsyncIterable<Buffer | undefined>): AsyncGenerator<BlockOutcome | undefined> {
      for await (const id of ids)
        if (id !== undefined)
          yield* [
            { id, block },
            { id, block },
          ];
    };
    await expect(restoreTree({ items, writer, chain: 'job', blocks: { readMany: twice } })).rejects.toMatchObject({
      code: 'protocol.malformed',
    });
    await expect(
      restoreTree({
        items,
        writer,
        chain: 'job',
        blocks: { readMany: readerOf(new Map()) },
        signal: AbortSignal.abort(),
      }),
    ).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('selectTree', () => {
  const id = Buffer.alloc(32);
  const content = [{ id, lengthBytes: 5 }];
  const items: ManifestItem[] = [
    entryOf('folder', ''),
    entryOf('folder', 'a'),
    entryOf('file', 'a/first', { content, sizeBytes: 5, mode: 0o640 }),
    entryOf('file', 'ab'),
    entryOf('folder', 'b'),
    entryOf('hardlink', 'b/one', { target: Buffer.from('a/first') }),
    entryOf('hardlink', 'b/two', { target: Buffer.from('a/first') }),
    entryOf('file', 'c', { isContinued: true }),
  ].map((entry) => ({ type: 'entry', entry }));
  items.push(
    { type: 'content', content },
    { type: 'file-end', sizeBytes: 5, isChangedWhileRead: false, isUnreadable: false },
  );
  items.push({ type: 'entry', entry: entryOf('hardlink', 'd', { target: Buffer.from('c') }) });

  const select = async (...paths: string[]): Promise<ManifestItem[]> => {
    const readItems = async function* (): AsyncGenerator<ManifestItem> {
      yield* items;
    };
    const selected: ManifestItem[] = [];
    for await (const item of selectTree(
      readItems,
      paths.map((path) => Buffer.from(path)),
    ))
      selected.push(item);
    return selected;
  };
  const namesOf = (selected: ManifestItem[]): string[] =>
    selected.map((item) => (item.type === 'entry' ? `${item.entry.kind} ${item.entry.path.toString()}` : item.type));

  it('contains everything if no path is chosen', async () => {
    expect(await select()).toEqual(items);
    expect(await select('a', '')).toEqual(items);
  });

  it('contains the chosen names and the folders above them', async () => {
    expect(namesOf(await select('a'))).toEqual(['folder ', 'folder a', 'file a/first']);
    expect(namesOf(await select('a/first', 'ab'))).toEqual(['folder ', 'folder a', 'file a/first', 'file ab']);
    await expect(select('a/fir')).rejects.toMatchObject({ code: 'call.not-found' });
    await expect(select('../a')).rejects.toMatchObject({ code: 'storage.damaged' });
  });

  it('turns the first hard link into a file if its file is not chosen, and links the others to it', async () => {
    const selected = await select('b');
    expect(namesOf(selected)).toEqual(['folder ', 'folder b', 'file b/one', 'hardlink b/two']);
    expect(selected[2]).toMatchObject({ entry: { content, mode: 0o640 } });
    expect(selected[3]).toMatchObject({ entry: { target: Buffer.from('b/one') } });
    expect(namesOf(await select('d'))).toEqual(['folder ', 'file d', 'content', 'file-end']);
    expect(namesOf(await select('a', 'b'))).toEqual([
      'folder ',
      'folder a',
      'file a/first',
      'folder b',
      'hardlink b/one',
      'hardlink b/two',
    ]);
  });
});
