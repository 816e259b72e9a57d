// Real data: a tree of this machine with thousands of files, a large incompressible file, a sparse file of more than 4 GiB; saved, changed a
// little, restored. The two files have 2 and 10 GiB with FARKEEP_ALL_RULES=1 (.ci/run), otherwise 256 MiB and 6 GiB.
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionDetail } from '../../contracts/models/session.ts';
import { Stack } from '../../testing/site/stack.ts';

/** Enough time for gigabytes on a busy machine. */
const sessionMs = 300_000;
const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;
const isThorough = process.env['FARKEEP_ALL_RULES'] === '1';
const bigBytes = isThorough ? 2 * gibibyte : 256 * mebibyte;
const sparseBytes = (isThorough ? 10 : 6) * gibibyte;
/** Real trees that exist on Debian and other systems; copied until there are enough files. */
const realTrees = ['/usr/share/perl', '/usr/share/doc', '/usr/lib/python3', '/usr/share/locale', '/usr/include'];
const enoughFiles = 3000;

describe('real data', () => {
  let folder: string;
  let source: string;
  let stack: Stack;
  let jobId: string;
  let files = 0;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'farkeep-real-'));
    source = path.join(folder, 'source');
    await mkdir(path.join(source, 'tree'), { recursive: true });
    for (const tree of realTrees) {
      if (files >= enoughFiles || !existsSync(tree)) continue;
      execFileSync('cp', ['--archive', '-H', tree, path.join(source, 'tree')]);
      files = Number(execFileSync('sh', ['-c', `find "$1" -type f | wc -l`, 'count', source]).toString());
    }
    const big = await open(path.join(source, 'big.bin'), 'w');
    const piece = Buffer.allocUnsafe(16 * mebibyte);
    for (let written = 0; written < bigBytes; written += piece.length) await big.write(randomFillSync(piece));
    await big.close();
    const sparse = await open(path.join(source, 'disk.raw'), 'w');
    await sparse.truncate(sparseBytes);
    await sparse.write(Buffer.from('first'), 0, 5, 0);
    await sparse.write(Buffer.from('in the middle'), 0, 13, 5 * gibibyte + 12_345);
    await sparse.close();
    stack = await Stack.start({ folder, hasMoverProcesses: true });
    jobId = await stack.addJob((await stack.addProvider()).id, source);
  }, 600_000);

  afterAll(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }, 180_000);

  it('is saved completely, and after a small change only the change is sent', async () => {
    expect(files).toBeGreaterThanOrEqual(enoughFiles);
    const first = await stack.runJob(jobId, sessionMs);
    expect(first).toMatchObject({ state: 'succeeded', error: null });
    expect(first.progress.totalBytes).toBeGreaterThanOrEqual(bigBytes + sparseBytes);
    // The holes of the sparse file are not sent.
    expect(first.progress.transferredBytes).toBeLessThan(bigBytes * 1.02 + bytesBelow(path.join(source, 'tree')));

    const unchanged = await stack.runJob(jobId, sessionMs);
    expect(unchanged).toMatchObject({ state: 'succeeded', error: null });
    expect(unchanged.progress.newBlocks).toBeLessThanOrEqual(2); // the blocks of the manifest

    const big = await open(path.join(source, 'big.bin'), 'r+');
    await big.write(Buffer.from('a few bytes'), 0, 11, bigBytes / 2 + 4321);
    await big.close();
    const changed = await stack.runJob(jobId, sessionMs);
    expect(changed).toMatchObject({ state: 'succeeded', error: null });
    // At most two blocks of at most 4 MiB change, plus the manifest.
    expect(changed.progress.transferredBytes).toBeLessThan(10 * mebibyte);

    await comesBack(changed);
  }, 900_000);

  async function comesBack(session: SessionDetail): Promise<void> {
    const restored = path.join(folder, 'restored');
    const restore = await stack.restore(session.pointId ?? '', restored, [], sessionMs);
    expect(restore).toMatchObject({ state: 'succeeded', error: null });
    // Compares byte for byte, links as links; exits with 1 and names the first difference if there is one.
    execFileSync('diff', ['--recursive', '--no-dereference', path.join(source, 'tree'), path.join(restored, 'tree')]);
    execFileSync('cmp', [path.join(source, 'big.bin'), path.join(restored, 'big.bin')]);
    execFileSync('cmp', [path.join(source, 'disk.raw'), path.join(restored, 'disk.raw')]);
    const sparse = await stat(path.join(restored, 'disk.raw'));
    expect(sparse.size).toBe(sparseBytes);
    expect(sparse.blocks * 512).toBeLessThan(64 * mebibyte);
  }
});

function bytesBelow(folder: string): number {
  const text = execFileSync('du', ['--summarize', '--bytes', folder]).toString();
  return Number(text.split('\t')[0]);
}
