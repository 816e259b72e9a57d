// Tests disks that are full, fail, cannot be written, or lose power. No acknowledged data may be lost, and no incomplete data may stay.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import { blockIdOf } from '../blocks/block.ts';
import { extractPoint } from './restore/extract.ts';
import { FolderStorage } from './folder/folder-storage.ts';
import { canGoDirect } from '../testing/repository/direct-access.ts';
import { MemoryStorage } from '../testing/repository/memory-storage.ts';
import type { ObjectWriter, Storage } from './storage/storage.ts';
import { TenantStore } from './store/tenant-store.ts';
import {
  appendContent,
  commitItems,
  entryOf,
  itemsOfFolder,
  randomContent,
  readContent,
  scratchFolder,
} from '../testing/repository/repository-fixture.ts';
import { verifyPlace } from './store/verify.ts';
import { openFolderPlace } from './folder/folder-place.ts';

const logger = silentLogger;

/** Passes calls to the real storage until `budget` bytes or calls are used up, then fails as a disk would. */
class FailingStorage implements Storage {
  readonly #inner: Storage;
  readonly #fails: (operation: string, bytes: number) => string | undefined;

  constructor(inner: Storage, fails: (operation: string, bytes: number) => string | undefined) {
    this.#inner = inner;
    this.#fails = fails;
  }

  #check(operation: string, bytes = 0): void {
    const code = this.#fails(operation, bytes);
    if (code !== undefined) throw Object.assign(new Error(`${code}: injected in ${operation}`), { code });
  }

  async create(name: string): Promise<ObjectWriter> {
    this.#check('create');
    const output = await this.#inner.create(name);
    return {
      append: async (pieces) => {
        this.#check(
          'append',
          pieces.reduce((sum, piece) => sum + piece.length, 0),
        );
        await output.append(pieces);
      },
      sync: async () => {
        this.#check('sync');
        await output.sync();
      },
      close: () => output.close(),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.#check('rename');
    await this.#inner.rename(from, to);
  }

  async sync(folder: string): Promise<void> {
    this.#check('sync-folder');
    await this.#inner.sync(folder);
  }

  read = (name: string, maxBytes: number): Promise<Buffer> => this.#inner.read(name, maxBytes);
  readRange = (name: string, offset: number, into: Buffer): Promise<number> =>
    this.#inner.readRange(name, offset, into);
  sizeBytes = (name: string): Promise<number | undefined> => this.#inner.sizeBytes(name);
  list = (folder: string): Promise<string[]> => this.#inner.list(folder);
  remove = (name: string): Promise<void> => this.#inner.remove(name);
  removeFolder = (folder: string): Promise<void> => this.#inner.removeFolder(folder);
  close = (): Promise<void> => this.#inner.close();
}

async function makeGoodPoint(folder: string): Promise<Buffer> {
  await using store = await TenantStore.open({ place: openFolderPlace(folder), mode: 'write', logger });
  const content = randomContent(50_000);
  const id = await appendContent(store, content);
  await commitItems(store, 'good', [
    { type: 'entry', entry: entryOf('folder', '') },
    {
      type: 'entry',
      entry: entryOf('file', 'f', { sizeBytes: content.length, content: [{ id, lengthBytes: content.length }] }),
    },
  ]);
  return id;
}

/** Appends blocks until an append fails, and returns the error code. */
async function fill(store: TenantStore): Promise<unknown> {
  try {
    for (let index = 0; index < 2000; index += 1) await appendContent(store, randomContent(100_000));
    await store.flush();
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
  return undefined;
}

/**
 * Makes one write to a file fail: the `nth` write of at least `minBytes`. All other writes succeed, because a disk that recovers is the
 * harder case.
 */
async function failOneWrite(
  folder: string,
  code: string,
  nth: number,
  minBytes: number,
): Promise<Disposable & { readonly failures: number }> {
  const probe = await open(path.join(folder, 'probe'), 'w');
  const prototype = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  let seen = 0;
  let failures = 0;
  const real = Object.getOwnPropertyDescriptor(prototype, 'write')?.value as (
    this: FileHandle,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ) => Promise<unknown>;
  const spy = vi.spyOn(prototype, 'write').mockImplementation(function (this: FileHandle, ...call: unknown[]) {
    const [buffer, offset, length, position] = call as [Uint8Array, number, number, number];
    if (length >= minBytes) seen += 1;
    if (length < minBytes || seen !== nth || failures > 0)
      return real.call(this, buffer, offset, length, position) as never;
    failures += 1;
    return Promise.reject(Object.assign(new Error(`${code}: injected`), { code }));
  });
  return {
    get failures() {
      return failures;
    },
    [Symbol.dispose]: () => spy.mockRestore(),
  };
}

describe.skipIf(!(await canGoDirect()))('a direct write that fails once', () => {
  const kinds = [
    ['EIO', 'storage.io', 'a large piece', 64 * 1024],
    ['ENOSPC', 'storage.disk-full', 'a large piece', 64 * 1024],
    ['EIO', 'storage.io', 'a piece at the start or end', 1],
    ['ENOSPC', 'storage.disk-full', 'a piece at the start or end', 1],
  ] as const;
  it.each(kinds)(
    'with %s is %s (%s), and no block of its pack is acknowledged',
    async (code, expected, _piece, minBytes) => {
      await using scratch = await scratchFolder();
      await makeGoodPoint(scratch.folder);
      for (const nth of [1, 2, 3]) {
        const durable: Buffer[] = [];
        const store = await TenantStore.open({
          place: openFolderPlace(scratch.folder),
          mode: 'write',
          logger,
          packBytes: 6 * 1024 * 1024,
          onDurable: ({ ids }) => durable.push(...ids),
        });
        let failures: number;
        {
          using fault = await failOneWrite(scratch.folder, code, nth, minBytes);
          expect(await fill(store)).toBe(expected);
          ({ failures } = fault);
        }
        expect(failures).toBe(1);
        await expect(store.flush()).rejects.toMatchObject({ code: expected });
        const acknowledged = durable.length;
        await store.close();
        // No block was reported as durable after the failure, not even when the store was closed.
        expect(durable).toHaveLength(acknowledged);
        await using again = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
        expect(again.locate(durable)).not.toContain('missing');
        for (const id of durable) expect(blockIdOf(await readContent(again, id)).equals(id)).toBe(true);
        expect(await verifyPlace({ place: openFolderPlace(scratch.folder), logger, isDeep: true })).toMatchObject({
          ok: true,
        });
      }
    },
    60_000,
  );
});

describe('a full disk', () => {
  it.each(['create', 'append', 'sync', 'rename', 'sync-folder'])(
    'at %s is reported as storage.disk-full, and existing data stays intact',
    async (where) => {
      await using scratch = await scratchFolder();
      await makeGoodPoint(scratch.folder);
      let isFull = false;
      const durable: Buffer[] = [];
      const storage = new FailingStorage(new FolderStorage(scratch.folder), (operation) =>
        isFull && operation === where ? 'ENOSPC' : undefined,
      );
      const store = await TenantStore.open({
        place: openFolderPlace(scratch.folder, storage),
        mode: 'write',
        logger,
        packBytes: 500_000,
        onDurable: ({ ids }) => durable.push(...ids),
      });
      for (let index = 0; index < 20; index += 1) await appendContent(store, randomContent(100_000));
      await store.flush();
      isFull = true;
      expect(await fill(store)).toBe('storage.disk-full');
      await expect(
        store.append([{ id: Buffer.alloc(32), encoding: 'raw', contentLength: 1, stored: Buffer.alloc(1) }]),
      ).rejects.toMatchObject({ code: 'storage.disk-full' });
      await expect(
        commitItems(store, 'never', [{ type: 'entry', entry: entryOf('folder', '') }]),
      ).rejects.toMatchObject({ code: 'storage.disk-full' });
      isFull = false;
      await store.close();

      await using again = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'write', logger });
      expect(durable.length).toBeGreaterThanOrEqual(20);
      expect(again.locate(durable)).not.toContain('missing');
      expect((await again.listPoints()).map(({ pointId }) => pointId)).toEqual(['good']);
      for (let index = 0; index < 5; index += 1) await appendContent(again, randomContent(100_000));
      await again.flush();
      expect(await verifyPlace({ place: openFolderPlace(scratch.folder), logger, isDeep: true })).toMatchObject({
        ok: true,
      });
    },
  );

  it('on a real file system, later read-only, ends a session with storage.disk-full and damages no data', async () => {
    await using scratch = await scratchFolder();
    const disk = path.join(scratch.folder, 'disk');
    mkdirSync(disk);
    await using mounted = mountSmallDisk(disk, '8m');
    if (!mounted.isMounted) {
      // Without the right to mount, only the injected failures above can be tested.
      expect(process.getuid?.() === 0 && existsSync('/proc/mounts') && canMount()).toBe(false);
      return;
    }
    const folder = path.join(disk, 'tenant');
    await makeGoodPoint(folder);
    {
      await using store = await TenantStore.open({
        place: openFolderPlace(folder),
        mode: 'write',
        logger,
        packBytes: 1_000_000,
      });
      expect(await fill(store)).toBe('storage.disk-full');
    }
    const out = path.join(scratch.folder, 'out');
    expect(await extractPoint({ place: openFolderPlace(folder), pointId: 'good', to: out })).toMatchObject({
      problemCount: 0,
      counts: { files: 1 },
    });
    expect(await verifyPlace({ place: openFolderPlace(folder), logger })).toMatchObject({ ok: true, points: 1 });
    // The same disk is now mounted read-only.
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const again = path.join(scratch.folder, 'again');
    expect(await extractPoint({ place: openFolderPlace(folder), pointId: 'good', to: again })).toMatchObject({
      problemCount: 0,
      counts: { files: 1 },
    });
    await expect(TenantStore.open({ place: openFolderPlace(folder), mode: 'write', logger })).rejects.toMatchObject({
      code: 'storage.read-only',
    });
  });
});

function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function mountSmallDisk(folder: string, size: string): { readonly isMounted: boolean } & AsyncDisposable {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', folder], { stdio: 'ignore' });
  } catch {
    return { isMounted: false, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  return {
    isMounted: true,
    [Symbol.asyncDispose]: () => {
      execFileSync('umount', ['-l', folder]);
      return Promise.resolve();
    },
  };
}

describe('a folder that cannot be written', () => {
  it('can still be read, also with a catalogue that was not closed', async () => {
    await using scratch = await scratchFolder();
    const source = path.join(scratch.folder, 'source');
    mkdirSync(source);
    writeFileSync(path.join(source, 'f'), 'hello');
    const folder = path.join(scratch.folder, 'tenant');
    const frozen = path.join(scratch.folder, 'frozen');
    {
      await using store = await TenantStore.open({ place: openFolderPlace(folder), mode: 'write', logger });
      await commitItems(store, 'p', await itemsOfFolder(store, source));
      // Copies the folder while the store is open, like a snapshot of the disk.
      execFileSync('cp', ['-r', folder, frozen]);
    }
    execFileSync('chmod', ['-R', 'a-w', frozen]);
    try {
      for (const tenantFolder of [folder, frozen]) {
        const to = path.join(scratch.folder, `out-${path.basename(tenantFolder)}`);
        expect(await extractPoint({ place: openFolderPlace(tenantFolder), pointId: 'p', to })).toMatchObject({
          problemCount: 0,
          counts: { files: 1 },
        });
      }
    } finally {
      execFileSync('chmod', ['-R', 'u+w', frozen]);
    }
  });

  it('refuses to open for writing with an error that names the folder, and refuses writes of a reader', async () => {
    await using scratch = await scratchFolder();
    await makeGoodPoint(scratch.folder);
    await using reader = await TenantStore.open({ place: openFolderPlace(scratch.folder), mode: 'read', logger });
    await expect(appendContent(reader, Buffer.from('x'))).rejects.toMatchObject({ code: 'storage.read-only' });
    const storage = new FailingStorage(new FolderStorage(scratch.folder), () => 'EROFS');
    await expect(
      TenantStore.open({ place: openFolderPlace(scratch.folder, storage), mode: 'write', logger }),
    ).rejects.toMatchObject({
      code: 'storage.read-only',
    });
    await expect(
      TenantStore.open({ place: openFolderPlace(path.join(scratch.folder, 'nowhere')), mode: 'read', logger }),
    ).rejects.toMatchObject({ code: 'storage.io' });
    const file = path.join(scratch.folder, 'file');
    writeFileSync(file, '');
    await expect(TenantStore.open({ place: openFolderPlace(file), mode: 'write', logger })).rejects.toMatchObject({
      message: expect.stringContaining(file) as string,
    });
    chmodSync(file, 0o600);
  });
});

describe('a power cut', () => {
  it('loses no acknowledged block and no committed restore point, whichever other data reached the disk', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 12 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 }),
        fc.boolean(),
        async (rounds, chances, isCatalogueOld) => {
          await using scratch = await scratchFolder();
          const folder = path.join(scratch.folder, 'before');
          const storage = new MemoryStorage();
          const durable: Buffer[] = [];
          const committed: string[] = [];
          const store = await TenantStore.open({
            place: openFolderPlace(folder, storage),
            mode: 'write',
            logger,
            packBytes: 20_000,
            onDurable: ({ ids }) => durable.push(...ids),
          });
          const after = path.join(scratch.folder, 'after');
          mkdirSync(path.join(after, 'incoming'), { recursive: true });
          for (const [round, count] of rounds.entries()) {
            if (isCatalogueOld && round === rounds.length >> 1)
              copyFileSync(path.join(folder, 'catalogue.sqlite'), path.join(after, 'catalogue.sqlite'));
            const items = [{ type: 'entry' as const, entry: entryOf('folder', '') }];
            for (let index = 0; index < count; index += 1) await appendContent(store, randomContent(500 + index * 50));
            if (count % 3 === 0) {
              await commitItems(store, `p${round}`, items);
              committed.push(`p${round}`);
            }
          }
          let turn = 0;
          const cut = storage.afterPowerCut(() => chances[turn++ % chances.length] ?? 0);
          const known = [...durable];
          // The writer's lock is on disk before its first block.
          for (const name of readdirSync(path.join(folder, 'incoming')))
            if (name.endsWith('.lock')) writeFileSync(path.join(after, 'incoming', name), '');
          await using again = await TenantStore.open({ place: openFolderPlace(after, cut), mode: 'write', logger });
          for await (const outcome of again.readMany(known)) expect(outcome?.block?.id).toEqual(outcome?.id);
          const points = await again.listPoints();
          for (const pointId of committed) expect(points.map((point) => point.pointId)).toContain(pointId);
          for (const point of points) expect(point.problem).toBeUndefined();
          expect(await verifyPlace({ place: openFolderPlace(after, cut), logger, isDeep: true })).toMatchObject({
            ok: true,
          });
          await store.close();
        },
      ),
      { numRuns: 12 },
    );
  });
});
