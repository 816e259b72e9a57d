// Tests backup and restore between two real data mover processes over a TCP relay: the restored files equal the source, and a second backup
// sends only changed data.
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TenantStore } from '../repository/store/tenant-store.ts';
import { silentLogger } from '../kernel/logger.ts';
import { runMoverSession } from '../testing/site/mover-session.ts';
import type { MoverSessionOptions, MoverSessionResult } from '../testing/site/mover-session.ts';
import type { MoverEvent, RestoreOperation, SourceEvent } from './link/local-link.ts';
import { openSavedManifest } from './source/restore/saved-manifest.ts';
import { readManifest } from '../repository/points/manifest.ts';
import { nameSources } from './source/walk/source-list.ts';

let folder: string;
let source: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farkeep-mover-'));
  source = path.join(folder, 'source');
  mkdirSync(source);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function canMakeDevices(): boolean {
  const probe = path.join(mkdtempSync(path.join(tmpdir(), 'farkeep-device-')), 'null');
  try {
    execFileSync('mknod', [probe, 'c', '1', '3'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(path.dirname(probe), { recursive: true });
  }
}

const newId = (): string => randomBytes(16).toString('hex');
const inSource = (name: string): string => path.join(source, name);

function backup(
  pointId: string,
  more: Partial<MoverSessionOptions> = {},
  excludes: string[] = [],
): Promise<MoverSessionResult> {
  return runMoverSession({
    tenantFolder: path.join(folder, 'tenant'),
    operation: {
      kind: 'backup',
      sourcePaths: [source],
      excludes,
      jobId: '0b'.repeat(16),
      jobName: 'Job',
      pointId,
      fileCachePath: path.join(folder, 'cache.sqlite'),
    },
    ...more,
  });
}

function restore(pointId: string, more: Partial<RestoreOperation> = {}): Promise<MoverSessionResult> {
  return runMoverSession({
    tenantFolder: path.join(folder, 'tenant'),
    operation: {
      kind: 'restore',
      pointId,
      paths: [],
      destination: path.join(folder, 'out'),
      overwrite: 'always',
      ...more,
    },
  });
}

function finished(result: MoverSessionResult): SourceEvent & { type: 'finished' } {
  expect(result.source).toEqual({ kind: 'finished' });
  expect(result.target).toEqual({ kind: 'finished' });
  const event = result.sourceEvents.find((item) => item.type === 'finished');
  if (event?.type !== 'finished' || !('warningCount' in event))
    throw new Error('The source did not say that it finished');
  return event;
}

const warnings = (events: readonly MoverEvent[]): { code: string; path: string }[] =>
  events.flatMap((event) => (event.type === 'warning' ? [{ code: event.warning.code, path: event.warning.path }] : []));

/** Makes the files old enough for the cache to trust their time stamps. */
function settle(...files: string[]): void {
  const past = new Date(Date.now() - 10_000);
  for (const file of files) utimesSync(file, past, past);
}

describe('backup and restore', () => {
  it('bring back contents, names that are not UTF-8, modes, times, links and holes', async () => {
    mkdirSync(inSource('deep/er'), { recursive: true });
    writeFileSync(inSource('deep/er/text'), 'hello '.repeat(50_000));
    writeFileSync(inSource('random'), randomBytes(5_000_000), { mode: 0o640 });
    writeFileSync(inSource('empty'), '');
    writeFileSync(Buffer.concat([Buffer.from(`${source}/`), Buffer.from([0xff, 0xfe, 0x0a, 0x80])]), 'odd');
    writeFileSync(inSource('zäh ☃ name'), 'unicode');
    symlinkSync('deep/er/text', inSource('link'));
    symlinkSync('/nowhere/at/all', inSource('dangling'));
    linkSync(inSource('random'), inSource('second name'));
    chmodSync(inSource('deep'), 0o711);
    lutimesSync(inSource('link'), 1_000_000_000, 1_000_000_001);
    const sparse = openSync(inSource('sparse'), 'w');
    ftruncateSync(sparse, 64 * 1024 * 1024);
    writeSync(sparse, 'begin', 0);
    writeSync(sparse, 'middle', 30_000_000);
    closeSync(sparse);
    utimesSync(inSource('deep'), 1_111_111_111, 1_234_567_890.5);
    utimesSync(source, 1_111_111_111, 1_222_222_222);

    const pointId = newId();
    expect(finished(await backup(pointId)).warningCount).toBe(0);
    const restored = finished(await restore(pointId));
    expect(restored.warningCount).toBe(0);

    const out = path.join(folder, 'out');
    execFileSync('diff', ['-r', '--no-dereference', source, out]);
    expect(lstatSync(path.join(out, 'random')).mode & 0o7777).toBe(0o640);
    expect(statSync(path.join(out, 'random')).ino).toBe(statSync(path.join(out, 'second name')).ino);
    expect(readlinkSync(path.join(out, 'dangling'))).toBe('/nowhere/at/all');
    expect(lstatSync(path.join(out, 'link')).mtimeMs).toBe(1_000_000_001_000);
    expect(lstatSync(path.join(out, 'deep')).mode & 0o7777).toBe(0o711);
    expect(lstatSync(path.join(out, 'deep')).mtimeMs).toBe(1_234_567_890_500);
    expect(lstatSync(out).mtimeMs).toBe(1_222_222_222_000);
    expect(statSync(path.join(out, 'sparse')).blocks * 512).toBeLessThan(1024 * 1024);
    expect(statSync(path.join(out, 'sparse')).size).toBe(64 * 1024 * 1024);
  });

  it('send no data when nothing changed, and only the changed blocks of a big file', async () => {
    const content = randomBytes(12_000_000);
    writeFileSync(inSource('big'), content);
    for (let index = 0; index < 200; index += 1) writeFileSync(inSource(`small ${index}`), `number ${index}`);
    settle(inSource('big'), ...Array.from({ length: 200 }, (_, index) => inSource(`small ${index}`)));
    const first = finished(await backup(newId()));
    expect(first.totals.newBlocks).toBeGreaterThan(203);
    expect(first.totals.unchangedFiles).toBe(0);

    const second = finished(await backup(newId()));
    expect(second.totals).toMatchObject({ newBlocks: 0, readBytes: 0, transferredBytes: 0 });
    expect(second.totals).toMatchObject({ processedFiles: 201, unchangedFiles: 201 });
    expect(second.totals.processedBytes).toBe(first.totals.processedBytes);

    content.write('changed', 6_000_000);
    writeFileSync(inSource('big'), Buffer.concat([Buffer.from('inserted at the front'), content]));
    const pointId = newId();
    const third = finished(await backup(pointId));
    expect(third.totals.newBlocks).toBeGreaterThan(1);
    expect(third.totals.newBlocks).toBeLessThan(8);
    expect(third.totals.unchangedFiles).toBe(200);
    finished(await restore(pointId));
    expect(readFileSync(path.join(folder, 'out/big')).equals(readFileSync(inSource('big')))).toBe(true);
  });

  it('report only bytes as safe that the target has confirmed, and in the end all bytes, sent or not', async () => {
    const twin = randomBytes(3_000_000);
    for (const name of ['one', 'other']) writeFileSync(inSource(name), twin);
    writeFileSync(inSource('large'), randomBytes(20_000_000));
    const sparse = openSync(inSource('sparse'), 'w');
    ftruncateSync(sparse, 4 * 1024 * 1024);
    closeSync(sparse);
    settle(inSource('one'), inSource('other'), inSource('large'), inSource('sparse'));
    // With this interval the target makes nothing durable before the commit.
    const limits = { flushIntervalMs: 600_000 };
    const first = await backup(newId(), { limits });
    const safeOf = (result: MoverSessionResult): { safe: number; processed: number; phase: string }[] =>
      result.sourceEvents.flatMap((event) =>
        event.type === 'progress' && 'phase' in event
          ? [{ safe: event.totals.safeBytes ?? 0, processed: event.totals.processedBytes, phase: event.phase }]
          : [],
      );
    finished(first);
    const holesBytes = 4 * 1024 * 1024;
    for (const { safe, phase } of safeOf(first).slice(0, -1))
      if (phase !== 'finalizing') expect(safe).toBeLessThanOrEqual(holesBytes);
    expect(safeOf(first).at(-1)).toMatchObject({ safe: 26_000_000 + holesBytes, processed: 26_000_000 + holesBytes });
    const second = await backup(newId(), { limits });
    expect(finished(second).totals).toMatchObject({ readBytes: 0, unchangedFiles: 4 });
    expect(safeOf(second).at(-1)).toMatchObject({ safe: 26_000_000 + holesBytes, processed: 26_000_000 + holesBytes });
  }, 60_000);

  it('read a file again when the provider no longer has the blocks that the file cache names', async () => {
    writeFileSync(inSource('a'), randomBytes(400_000));
    settle(inSource('a'));
    finished(await backup(newId()));
    rmSync(path.join(folder, 'tenant'), { recursive: true });
    const pointId = newId();
    expect(finished(await backup(pointId)).totals.readBytes).toBe(400_000);
    finished(await restore(pointId));
    expect(readFileSync(path.join(folder, 'out/a')).equals(readFileSync(inSource('a')))).toBe(true);
  });

  it('warn about entries that cannot be read or are left out, and save the others', async () => {
    writeFileSync(inSource('kept'), 'kept');
    mkdirSync(inSource('node_modules'));
    writeFileSync(inSource('node_modules/x'), 'x');
    writeFileSync(inSource('a.tmp'), 'x');

    const pointId = newId();
    const result = await backup(pointId, {}, ['node_modules/', '*.tmp']);
    finished(result);
    const out = finished(await restore(pointId));
    expect(readFileSync(path.join(folder, 'out/kept'), 'utf8')).toBe('kept');
    expect(existsSync(path.join(folder, 'out/node_modules'))).toBe(false);
    expect(existsSync(path.join(folder, 'out/a.tmp'))).toBe(false);
    expect(out.warningCount).toBe(0);
  });

  it('mention pipes and sockets in one line for each kind, and warn about devices', async () => {
    const remarks = ({ sourceEvents }: MoverSessionResult): string[] =>
      sourceEvents.flatMap((event) => (event.type === 'remark' ? [event.text] : []));
    writeFileSync(inSource('kept'), 'kept');
    for (const name of ['\x1b[2J', 'a', 'b', 'c', 'd']) execFileSync('mkfifo', [inSource(`pipe ${name}`)]);
    await using server = createServer();
    await new Promise<void>((resolve) => server.listen(inSource('agent.sock'), resolve));
    const pointId = newId();
    const result = await backup(pointId);
    expect(finished(result).warningCount).toBe(0);
    const pipes = ['\\x1b[2J', 'a', 'b'].map((name) => inSource(`pipe ${name}`)).join(', ');
    expect(remarks(result).sort()).toEqual([
      `1 socket is kept by name only: ${inSource('agent.sock')}`,
      `5 pipes are kept by name only: ${pipes} and 2 more`,
    ]);
    const restored = await restore(pointId);
    expect(finished(restored)).toMatchObject({ warningCount: 0, totals: { restored: { files: 1, failed: 0 } } });
    expect(finished(restored).failure).toBeUndefined();
    expect(remarks(restored).sort()).toEqual([
      '1 socket not made anew: agent.sock',
      '5 pipes not made anew: pipe \\x1b[2J, pipe a, pipe b and 2 more',
    ]);
  });

  it('warn about a pipe that is itself a source of the job', async () => {
    mkdirSync(inSource('folder'));
    execFileSync('mkfifo', [inSource('folder/pipe')]);
    writeFileSync(inSource('folder/file'), 'file');
    const pointId = newId();
    finished(await backup(pointId));
    const named = await restore(pointId, { paths: ['folder/pipe'] });
    expect(warnings(named.sourceEvents)).toEqual([{ code: 'restore.incomplete', path: 'folder/pipe' }]);
    expect(finished(named).warningCount).toBe(1);
    expect(finished(await restore(pointId, { paths: ['folder'] })).warningCount).toBe(0);
  });

  it.runIf(process.getuid?.() === 0 && canMakeDevices())('warn once for all devices of one kind', async () => {
    writeFileSync(inSource('kept'), 'kept');
    for (const minor of ['3', '5']) execFileSync('mknod', [inSource(`device ${minor}`), 'c', '1', minor]);
    const pointId = newId();
    const result = await backup(pointId);
    expect(finished(result).warningCount).toBe(1);
    expect(warnings(result.sourceEvents)).toEqual([{ code: 'source.device', path: inSource('device 3') }]);
    const restored = await restore(pointId);
    expect(warnings(restored.sourceEvents)).toEqual([{ code: 'restore.incomplete', path: 'device 3' }]);
    expect(finished(restored).totals.restored).toMatchObject({ files: 1, failed: 2 });
  });

  it('save the state that was read of a file that grows all the time, mark it, and end', async () => {
    const file = inSource('growing');
    writeFileSync(file, randomBytes(3_000_000));
    const pointId = newId();
    const growing = setInterval(() => {
      // The test has reached its time limit and deleted the file.
      if (existsSync(file)) appendFileSync(file, randomBytes(20_000));
      else clearInterval(growing);
    }, 1);
    const result = await backup(pointId).finally(() => {
      clearInterval(growing);
    });
    const event = finished(result);
    finished(await restore(pointId));
    const saved = readFileSync(path.join(folder, 'out/growing'));
    expect(readFileSync(file).subarray(0, saved.length).equals(saved)).toBe(true);
    expect(saved.length).toBeGreaterThanOrEqual(3_000_000);
    // The file may have stayed the same during one read; otherwise the backup marks the file as changed.
    if (event.warningCount > 0) expect(warnings(result.sourceEvents)).toEqual([{ code: 'source.changed', path: file }]);
  });

  it('restore single paths, and keep existing files as the overwrite rule says', async () => {
    mkdirSync(inSource('one'));
    writeFileSync(inSource('one/a'), 'a');
    writeFileSync(inSource('one/b'), 'b');
    writeFileSync(inSource('c'), 'c');
    const pointId = newId();
    finished(await backup(pointId));
    const result = await restore(pointId, { paths: ['one/', Buffer.from('missing')] });
    expect(finished(result).warningCount).toBe(1);
    expect(warnings(result.sourceEvents)).toEqual([{ code: 'restore.incomplete', path: 'missing' }]);
    const out = path.join(folder, 'out');
    expect(existsSync(path.join(out, 'c'))).toBe(false);
    writeFileSync(path.join(out, 'one/a'), 'mine');
    const { totals } = finished(await restore(pointId, { overwrite: 'never' }));
    expect(totals).toMatchObject({ processedFiles: 3, skippedFiles: 2 });
    expect(totals.restored).toEqual({ files: 1, bytes: 1, skipped: 2, failed: 0 });
    expect(finished(await restore(pointId, { overwrite: 'older' })).totals.restored).toMatchObject({ files: 0 });
    expect(readFileSync(path.join(out, 'one/a'), 'utf8')).toBe('mine');
    finished(await restore(pointId, { overwrite: 'always' }));
    expect(readFileSync(path.join(out, 'one/a'), 'utf8')).toBe('a');
  });

  it('restore a hard link as a file when its first name was not requested, and further names as links to it', async () => {
    const content = randomBytes(3_000_000);
    mkdirSync(inSource('a'));
    mkdirSync(inSource('b'));
    writeFileSync(inSource('a/first'), content);
    linkSync(inSource('a/first'), inSource('b/one'));
    linkSync(inSource('a/first'), inSource('b/two'));
    utimesSync(inSource('a/first'), 1_500_000_000, 1_500_000_000);
    const pointId = newId();
    finished(await backup(pointId));
    const out = path.join(folder, 'out');
    const one = finished(await restore(pointId, { paths: ['b/two'] }));
    expect(one).toMatchObject({ warningCount: 0, totals: { restored: { files: 1, bytes: 3_000_000, failed: 0 } } });
    expect(readFileSync(path.join(out, 'b/two')).equals(content)).toBe(true);
    expect(statSync(path.join(out, 'b/two')).mtimeMs).toBe(1_500_000_000_000);
    expect(existsSync(path.join(out, 'a'))).toBe(false);
    rmSync(out, { recursive: true });
    expect(finished(await restore(pointId, { paths: ['b'] })).totals.restored).toMatchObject({ files: 2 });
    expect(statSync(path.join(out, 'b/one')).ino).toBe(statSync(path.join(out, 'b/two')).ino);
    expect(readFileSync(path.join(out, 'b/one')).equals(content)).toBe(true);
    rmSync(out, { recursive: true });
    finished(await restore(pointId, { paths: ['a', 'b/two'] }));
    expect(statSync(path.join(out, 'a/first')).ino).toBe(statSync(path.join(out, 'b/two')).ino);
  });

  it('fail a restore when the restore point has none of the requested paths', async () => {
    writeFileSync(inSource('c'), 'c');
    const pointId = newId();
    finished(await backup(pointId));
    const result = await restore(pointId, { paths: ['/srv/c', 'd'] });
    expect(warnings(result.sourceEvents)).toEqual([]);
    const { failure, totals } = finished(result);
    expect(failure).toMatchObject({ code: 'call.not-found', hint: expect.stringContaining('relative') as string });
    expect(failure?.message).toContain('"srv/c", "d"');
    expect(totals.restored).toEqual({ files: 0, bytes: 0, skipped: 0, failed: 0 });
  });

  it('save a manifest for browsing', async () => {
    mkdirSync(inSource('one'));
    writeFileSync(inSource('one/a'), 'a');
    const pointId = newId();
    finished(await backup(pointId));
    const saveTo = path.join(folder, 'saved/manifest');
    finished(
      await runMoverSession({
        tenantFolder: path.join(folder, 'tenant'),
        operation: { kind: 'manifest', pointId, saveTo },
      }),
    );
    await using saved = await openSavedManifest(saveTo);
    const blocks = await Promise.all(Array.from({ length: saved.count }, (_, index) => saved.read(index)));
    const paths: string[] = [];
    for await (const item of readManifest(blocks)) if (item.type === 'entry') paths.push(item.entry.path.toString());
    expect(paths).toEqual(['', 'one', 'one/a']);
  });

  it('keep several sources apart by their names', async () => {
    for (const name of ['x', 'y']) {
      mkdirSync(path.join(folder, name, 'docs'), { recursive: true });
      writeFileSync(path.join(folder, name, 'docs/file'), name);
    }
    writeFileSync(path.join(folder, 'single'), 'single');
    const pointId = newId();
    const sourcePaths = ['x/docs', 'y/docs', 'single'].map((name) => path.join(folder, name));
    const fileCachePath = path.join(folder, 'cache.sqlite');
    const operation = {
      kind: 'backup' as const,
      sourcePaths,
      excludes: [],
      jobId: '0b'.repeat(16),
      jobName: 'Job',
      pointId,
      fileCachePath,
    };
    finished(await backup(pointId, { operation }));
    finished(await restore(pointId));
    const names = nameSources(sourcePaths);
    const out = path.join(folder, 'out');
    const saved = (index: number): string => readFileSync(path.join(out, names[index] ?? '', 'file'), 'utf8');
    expect([saved(0), saved(1)]).toEqual(['x', 'y']);
    expect(readFileSync(path.join(out, 'single'), 'utf8')).toBe('single');
    // If one source is missing and the order differs, the other sources keep their names.
    rmSync(path.join(folder, 'x'), { recursive: true });
    rmSync(out, { recursive: true });
    const later = newId();
    const turned = { ...operation, sourcePaths: [...sourcePaths].reverse(), pointId: later };
    expect(finished(await backup(later, { operation: turned })).warningCount).toBe(1);
    finished(await restore(later));
    expect(readdirSync(out).sort()).toEqual([names[1], 'single'].sort());
    expect(saved(1)).toBe('y');
  });

  it('transfer over one stream and over four', async () => {
    for (let index = 0; index < 40; index += 1) writeFileSync(inSource(`f${index}`), randomBytes(100_000));
    for (const streams of [1, 4]) {
      const pointId = newId();
      rmSync(path.join(folder, 'tenant'), { recursive: true, force: true });
      finished(await backup(pointId, { streams }));
      finished(await restore(pointId));
      execFileSync('diff', ['-r', source, path.join(folder, 'out')]);
      rmSync(path.join(folder, 'out'), { recursive: true });
    }
  });

  it('report a missing source at once', async () => {
    rmSync(source, { recursive: true });
    const result = await backup(newId());
    expect(result.source).toMatchObject({ kind: 'failed', error: { code: 'source.missing' } });
    expect(result.target).toMatchObject({ kind: 'failed', error: { code: 'source.missing' } });
    const other = await restore(newId());
    expect(other.source).toMatchObject({ kind: 'failed', error: { code: 'call.not-found' } });
    expect(other.target).toMatchObject({ kind: 'failed', error: { code: 'call.not-found' } });
  });

  it('refuse data beyond the quota, with the reason on both sides and without a restore point', async () => {
    writeFileSync(inSource('a'), randomBytes(3_000_000));
    const result = await backup(newId(), { quotaBytes: 1_000_000 });
    expect(result.source).toMatchObject({ kind: 'failed', error: { code: 'quota.exceeded' } });
    expect(result.target).toMatchObject({ kind: 'failed', error: { code: 'quota.exceeded' } });
    await using store = await TenantStore.open({
      folder: path.join(folder, 'tenant'),
      mode: 'read',
      logger: silentLogger,
    });
    expect(await store.listPoints()).toEqual([]);
  });

  it("hide the provider's folders from the tenant when the provider's disk fails", async () => {
    writeFileSync(inSource('a'), randomBytes(300_000));
    const packs = path.join(folder, 'tenant', 'packs');
    const result = await backup(newId(), {
      onTarget: ({ type }) => {
        if (type !== 'listening') return;
        rmSync(packs, { recursive: true });
        writeFileSync(packs, 'what was a folder is a file');
      },
    });
    const [told, kept] = [JSON.stringify(result.source), JSON.stringify(result.target)];
    expect(result.target).toMatchObject({ kind: 'failed', error: { code: 'storage.damaged' } });
    expect(kept).toContain(packs);
    expect(result.source).toMatchObject({
      kind: 'failed',
      error: { code: 'storage.damaged', message: expect.stringContaining('At the provider') as string },
    });
    expect(told).not.toContain(folder);
    expect(told).not.toContain('packs');
  });
});
