// Damage on the provider's disk, with real processes: a check or a restore finds it, a new run of the job repairs it although no file has
// changed, and the older restore point is complete again.
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandOutput } from '../../contracts/contract.ts';
import type { Repository } from '../../contracts/models/provider.ts';
import type { SessionDetail } from '../../contracts/models/session.ts';
import { gatewaysDomain } from '../../contracts/rpc/gateways.ts';
import { repositoriesDomain } from '../../contracts/rpc/repositories.ts';
import { tenantsDomain } from '../../contracts/rpc/tenants.ts';
import { formatOutcome } from '../../cli/session-report.ts';
import { formatVerification } from '../../cli/verification-report.ts';
import { differencesBetween } from '../../testing/repository/repository-fixture.ts';
import { Stack } from '../../testing/site/stack.ts';

describe('damaged blocks at the provider', () => {
  let folder: string;
  let source: string;
  let stack: Stack;
  let jobId: string;
  let oldPoint: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-damage-'));
    source = path.join(folder, 'source');
    await mkdir(source);
    await writeFile(path.join(source, 'big.bin'), randomBytes(9 * 1024 * 1024));
    await writeFile(path.join(source, 'notes.txt'), 'notes\n');
    stack = await Stack.start({ folder });
    jobId = await stack.addJob((await stack.addProvider()).id, source);
    const first = await stack.runJob(jobId);
    expect(first.state).toBe('succeeded');
    oldPoint = first.pointId ?? '';
  }, 60_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  const verify = (): Promise<CommandOutput<typeof repositoriesDomain, 'verify'>> =>
    stack.provider.domain(repositoriesDomain).verify({});

  const lastVerification = async (): Promise<Repository['verification']> =>
    (await stack.provider.domain(repositoriesDomain).list({})).repositories[0]?.verification;

  /** The newest pack that contains this part of big.bin, and the position in the pack. */
  async function holderOf(contentOffset: number): Promise<{ file: string; at: number }> {
    const content = (await readFile(path.join(source, 'big.bin'))).subarray(contentOffset, contentOffset + 64);
    for (const entry of await readdir(stack.repositoryFolder, { withFileTypes: true, recursive: true })) {
      if (!entry.name.endsWith('.pack')) continue;
      const file = path.join(entry.parentPath, entry.name);
      const at = (await readFile(file)).indexOf(content);
      if (at !== -1) return { file, at };
    }
    throw new Error('No pack holds it');
  }

  async function flip({ file, at }: { file: string; at: number }): Promise<void> {
    const pack = await readFile(file);
    pack[at] = (pack[at] ?? 0) ^ 1;
    await writeFile(file, pack);
  }

  async function expectOldPointWhole(name: string): Promise<void> {
    const target = path.join(folder, name);
    const restore = await stack.restore(oldPoint, target);
    expect(restore).toMatchObject({ state: 'succeeded', error: null, warnings: [] });
    // The top folder was created for the restore, so it may differ.
    expect((await differencesBetween(source, target)).filter((name) => name !== '')).toEqual([]);
  }

  async function actionsAtProvider({ id }: SessionDetail): Promise<string> {
    return (await stack.untilEndedAtProvider(id)).actions.map(({ level, text }) => `${level}: ${text}`).join('\n');
  }

  it('that verify finds are sent again by the next run, only these, and the old restore point is complete again', async () => {
    expect(await lastVerification()).toBeNull();
    await flip(await holderOf(100));
    await flip(await holderOf(8 * 1024 * 1024));
    const report = await verify();
    expect(report).toMatchObject({ ok: false, damaged: [{ damagedBlocks: 2, lostBlocks: 2, points: [oldPoint] }] });
    expect(formatVerification(report)).toMatch(/2 blocks are lost .*run the job again/s);
    // The result of the check stays visible later.
    expect(await lastVerification()).toMatchObject({ findings: 1 });

    const healing = await stack.runJob(jobId);
    expect(healing).toMatchObject({ state: 'succeeded', progress: { newBlocks: 2 } });
    expect(healing.progress.reusedBlocks).toBeGreaterThan(2);
    expect(await actionsAtProvider(healing)).toContain('info: 2 blocks that were damaged were sent again');
    const after = await verify();
    expect(after).toMatchObject({ ok: true, damaged: [], settled: [{ damagedBlocks: 2, lostBlocks: 0 }] });
    expect(formatVerification(after)).toMatch(/^Intact: .*sent again/s);
    expect(await lastVerification()).toMatchObject({ findings: 0 });
    await expectOldPointWhole('after-flip');
    const last = await stack.runJob(jobId);
    expect(last.progress.newBlocks).toBe(0);
    // No file was read, and the summary says so.
    expect(last.progress.unchangedFiles).toBeGreaterThan(0);
    expect(last.progress.unchangedFiles).toBe(last.progress.processedFiles);
    expect(formatOutcome(last)).toContain(`${last.progress.unchangedFiles} file`);
  }, 60_000);

  it('that a restore finds are reported on both sides and sent again', async () => {
    await flip(await holderOf(4 * 1024 * 1024));
    const restore = await stack.restore(oldPoint, path.join(folder, 'broken'));
    expect(restore).toMatchObject({ state: 'failed', error: { code: 'restore.mismatch' } });
    // The restore ended right after its first data; still both sides show that its streams were open.
    for (const { steps } of [restore, await stack.untilEndedAtProvider(restore.id)]) {
      expect(steps.filter(({ outcome }) => outcome !== 'done')).toEqual([]);
      expect(steps.map(({ step }) => step)).toContain('streams-open');
    }
    expect(restore.error?.hint).toContain('run the job again');
    expect(await actionsAtProvider(restore)).toMatch(
      /warning: 1 block could not be read from packs\/.*Run the job again/,
    );
    const healing = await stack.runJob(jobId);
    expect(healing).toMatchObject({ state: 'succeeded', progress: { newBlocks: 1 } });
    await expectOldPointWhole('after-restore');
    expect((await verify()).ok).toBe(true);
  }, 60_000);

  it.each(['cut', 'missing'] as const)(
    'in a pack that is %s are sent again, and are kept after a restart of the provider',
    async (kind) => {
      const { file } = await holderOf(2 * 1024 * 1024);
      if (kind === 'cut') await truncate(file, 2000);
      else await rename(file, path.join(folder, 'aside'));
      const before = await stack.provider.domain(tenantsDomain).list({});
      const usedBefore = before.tenants[0]?.quotas[0]?.usedBytes ?? 0;
      const report = await verify();
      expect(report.ok).toBe(false);
      const [damage] = report.damaged;
      expect(damage?.lostBlocks).toBeGreaterThan(0);
      expect(damage?.points).toContain(oldPoint);
      const { tenants } = await stack.provider.domain(tenantsDomain).list({});
      expect(tenants[0]?.quotas[0]?.usedBytes).toBeLessThan(usedBefore);
      await stack.restartProvider();
      await stack.provider.events.waitFor(gatewaysDomain, 'changed', ({ state }) => state === 'connected');
      const healing = await stack.runJob(jobId);
      expect(healing).toMatchObject({ error: null, state: 'succeeded', progress: { newBlocks: damage?.lostBlocks } });
      expect((await verify()).ok).toBe(true);
      await expectOldPointWhole(`after-${kind}`);
    },
    60_000,
  );
});
