// A restore point that cannot be restored, for any reason, hides no other restore point and can be deleted. A good restore point can be
// deleted unless a session uses it.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { askProvider } from '../../wire/control-calls.ts';
import { failureOf } from '../../testing/failure-of.ts';
import { forgeRoot, logInAs, startInput } from '../../testing/hostile/hostile-peers.ts';
import { Stack, stackNames } from '../../testing/site/stack.ts';

const unfit: readonly (readonly [string, Record<string, unknown>])[] = [
  ['the largest whole number as its time', { createdAtMs: Number.MAX_SAFE_INTEGER }],
  ['the last time that a date can have', { createdAtMs: 8.64e15 }],
  ['the year 10000', { createdAtMs: Date.UTC(10_000, 0) }],
  ['a job identifier that is none', { jobId: 'zz' }],
  ['no job identifier', { jobId: '' }],
  ['no job name', { jobName: '' }],
  ['a job name of 101 characters', { jobName: 'n'.repeat(101) }],
  ['a job name that steers a terminal', { jobName: '\u001b[2J' }],
  ['no totals', { totals: {} }],
];

describe('unreadable restore points', () => {
  let folder: string;
  let stack: Stack;
  let tenantFolder: string;
  let goodId: string;
  const forged: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-unfit-'));
    stack = await Stack.start({ folder, tenant: { checkInIntervalMs: 0 } });
    const source = path.join(folder, 'source');
    await mkdir(source);
    await writeFile(path.join(source, 'a.txt'), 'a');
    const jobId = await stack.addJob((await stack.addProvider()).id, source);
    goodId = (await stack.runJob(jobId, 50_000)).pointId ?? '';
    const { tenants } = await stack.provider.domain(tenantsDomain).list({});
    tenantFolder = path.join(stack.repositoryFolder, tenants[0]?.id ?? '');
    for (const [, changes] of unfit) forged.push(await forgeRoot(tenantFolder, goodId, changes));
    const damagedId = '0'.repeat(32);
    await writeFile(path.join(tenantFolder, 'points', `${damagedId}.manifest`), 'not a root');
    forged.push(damagedId);
  }, 90_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  it('do not hide others: the good one is listed, and each unreadable one is named', async () => {
    const { points, unreadable, unreachable } = await stack.tenant.domain(pointsDomain).list({});
    expect(unreachable).toEqual([]);
    expect(points.map(({ id }) => id)).toEqual([goodId]);
    expect(unreadable.map(({ id }) => id).sort()).toEqual([...forged].sort());
    for (const { reason } of unreadable) expect(reason).not.toBe('');
  });

  it('do not prevent restoring the good one', { timeout: 60_000 }, async () => {
    const destination = path.join(folder, 'restored');
    await mkdir(destination);
    expect(await stack.restore(goodId, destination, [], 50_000)).toMatchObject({ state: 'succeeded' });
    expect(await readFile(path.join(destination, 'a.txt'), 'utf8')).toBe('a');
  });

  it('hide nothing from a tenant of an earlier version either', async () => {
    const { peer } = await logInAs(stack);
    const page = await askProvider(peer, 'points.list', { after: null, limit: 200 });
    expect(page).toMatchObject({ points: [{ id: goodId }], hasMore: false });
    await peer.close();
  });

  it('can be deleted one by one; their roots stay in the trash with the date', { timeout: 60_000 }, async () => {
    const domain = stack.tenant.domain(pointsDomain);
    for (const pointId of forged) {
      expect(await domain.delete({ pointId })).toMatchObject({ pointId, repository: stackNames.repository });
    }
    const { points, unreadable } = await domain.list({});
    expect(points.map(({ id }) => id)).toEqual([goodId]);
    expect(unreadable).toEqual([]);
    const trash = await readdir(path.join(tenantFolder, 'trash'));
    for (const pointId of forged) {
      const kept = trash.find((name) => name.startsWith(pointId)) ?? '';
      expect(kept).toMatch(/^[0-9a-f]{32}\.[0-9]{13}\.manifest$/);
    }
    expect((await failureOf(domain.delete({ pointId: forged[0] ?? '' }))).code).toBe('call.not-found');
  });

  it(
    'and good ones can only be deleted by their own tenant and while no session uses them',
    { timeout: 60_000 },
    async () => {
      const domain = stack.tenant.domain(pointsDomain);
      const { peer } = await logInAs(stack);
      const start = startInput({ operation: 'restore', pointId: goodId });
      await askProvider(peer, 'session.start', start);
      expect((await failureOf(domain.delete({ pointId: goodId }))).code).toBe('call.conflict');
      expect((await domain.list({})).points).toHaveLength(1);
      await askProvider(peer, 'session.cancel', { sessionId: start.sessionId });

      const quotas = [{ repository: stackNames.repository, limitBytes: 1e9 }];
      await stack.provider.domain(tenantsDomain).add({ name: 'fabrikam', password: 'the other tenant', quotas });
      const other = await logInAs(stack, 'fabrikam', 'the other tenant');
      const foreign = askProvider(other.peer, 'points.delete', { pointId: goodId });
      expect((await failureOf(foreign)).code).toBe('call.not-found');
      // A session of another tenant is reported as missing, whether it runs or has ended.
      const cancel = askProvider(other.peer, 'session.cancel', { sessionId: start.sessionId });
      expect((await failureOf(cancel)).code).toBe('call.not-found');
      await askProvider(peer, 'session.cancel', { sessionId: start.sessionId });
      await Promise.all([peer.close(), other.peer.close()]);

      await domain.delete({ pointId: goodId });
      expect((await domain.list({})).points).toEqual([]);
      const gone = stack.restore(goodId, path.join(folder, 'nowhere'));
      await expect(gone).rejects.toBeInstanceOf(FarkeepError);
    },
  );
});
