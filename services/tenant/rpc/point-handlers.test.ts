// The points domain of the tenant: looking into a saved tree, and what may be restored.
import { truncate } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DomainClient } from '../../contracts/contract.ts';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { SavedManifestWriter } from '../../mover/source/restore/saved-manifest.ts';
import { ManifestEncoder } from '../../repository/points/manifest.ts';
import type { TreeEntry } from '../../repository/points/tree-entry.ts';
import { callHandlers, refusalOf, standIn } from '../../testing/handler-calls.ts';
import { entryOf } from '../../testing/repository/repository-fixture.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import type { Points } from '../sessions/points.ts';
import { pointHandlers } from './point-handlers.ts';

const pointId = 'a'.repeat(32);
const sessionId = 'b'.repeat(32);

describe('the restore points of a tenant', () => {
  let folder: string;
  let treeFile: string;
  let asked: unknown[];
  let calls: DomainClient<typeof pointsDomain>;

  beforeEach(async () => {
    folder = await makeTemporaryFolder();
    treeFile = path.join(folder, 'tree');
    asked = [];
    const points = standIn<Points>({
      list: async () => ({ points: [], unreadable: [], unreachable: [{ provider: 'northwind', message: 'is away' }] }),
      delete: async (id) => {
        asked.push(['delete', id]);
        return { pointId: id, providerName: 'northwind', repository: 'main', deletedAt: '2027-03-01T12:00:00.000Z' };
      },
      tree: async (id) => {
        if (id !== pointId) throw new FarkeepError('call.not-found', 'There is no such restore point');
        return treeFile;
      },
      restore: async (id, input) => {
        asked.push(['restore', id, input]);
        return { sessionId };
      },
    });
    calls = callHandlers(pointsDomain, pointHandlers(points));
  });

  const saveTree = async (entries: readonly TreeEntry[]): Promise<void> => {
    const encoder = new ManifestEncoder();
    const writer = await SavedManifestWriter.create(treeFile, Buffer.from('root'));
    for (const entry of [entryOf('folder', ''), ...entries]) {
      for (const block of encoder.add({ type: 'entry', entry })) await writer.add(block);
    }
    await writer.add(encoder.finish());
    await writer.finish();
  };

  it('lists the points, and names who could not be asked', async () => {
    expect(await calls.list({})).toMatchObject({ points: [], unreachable: [{ provider: 'northwind' }] });
  });

  it('passes a deletion on', async () => {
    expect(await calls.delete({ pointId })).toMatchObject({ pointId, repository: 'main' });
    expect(asked).toEqual([['delete', pointId]]);
  });

  it('shows one folder with the kinds of its entries, sizes only of files', async () => {
    await saveTree([
      entryOf('file', 'a', { sizeBytes: 0, isUnreadable: true }),
      entryOf('folder', 'b'),
      entryOf('file', 'b/deep'),
      entryOf('symlink', 'c'),
      entryOf('special', 'd'),
    ]);
    const { entries, isTruncated } = await calls.listFolder({ pointId });
    expect(isTruncated).toBe(false);
    expect(entries).toMatchObject([
      { name: 'a', kind: 'file', sizeBytes: 0, hasWarning: true },
      { name: 'b', kind: 'folder', sizeBytes: null, hasWarning: false },
      { name: 'c', kind: 'symlink', sizeBytes: null },
      { name: 'd', kind: 'other', sizeBytes: null },
    ]);
    expect((await calls.listFolder({ pointId, path: 'b' })).entries).toMatchObject([{ name: 'deep', path: 'b/deep' }]);
  });

  it('opens a folder by the path that was shown, also when its name is not text', async () => {
    const name = Buffer.from('bad\xff', 'latin1');
    await saveTree([entryOf('folder', name), entryOf('file', Buffer.concat([name, Buffer.from('/inside')]))]);
    const [shown] = (await calls.listFolder({ pointId })).entries;
    expect((await calls.listFolder({ pointId, path: shown?.path ?? '' })).entries).toMatchObject([{ name: 'inside' }]);
  });

  it('shows the earliest and the latest time that a file can have', async () => {
    const times = [
      ['a', -(2n ** 63n), '1677-09-21T00:12:43.146Z'],
      ['b', 0n, '1970-01-01T00:00:00.000Z'],
      ['c', 2n ** 63n - 1n, '2262-04-11T23:47:16.854Z'],
    ] as const;
    await saveTree(times.map(([name, mtimeNs]) => entryOf('file', name, { mtimeNs })));
    const { entries } = await calls.listFolder({ pointId });
    expect(entries.map(({ name, modifiedAt }) => [name, modifiedAt])).toEqual(
      times.map(([name, , shown]) => [name, shown]),
    );
  });

  it('cuts a folder after 10000 entries, and says so', async () => {
    const names = Array.from({ length: 10_001 }, (_, at) => `f${String(at).padStart(5, '0')}`);
    await saveTree(names.map((name) => entryOf('file', name)));
    const { entries, isTruncated } = await calls.listFolder({ pointId });
    expect([entries.length, isTruncated]).toEqual([10_000, true]);
    const found = await calls.find({ pointId, text: 'f' });
    expect([found.entries.length, found.isTruncated]).toEqual([1000, true]);
  });

  it('finds names in all folders, whatever their case, and not the path before them', async () => {
    await saveTree([entryOf('folder', 'Report'), entryOf('file', 'Report/other'), entryOf('file', 'Report/re-REPORT')]);
    const { entries, isTruncated } = await calls.find({ pointId, text: 'rePort' });
    expect(entries.map((entry) => entry.path)).toEqual(['Report', 'Report/re-REPORT']);
    expect(isTruncated).toBe(false);
  });

  it('says which saved tree is damaged', async () => {
    await saveTree([]);
    await truncate(treeFile, 14);
    expect(await refusalOf(calls.listFolder({ pointId }))).toMatchObject({ code: 'storage.damaged' });
  });

  it('restores the whole point without overwriting unless told otherwise', async () => {
    expect(await calls.restore({ pointId, destination: folder })).toEqual({ sessionId });
    const chosen = { paths: ['a'], destination: path.join(folder, 'new'), overwrite: 'older' as const };
    await calls.restore({ pointId, ...chosen });
    expect(asked).toEqual([
      ['restore', pointId, { paths: [], destination: folder, overwrite: 'never' }],
      ['restore', pointId, chosen],
    ]);
  });

  it.each<[string, () => Promise<unknown>, string, string | undefined]>([
    ['a point that is not there', () => calls.listFolder({ pointId: sessionId }), 'call.not-found', undefined],
    ['a search for nothing', () => calls.find({ pointId, text: '' }), 'call.invalid', 'text'],
    ['a search for 501 characters', () => calls.find({ pointId, text: 'a'.repeat(501) }), 'call.invalid', 'text'],
    [
      'a path of 16385 characters',
      () => calls.listFolder({ pointId, path: 'a'.repeat(16_385) }),
      'call.invalid',
      'path',
    ],
    [
      'a restore to no whole path',
      () => calls.restore({ pointId, destination: 'here' }),
      'restore.target',
      'destination',
    ],
    [
      'a restore into a device',
      () => calls.restore({ pointId, destination: '/dev/null' }),
      'restore.target',
      'destination',
    ],
    ['a restore to nowhere', () => calls.restore({ pointId, destination: '' }), 'call.invalid', 'destination'],
  ])('refuses %s', async (_case, call, code, field) => {
    expect(await refusalOf(call())).toMatchObject({ code, ...(field === undefined ? {} : { field }) });
    expect(asked).toEqual([]);
  });
});
