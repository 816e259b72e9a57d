import { execFileSync } from 'node:child_process';
import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { Database } from '../../kernel/state/database.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { canMount, mountTitle } from '../../testing/repository/can-mount.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { providerMigrations } from '../state/provider-database.ts';
import { SqliteRepositoryStore } from '../state/repository-store.ts';
import { Repositories } from './repositories.ts';
import { RestorePoints } from './restore-points.ts';

function make(): { repositories: Repositories; database: Database } {
  const database = new Database(':memory:', providerMigrations);
  const store = new SqliteRepositoryStore(database);
  return { database, repositories: new Repositories(store, systemClock, new RestorePoints(silentLogger)) };
}

describe('Repositories', () => {
  it('creates the folder, and describes its state', async () => {
    const root = await makeTemporaryFolder();
    const { repositories } = make();
    const row = await repositories.add('main', path.join(root, 'new', 'folder'));
    const described = await repositories.describe(row);
    expect(described).toMatchObject({ name: 'main', usedBytes: 0, tenants: 0, points: 0, problem: null });
    expect(described.freeBytes).toBeGreaterThan(0);
  });

  it('shows the last check even when it ended while the list was being created', async () => {
    const root = await makeTemporaryFolder();
    const { repositories } = make();
    const { id } = await repositories.add('main', path.join(root, 'one'));
    const listing = repositories.list();
    await repositories.setVerified(id, 2);
    expect((await listing)[0]).toMatchObject({ verification: { findings: 2 } });
  });

  it('refuses unusable folders with a reason', async () => {
    const root = await makeTemporaryFolder();
    const { repositories } = make();
    await expect(repositories.add('a', 'relative')).rejects.toMatchObject({ code: 'call.invalid', field: 'folder' });
    await writeFile(path.join(root, 'file'), '');
    await expect(repositories.add('a', path.join(root, 'file'))).rejects.toMatchObject({ field: 'folder' });
    await expect(repositories.add('a', '/proc/farkeep')).rejects.toMatchObject({ field: 'folder' });
    expect(await repositories.rows()).toEqual([]);
  });

  it('refuses used names, used folders, and nested folders', async () => {
    const root = await makeTemporaryFolder();
    const { repositories } = make();
    await repositories.add('main', path.join(root, 'one'));
    await expect(repositories.add('MAIN', path.join(root, 'two'))).rejects.toMatchObject({ field: 'name' });
    for (const folder of ['one', 'one/below', '.']) {
      await expect(repositories.add('other', path.join(root, folder))).rejects.toMatchObject({ code: 'call.conflict' });
    }
    await repositories.add('other', path.join(root, 'one more'));
  });

  it('refuses the same folder, and a nested or an enclosing one, through links', async () => {
    const root = await makeTemporaryFolder();
    const { repositories } = make();
    const folder = path.join(root, 'disk', 'repository');
    await repositories.add('first', folder);
    await symlink(folder, path.join(root, 'link'));
    await symlink(path.join(root, 'disk'), path.join(root, 'above'));
    await mkdir(path.join(root, 'holder'));
    await symlink(path.join(root, 'link'), path.join(root, 'holder', 'again'));
    for (const other of ['link', 'link/sub', 'link/sub/deeper', 'above', 'above/repository/x', 'holder/again'])
      await expect(repositories.add('other', path.join(root, other)), other).rejects.toMatchObject({
        code: 'call.conflict',
        message: expect.stringContaining('"first"') as string,
      });
    await repositories.add('beside', path.join(root, 'disk', 'repository-2'));
    await repositories.add('dots', path.join(root, 'disk', '..dots'));
  });

  it.runIf(canMount())(mountTitle('refuses the same folder through a bind mount'), async () => {
    const root = await makeTemporaryFolder();
    const { repositories } = make();
    const folder = path.join(root, 'repository');
    await repositories.add('first', folder);
    const bound = path.join(root, 'bound');
    await mkdir(bound);
    execFileSync('mount', ['--bind', folder, bound]);
    try {
      for (const other of [bound, path.join(bound, 'sub')])
        await expect(repositories.add('other', other)).rejects.toMatchObject({ code: 'call.conflict' });
    } finally {
      execFileSync('umount', [bound]);
    }
  });

  it('refuses a copy of a repository that is in use, and names that repository', async () => {
    const root = await makeTemporaryFolder();
    const { repositories } = make();
    await repositories.add('first', path.join(root, 'a'));
    await cp(path.join(root, 'a'), path.join(root, 'b'), { recursive: true });
    await expect(repositories.add('second', path.join(root, 'b'))).rejects.toMatchObject({
      code: 'call.conflict',
      message: expect.stringContaining('contains the repository "first", or a copy of it') as string,
    });
  });

  it('reports repositories that overlap because a link was changed', async () => {
    const root = await makeTemporaryFolder();
    const { repositories } = make();
    await mkdir(path.join(root, 'a'));
    await symlink(path.join(root, 'a'), path.join(root, 'link'));
    await repositories.add('first', path.join(root, 'link'));
    await repositories.add('second', path.join(root, 'b'));
    await mkdir(path.join(root, 'b', 'inside'));
    await cp(path.join(root, 'a'), path.join(root, 'b', 'inside'), { recursive: true });
    await rm(path.join(root, 'link'));
    await symlink(path.join(root, 'b', 'inside'), path.join(root, 'link'));
    const problems = (await repositories.list()).map(({ problem }) => problem);
    expect(problems).toEqual([expect.stringContaining('overlaps'), expect.stringContaining('overlaps')]);
  });

  it('continues when a pipe replaces the marker, or a link replaces a tenant’s points', async () => {
    const root = await makeTemporaryFolder();
    const { repositories } = make();
    const row = await repositories.add('main', path.join(root, 'one'));
    const tenant = path.join(row.location.folder, 'a'.repeat(32));
    await mkdir(tenant);
    await symlink(root, path.join(tenant, 'points'));
    expect(await repositories.describe(row)).toMatchObject({ points: 0, problem: null });
    const marker = path.join(row.location.folder, 'farkeep-repository.json');
    await rm(marker);
    execFileSync('mkfifo', [marker]);
    expect((await repositories.list())[0]?.problem).toMatch('is a pipe, not a file');
    await rm(marker);
    await writeFile(marker, ' '.repeat(5000));
    expect((await repositories.list())[0]?.problem).toMatch('is damaged');
  });

  it('detects an unmounted disk, and another repository in its place', async () => {
    const root = await makeTemporaryFolder();
    const { repositories } = make();
    const row = await repositories.add('main', path.join(root, 'one'));
    const other = await repositories.add('other', path.join(root, 'two'));
    await rm(row.location.folder, { recursive: true });
    await mkdir(row.location.folder);
    expect(await repositories.problemOf(row)).toMatch(/mounted/);
    await rm(row.location.folder, { recursive: true });
    await symlink(other.location.folder, row.location.folder);
    expect(await repositories.problemOf(row)).toMatch(/another repository/);
    await rm(row.location.folder);
    expect(await repositories.problemOf(row)).toMatch(/mounted/);
  });

  it('keeps its identifier when it is removed and added again', async () => {
    const root = await makeTemporaryFolder();
    const { repositories, database } = make();
    const row = await repositories.add('main', path.join(root, 'one'));
    database.run("INSERT INTO tenants VALUES ('t', 'contoso', 1, 'then', NULL, NULL, x'00', 1, x'00', x'00', NULL)");
    database.run('INSERT INTO quotas VALUES (?, ?, 1, 0)', 't', row.id);
    await expect(repositories.remove(row.id)).rejects.toMatchObject({ code: 'call.conflict' });
    database.run('DELETE FROM quotas');
    await repositories.remove(row.id);
    expect((await repositories.add('renamed', row.location.folder)).id).toBe(row.id);
  });
});
