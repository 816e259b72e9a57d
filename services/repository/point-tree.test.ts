// Tests a complete restore point of a real tree: commit, list, extract with and without a catalogue, verify, damage.
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import { extractPoint } from './restore/extract.ts';
import { listPacks } from './store/left-overs.ts';
import { FolderStorage } from './folder/folder-storage.ts';
import { restoreFailure } from './restore/restore-failure.ts';
import { rebuildCatalogue } from './store/rebuild-catalogue.ts';
import { TenantStore } from './store/tenant-store.ts';
import {
  commitItems,
  differencesBetween,
  itemsOfFolder,
  randomContent,
  scratchFolder,
} from '../testing/repository/repository-fixture.ts';
import { verifyPlace } from './store/verify.ts';
import { openFolderPlace } from './folder/folder-place.ts';

const logger = silentLogger;

function makeTree(folder: string): void {
  mkdirSync(path.join(folder, 'sub/deeper'), { recursive: true });
  writeFileSync(path.join(folder, 'empty'), '');
  writeFileSync(path.join(folder, 'text'), 'some text '.repeat(10_000));
  writeFileSync(path.join(folder, 'large'), randomContent(700_000));
  writeFileSync(path.join(folder, 'sub/one'), randomContent(3000), { mode: 0o600 });
  copyFileSync(path.join(folder, 'sub/one'), path.join(folder, 'sub/same content'));
  writeFileSync(Buffer.concat([Buffer.from(path.join(folder, 'sub/')), Buffer.from([0xc3, 0x28, 0x0a])]), 'odd');
  symlinkSync('../text', path.join(folder, 'sub/deeper/link'));
  chmodSync(path.join(folder, 'sub/deeper'), 0o711);
}

async function makePoint(tenantFolder: string, source: string, pointId = 'p1'): Promise<void> {
  await using store = await TenantStore.open({
    place: openFolderPlace(tenantFolder),
    mode: 'write',
    logger,
    packBytes: 300_000,
  });
  await commitItems(store, pointId, await itemsOfFolder(store, source));
}

describe('a restore point of a real tree', () => {
  it('is restored unchanged: with the catalogue, without it, and after a rebuild', async () => {
    await using scratch = await scratchFolder();
    const source = path.join(scratch.folder, 'source');
    const tenantFolder = path.join(scratch.folder, 'tenant');
    makeTree(source);
    await makePoint(tenantFolder, source);
    const first = await extractPoint({
      place: openFolderPlace(tenantFolder),
      pointId: 'p1',
      to: path.join(scratch.folder, 'out1'),
    });
    expect(first).toMatchObject({ problemCount: 0, counts: { files: 6, folders: 2, symlinks: 1, failed: 0 } });
    expect(await differencesBetween(source, path.join(scratch.folder, 'out1'))).toEqual([]);

    for (const name of readdirSync(tenantFolder))
      if (name.startsWith('catalogue')) rmSync(path.join(tenantFolder, name));
    await extractPoint({ place: openFolderPlace(tenantFolder), pointId: 'p1', to: path.join(scratch.folder, 'out2') });
    expect(await differencesBetween(source, path.join(scratch.folder, 'out2'))).toEqual([]);

    const catalogue = path.join(tenantFolder, 'catalogue.sqlite');
    writeFileSync(catalogue, 'this is no database');
    await (await TenantStore.open({ place: openFolderPlace(tenantFolder), mode: 'write', logger })).close();
    expect(readFileSync(`${catalogue}.damaged`, 'utf8')).toBe('this is no database');
    const rebuilt = await rebuildCatalogue({ place: openFolderPlace(tenantFolder), logger });
    expect(rebuilt).toMatchObject({ damaged: [], points: 1 });
    expect(rebuilt.packs).toBeGreaterThan(1);
    await using store = await TenantStore.open({ place: openFolderPlace(tenantFolder), mode: 'write', logger });
    await expect(rebuildCatalogue({ place: openFolderPlace(tenantFolder), logger })).rejects.toMatchObject({
      code: 'service.locked',
    });
    const before = await store.usedBytes();
    await commitItems(store, 'p2', await itemsOfFolder(store, source));
    // A backup of an unchanged tree adds no block, not even of its manifest. Only the root is new.
    const { size } = statSync(path.join(tenantFolder, 'points', 'p2.manifest'));
    expect(await store.usedBytes()).toBe(before + size);
  });

  it('can be restored in parts', async () => {
    await using scratch = await scratchFolder();
    const source = path.join(scratch.folder, 'source');
    const tenantFolder = path.join(scratch.folder, 'tenant');
    makeTree(source);
    await makePoint(tenantFolder, source);
    const to = path.join(scratch.folder, 'out');
    const result = await extractPoint({
      place: openFolderPlace(tenantFolder),
      pointId: 'p1',
      to,
      paths: [Buffer.from('sub/deeper'), Buffer.from('text')],
    });
    expect(result.problems).toEqual([]);
    expect(readdirSync(to).sort()).toEqual(['sub', 'text']);
    expect(readdirSync(path.join(to, 'sub'))).toEqual(['deeper']);
    expect(statSync(path.join(to, 'sub/deeper')).mode & 0o777).toBe(0o711);
    await expect(
      extractPoint({ place: openFolderPlace(tenantFolder), pointId: 'p1', to, paths: [Buffer.from('sub/nothing')] }),
    ).rejects.toMatchObject({ code: 'call.not-found' });
    await expect(extractPoint({ place: openFolderPlace(tenantFolder), pointId: 'p9', to })).rejects.toMatchObject({
      code: 'call.not-found',
    });
  });

  it('can be verified, and a damage report names the pack and the restore points', async () => {
    await using scratch = await scratchFolder();
    const source = path.join(scratch.folder, 'source');
    const tenantFolder = path.join(scratch.folder, 'tenant');
    makeTree(source);
    await makePoint(tenantFolder, source);
    rmSync(path.join(source, 'large'));
    await makePoint(tenantFolder, source, 'without-large');
    const good = await verifyPlace({ place: openFolderPlace(tenantFolder), logger, isDeep: true });
    expect(good).toMatchObject({ ok: true, points: 2, damaged: [] });

    // Finds the pack of the large file by its size, and flips a byte in the middle of its block.
    const names = await listPacks(new FolderStorage(tenantFolder));
    const large =
      names.sort((a, b) => statSync(path.join(tenantFolder, b)).size - statSync(path.join(tenantFolder, a)).size)[0] ??
      '';
    const file = path.join(tenantFolder, large);
    const whole = readFileSync(file);
    const flipped = Buffer.from(whole);
    flipped[400_000] = (flipped[400_000] ?? 0) ^ 1;
    writeFileSync(file, flipped);
    const bad = await verifyPlace({ place: openFolderPlace(tenantFolder), logger });
    expect(bad.ok).toBe(false);
    expect(bad.damaged).toMatchObject([{ pack: large, damagedBlocks: 1, points: ['p1'] }]);

    // All other files are restored, and the damaged file is named.
    const result = await extractPoint({
      place: openFolderPlace(tenantFolder),
      pointId: 'p1',
      to: path.join(scratch.folder, 'out'),
    });
    expect(result.problems).toMatchObject([{ path: Buffer.from('large'), code: 'storage.damaged', isRestored: false }]);
    expect(result.problems[0]?.message).toContain(large);
    expect(result.counts).toMatchObject({ files: 5, failed: 1, damaged: 1 });
    expect(restoreFailure(result.counts)).toMatchObject({ code: 'restore.mismatch' });

    writeFileSync(file, whole.subarray(0, 500_000));
    expect((await verifyPlace({ place: openFolderPlace(tenantFolder), logger })).damaged).toMatchObject([
      { pack: large, points: ['p1'] },
    ]);
    rmSync(path.join(tenantFolder, 'catalogue.sqlite'));
    expect((await verifyPlace({ place: openFolderPlace(tenantFolder), logger })).damaged).toMatchObject([
      { pack: large },
      { manifest: 'points/p1.manifest', points: ['p1'] },
    ]);

    writeFileSync(file, whole);
    await rebuildCatalogue({ place: openFolderPlace(tenantFolder), logger });
    rmSync(file);
    expect((await verifyPlace({ place: openFolderPlace(tenantFolder), logger })).damaged).toMatchObject([
      { pack: large, reason: 'it is missing', points: ['p1'] },
    ]);

    writeFileSync(file, whole);
    const root = path.join(tenantFolder, 'points/p1.manifest');
    const rootBytes = readFileSync(root);
    rootBytes[30] = (rootBytes[30] ?? 0) ^ 1;
    writeFileSync(root, rootBytes);
    expect((await verifyPlace({ place: openFolderPlace(tenantFolder), logger })).damaged).toMatchObject([
      {
        manifest: 'points/p1.manifest',
        reason: expect.stringContaining('does not match its hash') as string,
      },
    ]);
    await using store = await TenantStore.open({ place: openFolderPlace(tenantFolder), mode: 'read', logger });
    expect(await store.listPoints()).toMatchObject([
      { pointId: 'p1', root: undefined },
      { pointId: 'without-large', problem: undefined },
    ]);
  });

  it('verify finds a flipped byte at any position in a pack', async () => {
    await using scratch = await scratchFolder();
    const tenantFolder = path.join(scratch.folder, 'tenant');
    const source = path.join(scratch.folder, 'source');
    mkdirSync(source);
    writeFileSync(path.join(source, 'f'), randomContent(150));
    await makePoint(tenantFolder, source);
    const [name = ''] = await listPacks(new FolderStorage(tenantFolder));
    const file = path.join(tenantFolder, name);
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length; at += at < 300 || at > whole.length - 300 ? 3 : 41) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(file, flipped);
      const { ok, damaged } = await verifyPlace({ place: openFolderPlace(tenantFolder), logger });
      expect({ at, ok }).toEqual({ at, ok: false });
      expect(damaged[0]).toMatchObject({ pack: name });
    }
  });
});
