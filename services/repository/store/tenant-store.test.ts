import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../kernel/logger.ts';
import { decodePooled } from '../../testing/repository/plain-blocks.ts';
import { blockIdOf } from '../../blocks/block.ts';
import { encodePointRoot } from '../points/point-root.ts';
import type { DurableBlocks } from '../../blocks/block-store.ts';
import { TenantStore } from './tenant-store.ts';
import {
  appendContent,
  commitItems,
  entryOf,
  randomContent,
  readContent,
  rootOf,
  scratchFolder,
} from '../../testing/repository/repository-fixture.ts';
import { openFolderPlace } from '../folder/folder-place.ts';

const logger = silentLogger;

describe('TenantStore', () => {
  it('stores blocks, reports them as durable, and returns them after a reopen', async () => {
    await using scratch = await scratchFolder();
    const folder = path.join(scratch.folder, 'tenant');
    const contents = [randomContent(300_000), Buffer.alloc(100_000, 'text '), Buffer.alloc(0), Buffer.from('x')];
    const durable: DurableBlocks[] = [];
    let ids: Buffer[];
    {
      await using store = await TenantStore.open({
        place: openFolderPlace(folder),
        mode: 'write',
        logger,
        onDurable: (blocks) => durable.push(blocks),
      });
      ids = [];
      for (const content of contents) ids.push(await appendContent(store, content));
      const states = store.locate([...ids, blockIdOf(Buffer.from('other'))]);
      expect(states.map((state) => state === 'missing')).toEqual([false, false, false, false, true]);
      await store.flush();
      expect(durable.flatMap((blocks) => blocks.ids)).toEqual(ids);
      expect(await store.usedBytes()).toBe(durable.reduce((sum, blocks) => sum + blocks.storedBytes, 0));
    }
    expect(await readdir(path.join(folder, 'incoming'))).toEqual([]);
    await using store = await TenantStore.open({ place: openFolderPlace(folder), mode: 'read', logger });
    const found: Buffer[] = [];
    for await (const outcome of store.readMany(ids))
      if (outcome?.block !== undefined) found.push(await decodePooled(outcome.block));
    expect(found).toEqual(contents);
    expect((await store.read(ids[1] ?? Buffer.alloc(0))).encoding).toBe('zstd');
    await expect(store.read(blockIdOf(Buffer.from('other')))).rejects.toMatchObject({ code: 'call.not-found' });
  });

  it('stores a repeated block once, and reports it as durable each time', async () => {
    await using scratch = await scratchFolder();
    const durable: string[] = [];
    await using store = await TenantStore.open({
      place: openFolderPlace(scratch.folder),
      mode: 'write',
      logger,
      onDurable: ({ ids }) => durable.push(...ids.map((id) => id.toString('hex'))),
    });
    const content = randomContent(5000);
    const id = blockIdOf(content);
    let released = 0;
    const release = (): void => void (released += 1);
    const block = { id, encoding: 'raw', contentLength: 5000, stored: content, release } as const;
    await store.append([block, block]);
    await store.flush();
    const used = await store.usedBytes();
    await store.append([block]);
    await store.flush();
    expect(await store.usedBytes()).toBe(used);
    expect(durable).toEqual([id.toString('hex'), id.toString('hex')]);
    expect(released).toBe(3);
    expect(await readContent(store, id)).toEqual(content);
  });

  it('commits a complete restore point once, and refuses one with a missing block', async () => {
    await using scratch = await scratchFolder();
    await using store = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
    const id = await appendContent(store, Buffer.from('hello'));
    const items = [
      { type: 'entry', entry: entryOf('folder', '') },
      { type: 'entry', entry: entryOf('file', 'a', { sizeBytes: 5, content: [{ id, lengthBytes: 5 }] }) },
    ] as const;
    const root = await commitItems(store, 'point-1', items);
    await store.commitPoint({ pointId: 'point-1', root: encodePointRoot(root) });
    await expect(
      store.commitPoint({ pointId: 'point-1', root: encodePointRoot({ ...root, jobName: 'other' }) }),
    ).rejects.toMatchObject({ code: 'call.conflict' });
    expect(await store.listPoints()).toMatchObject([
      { pointId: 'point-1', root: { totals: { files: 1, sourceBytes: 5 } } },
    ]);

    const missing = blockIdOf(Buffer.from('nobody stored me'));
    await expect(
      commitItems(store, 'point-2', [
        items[0],
        { type: 'entry', entry: entryOf('file', 'a', { sizeBytes: 16, content: [{ id: missing, lengthBytes: 16 }] }) },
      ]),
    ).rejects.toMatchObject({ code: 'point.incomplete' });
    await expect(
      store.commitPoint({ pointId: 'point-3', root: encodePointRoot(rootOf('point-3')) }),
    ).rejects.toMatchObject({
      code: 'point.incomplete',
    });
    await expect(store.commitPoint({ pointId: 'point-4', root: encodePointRoot(root) })).rejects.toMatchObject({
      code: 'protocol.malformed',
    });
    expect(await readdir(path.join(scratch.folder, 'points'))).toEqual(['point-1.manifest']);
  });

  it('refuses blocks beyond the quota, counts two sessions together, and accepts blocks again when quota is free', async () => {
    await using scratch = await scratchFolder();
    const quotaBytes = 1_000_000;
    const options = { place: openFolderPlace(scratch.folder), mode: 'write', logger, quotaBytes } as const;
    await using first = await TenantStore.open(options);
    await using second = await TenantStore.open(options);
    const append = async (store: TenantStore): Promise<boolean> => {
      try {
        await appendContent(store, randomContent(90_000));
        return true;
      } catch (error) {
        expect(error).toMatchObject({ code: 'quota.exceeded' });
        return false;
      }
    };
    let accepted = 0;
    for (let round = 0; round < 12; round += 1) {
      if (await append(first)) accepted += 1;
      await first.flush();
      if (await append(second)) accepted += 1;
    }
    await second.flush();
    expect(await first.usedBytes()).toBeLessThanOrEqual(quotaBytes);
    expect(accepted).toBeGreaterThan(0);
    await first.close();
    expect(await second.usedBytes()).toBeLessThanOrEqual(quotaBytes);
  });

  it('counts the roots of restore points, so that points without content cannot exceed the quota', async () => {
    await using scratch = await scratchFolder();
    const quotaBytes = 2_000_000;
    const options = { place: openFolderPlace(scratch.folder), mode: 'write', logger, quotaBytes } as const;
    const manifest = [{ type: 'entry', entry: entryOf('folder', '') }] as const;
    const sourcePaths = Array.from({ length: 50 }, () => `/${'x'.repeat(4000)}`);
    const refused: unknown[] = [];
    let points = 0;
    while (points < 20 && refused.length === 0) {
      await using store = await TenantStore.open(options);
      await commitItems(store, `p${points}`, manifest, { sourcePaths }).then(
        () => (points += 1),
        (error: unknown) => refused.push(error),
      );
    }
    expect(refused).toMatchObject([{ code: 'quota.exceeded', details: { quotaBytes } }]);
    expect(points).toBeGreaterThan(5);
    await using store = await TenantStore.open({ ...options, mode: 'read' });
    expect(await store.usedBytes()).toBeGreaterThan(points * 200_000);
    expect(await store.usedBytes()).toBeLessThanOrEqual(quotaBytes);
    const listed = await store.listPoints();
    expect(listed).toHaveLength(points);
    // A listed point needs little memory, however large the tenant made its root.
    expect(JSON.stringify(listed).length).toBeLessThan(points * 2000);
  });
});
