import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../kernel/logger.ts';
import { decodeNow, decodePooled, encodeNow } from '../../testing/repository/plain-blocks.ts';
import { blockIdOf, type StoredBlock } from '../../blocks/block.ts';
import { FolderStorage } from '../folder/folder-storage.ts';
import { listPacks } from './left-overs.ts';
import { readPackIndex, scanPack } from '../packs/pack-reader.ts';
import { TenantStore } from './tenant-store.ts';
import { appendContent, randomContent, scratchFolder } from '../../testing/repository/repository-fixture.ts';
import { openFolderPlace } from '../folder/folder-place.ts';

const logger = silentLogger;

describe('reading many blocks', () => {
  it('yields one outcome for each identifier, in order, for any identifiers', async () => {
    await using scratch = await scratchFolder();
    await using store = await TenantStore.open({
      place: openFolderPlace(scratch.folder),
      mode: 'write',
      logger,
      packBytes: 300_000,
    });
    const contents = [
      ...Array.from({ length: 60 }, (_, index) => randomContent(index * 700)),
      randomContent(5_000_000),
    ];
    const ids: Buffer[] = [];
    for (const content of contents) ids.push(await appendContent(store, content));
    await store.flush();
    const unknown = blockIdOf(Buffer.from('unknown'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -2, max: contents.length - 1 }), { maxLength: 80 }),
        async (wanted) => {
          const asked = wanted.map((at) => (at === -2 ? undefined : at === -1 ? unknown : ids[at]));
          const expected = wanted.filter((at) => at !== -2);
          let at = 0;
          for await (const outcome of store.readMany(asked)) {
            if (outcome === undefined) continue;
            const index = expected[at] ?? 0;
            at += 1;
            if (index === -1)
              expect(outcome).toMatchObject({ id: unknown, block: undefined, error: { code: 'call.not-found' } });
            else
              expect((await decodePooled(outcome.block as StoredBlock)).equals(contents[index] ?? unknown)).toBe(true);
          }
          expect(at).toBe(expected.length);
        },
      ),
      { numRuns: 40 },
    );
    await expect(store.read(unknown)).rejects.toMatchObject({ code: 'call.not-found' });
  });

  it('yields all requested blocks at an `undefined`, without waiting for more identifiers', async () => {
    await using scratch = await scratchFolder();
    await using store = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
    const id = await appendContent(store, randomContent(100));
    await store.flush();
    const given = Promise.withResolvers<void>();
    async function* ask(): AsyncGenerator<Buffer | undefined> {
      yield id;
      yield undefined;
      await given.promise;
      yield id;
    }
    let count = 0;
    for await (const outcome of store.readMany(ask())) {
      if (outcome === undefined) continue;
      expect(outcome.id).toEqual(id);
      count += 1;
      given.resolve();
    }
    expect(count).toBe(2);
  });
});

describe('block content', () => {
  it('is decoded from every encoding, synchronously or in the thread pool', async () => {
    for (const content of [Buffer.alloc(0), randomContent(300), Buffer.alloc(100_000, 'abc'), randomContent(100_000)]) {
      const block = encodeNow(content);
      expect(block.stored.length).toBeLessThanOrEqual(content.length);
      expect(await decodePooled(block)).toEqual(content);
      expect(decodeNow(block)).toEqual(content);
    }
  });

  it('refuses other content, other lengths, and small blocks that unpack to large ones', async () => {
    const bomb = encodeNow(Buffer.alloc(8_000_000));
    expect(bomb.stored.length).toBeLessThan(2000);
    const other = encodeNow(Buffer.alloc(20_000, 'x'));
    const wrong: StoredBlock[] = [
      { ...bomb, contentLength: 100_000 },
      { ...bomb, contentLength: 0 },
      { ...bomb, contentLength: 100_000_000 },
      { ...bomb, contentLength: 8_000_001 },
      { ...bomb, stored: bomb.stored.subarray(0, 100) },
      { ...bomb, stored: Buffer.from('not zstd') },
      { ...other, id: bomb.id },
      { ...other, encoding: 'raw' },
    ];
    for (const block of wrong) {
      await expect(decodePooled(block)).rejects.toMatchObject({ code: 'restore.mismatch' });
      expect(() => decodeNow(block)).toThrow(expect.objectContaining({ code: 'restore.mismatch' }));
    }
  });
});

describe('pack files', () => {
  it('that are hostile or damaged yield only intact blocks, or storage.damaged', async () => {
    await using scratch = await scratchFolder();
    const stored = new Map<string, Buffer>();
    {
      await using store = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
      for (let index = 0; index < 6; index += 1) {
        const content = randomContent(40 + index);
        stored.set((await appendContent(store, content)).toString('hex'), content);
      }
      await store.flush();
    }
    const storage = new FolderStorage(scratch.folder);
    const [name = ''] = await listPacks(storage);
    const file = path.join(scratch.folder, name);
    const whole = readFileSync(file);
    const edit = fc.record({ at: fc.nat(whole.length - 1), bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat(whole.length)),
        async (edits, cut) => {
          const bytes = Buffer.from(whole.subarray(0, cut ?? whole.length));
          for (const { at, bytes: patch } of edits)
            if (at < bytes.length) bytes.set(patch.subarray(0, bytes.length - at), at);
          writeFileSync(file, bytes);
          await using fresh = {
            storage: new FolderStorage(scratch.folder),
            [Symbol.asyncDispose]: () => fresh.storage.close(),
          };
          try {
            for (const { id } of (await readPackIndex(fresh.storage, name)).blocks)
              expect(stored.has(id.toString('hex'))).toBe(true);
          } catch (error) {
            expect(error).toMatchObject({ code: 'storage.damaged' });
          }
          const scan = await scanPack(fresh.storage, name);
          for (const block of scan.blocks) {
            const content = bytes.subarray(block.offset, block.offset + block.storedLength);
            expect(stored.get(block.id.toString('hex'))).toEqual(Buffer.from(content));
          }
        },
      ),
      { numRuns: 300 },
    );
    await storage.close();
  });

  it('yield the blocks after a damaged header, also without the index', async () => {
    await using scratch = await scratchFolder();
    {
      await using store = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
      for (let index = 0; index < 5; index += 1) await appendContent(store, randomContent(1000));
      await store.flush();
    }
    const storage = new FolderStorage(scratch.folder);
    const [name = ''] = await listPacks(storage);
    const file = path.join(scratch.folder, name);
    const bytes = readFileSync(file);
    bytes[36 + 1056 + 20] = (bytes[36 + 1056 + 20] ?? 0) ^ 1;
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const scan = await scanPack(storage, name);
    expect(scan.blocks.map(({ offset }) => offset)).toEqual([36 + 56, ...[2, 3, 4].map((at) => 36 + at * 1056 + 56)]);
    expect(scan.reason).toContain('checksum');
    await storage.close();
  });
});
