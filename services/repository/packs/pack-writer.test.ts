import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../testing/repository/memory-storage.ts';
import { PackWriter, type FinishedPack } from './pack-writer.ts';
import type { ObjectWriter, Storage } from '../storage/storage.ts';
import { readPackIndex } from './pack-reader.ts';
import { packName } from './pack-format.ts';

/** A storage in memory whose writes and syncs wait until the test calls `letGo`. */
function slowStorage(): { storage: Storage; letGo: () => void; calls: string[]; appended: number[] } {
  const inner = new MemoryStorage();
  const gate = Promise.withResolvers<void>();
  const calls: string[] = [];
  const appended: number[] = [];
  const storage: Storage = {
    create: async (name) => {
      const output = await inner.create(name);
      const slow: ObjectWriter = {
        append: async (pieces) => {
          await gate.promise;
          calls.push('append');
          appended.push(pieces.reduce((sum, piece) => sum + piece.length, 0));
          await output.append(pieces);
        },
        sync: async () => {
          calls.push('sync');
          await output.sync();
        },
        close: () => output.close(),
      };
      return slow;
    },
    rename: async (from, to) => {
      calls.push('rename');
      await inner.rename(from, to);
    },
    sync: async (folder) => {
      calls.push('sync-folder');
      await inner.sync(folder);
    },
    read: (name, maxBytes) => inner.read(name, maxBytes),
    readRange: (name, offset, into) => inner.readRange(name, offset, into),
    sizeBytes: (name) => inner.sizeBytes(name),
    list: (folder) => inner.list(folder),
    remove: (name) => inner.remove(name),
    removeFolder: () => inner.removeFolder(),
    close: () => inner.close(),
  };
  return { storage, letGo: () => gate.resolve(), calls, appended };
}

function blockOf(
  index: number,
  lengthBytes: number,
): { id: Buffer; encoding: 'raw'; contentLength: number; stored: Buffer } {
  return {
    id: Buffer.alloc(32, index),
    encoding: 'raw',
    contentLength: lengthBytes,
    stored: Buffer.alloc(lengthBytes, index),
  };
}

describe('PackWriter', () => {
  it('makes its caller wait when the queue is full, joins waiting blocks into large writes, and releases written buffers', async () => {
    const { storage, letGo, appended } = slowStorage();
    const packs: FinishedPack[] = [];
    const writer = new PackWriter({
      storage,
      incoming: 'incoming/w',
      packBytes: 1_000_000,
      maxQueuedBytes: 50_000,
      now: () => 0,
      onPack: (pack) => packs.push(pack),
    });
    let released = 0;
    let accepted = 0;
    const all = (async () => {
      for (let index = 0; index < 100; index += 1) {
        await writer.append({ ...blockOf(index, 1000), release: () => (released += 1) });
        accepted += 1;
      }
    })();
    while (accepted < 47) await new Promise(setImmediate);
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(accepted).toBe(47); // The blocks have 50,000 bytes with headers.
    expect(released).toBe(0);
    letGo();
    await all;
    await writer.flush();
    expect(released).toBe(100);
    expect(packs).toHaveLength(1);
    expect(packs[0]?.blocks.map(({ id }) => id[0])).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(appended.length).toBeLessThan(40);
    expect(Math.max(...appended)).toBeGreaterThan(10_000);
    const read = await readPackIndex(storage, packName(packs[0]?.packId ?? Buffer.alloc(16)));
    expect(read.blocks).toEqual(packs[0]?.blocks);
    expect(read.sizeBytes).toBe(packs[0]?.sizeBytes);
  });

  it('reports a pack only after sync, rename and sync of the folder, in that order', async () => {
    const { storage, letGo, calls } = slowStorage();
    letGo();
    const writer = new PackWriter({
      storage,
      incoming: 'incoming/w',
      packBytes: 10_000,
      maxQueuedBytes: 50_000,
      now: () => 0,
      onPack: () => calls.push('told'),
    });
    await writer.append(blockOf(1, 5000));
    await writer.flush();
    expect(calls).toEqual(['append', 'append', 'sync', 'rename', 'sync-folder', 'told']);
  });

  it('drops unflushed blocks when it is discarded, and leaves no file', async () => {
    const { storage, letGo } = slowStorage();
    letGo();
    const writer = new PackWriter({
      storage,
      incoming: 'incoming/w',
      packBytes: 1_000_000,
      maxQueuedBytes: 50_000,
      now: () => 0,
      onPack: () => expect.unreachable(),
    });
    await writer.append(blockOf(1, 5000));
    await writer.discard();
    expect(await storage.list('incoming/w')).toEqual([]);
    await expect(writer.append(blockOf(2, 10))).rejects.toMatchObject({ code: 'call.canceled' });
    await expect(writer.flush()).rejects.toMatchObject({ code: 'call.canceled' });
  });
});
