// Tests backup and restore between two real data mover processes over a TCP relay: the restored files equal the source, and a second backup
import { execFileSync } from 'node:child_process';
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
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TenantStore } from '../repository/store/tenant-store.ts';
import { silentLogger } from '../kernel/logger.ts';
import { finished, newPointId, settle, warnings, MoverFolder } from '../testing/site/mover-folder.ts';
import { runMoverSession, type MoverSessionResult } from '../testing/site/mover-session.ts';
import { openSavedManifest } from './source/restore/saved-manifest.ts';
import { readManifest } from '../repository/points/manifest.ts';
import { nameSources } from './source/walk/source-list.ts';
import { openFolderPlace } from '../repository/folder/folder-place.ts';

let at: MoverFolder;

beforeEach(() => {
  at = new MoverFolder();
});

afterEach(() => {
  at.remove();
});

describe('backup and restore', () => {
  it('bring back contents, names that are not UTF-8, modes, times, links and holes', async () => {
    mkdirSync(at.inSource('deep/er'), { recursive: true });
    writeFileSync(at.inSource('deep/er/text'), 'hello '.repeat(50_000));
    writeFileSync(at.inSource('random'), randomBytes(5_000_000), { mode: 0o640 });
    writeFileSync(at.inSource('empty'), '');
    writeFileSync(Buffer.concat([Buffer.from(`${at.source}/`), Buffer.from([0xff, 0xfe, 0x0a, 0x80])]), 'odd');
    writeFileSync(at.inSource('zäh ☃ name'), 'unicode');
    symlinkSync('deep/er/text', at.inSource('link'));
    symlinkSync('/nowhere/at/all', at.inSource('dangling'));
    linkSync(at.inSource('random'), at.inSource('second name'));
    chmodSync(at.inSource('deep'), 0o711);
    lutimesSync(at.inSource('link'), 1_000_000_000, 1_000_000_001);
    const sparse = openSync(at.inSource('sparse'), 'w');
    ftruncateSync(sparse, 64 * 1024 * 1024);
    writeSync(sparse, 'begin', 0);
    writeSync(sparse, 'middle', 30_000_000);
    closeSync(sparse);
    utimesSync(at.inSource('deep'), 1_111_111_111, 1_234_567_890.5);
    utimesSync(at.source, 1_111_111_111, 1_222_222_222);

    const pointId = newPointId();
    expect(finished(await at.backup(pointId)).warningCount).toBe(0);
    const restored = finished(await at.restore(pointId));
    expect(restored.warningCount).toBe(0);

    const out = at.out;
    execFileSync('diff', ['-r', '--no-dereference', at.source, out]);
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
    writeFileSync(at.inSource('big'), content);
    for (let index = 0; index < 200; index += 1) writeFileSync(at.inSource(`small ${index}`), `number ${index}`);
    settle(at.inSource('big'), ...Array.from({ length: 200 }, (_, index) => at.inSource(`small ${index}`)));
    const first = finished(await at.backup(newPointId()));
    expect(first.totals.newBlocks).toBeGreaterThan(203);
    expect(first.totals.unchangedFiles).toBe(0);

    const second = finished(await at.backup(newPointId()));
    expect(second.totals).toMatchObject({ newBlocks: 0, readBytes: 0, transferredBytes: 0 });
    expect(second.totals).toMatchObject({ processedFiles: 201, unchangedFiles: 201 });
    expect(second.totals.processedBytes).toBe(first.totals.processedBytes);

    content.write('changed', 6_000_000);
    writeFileSync(at.inSource('big'), Buffer.concat([Buffer.from('inserted at the front'), content]));
    const pointId = newPointId();
    const third = finished(await at.backup(pointId));
    expect(third.totals.newBlocks).toBeGreaterThan(1);
    expect(third.totals.newBlocks).toBeLessThan(8);
    expect(third.totals.unchangedFiles).toBe(200);
    finished(await at.restore(pointId));
    expect(readFileSync(path.join(at.out, 'big')).equals(readFileSync(at.inSource('big')))).toBe(true);
  });

  it('report only bytes as safe that the target has confirmed, and in the end all bytes, sent or not', async () => {
    const twin = randomBytes(3_000_000);
    for (const name of ['one', 'other']) writeFileSync(at.inSource(name), twin);
    writeFileSync(at.inSource('large'), randomBytes(20_000_000));
    const sparse = openSync(at.inSource('sparse'), 'w');
    ftruncateSync(sparse, 4 * 1024 * 1024);
    closeSync(sparse);
    settle(at.inSource('one'), at.inSource('other'), at.inSource('large'), at.inSource('sparse'));
    // With this interval the target makes nothing durable before the commit.
    const limits = { flushIntervalMs: 600_000 };
    const first = await at.backup(newPointId(), { limits });
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
    const second = await at.backup(newPointId(), { limits });
    expect(finished(second).totals).toMatchObject({ readBytes: 0, unchangedFiles: 4 });
    expect(safeOf(second).at(-1)).toMatchObject({ safe: 26_000_000 + holesBytes, processed: 26_000_000 + holesBytes });
  }, 60_000);

  it('read a file again when the provider no longer has the blocks that the file cache names', async () => {
    writeFileSync(at.inSource('a'), randomBytes(400_000));
    settle(at.inSource('a'));
    finished(await at.backup(newPointId()));
    rmSync(at.tenant, { recursive: true });
    const pointId = newPointId();
    expect(finished(await at.backup(pointId)).totals.readBytes).toBe(400_000);
    finished(await at.restore(pointId));
    expect(readFileSync(path.join(at.out, 'a')).equals(readFileSync(at.inSource('a')))).toBe(true);
  });

  it('warn about entries that cannot be read or are left out, and save the others', async () => {
    writeFileSync(at.inSource('kept'), 'kept');
    mkdirSync(at.inSource('node_modules'));
    writeFileSync(at.inSource('node_modules/x'), 'x');
    writeFileSync(at.inSource('a.tmp'), 'x');

    const pointId = newPointId();
    const result = await at.backup(pointId, {}, ['node_modules/', '*.tmp']);
    finished(result);
    const out = finished(await at.restore(pointId));
    expect(readFileSync(path.join(at.out, 'kept'), 'utf8')).toBe('kept');
    expect(existsSync(path.join(at.out, 'node_modules'))).toBe(false);
    expect(existsSync(path.join(at.out, 'a.tmp'))).toBe(false);
    expect(out.warningCount).toBe(0);
  });

  it('save the state that was read of a file that grows all the time, mark it, and end', async () => {
    const file = at.inSource('growing');
    writeFileSync(file, randomBytes(3_000_000));
    const pointId = newPointId();
    const growing = setInterval(() => {
      // The test has reached its time limit and deleted the file.
      if (existsSync(file)) appendFileSync(file, randomBytes(20_000));
      else clearInterval(growing);
    }, 1);
    const result = await at.backup(pointId).finally(() => {
      clearInterval(growing);
    });
    const event = finished(result);
    finished(await at.restore(pointId));
    const saved = readFileSync(path.join(at.out, 'growing'));
    expect(readFileSync(file).subarray(0, saved.length).equals(saved)).toBe(true);
    expect(saved.length).toBeGreaterThanOrEqual(3_000_000);
    // The file may have stayed the same during one read. If it changed during every read, the backup marks the file as changed.
    if (event.warningCount > 0) expect(warnings(result.sourceEvents)).toEqual([{ code: 'source.changed', path: file }]);
  });

  it('restore single paths, and keep existing files as the overwrite rule says', async () => {
    mkdirSync(at.inSource('one'));
    writeFileSync(at.inSource('one/a'), 'a');
    writeFileSync(at.inSource('one/b'), 'b');
    writeFileSync(at.inSource('c'), 'c');
    const pointId = newPointId();
    finished(await at.backup(pointId));
    const result = await at.restore(pointId, { paths: ['one/', Buffer.from('missing')] });
    expect(finished(result).warningCount).toBe(1);
    expect(warnings(result.sourceEvents)).toEqual([{ code: 'restore.incomplete', path: 'missing' }]);
    const out = at.out;
    expect(existsSync(path.join(out, 'c'))).toBe(false);
    writeFileSync(path.join(out, 'one/a'), 'mine');
    const { totals } = finished(await at.restore(pointId, { overwrite: 'never' }));
    expect(totals).toMatchObject({ processedFiles: 3, skippedFiles: 2 });
    expect(totals.restored).toEqual({ files: 1, bytes: 1, skipped: 2, failed: 0 });
    expect(finished(await at.restore(pointId, { overwrite: 'older' })).totals.restored).toMatchObject({ files: 0 });
    expect(readFileSync(path.join(out, 'one/a'), 'utf8')).toBe('mine');
    finished(await at.restore(pointId, { overwrite: 'always' }));
    expect(readFileSync(path.join(out, 'one/a'), 'utf8')).toBe('a');
  });

  it('fail a restore when the restore point has none of the requested paths', async () => {
    writeFileSync(at.inSource('c'), 'c');
    const pointId = newPointId();
    finished(await at.backup(pointId));
    const result = await at.restore(pointId, { paths: ['/srv/c', 'd'] });
    expect(warnings(result.sourceEvents)).toEqual([]);
    const { failure, totals } = finished(result);
    expect(failure).toMatchObject({ code: 'call.not-found', hint: expect.stringContaining('relative') as string });
    expect(failure?.message).toContain('"srv/c", "d"');
    expect(totals.restored).toEqual({ files: 0, bytes: 0, skipped: 0, failed: 0 });
  });

  it('save a manifest for browsing', async () => {
    mkdirSync(at.inSource('one'));
    writeFileSync(at.inSource('one/a'), 'a');
    const pointId = newPointId();
    finished(await at.backup(pointId));
    const saveTo = path.join(at.path, 'saved/manifest');
    finished(
      await runMoverSession({
        tenantFolder: at.tenant,
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
      mkdirSync(path.join(at.path, name, 'docs'), { recursive: true });
      writeFileSync(path.join(at.path, name, 'docs/file'), name);
    }
    writeFileSync(path.join(at.path, 'single'), 'single');
    const pointId = newPointId();
    const sourcePaths = ['x/docs', 'y/docs', 'single'].map((name) => path.join(at.path, name));
    const fileCachePath = path.join(at.path, 'cache.sqlite');
    const operation = {
      kind: 'backup' as const,
      sourcePaths,
      excludes: [],
      jobId: '0b'.repeat(16),
      jobName: 'Job',
      pointId,
      fileCachePath,
    };
    finished(await at.backup(pointId, { operation }));
    finished(await at.restore(pointId));
    const names = nameSources(sourcePaths);
    const out = at.out;
    const saved = (index: number): string => readFileSync(path.join(out, names[index] ?? '', 'file'), 'utf8');
    expect([saved(0), saved(1)]).toEqual(['x', 'y']);
    expect(readFileSync(path.join(out, 'single'), 'utf8')).toBe('single');
    // If one source is missing and the order differs, the other sources keep their names.
    rmSync(path.join(at.path, 'x'), { recursive: true });
    rmSync(out, { recursive: true });
    const later = newPointId();
    const turned = { ...operation, sourcePaths: [...sourcePaths].reverse(), pointId: later };
    expect(finished(await at.backup(later, { operation: turned })).warningCount).toBe(1);
    finished(await at.restore(later));
    expect(readdirSync(out).sort()).toEqual([names[1], 'single'].sort());
    expect(saved(1)).toBe('y');
  });

  it('transfer over one stream and over four', async () => {
    for (let index = 0; index < 40; index += 1) writeFileSync(at.inSource(`f${index}`), randomBytes(100_000));
    for (const streams of [1, 4]) {
      const pointId = newPointId();
      rmSync(at.tenant, { recursive: true, force: true });
      finished(await at.backup(pointId, { streams }));
      finished(await at.restore(pointId));
      execFileSync('diff', ['-r', at.source, at.out]);
      rmSync(at.out, { recursive: true });
    }
  });

  it('report a missing source at once', async () => {
    rmSync(at.source, { recursive: true });
    const result = await at.backup(newPointId());
    expect(result.source).toMatchObject({ kind: 'failed', error: { code: 'source.missing' } });
    expect(result.target).toMatchObject({ kind: 'failed', error: { code: 'source.missing' } });
    const other = await at.restore(newPointId());
    expect(other.source).toMatchObject({ kind: 'failed', error: { code: 'call.not-found' } });
    expect(other.target).toMatchObject({ kind: 'failed', error: { code: 'call.not-found' } });
  });

  it('refuse data beyond the quota, with the reason on both sides and without a restore point', async () => {
    writeFileSync(at.inSource('a'), randomBytes(3_000_000));
    const result = await at.backup(newPointId(), { quotaBytes: 1_000_000 });
    expect(result.source).toMatchObject({ kind: 'failed', error: { code: 'quota.exceeded' } });
    expect(result.target).toMatchObject({ kind: 'failed', error: { code: 'quota.exceeded' } });
    await using store = await TenantStore.open({
      place: openFolderPlace(at.tenant),
      mode: 'read',
      logger: silentLogger,
    });
    expect(await store.listPoints()).toEqual([]);
  });

  it("hide the provider's folders from the tenant when the provider's disk fails", async () => {
    writeFileSync(at.inSource('a'), randomBytes(300_000));
    const packs = path.join(at.tenant, 'packs');
    const result = await at.backup(newPointId(), {
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
    expect(told).not.toContain(at.path);
    expect(told).not.toContain('packs');
  });
});
