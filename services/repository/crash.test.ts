// Kills writers at moments chosen by a printed seed. Afterwards no committed restore point may be damaged, and no acknowledged block may be
// lost.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import { FolderStorage } from './folder/folder-storage.ts';
import { listPacks } from './store/left-overs.ts';
import { TenantStore } from './store/tenant-store.ts';
import { appendContent, randomContent, readContent, scratchFolder } from '../testing/repository/repository-fixture.ts';
import { verifyPlace } from './store/verify.ts';
import { openFolderPlace } from './folder/folder-place.ts';

const logger = silentLogger;
const seed = Number(process.env['FARKEEP_TEST_SEED'] ?? randomInt(1, 2 ** 31));

/** A small random number generator (mulberry32). The printed seed repeats the run. */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Acknowledged {
  readonly durable: string[];
  readonly committed: string[];
}

/** Runs a writer and kills it after it has printed `lines` lines. */
async function runAndKill(folder: string, name: string, lines: number, packBytes: number): Promise<Acknowledged> {
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, '../testing/repository/crash-writer-entry.ts'), folder, name, String(packBytes)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const acknowledged: Acknowledged = { durable: [], committed: [] };
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, which = ''] = line.split(' ');
    if (what === 'durable') acknowledged.durable.push(which);
    if (what === 'committed') acknowledged.committed.push(which);
    count += 1;
    if (count === lines) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  return acknowledged;
}

async function checkAll(folder: string, acknowledged: readonly Acknowledged[]): Promise<void> {
  await using store = await TenantStore.open({ place: openFolderPlace(folder), mode: 'write', logger });
  expect(readdirSync(path.join(folder, 'incoming')).filter((name) => name.endsWith('.lock'))).toHaveLength(1);
  for (const { durable, committed } of acknowledged) {
    for await (const outcome of store.readMany(durable.map((id) => Buffer.from(id, 'hex'))))
      expect(outcome?.block?.id).toEqual(outcome?.id);
    const points = (await store.listPoints()).map(({ pointId, problem }) => [pointId, problem]);
    for (const pointId of committed) expect(points).toContainEqual([pointId, undefined]);
  }
  const verified = await verifyPlace({ place: openFolderPlace(folder), logger, isDeep: true });
  expect(verified.damaged).toEqual([]);
}

describe(`a killed writer (seed ${seed})`, () => {
  it('loses no acknowledged data, also after many kills in one folder', async () => {
    await using scratch = await scratchFolder();
    const random = randomFrom(seed);
    const acknowledged: Acknowledged[] = [];
    for (let round = 0; round < 8; round += 1) {
      const lines = 1 + Math.floor(random() * 150);
      const packBytes = 20_000 + Math.floor(random() * 400_000);
      acknowledged.push(await runAndKill(scratch.folder, `s${round}`, lines, packBytes));
      if (round % 3 === 2) await checkAll(scratch.folder, acknowledged);
    }
    await checkAll(scratch.folder, acknowledged);
    expect(acknowledged.some(({ durable }) => durable.length > 0)).toBe(true);
  }, 60_000);

  it('may be one of several writers that start at once in a new folder', async () => {
    await using scratch = await scratchFolder();
    const folder = path.join(scratch.folder, 'new', 'tenant');
    const acknowledged = await Promise.all(
      ['a', 'b', 'c'].map((name, at) => runAndKill(folder, name, 50 + 40 * at, 60_000)),
    );
    for (const { durable } of acknowledged) expect(durable.length).toBeGreaterThan(0);
    await checkAll(folder, acknowledged);
    for (const name of readdirSync(folder)) expect(statSync(path.join(folder, name)).mode & 0o077).toBe(0);
  }, 60_000);

  it('does not disturb a living writer', async () => {
    await using scratch = await scratchFolder();
    await using living = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
    const content = randomContent(100_000);
    const id = await appendContent(living, content);
    const dead = await runAndKill(scratch.folder, 'dead', 30, 50_000);
    await using other = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
    expect(other.locate(dead.durable.map((each) => Buffer.from(each, 'hex')))).not.toContain('missing');
    await living.flush();
    expect(await readContent(other, id)).toEqual(content);
  }, 30_000);

  it('leaves complete blocks, which the next attempt need not send again', async () => {
    await using scratch = await scratchFolder();
    const packBytes = 100_000_000; // In these rounds the packs are too large to fill, so only a commit makes blocks durable.
    await runAndKill(scratch.folder, 'a', 45, packBytes);
    const incoming = path.join(scratch.folder, 'incoming');
    const left = readdirSync(incoming, { recursive: true }).filter((name) => String(name).endsWith('.tmp'));
    await using store = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
    const packs = await listPacks(new FolderStorage(scratch.folder));
    if (left.length > 0) expect(packs.some((name) => name.includes(path.basename(String(left[0]), '.tmp')))).toBe(true);
    expect(readdirSync(incoming)).toHaveLength(1);
    expect(await store.usedBytes()).toBeGreaterThan(0);
  }, 30_000);

  it('may die during a write, during a rename, or before the catalogue contains the pack', async () => {
    await using scratch = await scratchFolder();
    const contents = [randomContent(5000), randomContent(6000), randomContent(7000)];
    const ids: Buffer[] = [];
    {
      await using store = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
      for (const content of contents) ids.push(await appendContent(store, content));
      await store.flush();
    }
    const [name = ''] = await listPacks(new FolderStorage(scratch.folder));
    const whole = readFileSync(path.join(scratch.folder, name));
    // The state after a power cut: the trace of a dead writer, half a pack followed by zeros, and no catalogue.
    for (const keep of [0, 10, 36, 90, 5200, 11_500, whole.length - 10]) {
      await using other = await scratchFolder();
      const writer = '0123456789abcdef';
      const folder = path.join(other.folder, 'incoming', writer);
      await (await TenantStore.open({ place: openFolderPlace(other.folder), mode: 'write', logger })).close();
      mkdirSync(folder);
      writeFileSync(path.join(other.folder, 'incoming', `${writer}.lock`), '');
      writeFileSync(
        path.join(folder, `${path.basename(name, '.pack')}.tmp`),
        Buffer.concat([whole.subarray(0, keep), Buffer.alloc(500)]),
      );
      await using store = await TenantStore.open({ place: openFolderPlace(other.folder), mode: 'write', logger });
      expect(existsSync(folder)).toBe(false);
      const has = store.locate(ids).map((state) => state === 'stored');
      expect(has).toEqual([keep >= 5092, keep >= 11_148, keep >= 18_204]);
      for (const [index, id] of ids.entries())
        if (has[index] === true) expect(await readContent(store, id)).toEqual(contents[index]);
      expect((await verifyPlace({ place: openFolderPlace(other.folder), logger })).ok).toBe(true);
    }
  });
});
