// Tests backup and restore with real processes: certificate, gateway, tunnel, data movers, repository.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handshakeSteps } from '../../contracts/models/handshake.ts';
import { pointsDomain } from '../../contracts/rpc/points.ts';
import { serviceProvidersDomain } from '../../contracts/rpc/service-providers.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { exitCodeOf, formatOutcome } from '../../cli/session-report.ts';
import { isEvidenceGenuine } from '../../testing/site/evidence-check.ts';
import { runCli } from '../../testing/site/run-cli.ts';
import { Stack } from '../../testing/site/stack.ts';

describe('backup and restore through a gateway', () => {
  let folder: string;
  let source: string;
  let stack: Stack;
  let providerId: string;
  let jobId: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-stack-'));
    source = path.join(folder, 'source');
    await mkdir(path.join(source, 'reports'), { recursive: true });
    await writeFile(path.join(source, 'big.bin'), randomBytes(6 * 1024 * 1024));
    await writeFile(path.join(source, 'reports', 'year.txt'), 'quarter\n'.repeat(5000));
    await writeFile(path.join(source, 'empty'), '');
    await symlink('reports/year.txt', path.join(source, 'link'));
    stack = await Stack.start({ folder, hasMoverProcesses: true });
    providerId = (await stack.addProvider()).id;
    jobId = await stack.addJob(providerId, source);
  }, 60_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  it('saves a folder and restores it byte for byte', async () => {
    const session = await stack.runJob(jobId);
    expect(session.error).toBeNull();
    expect(session.state).toBe('succeeded');
    expect(session.progress.safeBytes).toBe(session.progress.processedBytes);

    // The list of service providers shows the current usage without a rescan.
    const used = async (): Promise<number | undefined> => {
      const { providers } = await stack.tenant.domain(serviceProvidersDomain).list({});
      return providers[0]?.repositories[0]?.usedBytes;
    };
    await expect.poll(used).toBeGreaterThan(6 * 1024 * 1024);

    const steps = session.steps.filter((step) => step.outcome === 'done').map((step) => step.step);
    expect([...steps].sort()).toEqual([...handshakeSteps].sort());
    expect(session.tls?.version).toBe('TLSv1.3');
    expect(session.tls?.group).toBe('X25519MLKEM768');
    expect(session.certificateSha256).toBe(await stack.fingerprint());

    const { points } = await stack.tenant.domain(pointsDomain).list({});
    expect(points.map(({ id }) => id)).toEqual([session.pointId]);
    const restored = path.join(folder, 'restored');
    const restore = await stack.restore(session.pointId ?? '', restored);
    expect(restore.error).toBeNull();
    expect(restore.state).toBe('succeeded');
    expect(await digestTree(restored)).toEqual(await digestTree(source));
  }, 60_000);

  it('shows the same session with the same key identifiers on both sides', async () => {
    const session = await stack.runJob(jobId);
    const atProvider = await stack.untilEndedAtProvider(session.id);
    expect(atProvider.state).toBe(session.state);
    expect(atProvider.keys).toEqual(session.keys);
    expect(session.keys).toHaveLength(1);
    expect(session.keys[0]?.keyA).not.toBe(session.keys[0]?.keyB);
    expect(atProvider.pointId).toBe(session.pointId);
    expect(atProvider.otherSide).toBe('contoso');
    // Unchanged files are recognized by size and times, so no file data is sent.
    expect(session.progress.transferredBytes).toBeLessThan(64 * 1024);
    // Each side reports the phases that it has seen, once, with their durations.
    const timed = [session, atProvider].map(({ actions }) =>
      actions.filter(({ durationMs }) => durationMs !== null).map(({ text }) => text),
    );
    const [own = [], provider = []] = timed;
    expect(own).toHaveLength(4);
    expect(own[0]).toContain('Connected');
    // The provider may not notice a phase of a few milliseconds.
    expect(provider).toContain('Restore point completed');
    expect(provider).toEqual(own.filter((text) => provider.includes(text)));
  }, 60_000);

  it('gives evidence that is signed with the provider identity', async () => {
    const session = await stack.runJob(jobId);
    const evidence = await stack.tenant.domain(sessionsDomain).evidence({ sessionId: session.id });
    const { statement, signature, certificate } = evidence;
    expect(signature).not.toBeNull();
    const genuine = { statement, signature: signature ?? '', certificate: certificate ?? '' };
    expect(isEvidenceGenuine(genuine)).toBe(true);
    expect(isEvidenceGenuine({ ...genuine, statement: statement.replace('succeeded', 'failed') })).toBe(false);
    expect(statement).toContain(session.keys[0]?.keyB);
    expect(statement).not.toContain('year.txt');
  }, 60_000);

  it('lists folders of a restore point without restoring it, and finds names', async () => {
    const { points } = await stack.tenant.domain(pointsDomain).list({});
    const pointId = points[0]?.id ?? '';
    const root = await stack.tenant.domain(pointsDomain).listFolder({ pointId });
    expect(root.entries.map(({ name }) => name).sort()).toEqual(['big.bin', 'empty', 'link', 'reports']);
    const found = await stack.tenant.domain(pointsDomain).find({ pointId, text: 'YEAR' });
    expect(found.entries.map((entry) => entry.path)).toEqual(['reports/year.txt']);
    const target = path.join(folder, 'one-file');
    const restore = await stack.restore(pointId, target, ['reports/year.txt']);
    expect(restore.state).toBe('succeeded');
    expect(await readFile(path.join(target, 'reports', 'year.txt'), 'utf8')).toBe('quarter\n'.repeat(5000));
  }, 60_000);

  it('reports what a restore has really restored', async () => {
    const { points } = await stack.tenant.domain(pointsDomain).list({});
    const pointId = points[0]?.id ?? '';
    const target = path.join(folder, 'told');
    const first = await stack.restore(pointId, target);
    expect(first.progress.restored).toEqual({ files: 3, bytes: 6 * 1024 * 1024 + 40_000, skipped: 0, failed: 0 });
    const again = await stack.restore(pointId, target);
    expect(again.state).toBe('succeeded');
    expect(again.progress.restored).toEqual({ files: 0, bytes: 0, skipped: 4, failed: 0 });
    expect(formatOutcome(again)).toMatch(/^0 files, 0 B restored .*; 4 files skipped/);
    const nothing = await stack.restore(pointId, target, ['year.txt']);
    expect(nothing).toMatchObject({ state: 'failed', error: { code: 'call.not-found' } });
    expect(nothing.error?.message).toContain('"year.txt"');
    expect(exitCodeOf(nothing)).toBe(1);
  }, 60_000);

  it('fails a restore of damaged data, and does not count damaged files', async () => {
    const { points } = await stack.tenant.domain(pointsDomain).list({});
    const content = await readFile(path.join(source, 'big.bin'));
    for (const entry of await readdir(stack.repositoryFolder, { withFileTypes: true, recursive: true })) {
      if (!entry.name.endsWith('.pack')) continue;
      const file = path.join(entry.parentPath, entry.name);
      const pack = await readFile(file);
      const at = pack.indexOf(content.subarray(100, 200));
      if (at === -1) continue;
      pack[at] = (pack[at] ?? 0) ^ 1;
      await writeFile(file, pack);
    }
    const target = path.join(folder, 'damaged');
    const restore = await stack.restore(points[0]?.id ?? '', target, ['big.bin']);
    expect(await readdir(target)).toEqual([]);
    expect(restore).toMatchObject({
      state: 'failed',
      error: { code: 'restore.mismatch' },
      warnings: [{ code: 'storage.damaged', path: 'big.bin' }],
      progress: { restored: { files: 0, bytes: 0, skipped: 0, failed: 1 } },
    });
    expect(exitCodeOf(restore)).toBe(1);
    expect((await stack.untilEndedAtProvider(restore.id)).state).toBe('failed');

    // Extraction from the repository folder, without any service: restores all other files and reports the same loss.
    const folders = await readdir(stack.repositoryFolder);
    const tenantFolder = path.join(stack.repositoryFolder, folders.find((name) => /^[0-9a-f]{32}$/.test(name)) ?? '');
    const extracted = path.join(folder, 'extracted');
    const pointId = points[0]?.id ?? '';
    const extract = await runCli(['point', 'extract', pointId, '--folder', tenantFolder, '--to', extracted, '--json']);
    expect(extract.exitCode).toBe(1);
    expect(extract.json()).toMatchObject({ ok: false, files: 2, bytes: 40_000, error: { code: 'restore.mismatch' } });
    expect((await readdir(extracted)).sort()).toEqual(['empty', 'link', 'reports']);
  }, 60_000);
});

async function digestTree(root: string): Promise<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(root, file);
    if (entry.isFile())
      result[name] = createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
    else result[name] = entry.isDirectory() ? 'folder' : 'link';
  }
  return result;
}
