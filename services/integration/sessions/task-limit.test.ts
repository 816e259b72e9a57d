// The number of simultaneous sessions of one tenant, with real sessions that are held during their transfer.
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import { finalSessionStates, type SessionDetail } from '../../contracts/models/session.ts';
import { Stack, stackNames, type StackService } from '../../testing/site/stack.ts';
import { TamperingProxy } from '../../testing/hostile/tampering-proxy.ts';

const jobCount = 5;
const maxTasks = 2;

describe('simultaneous sessions of one tenant', () => {
  let folder: string;
  let proxy: TamperingProxy;
  let stack: Stack;
  let tenantId: string;
  const jobs: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-tasks-'));
    stack = await Stack.start({
      folder,
      addressOf: async (_index, real) => {
        proxy = await TamperingProxy.start(real);
        return { host: '127.0.0.1', port: proxy.port };
      },
    });
    const { id: providerId } = await stack.addProvider();
    for (let index = 0; index < jobCount; index += 1) {
      const source = path.join(folder, `source${index}`);
      await mkdir(source);
      await writeFile(path.join(source, 'data'), randomBytes(300_000));
      jobs.push(await stack.addJob(providerId, source, { name: `job${index}` }));
    }
    tenantId = (await stack.provider.domain(tenantsDomain).list({})).tenants[0]?.id ?? '';
    const { maxTasks: kept } = await stack.provider.domain(tenantsDomain).set({ tenantId, maxTasks });
    expect(kept).toBe(maxTasks);
  }, 60_000);

  afterAll(async () => {
    proxy.release();
    await stack.stop();
    await proxy.close();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const run = async (jobId: string): Promise<string> =>
    (await stack.tenant.domain(jobsDomain).run({ jobId })).sessionId;

  const active = async (): Promise<number> => {
    const { sessions } = await stack.provider.domain(sessionsDomain).list({ limit: 100 });
    return sessions.filter(({ state }) => !finalSessionStates.includes(state)).length;
  };

  /** Resolves when the session runs at the provider, or with the reason why it does not. */
  const settled = async (tenant: StackService, sessionId: string): Promise<SessionDetail> => {
    await tenant.events.waitFor(
      sessionsDomain,
      'changed',
      ({ id, state }) => id === sessionId && (state === 'transferring' || finalSessionStates.includes(state)),
    );
    return tenant.domain(sessionsDomain).show({ sessionId });
  };

  async function addOtherTenant(name: string, userName: string): Promise<{ tenant: StackService; jobId: string }> {
    const tenant = await stack.startAnotherTenant(name);
    const { id: providerId } = await tenant.domain(serviceProvidersDomain).add({
      name: stackNames.provider,
      ...stack.addressOf(0),
      userName,
      password: stackNames.password,
      fingerprint: await stack.fingerprint(),
    });
    const source = path.join(folder, `${name}-source`);
    await mkdir(source);
    await writeFile(path.join(source, 'data'), randomBytes(300_000));
    const { id: jobId } = await tenant.domain(jobsDomain).add({
      name: 'other',
      sourcePaths: [source],
      providerId,
      repository: stackNames.repository,
      streams: 1,
    });
    return { tenant, jobId };
  }

  it('are as many as the provider allows: the next one is refused with the reason, and no modified client gets more', async () => {
    proxy.holdData(20_000);
    const sessionIds = await Promise.all(jobs.map(run));
    const sessions = await Promise.all(sessionIds.map((sessionId) => settled(stack.tenant, sessionId)));
    const refused = sessions.filter(({ state }) => state === 'failed');
    expect(refused).toHaveLength(jobCount - maxTasks);
    for (const { error } of refused) {
      expect(error).toMatchObject({ code: 'session.limit', retryable: true });
      expect(error?.message).toContain(`${maxTasks} sessions of "${stackNames.account}"`);
    }
    expect(await active()).toBe(maxTasks);

    // Another machine of the same tenant is refused too; another tenant is not affected.
    const same = await addOtherTenant('same-account', stackNames.account);
    await stack.provider.domain(tenantsDomain).add({
      name: 'fabrikam',
      password: stackNames.password,
      quotas: [{ repository: stackNames.repository, limitBytes: 2 ** 30 }],
      maxTasks: 1,
    });
    const other = await addOtherTenant('other-account', 'fabrikam');
    try {
      const { sessionId } = await same.tenant.domain(jobsDomain).run({ jobId: same.jobId });
      expect((await settled(same.tenant, sessionId)).error?.code).toBe('session.limit');
      const { sessionId: otherId } = await other.tenant.domain(jobsDomain).run({ jobId: other.jobId });
      expect((await settled(other.tenant, otherId)).state).toBe('transferring');
      expect(await active()).toBe(maxTasks + 1);

      // A higher limit is used for the next start.
      await stack.provider.domain(tenantsDomain).set({ tenantId, maxTasks: maxTasks + 1 });
      const { sessionId: third } = await same.tenant.domain(jobsDomain).run({ jobId: same.jobId });
      expect((await settled(same.tenant, third)).state).toBe('transferring');
      proxy.release();
      for (const [tenant, id] of [
        [same.tenant, third],
        [other.tenant, otherId],
      ] as const) {
        await tenant.events.waitFor(
          sessionsDomain,
          'changed',
          (session) => session.id === id && session.state === 'succeeded',
        );
      }
    } finally {
      proxy.release();
      await same.tenant.service.stop(2000);
      await other.tenant.service.stop(2000);
    }
    const running = sessions.filter(({ state }) => state === 'transferring');
    for (const { id } of running) expect((await stack.untilEnded(id)).state).toBe('succeeded');
    for (const { id } of running) await stack.untilEndedAtProvider(id);
    expect(await active()).toBe(0);
  }, 60_000);

  it('free their place when they have ended, whatever the result', async () => {
    await stack.provider.domain(tenantsDomain).set({ tenantId, maxTasks: 1 });
    for (const jobId of jobs.slice(0, 2)) {
      const session = await stack.runJob(jobId);
      expect(session).toMatchObject({ state: 'succeeded', error: null });
      await stack.untilEndedAtProvider(session.id);
    }
    proxy.holdData(20_000);
    await writeFile(path.join(folder, 'source0', 'data'), randomBytes(300_000));
    const sessionId = await run(jobs[0] ?? '');
    expect((await settled(stack.tenant, sessionId)).state).toBe('transferring');
    // A restore counts as a session too.
    const { points } = await stack.tenant.domain(pointsDomain).list({});
    const restore = await stack.restore(points[0]?.id ?? '', path.join(folder, 'out'));
    expect(restore).toMatchObject({ state: 'failed', error: { code: 'session.limit' } });
    await stack.tenant.domain(sessionsDomain).cancel({ sessionId });
    await stack.untilEndedAtProvider(sessionId);
    proxy.release();
    expect((await stack.runJob(jobs[1] ?? '')).state).toBe('succeeded');
  }, 60_000);
});
