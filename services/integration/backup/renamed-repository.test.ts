// A repository that was renamed and moved, with real sessions: jobs and restore points of the tenant work as before.
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import { repositoriesDomain } from '../../contracts/rpc/repositories.ts';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import { differencesBetween } from '../../testing/repository/repository-fixture.ts';
import { Stack } from '../../testing/site/stack.ts';

describe('a repository that was renamed and moved', () => {
  let folder: string;
  let stack: Stack;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-renamed-'));
    stack = await Stack.start({ folder });
  }, 60_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  it('still takes the backups of jobs that know its former name, and gives back the older ones', async () => {
    const source = path.join(folder, 'source');
    await mkdir(source);
    await writeFile(path.join(source, 'notes.txt'), 'notes');
    const jobId = await stack.addJob((await stack.addProvider()).id, source);
    const first = await stack.runJob(jobId);
    expect(first.state).toBe('succeeded');
    await stack.untilEndedAtProvider(first.id);

    const repositories = stack.provider.domain(repositoriesDomain);
    const repositoryId = (await repositories.list({})).repositories[0]?.id ?? '';
    await rename(stack.repositoryFolder, path.join(folder, 'moved'));
    expect((await stack.runJob(jobId)).state).toBe('failed');
    await repositories.set({ repositoryId, name: 'Vault', folder: path.join(folder, 'moved') });
    await stack.provider.events.waitFor(tenantsDomain, 'changed', ({ quotas }) => quotas[0]?.repository === 'Vault');

    expect((await stack.runJob(jobId)).state).toBe('succeeded');
    expect((await stack.tenant.domain(pointsDomain).list({})).points).toMatchObject([
      { repository: 'Vault' },
      { repository: 'Vault' },
    ]);
    const target = path.join(folder, 'restored');
    await stack.restore(first.pointId ?? '', target);
    expect(await differencesBetween(source, target)).toEqual([]);
  });
});
