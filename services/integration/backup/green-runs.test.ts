// A successful run contains the expected data or reports the missing data. An error names the side on which it happened.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../kernel/clock.ts';
import type { SessionDetail } from '../../contracts/models/session.ts';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { canMount, mountTitle } from '../../testing/repository/can-mount.ts';
import { Stack, stackNames } from '../../testing/site/stack.ts';

describe('a successful run', () => {
  let aheadMs = 0;
  const tenantClock: Clock = { ...systemClock, now: () => Date.now() + aheadMs };
  const undo: (() => unknown)[] = [];
  let folder: string;
  let stack: Stack;
  let providerId: string;
  let jobs = 0;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-green-'));
    stack = await Stack.start({ folder, tenantClock });
    providerId = (await stack.addProvider()).id;
  }, 60_000);
  afterAll(async () => {
    await stack.stop();
    for (const step of undo.reverse()) await step();
    await rm(folder, { recursive: true, force: true });
  });

  const addJob = async (...sourcePaths: string[]): Promise<string> => {
    jobs += 1;
    const { repository } = stackNames;
    return (await stack.tenant.domain(jobsDomain).add({ name: `job ${jobs}`, sourcePaths, providerId, repository })).id;
  };
  const makeSource = async (files: number): Promise<string> => {
    const source = await mkdtemp(path.join(folder, 'source-'));
    for (let index = 0; index < files; index += 1) await writeFile(path.join(source, `f${index}`), 'x'.repeat(50_000));
    return source;
  };
  const warningsOf = ({ warnings }: SessionDetail): string[] => warnings.map(({ code }) => code);

  it('has a warning when its source lost most of its files, until the user accepts the smaller amount', async () => {
    const source = await makeSource(10);
    const jobId = await addJob(source);
    expect(await stack.runJob(jobId)).toMatchObject({ state: 'succeeded' });
    for (let index = 1; index < 10; index += 1) await rm(path.join(source, `f${index}`));
    // The second run warns too: a run with a warning is never used for the comparison.
    for (const _time of [1, 2]) {
      const less = await stack.runJob(jobId);
      expect(less).toMatchObject({ state: 'warning' });
      expect(less.warnings).toEqual([
        expect.objectContaining({
          code: 'source.shrunk',
          message: expect.stringMatching(/50\.0 KB, before 500 KB.*--accept-less/) as string,
        }),
      ]);
    }
    const { sessionId } = await stack.tenant.domain(jobsDomain).run({ jobId, isLessAccepted: true });
    expect(await stack.untilEnded(sessionId)).toMatchObject({ state: 'succeeded' });
    expect(await stack.runJob(jobId)).toMatchObject({ state: 'succeeded' });
    const { points } = await stack.tenant.domain(pointsDomain).list({});
    const ofJob = points.filter((point) => point.jobId === jobId);
    expect(ofJob.map(({ isShrunk }) => isShrunk)).toEqual([false, true, true, false, false]);
  }, 60_000);

  it('has a warning when one of several sources is empty', async () => {
    const [large, small] = [await makeSource(10), await makeSource(1)];
    const jobId = await addJob(large, small);
    expect(await stack.runJob(jobId)).toMatchObject({ state: 'succeeded' });
    await rm(path.join(small, 'f0'));
    const less = await stack.runJob(jobId);
    expect(less).toMatchObject({ state: 'warning' });
    expect(less.warnings).toEqual([expect.objectContaining({ code: 'source.shrunk', path: small })]);
    // A run with other sources is not compared with the last good run.
    await stack.tenant.domain(jobsDomain).set({ jobId, sourcePaths: [large] });
    expect(await stack.runJob(jobId)).toMatchObject({ state: 'succeeded' });
  }, 60_000);

  it.runIf(canMount())(
    mountTitle('is not plainly green when the disk of its source is not mounted'),
    async () => {
      const source = await makeSource(0);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', source]);
      undo.push(() => execFileSync('umount', ['-q', source]));
      await mkdir(path.join(source, 'empty'));
      const jobId = await addJob(source);
      expect(await stack.runJob(jobId)).toMatchObject({ state: 'succeeded' });
      execFileSync('umount', [source]);
      undo.pop();
      const unmounted = await stack.runJob(jobId);
      expect(unmounted).toMatchObject({ state: 'warning' });
      expect(unmounted.warnings).toEqual([
        expect.objectContaining({
          code: 'source.shrunk',
          message: expect.stringContaining(`mounted at ${source}`) as string,
        }),
      ]);
    },
    60_000,
  );

  it('reports that the clocks differ, and the newest restore point stays the newest', async () => {
    const source = await makeSource(1);
    const jobId = await addJob(source);
    aheadMs = 365 * 86_400_000;
    try {
      const ahead = await stack.runJob(jobId);
      expect(warningsOf(ahead)).toEqual(['clock.differs']);
      expect(ahead.warnings[0]?.message).toContain('that of the tenant is 365 days ahead of that of the provider');
      expect(stack.tenant.service.health()).toMatchObject({ health: 'degraded' });
      const atProvider = await stack.untilEndedAtProvider(ahead.id);
      expect(atProvider.actions.map(({ text }) => text).join('\n')).toContain('365 days ahead');
    } finally {
      aheadMs = 0;
    }
    const last = await stack.runJob(jobId);
    expect(last).toMatchObject({ state: 'succeeded' });
    expect(stack.tenant.service.health()).toEqual({ health: 'running', reason: null });
    const { points } = await stack.tenant.domain(pointsDomain).list({});
    expect(points.at(-1)).toMatchObject({ id: last.pointId });
    expect((await stack.tenant.domain(jobsDomain).list({})).jobs.find(({ id }) => id === jobId)?.lastRun).toMatchObject(
      {
        sessionId: last.id,
      },
    );
  }, 60_000);

  it("fails at the tenant with a message about the tenant's own disk", async () => {
    const source = await makeSource(1);
    const { pointId } = await stack.runJob(await addJob(source));
    const id = pointId ?? '';
    // A folder has the name of the tree file of this restore point.
    const inTheWay = path.join(folder, 'tenant', 'points', `${id}.tree`);
    await mkdir(inTheWay, { recursive: true });
    const error = await stack.tenant
      .domain(pointsDomain)
      .listFolder({ pointId: id, path: '' })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'storage.io', message: expect.stringContaining(inTheWay) as string });
    expect(String(error)).not.toContain('At the provider');
    const { sessions } = await stack.tenant.domain(sessionsDomain).list({ limit: 1 });
    const atProvider = await stack.untilEndedAtProvider(sessions[0]?.id ?? '');
    expect(atProvider.error?.message).toMatch(/^At the tenant: /);
  }, 60_000);
});
