// What a tenant enters after a change at the provider: a new password, a new invitation, another certificate, another destination of a job.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorInfo } from '../../contracts/errors.ts';
import { certificateDomain } from '../../contracts/rpc/certificate.ts';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import { repositoriesDomain } from '../../contracts/rpc/repositories.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import { trustDomain } from '../../contracts/rpc/trust.ts';
import { toFarkeepError } from '../../kernel/farkeep-error.ts';
import { Stack, stackNames } from '../../testing/site/stack.ts';

async function refusalOf(work: Promise<unknown>): Promise<ErrorInfo | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return toFarkeepError(error).toInfo();
  }
}

const text = 'text that was backed up '.repeat(10_000);

describe('a tenant whose provider has changed something', () => {
  let folder: string;
  let source: string;
  let stack: Stack;
  let providerId: string;
  let tenantId: string;
  let jobId: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-changed-account-'));
    source = path.join(folder, 'source');
    await mkdir(source);
    await writeFile(path.join(source, 'a.txt'), text);
    stack = await Stack.start({ folder, tenant: { checkInIntervalMs: 0 } });
    ({ id: providerId } = await stack.addProvider());
    jobId = await stack.addJob(providerId, source);
    const { tenants } = await stack.provider.domain(tenantsDomain).list({});
    tenantId = tenants[0]?.id ?? '';
    expect(await stack.runJob(jobId)).toMatchObject({ state: 'succeeded' });
  }, 60_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  it('enters a new password: a wrong one changes nothing, with the right one the next backup works', async () => {
    const { set, list } = stack.tenant.domain(serviceProvidersDomain);
    await stack.provider.domain(tenantsDomain).set({ tenantId, password: 'another password' });
    const failed = await stack.runJob(jobId);
    expect(failed.error?.code).toBe('login.refused');
    expect((await list({})).providers).toMatchObject([{ problemCode: 'login.refused' }]);

    expect(await refusalOf(set({ providerId, password: 'not this one' }))).toMatchObject({ code: 'login.refused' });
    expect((await stack.runJob(jobId)).error?.code).toBe('login.refused');

    expect(await set({ providerId, password: 'another password' })).toMatchObject({ problem: null, problemCode: null });
    // A list asks at once: the refusal of the old password is forgotten.
    expect(await stack.tenant.domain(pointsDomain).list({})).toMatchObject({ unreachable: [], points: [{ jobId }] });
    expect(await stack.runJob(jobId)).toMatchObject({ state: 'succeeded' });

    await stack.restartTenant();
    expect(await stack.runJob(jobId)).toMatchObject({ state: 'succeeded' });
  });

  it('keeps the problem of a refused login after a restart', async () => {
    await stack.provider.domain(tenantsDomain).set({ tenantId, password: 'yet another password' });
    await stack.runJob(jobId);
    await stack.restartTenant();
    const { set, list } = stack.tenant.domain(serviceProvidersDomain);
    expect((await list({})).providers).toMatchObject([{ problemCode: 'login.refused' }]);
    await set({ providerId, password: 'yet another password' });
  });

  it('accepts a new invitation for the provider that it has, and gives it another name', async () => {
    const { accept, set } = stack.tenant.domain(serviceProvidersDomain);
    const { invitation } = await stack.provider.domain(tenantsDomain).invite({ tenantId, validMs: 3_600_000 });
    expect(await accept({ invitation, providerId })).toMatchObject({ id: providerId, name: stackNames.provider });
    expect(await stack.runJob(jobId)).toMatchObject({ state: 'succeeded' });

    expect(await set({ providerId, name: 'fabrikam' })).toMatchObject({ id: providerId, name: 'fabrikam' });
    expect((await stack.tenant.domain(jobsDomain).list({})).jobs).toMatchObject([{ providerName: 'fabrikam' }]);
    expect(await stack.runJob(jobId)).toMatchObject({ state: 'succeeded', otherSide: 'fabrikam' });
    const { pins } = await stack.tenant.domain(trustDomain).listPins({});
    expect(pins.map(({ identity }) => identity)).toEqual(['fabrikam']);
    expect(await stack.tenant.domain(trustDomain).journal({})).toMatchObject({ isIntact: true });
  });

  it('is asked about a changed certificate before the new password is used', async () => {
    const { set, probe } = stack.tenant.domain(serviceProvidersDomain);
    const certificates = stack.provider.domain(certificateDomain);
    const { candidateId } = await certificates.generate({ slot: 'provider', friendlyName: 'next', keyBits: 2048 });
    await certificates.install({ slot: 'provider', candidateId });
    await stack.provider.domain(tenantsDomain).set({ tenantId, password: 'a third password' });
    const { lastLoginAt } = (await stack.provider.domain(tenantsDomain).list({})).tenants[0] ?? {};

    const change = { providerId, password: 'a third password' };
    expect(await refusalOf(set(change))).toMatchObject({ code: 'trust.changed' });
    expect((await stack.provider.domain(tenantsDomain).list({})).tenants[0]).toMatchObject({ lastLoginAt });
    const { prompt } = await probe({ ...stack.addressOf(0), providerId });
    expect(prompt).toMatchObject({ kind: 'changed', identity: 'fabrikam', waitingJob: null });
    const answer = { promptId: prompt?.id ?? '', answer: 'accept', isCompared: true } as const;
    await stack.tenant.domain(trustDomain).answerPrompt(answer);
    expect(await set(change)).toMatchObject({ problem: null });
    expect(await stack.runJob(jobId)).toMatchObject({ state: 'succeeded' });
  });

  it('moves a job to another repository: the next run stores everything there, and both points can be restored', async () => {
    const jobs = stack.tenant.domain(jobsDomain);
    await stack.provider.domain(repositoriesDomain).add({ name: 'second', folder: path.join(folder, 'second') });
    const quotas = [stackNames.repository, 'second'].map((repository) => ({ repository, limitBytes: 1e9 }));
    await stack.provider.domain(tenantsDomain).set({ tenantId, quotas });
    expect(await refusalOf(jobs.set({ jobId, repository: 'second' }))).toMatchObject({ code: 'call.not-found' });
    await stack.tenant.domain(serviceProvidersDomain).rescan({ providerId });
    const before = await stack.runJob(jobId);
    expect(before.progress.transferredBytes).toBeLessThan(text.length / 100);

    expect(await jobs.set({ jobId, repository: 'second' })).toMatchObject({ repository: 'second' });
    const moved = await stack.runJob(jobId);
    expect(moved).toMatchObject({ state: 'succeeded', repository: 'second', warningCount: 0 });
    const { points } = await stack.tenant.domain(pointsDomain).list({});
    expect(points.slice(-2)).toMatchObject([
      { id: before.pointId, repository: stackNames.repository },
      { id: moved.pointId, repository: 'second' },
    ]);
    for (const { pointId } of [before, moved]) {
      const to = path.join(folder, `restored-${pointId ?? ''}`);
      expect(await stack.restore(pointId ?? '', to)).toMatchObject({ state: 'succeeded' });
      expect(await readFile(path.join(to, 'a.txt'), 'utf8')).toBe(text);
    }
  });
});
