// Tests the repository on a backend in memory instead of a folder: a backup and its restore, two writers, and a complete check.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import { makeMemoryPlace, makeTestBackends } from '../testing/repository/memory-place.ts';
import {
  appendContent,
  commitItems,
  differencesBetween,
  entryOf,
  itemsOfFolder,
  randomContent,
} from '../testing/repository/repository-fixture.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { storageBackends } from './backends.ts';
import { extractPoint } from './restore/extract.ts';
import { folderLocation } from './storage/repository-location.ts';
import { rebuildCatalogue } from './store/rebuild-catalogue.ts';
import { TenantStore } from './store/tenant-store.ts';
import { verifyPlace } from './store/verify.ts';

const logger = silentLogger;

describe('a repository in memory', () => {
  it('stores a backup and restores it, opened by its location', async () => {
    const backends = makeTestBackends();
    const repository = backends.parse({ kind: 'memory', name: 'main' });
    const location = backends.locateTenant(repository, 'tenant');
    expect(backends.describe(location)).toBe('main/tenant');
    const place = backends.open(location);
    const folder = await makeTemporaryFolder();
    const [source, to] = [path.join(folder, 'source'), path.join(folder, 'to')];
    await mkdir(path.join(source, 'inner'), { recursive: true });
    await writeFile(path.join(source, 'inner', 'large'), randomContent(700_000));
    await writeFile(path.join(source, 'text'), 'what was saved');
    {
      await using store = await TenantStore.open({ place, mode: 'write', logger, quotaBytes: 10_000_000 });
      await commitItems(store, 'p1', await itemsOfFolder(store, source));
      expect(await store.usedBytes()).toBeGreaterThan(700_000);
    }
    const again = backends.open(backends.parse(JSON.parse(JSON.stringify(location))));
    const extracted = await extractPoint({ place: again, pointId: 'p1', to });
    expect(extracted).toMatchObject({ problemCount: 0 });
    expect(await differencesBetween(source, to)).toEqual([]);
    expect((await readFile(path.join(to, 'text'))).toString()).toBe('what was saved');
    expect(await verifyPlace({ place, logger, isDeep: true })).toMatchObject({ ok: true, points: 1 });
    expect(await rebuildCatalogue({ place, logger })).toMatchObject({ points: 1, damaged: [] });
  });

  it('lets two writers share blocks, and does not replace the catalogue while another writer is alive', async () => {
    const place = makeMemoryPlace();
    const store = await TenantStore.open({ place, mode: 'write', logger });
    const id = await appendContent(store, randomContent(1000));
    await store.flush();
    await using second = await TenantStore.open({ place, mode: 'write', logger });
    expect(second.locate([id])).toEqual(['stored']);
    await expect(rebuildCatalogue({ place, logger })).rejects.toMatchObject({ code: 'service.locked' });
    await store.close();
    await expect(
      commitItems(second, 'p2', [
        { type: 'entry', entry: entryOf('folder', '') },
        {
          type: 'entry',
          entry: entryOf('file', 'f', { sizeBytes: 1000, content: [{ id, lengthBytes: 1000 }] }),
        },
      ]),
    ).resolves.toMatchObject({ pointId: 'p2' });
  });
});

describe('the registry of storage backends', () => {
  it('opens the folder of a tenant in the folder of a repository', async () => {
    const folder = await makeTemporaryFolder();
    const location = storageBackends.locateTenant(folderLocation(folder), 'tenant');
    expect(storageBackends.describe(location)).toBe(path.join(folder, 'tenant'));
    const place = storageBackends.open(location);
    await (await TenantStore.open({ place, mode: 'write', logger })).close();
    expect(await readdir(folder)).toEqual(['tenant']);
  });

  it.each([{ kind: 'memory', name: 'main' }, { kind: 'folder' }, { kind: 'folder', folder: '' }, '/srv/farkeep', null])(
    'refuses %j, because the product has no such backend',
    (stored) => {
      expect(() => storageBackends.parse(stored)).toThrow(expect.objectContaining({ code: 'storage.damaged' }));
    },
  );
});
