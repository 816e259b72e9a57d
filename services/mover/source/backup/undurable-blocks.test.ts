// Tests which bytes a lane reports as safe: never a byte that the target has not reported as durable, for any order of events.
import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { makeTemporaryFolder } from '../../../testing/temporary-folder.ts';
import type { DataMessage } from '../../../wire/messages.ts';
import { BackupLane } from './backup-lane.ts';
import { keyOfId } from '../../../blocks/block.ts';
import { FileBatchWriter } from '../streams/file-batch.ts';
import { UndurableBlocks, type OpenFile } from './undurable-blocks.ts';
import { emptyCounters, type FromWorker } from '../streams/worker-link.ts';

const newFile = (index: number): OpenFile => ({
  index,
  undurableBlocks: 0,
  isRead: false,
  safeBytes: 0,
  isDropped: false,
});

describe('open blocks', () => {
  it('count exactly the durable bytes of files that were not dropped', () => {
    const step = fc.record({
      kind: fc.constantFrom('offer', 'offer', 'repeat', 'durable', 'durable', 'drop', 'hole'),
      block: fc.nat(9),
      file: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const counters = emptyCounters();
        const open = new UndurableBlocks({ counters, onFileSafe: () => undefined, onOfferSafe: () => undefined });
        const files = [0, 1, 2, 3].map(newFile);
        const ids = Array.from({ length: 10 }, (_, index) => Buffer.alloc(32, index));
        const parts: { block: number; file: number; isSafe: boolean }[] = [];
        const isOpen = new Set<number>();
        const dropped = new Set<number>();
        const bytesOf = (block: number): number => 1 << block;
        for (const { kind, block, file } of steps) {
          const [id, openFile] = [ids[block], files[file]];
          if (id === undefined || openFile === undefined || dropped.has(file)) continue;
          if (kind === 'offer' || (kind === 'repeat' && isOpen.has(block))) {
            if (kind === 'offer') open.add(keyOfId(id), bytesOf(block), openFile);
            else open.repeat(keyOfId(id), bytesOf(block), openFile);
            isOpen.add(block);
            parts.push({ block, file, isSafe: false });
          } else if (kind === 'durable') {
            open.durable([id]);
            isOpen.delete(block);
            for (const part of parts) if (part.block === block) part.isSafe = true;
          } else if (kind === 'drop') {
            open.drop(openFile);
            dropped.add(file);
          }
          const safe = parts.filter((part) => part.isSafe && !dropped.has(part.file));
          expect(counters.safeBytes).toBe(safe.reduce((sum, part) => sum + bytesOf(part.block), 0));
        }
      }),
    );
  });

  it('report an offer of remembered blocks as safe with its last block, or at once if it is empty', () => {
    const safe: number[] = [];
    const open = new UndurableBlocks({
      counters: emptyCounters(),
      onFileSafe: () => undefined,
      onOfferSafe: (token) => safe.push(token),
    });
    const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    open.addOffer(1, [one, two, one]);
    open.addOffer(2, [one]);
    open.addOffer(3, []);
    expect(safe).toEqual([3]);
    open.durable([one]);
    open.durable([one]);
    expect(safe).toEqual([3, 2]);
    open.durable([two]);
    expect(safe).toEqual([3, 2, 1]);
  });
});

describe('a lane', () => {
  it('reports no read, offered, wanted or sent block as safe before the target reports it as durable', async () => {
    const folder = await makeTemporaryFolder();
    const file = path.join(folder, 'file');
    writeFileSync(file, randomBytes(8 * 1024 * 1024));
    const sent: DataMessage[] = [];
    const posted: FromWorker[] = [];
    const lane = new BackupLane({
      chain: 'job',
      send: (message) => {
        sent.push(message);
        return true;
      },
      post: (message) => posted.push(message),
      fail: (error) => {
        throw error;
      },
    });
    const total = emptyCounters();
    const count = (): typeof total => {
      const counters = lane.takeCounters();
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counters[name];
      return total;
    };
    const descriptor = openSync(folder, constants.O_RDONLY);
    onTestFinished(() => {
      closeSync(descriptor);
    });
    const tasks = new FileBatchWriter();
    tasks.addTask({ index: 0, folder: { descriptor, path: folder }, name: 'file' });
    lane.add(tasks.take());
    await vi.waitUntil(() => posted.some(({ type }) => type === 'files-read'), { timeout: 20_000 });
    expect(count()).toMatchObject({ readBytes: 8 * 1024 * 1024, transferredBytes: 0, safeBytes: 0 });
    const offers = sent.flatMap((message) => (message.type === 'offer' ? [message] : []));
    const ids = offers.flatMap((offer) => offer.ids);
    expect(ids.length).toBeGreaterThan(3);
    const [unwanted = Buffer.alloc(0)] = ids;
    for (const offer of offers)
      lane.receive({ type: 'want', offerId: offer.offerId, wanted: offer.ids.map((id) => !id.equals(unwanted)) });
    const blocks = (): { id: Buffer; contentLength: number }[] =>
      sent.flatMap((message) => (message.type === 'block' ? message.blocks : []));
    await vi.waitUntil(() => blocks().length === ids.length - 1, { timeout: 20_000 });
    expect(count().transferredBytes).toBeGreaterThan(4 * 1024 * 1024);
    expect(total.safeBytes).toBe(0);

    const [first] = blocks();
    const durable = (named: readonly Buffer[]): void =>
      lane.receive({ type: 'durable', totalBlocks: 1, totalStoredBytes: 2 ** 40, ids: named });
    durable([first?.id ?? unwanted]);
    expect(count().safeBytes).toBe(first?.contentLength);
    durable(ids.filter((id) => !id.equals(unwanted)));
    const unwantedBytes = 8 * 1024 * 1024 - blocks().reduce((sum, block) => sum + block.contentLength, 0);
    expect(count().safeBytes).toBe(8 * 1024 * 1024 - unwantedBytes);
    expect(posted.some(({ type }) => type === 'files-durable')).toBe(false);
    durable([unwanted]);
    expect(count().safeBytes).toBe(8 * 1024 * 1024);
    expect(posted).toContainEqual({ type: 'files-durable', indexes: [0] });
  });
});
