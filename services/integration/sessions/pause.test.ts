// A session is paused in order on either side. The pause outlasts restarts, until the session is resumed, is canceled, or the time is over.
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { SessionDetail, SessionSide } from '../../contracts/models/session.ts';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import {
  expectGrownFigures,
  expectWhole,
  moverPids,
  startProxiedSite,
  strikeAfter,
  type ProxiedSite,
} from '../../testing/site/proxied-site.ts';
import type { StackOptions } from '../../testing/site/stack.ts';

const undo: (() => Promise<unknown>)[] = [];
/** More than a source reads ahead, so that a pause always leaves something to read. */
const sizeBytes = 48 * 1024 * 1024;
/** At this speed the transfer takes three seconds, which is enough time to pause. */
const slowBytesPerSecond = 16 * 1024 * 1024;
const startSite = (options: Partial<StackOptions> = {}): Promise<ProxiedSite> =>
  startProxiedSite(undo, { ...options, sizeBytes });

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
}, 30_000);

/** Starts the job; resolves during its transfer. */
async function startTransfer(site: ProxiedSite): Promise<string> {
  const begun = Promise.withResolvers<void>();
  site.proxy.dataBytesPerSecond = slowBytesPerSecond;
  strikeAfter(site.proxy, 2 * 1024 * 1024, begun.resolve);
  const { sessionId } = await site.stack.tenant.domain(jobsDomain).run({ jobId: site.jobId });
  await begun.promise;
  await inState(site, sessionId, 'transferring');
  // The counts arrive after the bytes, on a busy machine much later.
  await site.stack.tenant.events.waitFor(
    sessionsDomain,
    'progressed',
    (told) => told.sessionId === sessionId && told.progress.processedBytes > 0,
  );
  return sessionId;
}

/** Resumes at full speed. */
async function resume({ stack, proxy }: ProxiedSite, sessionId: string): Promise<void> {
  proxy.dataBytesPerSecond = Infinity;
  await stack.tenant.domain(sessionsDomain).resume({ sessionId });
}

async function inState({ stack }: ProxiedSite, sessionId: string, state: SessionDetail['state']): Promise<void> {
  for (const side of [stack.tenant, stack.provider]) {
    await side.events.waitFor(sessionsDomain, 'changed', (row) => row.id === sessionId && row.state === state);
  }
}

async function bothSides({ stack }: ProxiedSite, sessionId: string): Promise<Record<SessionSide, SessionDetail>> {
  return {
    tenant: await stack.tenant.domain(sessionsDomain).show({ sessionId }),
    provider: await stack.provider.domain(sessionsDomain).show({ sessionId }),
  };
}

describe('a pause', () => {
  it('ends the attempt in order; resuming makes new keys and continues at the same place', async () => {
    const site = await startSite({ hasMoverProcesses: true });
    const { stack } = site;
    const sessionId = await startTransfer(site);
    await stack.tenant.domain(sessionsDomain).pause({ sessionId });
    await stack.tenant.domain(sessionsDomain).pause({ sessionId });
    const paused = await bothSides(site, sessionId);
    for (const detail of [paused.tenant, paused.provider]) {
      expect(detail).toMatchObject({
        state: 'paused',
        pausedBy: 'tenant',
        attempt: 1,
        error: null,
        nextAttemptAt: null,
      });
      expect(Date.parse(detail.resumeUntil ?? '')).toBeGreaterThan(Date.now() + 60_000);
      expect(detail.progress.readBytesPerSecond).toBe(0);
      expect(detail.objects.map(({ state }) => state)).toEqual(['paused']);
      expect(detail.actions.map(({ text }) => text)).toContain('Paused by the tenant');
      expect(detail.actions.filter(({ level }) => level !== 'info')).toEqual([]);
    }
    expect([...moverPids('source'), ...moverPids('target')]).toEqual([]);
    const { processedBytes } = paused.tenant.progress;
    expect(processedBytes).toBeGreaterThan(0);
    expect(processedBytes).toBeLessThan(sizeBytes);
    expect(stack.tenant.service.activeSessions()).toBe(0);
    await expect(stack.tenant.domain(jobsDomain).run({ jobId: site.jobId })).rejects.toMatchObject({
      code: 'session.busy',
      message: 'The job "documents" is paused',
    });

    await resume(site, sessionId);
    const session = await stack.untilEnded(sessionId);
    expect(session).toMatchObject({ error: null, state: 'succeeded', attempt: 2, pausedBy: null, resumeUntil: null });
    const atProvider = await stack.untilEndedAtProvider(sessionId);
    expect(atProvider).toMatchObject({ state: 'succeeded', attempt: 2, pausedBy: null });
    expect(atProvider.keys).toEqual(session.keys);
    expect(new Set(session.keys.flatMap(({ keyA, keyB }) => [keyA, keyB])).size).toBe(4);
    // Blocks that were durable before the pause were offered again but not sent again.
    expect(session.progress.reusedBlocks).toBeGreaterThan(0);
    expect((await stack.tenant.domain(pointsDomain).list({})).points).toHaveLength(1);
    expect(session.progress.readBytes).toBeGreaterThan(sizeBytes);
    expectGrownFigures(site, sessionId);
    await expectWhole(site, session.pointId);
  }, 90_000);

  it('by the provider is carried out by the tenant, which shows who paused; the provider can resume only its own pause', async () => {
    const site = await startSite();
    const { stack } = site;
    const provider = stack.provider.domain(sessionsDomain);
    const sessionId = await startTransfer(site);
    await provider.pause({ sessionId });
    await inState(site, sessionId, 'paused');
    const paused = await bothSides(site, sessionId);
    expect(paused.tenant).toMatchObject({ state: 'paused', pausedBy: 'provider' });
    expect(paused.provider).toMatchObject({ state: 'paused', pausedBy: 'provider' });
    await provider.resume({ sessionId });
    await stack.provider.events.waitFor(
      sessionsDomain,
      'changed',
      ({ id, state, attempt }) => id === sessionId && state === 'transferring' && attempt === 2,
    );
    await stack.tenant.events.waitFor(
      sessionsDomain,
      'changed',
      ({ id, state, attempt }) => id === sessionId && state === 'transferring' && attempt === 2,
    );

    await stack.tenant.domain(sessionsDomain).pause({ sessionId });
    await expect(provider.resume({ sessionId })).rejects.toMatchObject({ code: 'call.conflict' });
    expect((await bothSides(site, sessionId)).provider.state).toBe('paused');
    await resume(site, sessionId);
    const session = await stack.untilEnded(sessionId);
    expect(session).toMatchObject({ error: null, state: 'succeeded', attempt: 3 });
    await expectWhole(site, session.pointId);
  }, 90_000);

  it('continues after restarts of both services', async () => {
    const site = await startSite();
    const { stack } = site;
    const sessionId = await startTransfer(site);
    await stack.tenant.domain(sessionsDomain).pause({ sessionId });
    const before = await bothSides(site, sessionId);
    await stack.restartTenant();
    await stack.restartProvider();
    const after = await bothSides(site, sessionId);
    for (const side of ['tenant', 'provider'] as const) {
      expect(after[side]).toMatchObject({ state: 'paused', pausedBy: 'tenant', attempt: 1 });
      expect(after[side].resumeUntil).toBe(before[side].resumeUntil);
    }
    await resume(site, sessionId);
    const session = await stack.untilEnded(sessionId);
    expect(session).toMatchObject({ error: null, state: 'succeeded' });
    await stack.untilEndedAtProvider(sessionId);
    expectGrownFigures(site, sessionId);
    await expectWhole(site, session.pointId);
  }, 90_000);

  it('expires, and both sides say so', async () => {
    const site = await startSite({ provider: { resumeWindowMs: 400 } });
    const sessionId = await startTransfer(site);
    await site.stack.tenant.domain(sessionsDomain).pause({ sessionId });
    const session = await site.stack.untilEnded(sessionId);
    const atProvider = await site.stack.untilEndedAtProvider(sessionId);
    for (const detail of [session, atProvider]) {
      expect(detail).toMatchObject({ state: 'failed', pointId: null, pausedBy: null });
      expect(detail.error).toMatchObject({
        code: 'session.resume-expired',
        message: 'The session was paused for longer than the provider keeps it',
      });
    }
    await expect(site.stack.tenant.domain(sessionsDomain).resume({ sessionId })).rejects.toMatchObject({
      code: 'call.conflict',
    });
  }, 60_000);

  it('can be ended from either side', async () => {
    const site = await startSite();
    for (const side of ['tenant', 'provider'] as const) {
      const sessionId = await startTransfer(site);
      await site.stack.tenant.domain(sessionsDomain).pause({ sessionId });
      await site.stack[side].domain(sessionsDomain).cancel({ sessionId });
      expect(await site.stack.untilEnded(sessionId)).toMatchObject({ state: 'canceled', pointId: null });
      expect(await site.stack.untilEndedAtProvider(sessionId)).toMatchObject({ state: 'canceled' });
    }
    expect((await site.stack.tenant.domain(pointsDomain).list({})).points).toEqual([]);
  }, 90_000);

  it('is refused where there is nothing to pause', async () => {
    const site = await startProxiedSite(undo, { sizeBytes: 1024 * 1024 });
    const session = await site.stack.runJob(site.jobId);
    for (const side of [site.stack.tenant, site.stack.provider]) {
      const sessions = side.domain(sessionsDomain);
      for (const call of [sessions.pause, sessions.resume]) {
        await expect(call({ sessionId: session.id })).rejects.toMatchObject({ code: 'call.conflict' });
        await expect(call({ sessionId: 'f'.repeat(32) })).rejects.toMatchObject({ code: 'call.not-found' });
      }
    }
  }, 60_000);

  it('works for a restore: restored files stay, the others follow', async () => {
    const site = await startSite();
    const { stack } = site;
    const { pointId } = await stack.runJob(site.jobId);
    const destination = path.join(site.folder, 'restored');
    await mkdir(destination);
    const begun = Promise.withResolvers<void>();
    let isDone = false;
    site.proxy.dataBytesPerSecond = slowBytesPerSecond;
    site.proxy.interfere = ({ kind, direction, offset }) => {
      if (isDone || kind !== 'data' || direction !== 'to-tenant' || offset < 2 * 1024 * 1024) return undefined;
      isDone = true;
      begun.resolve();
      return undefined;
    };
    const { sessionId } = await stack.tenant
      .domain(pointsDomain)
      .restore({ pointId: pointId ?? '', destination, paths: [] });
    await begun.promise;
    await inState(site, sessionId, 'transferring');
    await stack.tenant.domain(sessionsDomain).pause({ sessionId });
    expect(await bothSides(site, sessionId)).toMatchObject({
      tenant: { state: 'paused' },
      provider: { state: 'paused' },
    });
    await resume(site, sessionId);
    const ended = await stack.untilEnded(sessionId);
    expect(ended.warnings).toEqual([]);
    expect(ended.progress.restored).toEqual({ files: 1, bytes: sizeBytes, skipped: 0, failed: 0 });
    const { progress } = await stack.untilEndedAtProvider(sessionId);
    expect(progress.restored).toEqual(ended.progress.restored);
    expectGrownFigures(site, sessionId);
    expect(ended).toMatchObject({ error: null, state: 'succeeded', attempt: 2 });
    const [restored, original] = await Promise.all([
      readFile(path.join(destination, 'big.bin')),
      readFile(path.join(site.source, 'big.bin')),
    ]);
    expect(restored.equals(original)).toBe(true);
  }, 90_000);
});
