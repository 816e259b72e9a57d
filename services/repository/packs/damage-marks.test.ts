// Tests damage on disk from its detection until the block is stored again: which blocks count as present, what is reported, and what
// survives a kill of the process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../kernel/logger.ts';
import {
  appendContent,
  commitItems,
  differencesBetween,
  itemsOfFolder,
  randomContent,
  readContent,
  scratchFolder,
} from '../../testing/repository/repository-fixture.ts';
import { blockIdOf } from '../../blocks/block.ts';
import { decodeMarks, encodeMarks } from './damage-marks.ts';
import { extractPoint } from '../restore/extract.ts';
import { FolderStorage } from '../folder/folder-storage.ts';
import { listPacks } from '../store/left-overs.ts';
import { rebuildCatalogue } from '../store/rebuild-catalogue.ts';
import { TenantStore } from '../store/tenant-store.ts';
import { verifyAndMark } from '../store/verify-and-mark.ts';
import { openFolderPlace } from '../folder/folder-place.ts';

const logger = silentLogger;
const pieceBytes = 262_144;

interface Site {
  readonly folder: string;
  readonly source: string;
  /** The pack that holds the first pieces of the large file. */
  readonly pack: string;
  readonly ids: readonly Buffer[];
}

/** Makes a restore point with one large file, in packs of its own, and some small files. */
async function makeSite(scratch: string): Promise<Site> {
  const folder = path.join(scratch, 'tenant');
  const source = path.join(scratch, 'source');
  mkdirSync(source);
  const large = randomContent(3 * pieceBytes);
  writeFileSync(path.join(source, 'large'), large);
  writeFileSync(path.join(source, 'small'), 'small\n');
  await backUp(folder, source, 'p1');
  const ids = [0, 1, 2].map((index) => blockIdOf(large.subarray(index * pieceBytes, (index + 1) * pieceBytes)));
  const names = await listPacks(new FolderStorage(folder));
  const pack = names.find((name) => readFileSync(path.join(folder, name)).includes(large.subarray(0, 100))) ?? '';
  return { folder, source, pack: path.join(folder, pack), ids };
}

/** Sends only the blocks that the store reports as missing, as the source does. */
async function backUp(folder: string, source: string, pointId: string): Promise<{ sent: number; replaced: number }> {
  let replaced = 0;
  await using store = await TenantStore.open({
    place: openFolderPlace(folder),
    mode: 'write',
    logger,
    packBytes: 600_000,
    onDurable: (blocks) => (replaced += blocks.replaced),
  });
  const before = readdirSync(path.join(folder, 'packs')).length === 0 ? 0 : await store.usedBytes();
  await commitItems(store, pointId, await itemsOfFolder(store, source));
  return { sent: (await store.usedBytes()) - before, replaced };
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

async function present(folder: string, ids: readonly Buffer[]): Promise<boolean[]> {
  await using store = await TenantStore.open({ place: openFolderPlace(folder), mode: 'write', logger });
  return store.locate(ids).map((state) => state !== 'missing');
}

async function expectWhole(site: Site, scratch: string, pointId: string): Promise<void> {
  const to = path.join(scratch, `out-${pointId}-${Math.random().toString(36).slice(2)}`);
  expect(await extractPoint({ place: openFolderPlace(site.folder), pointId, to })).toMatchObject({ problemCount: 0 });
  expect(await differencesBetween(site.source, to)).toEqual([]);
}

describe('damage that a check finds', () => {
  const verify = (folder: string): ReturnType<typeof verifyAndMark> =>
    verifyAndMark({ place: openFolderPlace(folder), logger });

  it('no longer counts as present, is sent again once, and the old restore point is complete again', async () => {
    await using scratch = await scratchFolder();
    const site = await makeSite(scratch.folder);
    const whole = readFileSync(site.pack);
    flip(site.pack, 1000);
    const bad = await verify(site.folder);
    expect(bad).toMatchObject({ ok: false, settled: [], markingProblem: undefined });
    expect(bad.damaged).toMatchObject([{ damagedBlocks: 1, lostBlocks: 1, points: ['p1'] }]);
    expect(await present(site.folder, site.ids)).toEqual([false, true, true]);
    expect((await verify(site.folder)).damaged).toMatchObject([{ lostBlocks: 1, points: ['p1'] }]);

    const { replaced } = await backUp(site.folder, site.source, 'p2');
    expect(replaced).toBe(1);
    expect(await present(site.folder, site.ids)).toEqual([true, true, true]);
    await expectWhole(site, scratch.folder, 'p1');
    await expectWhole(site, scratch.folder, 'p2');
    const after = await verify(site.folder);
    expect(after).toMatchObject({ ok: true, damaged: [], settled: [{ damagedBlocks: 1, lostBlocks: 0, points: [] }] });
    expect((await backUp(site.folder, site.source, 'p3')).replaced).toBe(0);

    // The good one of the two copies is known with a rebuilt catalogue and without any catalogue.
    await rebuildCatalogue({ place: openFolderPlace(site.folder), logger });
    await expectWhole(site, scratch.folder, 'p1');
    rmSync(path.join(site.folder, 'catalogue.sqlite'));
    await expectWhole(site, scratch.folder, 'p1');

    // The admin restores the pack from a copy of the disk. No block is marked any more.
    writeFileSync(site.pack, whole);
    await rebuildCatalogue({ place: openFolderPlace(site.folder), logger });
    expect(await verify(site.folder)).toMatchObject({ ok: true, settled: [], soundAgainBlocks: 1 });
    expect(readdirSync(path.join(site.folder, 'damaged'))).toEqual([]);
  });

  it('does not count as present after the catalogue is rebuilt, until the block is sent again', async () => {
    await using scratch = await scratchFolder();
    const site = await makeSite(scratch.folder);
    flip(site.pack, 1000);
    await verify(site.folder);
    await rebuildCatalogue({ place: openFolderPlace(site.folder), logger });
    expect(await present(site.folder, site.ids)).toEqual([false, true, true]);
    rmSync(path.join(site.folder, 'catalogue.sqlite'));
    expect(await present(site.folder, site.ids)).toEqual([false, true, true]);
    expect((await backUp(site.folder, site.source, 'p2')).replaced).toBe(1);
    await expectWhole(site, scratch.folder, 'p1');
  });

  it.each(['cut', 'missing'] as const)('in a pack that is %s', async (kind) => {
    await using scratch = await scratchFolder();
    const site = await makeSite(scratch.folder);
    const aside = path.join(scratch.folder, 'aside');
    if (kind === 'cut') truncateSync(site.pack, 1000);
    else renameSync(site.pack, aside);
    const bad = await verify(site.folder);
    expect(bad.damaged).toMatchObject([{ points: ['p1'] }]);
    const lost = (await present(site.folder, site.ids)).filter((isPresent) => !isPresent).length;
    expect(lost).toBeGreaterThan(0);
    expect(bad.damaged[0]?.lostBlocks).toBeGreaterThanOrEqual(lost);
    const { replaced } = await backUp(site.folder, site.source, 'p2');
    expect(replaced).toBe(bad.damaged[0]?.lostBlocks);
    expect(await verify(site.folder)).toMatchObject({ ok: true, settled: [{ lostBlocks: 0 }] });
    await expectWhole(site, scratch.folder, 'p1');
    if (kind === 'cut') return;
    // The result is the same if an unclean end made the catalogue forget the missing pack, and after the pack is restored.
    rmSync(path.join(site.folder, 'catalogue.sqlite'));
    expect(await verify(site.folder)).toMatchObject({ ok: true, settled: [{ reason: 'it is missing' }] });
    renameSync(aside, site.pack);
    expect(await verify(site.folder)).toMatchObject({ ok: true, settled: [], damaged: [] });
    await expectWhole(site, scratch.folder, 'p1');
  });

  it('costs the tenant no quota', async () => {
    await using scratch = await scratchFolder();
    const site = await makeSite(scratch.folder);
    const used = async (): Promise<number> => {
      await using store = await TenantStore.open({ place: openFolderPlace(site.folder), mode: 'read', logger });
      return await store.usedBytes();
    };
    const before = await used();
    renameSync(site.pack, path.join(scratch.folder, 'aside'));
    await verify(site.folder);
    expect(await used()).toBeLessThan(before - 2 * pieceBytes);
  });

  it('counts against the quota if only the sender can have caused it', async () => {
    await using scratch = await scratchFolder();
    const site = await makeSite(scratch.folder);
    const quotaBytes = 3 * 2 ** 20;
    const id = blockIdOf(randomContent(10));
    /** Stores wrong bytes under the identifier of a block that is nowhere else, until the quota is used up. */
    const fill = async (): Promise<number> => {
      await using store = await TenantStore.open({
        place: openFolderPlace(site.folder),
        mode: 'write',
        logger,
        quotaBytes,
      });
      let count = 0;
      try {
        for (; count < 20; count += 1) {
          const block = { id, encoding: 'raw', contentLength: 200_000, stored: randomContent(200_000) } as const;
          await store.append([count === 0 ? block : { ...block, id: blockIdOf(randomContent(10)) }]);
        }
      } catch (error) {
        expect(error).toMatchObject({ code: 'quota.exceeded' });
      }
      await store.flush();
      return count;
    };
    const used = async (): Promise<number> => {
      await using store = await TenantStore.open({ place: openFolderPlace(site.folder), mode: 'read', logger });
      return await store.usedBytes();
    };
    expect(await fill()).toBeGreaterThan(5);
    const full = await used();
    const deep = (): ReturnType<typeof verifyAndMark> =>
      verifyAndMark({ place: openFolderPlace(site.folder), logger, isDeep: true });
    await deep();
    expect(await present(site.folder, [id])).toEqual([false]);
    expect(await used()).toBe(full);
    expect(await fill()).toBe(0);
    // The cause of the damage is still known after a second check, and after the catalogue is rebuilt.
    await verify(site.folder);
    await rebuildCatalogue({ place: openFolderPlace(site.folder), logger });
    expect(await used()).toBe(full);
    rmSync(path.join(site.folder, 'catalogue.sqlite'));
    expect(await used()).toBe(full);
    expect(await fill()).toBe(0);
    // The cause stays known if the disk later damages a block whose content never matched its identifier. A block that only the disk has
    // damaged can be sent again although the quota is used up.
    const holder = (await listPacks(new FolderStorage(site.folder)))
      .map((name) => path.join(site.folder, name))
      .find((name) => readFileSync(name).includes(id));
    flip(holder ?? '', readFileSync(holder ?? '').indexOf(id) + 100);
    await deep();
    expect(await used()).toBe(full);
    flip(site.pack, 1000);
    await deep();
    expect(await used()).toBeLessThan(full - pieceBytes);
    const content = readFileSync(path.join(site.source, 'large')).subarray(0, pieceBytes);
    await using store = await TenantStore.open({
      place: openFolderPlace(site.folder),
      mode: 'write',
      logger,
      quotaBytes,
    });
    await appendContent(store, content);
    await store.flush();
    expect(store.locate([site.ids[0] ?? id])).toEqual(['stored']);
  });

  it('in one of two copies loses nothing, because the good copy is read', async () => {
    await using scratch = await scratchFolder();
    const site = await makeSite(scratch.folder);
    // Two sessions have stored the same block at the same time.
    const content = randomContent(50_000);
    {
      await using one = await TenantStore.open({ place: openFolderPlace(site.folder), mode: 'write', logger });
      await using other = await TenantStore.open({ place: openFolderPlace(site.folder), mode: 'write', logger });
      await appendContent(one, content);
      await appendContent(other, content);
      await one.flush();
      await other.flush();
    }
    const id = blockIdOf(content);
    const holders = (await listPacks(new FolderStorage(site.folder))).filter((name) =>
      readFileSync(path.join(site.folder, name)).includes(content),
    );
    expect(holders).toHaveLength(2);
    for (const holder of holders) {
      const file = path.join(site.folder, holder);
      const whole = readFileSync(file);
      flip(file, whole.indexOf(content) + 7);
      expect((await verify(site.folder)).damaged).toMatchObject([{ pack: holder, damagedBlocks: 1, lostBlocks: 0 }]);
      expect(await present(site.folder, [id])).toEqual([true]);
      await using store = await TenantStore.open({ place: openFolderPlace(site.folder), mode: 'read', logger });
      expect(await readContent(store, id)).toEqual(content);
      writeFileSync(file, whole);
    }
  });

  it('that only shows when blocks are unpacked is marked by a deep check', async () => {
    await using scratch = await scratchFolder();
    const site = await makeSite(scratch.folder);
    const content = randomContent(5000);
    const id = blockIdOf(randomContent(5000));
    {
      await using store = await TenantStore.open({ place: openFolderPlace(site.folder), mode: 'write', logger });
      await store.append([{ id, encoding: 'raw', contentLength: content.length, stored: content }]);
      await store.flush();
    }
    expect((await verify(site.folder)).ok).toBe(true);
    const deep = await verifyAndMark({ place: openFolderPlace(site.folder), logger, isDeep: true });
    expect(deep.damaged).toMatchObject([{ damagedBlocks: 1, lostBlocks: 1, points: [] }]);
    expect(await present(site.folder, [id, ...site.ids])).toEqual([false, true, true, true]);
    // The checksum of the block is correct, but a correct checksum does not remove the mark, also if the index of the pack is damaged.
    expect(await verify(site.folder)).toMatchObject({ soundAgainBlocks: 0, settled: [{ lostBlocks: 1, points: [] }] });
    const holder = (await listPacks(new FolderStorage(site.folder)))
      .map((name) => path.join(site.folder, name))
      .find((name) => readFileSync(name).includes(content));
    flip(holder ?? '', statSync(holder ?? '').size - 1);
    expect(await verify(site.folder)).toMatchObject({ soundAgainBlocks: 0, settled: [{ lostBlocks: 1 }] });
    expect(await present(site.folder, [id])).toEqual([false]);
  });

  it('that cannot be marked is reported', async () => {
    await using scratch = await scratchFolder();
    const site = await makeSite(scratch.folder);
    flip(site.pack, 1000);
    const storage = new FolderStorage(site.folder);
    storage.rename = () => Promise.reject(Object.assign(new Error('EROFS: injected'), { code: 'EROFS' }));
    const bad = await verifyAndMark({ place: openFolderPlace(site.folder, storage), logger });
    expect(bad).toMatchObject({ ok: false, markingProblem: expect.stringContaining('EROFS') as string });
    expect(await present(site.folder, site.ids)).toEqual([true, true, true]);
    await verify(site.folder);
    expect(await present(site.folder, site.ids)).toEqual([false, true, true]);
  });

  it.each(['before the marks are in their place', 'before the catalogue knows', 'before the end'])(
    'when the check is killed %s',
    async (moment) => {
      await using scratch = await scratchFolder();
      const site = await makeSite(scratch.folder);
      flip(site.pack, 1000);
      const child = spawn(
        process.execPath,
        [path.join(import.meta.dirname, '../../testing/repository/crash-verify-entry.ts'), site.folder, moment],
        { stdio: ['ignore', 'ignore', 'inherit'] },
      );
      await once(child, 'exit');
      expect(child.signalCode).toBe('SIGKILL');
      const isMarked = moment !== 'before the marks are in their place';
      expect(await present(site.folder, site.ids)).toEqual([!isMarked, true, true]);
      expect(readdirSync(path.join(site.folder, 'incoming'))).toEqual([]);
      expect((await verify(site.folder)).damaged).toMatchObject([{ lostBlocks: 1, points: ['p1'] }]);
      expect(readdirSync(path.join(site.folder, 'damaged'))).toHaveLength(1);
      expect((await backUp(site.folder, site.source, 'p2')).replaced).toBe(1);
      await expectWhole(site, scratch.folder, 'p1');
      expect(await verify(site.folder)).toMatchObject({ ok: true });
    },
  );
});

describe('damage that a reader finds', () => {
  it('is marked by a store that may write marks, and by no other store', async () => {
    await using scratch = await scratchFolder();
    const site = await makeSite(scratch.folder);
    flip(site.pack, 1000);
    const [id = Buffer.alloc(0)] = site.ids;
    {
      await using reader = await TenantStore.open({ place: openFolderPlace(site.folder), mode: 'read', logger });
      await expect(reader.read(id)).rejects.toMatchObject({ code: 'storage.damaged' });
    }
    expect(await present(site.folder, site.ids)).toEqual([true, true, true]);
    const told: unknown[] = [];
    {
      await using reader = await TenantStore.open({
        place: openFolderPlace(site.folder),
        mode: 'read',
        logger,
        onDamageMarked: (found) => told.push(found),
      });
      await expect(reader.read(id)).rejects.toMatchObject({ code: 'storage.damaged' });
      await expect(reader.read(id)).rejects.toMatchObject({ code: 'storage.damaged' });
    }
    expect(told).toEqual([{ blocks: 1, packs: [path.relative(site.folder, site.pack)] }]);
    expect(await present(site.folder, site.ids)).toEqual([false, true, true]);
    expect((await backUp(site.folder, site.source, 'p2')).replaced).toBe(1);
    await expectWhole(site, scratch.folder, 'p1');
  });

  it('in the manifest does not make later backups fail', async () => {
    await using scratch = await scratchFolder();
    const site = await makeSite(scratch.folder);
    const names = await listPacks(new FolderStorage(site.folder));
    const file = names.map((name) => path.join(site.folder, name)).find((name) => readFileSync(name).includes('FKMF'));
    // A small manifest may be compressed. The manifest is in the pack that does not hold the large file.
    const smallest = names
      .map((name) => path.join(site.folder, name))
      .sort((a, b) => statSync(a).size - statSync(b).size)[0];
    flip(file ?? smallest ?? '', (file === undefined ? 0 : readFileSync(file).indexOf('FKMF')) + 100);
    await expect(backUp(site.folder, site.source, 'p2')).rejects.toMatchObject({ code: 'point.incomplete' });
    expect((await backUp(site.folder, site.source, 'p2')).replaced).toBe(1);
    await expectWhole(site, scratch.folder, 'p1');
  });
});

describe('files of marks', () => {
  it('are read as they were written, and any changed byte is detected', () => {
    const packs = [
      { packId: randomContent(16), ids: [randomContent(32), randomContent(32)], untrueIds: [] },
      { packId: randomContent(16), ids: [], untrueIds: [] },
    ];
    const [lost, untrue] = [randomContent(32), randomContent(32)];
    const withCauses = [...packs, { packId: randomContent(16), ids: [lost, untrue], untrueIds: [untrue] }];
    for (const written of [packs, withCauses]) {
      const bytes = encodeMarks(written);
      expect(decodeMarks(bytes)).toEqual(written);
      for (let at = 0; at < bytes.length; at += 1) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
        expect(() => decodeMarks(flipped)).toThrow(expect.objectContaining({ code: 'storage.damaged' }));
        expect(() => decodeMarks(bytes.subarray(0, at))).toThrow(expect.objectContaining({ code: 'storage.damaged' }));
      }
    }
    // A file without causes has the old version, so that older software can read it.
    expect(encodeMarks(packs).readUInt8(4)).toBe(1);
    expect(encodeMarks(withCauses).readUInt8(4)).toBe(2);
  });

  it('that are unreadable are replaced by the next check', async () => {
    await using scratch = await scratchFolder();
    const site = await makeSite(scratch.folder);
    flip(site.pack, 1000);
    await verifyAndMark({ place: openFolderPlace(site.folder), logger });
    const [name = ''] = readdirSync(path.join(site.folder, 'damaged'));
    writeFileSync(path.join(site.folder, 'damaged', name), 'not marks');
    rmSync(path.join(site.folder, 'catalogue.sqlite'));
    expect(await present(site.folder, site.ids)).toEqual([true, true, true]);
    await verifyAndMark({ place: openFolderPlace(site.folder), logger });
    expect(readdirSync(path.join(site.folder, 'damaged'))).toHaveLength(1);
    expect(await present(site.folder, site.ids)).toEqual([false, true, true]);
  });
});
