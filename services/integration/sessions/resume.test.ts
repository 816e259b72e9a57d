// Interruptions: cut connections, killed movers, restarted services, a gateway that stops. Also failures after which a session cannot
// continue.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { jobsDomain } from '../../contracts/rpc/jobs.ts';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import { compareTrees } from '../../demo/tree-comparison.ts';
import {
  expectGrownFigures,
  expectWhole,
  fileBytes,
  moverPids,
  startProxiedSite,
  strikeAfter,
  type ProxiedSite,
} from '../../testing/site/proxied-site.ts';
import type { StackOptions } from '../../testing/site/stack.ts';
import type { TamperingProxy } from '../../testing/hostile/tampering-proxy.ts';

const undo: (() => Promise<unknown>)[] = [];
const startSite = (options: Partial<StackOptions> = {}): Promise<ProxiedSite> => startProxiedSite(undo, options);

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
}, 30_000);

/** Cuts the first data connection that has carried this many bytes. */
function cutAfter(proxy: TamperingProxy, bytes: number): void {
  let isDone = false;
  proxy.interfere = ({ kind, direction, offset }) => {
    if (isDone || kind !== 'data' || direction !== 'to-gateway' || offset < bytes) return undefined;
    isDone = true;
    return 'cut';
  };
}

describe('an interrupted session', () => {
  it('continues after a cut connection, with a new key exchange, and sends no durable block again', async () => {
    const site = await startSite();
    cutAfter(site.proxy, 4 * 1024 * 1024);
    const session = await site.stack.runJob(site.jobId);
    expect(session).toMatchObject({ error: null, state: 'succeeded', attempt: 2 });
    const atProvider = await site.stack.untilEndedAtProvider(session.id);
    expect(atProvider).toMatchObject({ state: 'succeeded', attempt: 2 });
    // Each attempt has new keys, the same on both sides.
    expect(atProvider.keys).toEqual(session.keys);
    const identifiers = session.keys.flatMap(({ keyA, keyB }) => [keyA, keyB]);
    expect(new Set(identifiers).size).toBe(4);
    const states = site.stack.tenant.events
      .of(sessionsDomain, 'changed')
      .filter(({ id }) => id === session.id)
      .map(({ state }) => state);
    expect(states).toContain('waiting-to-resume');
    expect((await site.stack.tenant.domain(pointsDomain).list({})).points).toHaveLength(1);
    await expectWhole(site, session.pointId);
  }, 60_000);

  it('does not count an attempt that never reached the provider, so both sides show the same number', async () => {
    const site = await startSite();
    let isCut = false;
    let refused = 0;
    site.proxy.interfere = ({ kind, direction, offset }) => {
      if (!isCut && kind === 'data' && direction === 'to-gateway' && offset > 4 * 1024 * 1024) {
        isCut = true;
        return 'cut';
      }
      // The cut also breaks the control connection, and the next two tries fail.
      if (isCut && kind === 'control' && refused < 3) {
        refused += 1;
        return 'cut';
      }
      return undefined;
    };
    const session = await site.stack.runJob(site.jobId);
    expect(refused).toBe(3);
    expect(session).toMatchObject({ error: null, state: 'succeeded', attempt: 2 });
    const atProvider = await site.stack.untilEndedAtProvider(session.id);
    expect(atProvider.keys).toEqual(session.keys);
    const stepsOf = ({ steps }: typeof session, attempt: number): string[] =>
      steps.filter((step) => step.attempt === attempt && step.outcome === 'done').map(({ step }) => step);
    expect(new Set(session.steps.map(({ attempt }) => attempt))).toEqual(new Set([1, 2]));
    expect(stepsOf(session, 2).sort()).toEqual(stepsOf(session, 1).sort());
  }, 60_000);

  it('keeps the steps of an attempt together when the answer to the attempt before was lost', async () => {
    const site = await startSite();
    const { events } = site.stack.provider;
    let isCut = false;
    let lostGrants = 0;
    site.proxy.interfere = ({ kind, direction, offset }) => {
      if (!isCut && kind === 'data' && direction === 'to-gateway' && offset > 4 * 1024 * 1024) {
        isCut = true;
        return 'cut';
      }
      const isGranted = events
        .of(sessionsDomain, 'stepped')
        .some(({ step: { step, attempt } }) => attempt === 2 && step === 'key-a-to-tenant');
      if (lostGrants > 0 || kind !== 'control' || direction !== 'to-tenant' || !isGranted) return undefined;
      lostGrants += 1;
      return 'cut';
    };
    const session = await site.stack.runJob(site.jobId);
    expect(lostGrants).toBe(1);
    expect(session).toMatchObject({ error: null, state: 'succeeded', attempt: 3 });
    const atProvider = await site.stack.untilEndedAtProvider(session.id);
    const stepsOf = ({ steps }: typeof session, attempt: number): string[] =>
      steps.filter((step) => step.attempt === attempt && step.outcome === 'done').map(({ step }) => step);
    expect(new Set(session.steps.map(({ attempt }) => attempt))).toEqual(new Set([1, 3]));
    expect(stepsOf(session, 3).sort()).toEqual(stepsOf(session, 1).sort());
    expect(stepsOf(atProvider, 3).sort()).toEqual(stepsOf(session, 3).sort());
    expect(session.keys).toEqual(atProvider.keys.filter(({ attempt }) => attempt !== 2));
    await expectWhole(site, session.pointId);
  }, 60_000);

  it.each([
    ['before it arrived', 1],
    ['while the provider was starting', 2],
    ['after the provider had granted it', 2],
  ] as const)(
    'continues when the connection was cut during its first request: %s',
    async (when, attempt) => {
      const site = await startSite();
      const { provider, tenant } = site.stack;
      const has = ({ events }: typeof tenant, wanted: string): boolean =>
        events
          .of(sessionsDomain, 'stepped')
          .some(({ step: { step, outcome } }) => step === wanted && outcome === 'done');
      let cuts = 0;
      let hasOffers = false;
      site.proxy.interfere = ({ kind, direction }) => {
        if (cuts > 0 || kind !== 'control') return undefined;
        // After the login the tenant asks for the list of offers, then makes its request.
        hasOffers ||= direction === 'to-tenant' && has(tenant, 'login');
        const isDue =
          when === 'before it arrived'
            ? direction === 'to-gateway' && hasOffers
            : direction === 'to-tenant' && has(provider, 'key-a-to-tenant');
        if (!isDue) return undefined;
        cuts += 1;
        return 'cut';
      };
      if (when === 'while the provider was starting') {
        void provider.events
          .waitFor(sessionsDomain, 'stepped', ({ step: { step } }) => step === 'key-a-created')
          .then(() => {
            cuts += 1;
            site.proxy.cutAll();
          });
      }
      const session = await site.stack.runJob(site.jobId);
      expect(cuts).toBe(1);
      expect(session).toMatchObject({ error: null, state: 'succeeded', attempt });
      expect(new Set(session.steps.map((step) => step.attempt))).toEqual(new Set([attempt]));
      const atProvider = await site.stack.untilEndedAtProvider(session.id);
      expect(atProvider).toMatchObject({ error: null, state: 'succeeded', attempt });
      // No session is left that would count against the tenant's limit.
      const { sessions } = await provider.domain(sessionsDomain).list({});
      expect(sessions.map(({ id, state }) => [id, state])).toEqual([[session.id, 'succeeded']]);
      await expectWhole(site, session.pointId);
    },
    60_000,
  );

  it('is canceled at the provider too while the answer to its first request is lost', async () => {
    const site = await startSite({ tenant: { retryIntervalMs: 60_000, retryWindowMs: 120_000 } });
    const { provider, tenant } = site.stack;
    const granted = provider.events.waitFor(
      sessionsDomain,
      'stepped',
      ({ step: { step } }) => step === 'key-a-to-tenant',
    );
    let isCut = false;
    site.proxy.interfere = ({ kind, direction }) => {
      const isGranted = provider.events
        .of(sessionsDomain, 'stepped')
        .some(({ step: { step } }) => step === 'key-a-to-tenant');
      if (isCut || kind !== 'control' || direction !== 'to-tenant' || !isGranted) return undefined;
      isCut = true;
      return 'cut';
    };
    const { sessionId } = await tenant.domain(jobsDomain).run({ jobId: site.jobId });
    await granted;
    await tenant.events.waitFor(sessionsDomain, 'changed', ({ state }) => state === 'waiting-to-resume');
    await tenant.domain(sessionsDomain).cancel({ sessionId });
    expect(await site.stack.untilEnded(sessionId)).toMatchObject({ state: 'canceled' });
    expect(await site.stack.untilEndedAtProvider(sessionId)).toMatchObject({ state: 'canceled' });
  }, 60_000);

  it('continues after the target data mover was killed', async () => {
    const site = await startSite({ hasMoverProcesses: true });
    const killed = Promise.withResolvers<number[]>();
    strikeAfter(site.proxy, 2 * 1024 * 1024, () => {
      const pids = moverPids('target');
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      killed.resolve(pids);
    });
    const session = await site.stack.runJob(site.jobId);
    expect(await killed.promise).toHaveLength(1);
    expect(session).toMatchObject({ error: null, state: 'succeeded', attempt: 2, hasSecurityWarning: false });
    await site.stack.untilEndedAtProvider(session.id);
    expectGrownFigures(site, session.id);
    await expectWhole(site, session.pointId);
  }, 60_000);

  it('continues after the source data mover was killed', async () => {
    const site = await startSite({ hasMoverProcesses: true });
    const killed = Promise.withResolvers<number[]>();
    strikeAfter(site.proxy, 2 * 1024 * 1024, () => {
      const pids = moverPids('source');
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      killed.resolve(pids);
    });
    const session = await site.stack.runJob(site.jobId);
    expect(await killed.promise).toHaveLength(1);
    expect(session).toMatchObject({ error: null, state: 'succeeded', attempt: 2, hasSecurityWarning: false });
    await site.stack.untilEndedAtProvider(session.id);
    expectGrownFigures(site, session.id);
    await expectWhole(site, session.pointId);
  }, 60_000);

  it('continues through another gateway when its gateway cannot be reached', async () => {
    const site = await startSite({ gateways: 2 });
    // The provider counts this connection as load of its gateway, so it lists the other gateway first from now on.
    const [provider] = (await site.stack.tenant.domain(serviceProvidersDomain).list({})).providers;
    await site.stack.tenant.domain(serviceProvidersDomain).rescan({ providerId: provider?.id ?? '' });
    strikeAfter(site.proxy, 2 * 1024 * 1024, () => void site.proxy.close());
    const session = await site.stack.runJob(site.jobId);
    expect(session).toMatchObject({ error: null, state: 'succeeded', attempt: 2, gateway: 'gw1' });
    await expectWhole(site, session.pointId);
  }, 60_000);

  it('continues after the provider service was restarted', async () => {
    const site = await startSite({ tenant: { retryIntervalMs: 500 } });
    const restarted = Promise.withResolvers<void>();
    strikeAfter(site.proxy, 2 * 1024 * 1024, () => {
      site.stack.restartProvider().then(restarted.resolve, restarted.reject);
    });
    const { sessionId } = await site.stack.tenant.domain(jobsDomain).run({ jobId: site.jobId });
    await restarted.promise;
    const session = await site.stack.untilEnded(sessionId);
    expect(session).toMatchObject({ error: null, state: 'succeeded' });
    expect(session.attempt).toBeGreaterThan(1);
    expect(await site.stack.provider.domain(sessionsDomain).show({ sessionId })).toMatchObject({ state: 'succeeded' });
    await expectWhole(site, session.pointId);
  }, 60_000);

  it('continues after the tenant service was restarted', async () => {
    const site = await startSite();
    const restarted = Promise.withResolvers<void>();
    strikeAfter(site.proxy, 2 * 1024 * 1024, () => {
      site.stack.restartTenant().then(restarted.resolve, restarted.reject);
    });
    const { sessionId } = await site.stack.tenant.domain(jobsDomain).run({ jobId: site.jobId });
    await restarted.promise;
    const session = await site.stack.untilEnded(sessionId);
    expect(session).toMatchObject({ error: null, state: 'succeeded', attempt: 2 });
    await expectWhole(site, session.pointId);
  }, 60_000);

  it('ends when the connection does not return in time', async () => {
    const site = await startSite({
      tenant: { retryIntervalMs: 100, retryWindowMs: 500 },
      provider: { resumeWindowMs: 500 },
    });
    strikeAfter(site.proxy, 2 * 1024 * 1024, () => void site.proxy.close());
    const session = await site.stack.runJob(site.jobId);
    expect(session.state).toBe('failed');
    expect(session.error?.code).toBe('session.resume-expired');
    const atProvider = await site.stack.untilEndedAtProvider(session.id);
    expect(atProvider).toMatchObject({ state: 'failed', pointId: null });
    expect(atProvider.error?.code).toBe('session.resume-expired');
  }, 60_000);

  it('can be canceled twice, from either side', async () => {
    const site = await startSite();
    const begun = Promise.withResolvers<void>();
    strikeAfter(site.proxy, 1024 * 1024, begun.resolve);
    const first = await site.stack.tenant.domain(jobsDomain).run({ jobId: site.jobId });
    await begun.promise;
    await site.stack.tenant.domain(sessionsDomain).cancel(first);
    await site.stack.tenant.domain(sessionsDomain).cancel(first);
    expect(await site.stack.untilEnded(first.sessionId)).toMatchObject({ state: 'canceled', pointId: null });
    expect(await site.stack.untilEndedAtProvider(first.sessionId)).toMatchObject({ state: 'canceled' });

    const begunAgain = Promise.withResolvers<void>();
    // The second run does not send the durable blocks of the first again, so fewer bytes pass.
    strikeAfter(site.proxy, 1024, begunAgain.resolve);
    await writeFile(path.join(site.source, 'more.bin'), randomBytes(fileBytes));
    const second = await site.stack.tenant.domain(jobsDomain).run({ jobId: site.jobId });
    await begunAgain.promise;
    await site.stack.provider.domain(sessionsDomain).cancel(second);
    await site.stack.provider.domain(sessionsDomain).cancel(second);
    expect(await site.stack.untilEnded(second.sessionId)).toMatchObject({ state: 'canceled', pointId: null });
    expect((await site.stack.tenant.domain(pointsDomain).list({})).points).toEqual([]);
  }, 60_000);
});

describe('a session that cannot continue', () => {
  it('stops at the quota and commits nothing', async () => {
    const site = await startSite({ quotaBytes: 8 * 1024 * 1024 });
    const session = await site.stack.runJob(site.jobId);
    expect(session).toMatchObject({ state: 'failed', attempt: 1, pointId: null });
    expect(session.error?.code).toBe('quota.exceeded');
    const { tenants } = await site.stack.provider.domain(tenantsDomain).list({});
    expect(tenants[0]?.quotas[0]?.usedBytes ?? Infinity).toBeLessThanOrEqual(8 * 1024 * 1024);
  }, 60_000);

  it.runIf(canMount())(
    canMount()
      ? 'says that the disk is full, and comes through once there is room'
      : 'NOT TRIED, this account may not mount a small disk',
    async () => {
      const folder = await mkdtemp(path.join(tmpdir(), 'farkeep-disk-'));
      undo.push(() => rm(folder, { recursive: true, force: true }));
      const disk = path.join(folder, 'repository');
      await mkdir(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'none', disk]);
      undo.push(() => Promise.resolve(execFileSync('umount', ['-l', disk])));
      const site = await startSite({ repositoryFolder: disk });
      const session = await site.stack.runJob(site.jobId);
      expect(session).toMatchObject({ state: 'failed', attempt: 1, pointId: null });
      expect(session.error?.code).toBe('storage.disk-full');
      // The tenant must not see the provider's folder.
      expect(JSON.stringify(session)).not.toContain(disk);
      const atProvider = await site.stack.untilEndedAtProvider(session.id);
      expect(atProvider.error?.code).toBe('storage.disk-full');
      // Either side may be the first to report the error.
      expect(atProvider.error?.message).toContain(disk);
      expect(atProvider.error?.message).not.toContain('At the provider');
      expect(atProvider.actions.filter(({ level }) => level === 'error').map(({ text }) => text)).toEqual([
        atProvider.error?.message,
      ]);
      expect((await site.stack.tenant.domain(pointsDomain).list({})).points).toEqual([]);
      execFileSync('mount', ['-o', 'remount,size=64m', disk]);
      const again = await site.stack.runJob(site.jobId);
      expect(again).toMatchObject({ error: null, state: 'succeeded' });
      await expectWhole(site, again.pointId);
    },
    60_000,
  );

  it.runIf(canMount())(
    canMount()
      ? 'says that the disk of the destination is full, sends no more, and comes through once there is room'
      : 'NOT TRIED, this account may not mount a small disk for a restore',
    async () => {
      const disk = await mkdtemp(path.join(tmpdir(), 'farkeep-disk-'));
      undo.push(() => rm(disk, { recursive: true, force: true }));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', disk]);
      undo.push(() => Promise.resolve(execFileSync('umount', ['-l', disk])));
      const site = await startSite();
      const { pointId } = await site.stack.runJob(site.jobId);
      const session = await site.stack.restore(pointId ?? '', disk);
      expect(session).toMatchObject({ state: 'failed', attempt: 1 });
      expect(session.error).toMatchObject({ code: 'restore.target', retryable: false });
      expect(session.error?.message).toMatch(
        /^The disk of the destination is full: .* could not be written, and nothing after it$/,
      );
      const left = await readdir(disk, { recursive: true });
      expect(left.filter((name) => name.endsWith('.part'))).toEqual([]);
      execFileSync('mount', ['-o', 'remount,size=128m', disk]);
      const again = await site.stack.restore(pointId ?? '', disk);
      expect(again).toMatchObject({ error: null, state: 'succeeded' });
      const { differences } = await compareTrees(site.source, disk, new AbortController().signal);
      expect(differences.filter(({ path: name }) => name !== '.')).toEqual([]);
    },
    60_000,
  );

  it('saves the other files when a file cannot be read, and names this file', async () => {
    const site = await startSite();
    const secret = path.join(site.source, 'private.txt');
    await writeFile(secret, 'nobody may read this');
    await chmod(secret, 0o000);
    const unprivileged = await becomeUnprivileged(site);
    let session;
    try {
      session = await site.stack.runJob(site.jobId);
    } finally {
      unprivileged.end();
    }
    expect(session).toMatchObject({ error: null, state: 'warning' });
    expect(session.warnings.map(({ code, path: name }) => [code, path.basename(name ?? '')])).toEqual([
      ['source.unreadable', 'private.txt'],
    ]);
    // The restore reports again what is missing in the restore point.
    await expectWhole(site, session.pointId, 'warning');
  }, 60_000);
});

function canMount(): boolean {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return false;
  const probe = mkdtempSync(path.join(tmpdir(), 'farkeep-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', probe], { stdio: 'ignore' });
    execFileSync('umount', [probe], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(probe);
  }
}

/** Root may read every file, so movers that are forked meanwhile run as another account. Other accounts need no change. */
async function becomeUnprivileged({ folder }: ProxiedSite): Promise<{ end(): void }> {
  if (process.geteuid?.() !== 0 || process.seteuid === undefined) return { end: () => undefined };
  const nobody = 65_534;
  await chmod(folder, 0o755);
  await chmod(path.join(folder, 'tenant'), 0o755);
  for (const name of ['tenant/jobs', 'repository', 'provider']) await chownTree(path.join(folder, name), nobody);
  for (const name of ['tenant']) await chown(path.join(folder, name), nobody, nobody);
  process.seteuid(nobody);
  return { end: () => process.seteuid?.(0) };
}

async function chownTree(root: string, owner: number): Promise<void> {
  await chown(root, owner, owner);
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    await chown(path.join(entry.parentPath, entry.name), owner, owner);
  }
}
