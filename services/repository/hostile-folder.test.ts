// Tests a repository folder on an attacker's disk: pipes, devices, links, foreign databases and odd names in place of files. No command may
// hang, and none may read or change files outside the repository. Undamaged data must stay usable.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import { appendContent, commitItems, entryOf, scratchFolder } from '../testing/repository/repository-fixture.ts';
import { extractPoint } from './restore/extract.ts';
import { FolderStorage } from './folder/folder-storage.ts';
import { markDamage } from './store/mark-damage.ts';
import { moveToTrash } from './points/point-trash.ts';
import { rebuildCatalogue } from './store/rebuild-catalogue.ts';
import type { Storage } from './storage/storage.ts';
import { TenantStore } from './store/tenant-store.ts';
import { verifyAndMark } from './store/verify-and-mark.ts';
import { verifyPlace } from './store/verify.ts';
import { openFolderPlace } from './folder/folder-place.ts';

const logger = silentLogger;
const content = Buffer.from('what must come back');
const dead = '00112233445566aa';

async function makePoint(folder: string): Promise<void> {
  await using store = await TenantStore.open({ place: openFolderPlace(folder), mode: 'write', logger });
  const id = await appendContent(store, content);
  await commitItems(store, 'good', [
    { type: 'entry', entry: entryOf('folder', '') },
    {
      type: 'entry',
      entry: entryOf('file', 'f', { sizeBytes: content.length, content: [{ id, lengthBytes: content.length }] }),
    },
  ]);
}

/** A tenant's folder with the point "good", and a folder beside it that must stay untouched. */
async function hostile(): Promise<
  { folder: string; outside: string; scratch: string; expectUntouched: () => void } & AsyncDisposable
> {
  const scratch = await scratchFolder();
  const folder = path.join(scratch.folder, 'tenant');
  const outside = path.join(scratch.folder, 'outside');
  mkdirSync(outside);
  writeFileSync(path.join(outside, '0123456789abcdef0123456789abcdef.tmp'), 'not yours');
  writeFileSync(path.join(outside, 'precious'), 'not yours');
  const before = readdirSync(outside);
  await makePoint(folder);
  return {
    folder,
    outside,
    scratch: scratch.folder,
    expectUntouched: () => {
      expect(readdirSync(outside)).toEqual(before);
      for (const name of before) expect(readFileSync(path.join(outside, name), 'utf8')).toBe('not yours');
    },
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}

const kinds: [string, (at: string) => void][] = [
  ['a pipe', (at) => execFileSync('mkfifo', [at])],
  ['a link to a device without end', (at) => symlinkSync('/dev/zero', at)],
  ['a folder', (at) => mkdirSync(at)],
  ['a link to a missing file', (at) => symlinkSync('nowhere', at)],
  [
    'a sparse file of a terabyte',
    (at) => {
      writeFileSync(at, '');
      truncateSync(at, 2 ** 40);
    },
  ],
];

async function expectGoodPoint(folder: string, to: string): Promise<void> {
  const extracted = await extractPoint({ place: openFolderPlace(folder), pointId: 'good', to });
  expect(extracted.problems).toEqual([]);
  expect(readFileSync(path.join(to, 'f')).equals(content)).toBe(true);
}

describe.each(kinds)('%s', (_, put) => {
  it('in the place of a root is reported by verify and in the list of restore points; other points stay usable', async () => {
    await using made = await hostile();
    const { folder } = made;
    put(path.join(folder, 'points', 'bad.manifest'));
    const { damaged } = await verifyAndMark({ place: openFolderPlace(folder), logger });
    expect(damaged).toMatchObject([{ manifest: 'points/bad.manifest' }]);
    await expect(
      extractPoint({ place: openFolderPlace(folder), pointId: 'bad', to: path.join(made.scratch, 'x') }),
    ).rejects.toThrow(expect.objectContaining({ code: expect.stringMatching(/^storage\./) }));
    {
      await using store = await TenantStore.open({
        place: openFolderPlace(folder),
        mode: 'write',
        logger,
        quotaBytes: 10_000_000,
      });
      const listed = await store.listPoints();
      expect(listed.filter(({ problem }) => problem === undefined).map(({ pointId }) => pointId)).toEqual(['good']);
      await appendContent(store, Buffer.from('one more'));
      await store.flush();
    }
    await expectGoodPoint(folder, path.join(made.scratch, 'out'));
    made.expectUntouched();
  });

  it('in the place of a pack is reported by verify; sessions still start, and the catalogue can be rebuilt', async () => {
    await using made = await hostile();
    const { folder } = made;
    mkdirSync(path.join(folder, 'packs', 'ab'), { recursive: true });
    const name = `packs/ab/${'ab'.repeat(16)}.pack`;
    put(path.join(folder, name));
    const { damaged } = await verifyAndMark({ place: openFolderPlace(folder), logger });
    expect(damaged).toMatchObject([{ pack: name }]);
    expect(await rebuildCatalogue({ place: openFolderPlace(folder), logger })).toMatchObject({
      points: 1,
      damaged: [name],
    });
    rmSync(path.join(folder, 'catalogue.sqlite'));
    await expectGoodPoint(folder, path.join(made.scratch, 'out'));
    await using store = await TenantStore.open({ place: openFolderPlace(folder), mode: 'write', logger });
    expect(await store.usedBytes()).toBeGreaterThan(0);
  });

  it('in the place of a pack loses the blocks of this pack, and the next backup sends them again', async () => {
    await using made = await hostile();
    const { folder } = made;
    const storage = new FolderStorage(folder);
    const [sub] = await storage.list('packs');
    const [file] = await storage.list(`packs/${sub ?? ''}`);
    const at = path.join(folder, 'packs', sub ?? '', file ?? '');
    rmSync(at);
    put(at);
    const { damaged } = await verifyAndMark({ place: openFolderPlace(folder), logger });
    expect(damaged).toContainEqual(
      expect.objectContaining({ pack: `packs/${sub ?? ''}/${file ?? ''}`, points: ['good'] }),
    );
    await makePoint(folder); // The same root is committed again, with its blocks.
    await expectGoodPoint(folder, path.join(made.scratch, 'out'));
  });

  it('in the place of the catalogue or of its log is renamed, and the catalogue is rebuilt', async () => {
    for (const name of [
      'catalogue.sqlite',
      'catalogue.sqlite-wal',
      'catalogue.sqlite-shm',
      'catalogue.sqlite-journal',
    ]) {
      await using made = await hostile();
      const { folder } = made;
      rmSync(path.join(folder, name), { force: true });
      put(path.join(folder, name));
      await expectGoodPoint(folder, path.join(made.scratch, 'out'));
      const { ok } = await verifyAndMark({ place: openFolderPlace(folder), logger });
      expect(ok, name).toBe(true);
      await makePoint(folder);
      await expectGoodPoint(folder, path.join(made.scratch, 'again'));
      await rebuildCatalogue({ place: openFolderPlace(folder), logger });
    }
  });

  it('in the place of marks, of a lock or of a dead writer’s files does not prevent the start of a session', async () => {
    await using made = await hostile();
    const { folder } = made;
    for (const name of ['damaged', `incoming/${dead}`, 'incoming/aabbccddeeff0011'])
      mkdirSync(path.join(folder, name), { recursive: true });
    put(path.join(folder, 'damaged', '0123456789abcdef.marks'));
    put(path.join(folder, 'incoming', `${dead}.lock`));
    writeFileSync(path.join(folder, 'incoming', 'aabbccddeeff0011.lock'), '');
    put(path.join(folder, 'incoming', 'aabbccddeeff0011', `${'cd'.repeat(16)}.tmp`));
    writeFileSync(path.join(folder, 'incoming', '1111111111111111.lock'), '');
    put(path.join(folder, 'incoming', '1111111111111111'));
    await makePoint(folder);
    const { ok } = await verifyAndMark({ place: openFolderPlace(folder), logger });
    expect(ok).toBe(true);
    await expectGoodPoint(folder, path.join(made.scratch, 'out'));
  });
});

describe('a link in a repository folder', () => {
  it('in incoming/ cannot make the cleanup delete files outside the repository', async () => {
    await using made = await hostile();
    const { folder, outside } = made;
    writeFileSync(path.join(folder, 'incoming', `${dead}.lock`), '');
    symlinkSync(outside, path.join(folder, 'incoming', dead));
    await makePoint(folder);
    made.expectUntouched();
    expect(readdirSync(path.join(folder, 'incoming'))).toEqual([]);
  });

  it.each(['packs', 'points', 'incoming', 'damaged'])(
    'in the place of %s/ is refused with an error that names the folder',
    async (name) => {
      await using made = await hostile();
      const { folder, outside } = made;
      if (existsSync(path.join(folder, name))) renameSync(path.join(folder, name), path.join(made.scratch, 'moved'));
      symlinkSync(outside, path.join(folder, name));
      await expect(TenantStore.open({ place: openFolderPlace(folder), mode: 'write', logger })).rejects.toThrow(
        `${name} is a symbolic link`,
      );
      made.expectUntouched();
    },
  );

  it.each(['packs', 'points', 'damaged'])('in the place of %s/ is reported by verify', async (name) => {
    await using made = await hostile();
    const { folder, outside } = made;
    if (existsSync(path.join(folder, name))) renameSync(path.join(folder, name), path.join(made.scratch, 'moved'));
    symlinkSync(outside, path.join(folder, name));
    const { damaged } = await verifyAndMark({ place: openFolderPlace(folder), logger });
    expect(damaged.map(({ pack, manifest }) => pack ?? manifest)).toContain(name);
    made.expectUntouched();
  });

  it('in the place of incoming/ prevents verify from marking damage, and verify reports this', async () => {
    await using made = await hostile();
    const { folder, outside } = made;
    const [sub = ''] = readdirSync(path.join(folder, 'packs'));
    const [file = ''] = readdirSync(path.join(folder, 'packs', sub));
    truncateSync(path.join(folder, 'packs', sub, file), 100);
    rmSync(path.join(folder, 'incoming'), { recursive: true });
    symlinkSync(outside, path.join(folder, 'incoming'));
    const { damaged, markingProblem } = await verifyAndMark({ place: openFolderPlace(folder), logger });
    expect(damaged).toContainEqual(expect.objectContaining({ pack: `packs/${sub}/${file}`, points: ['good'] }));
    expect(markingProblem).toContain('incoming is a symbolic link');
    expect(existsSync(path.join(folder, 'damaged'))).toBe(false);
    made.expectUntouched();
  });

  it('in the place of trash/ cannot move a restore point out of the repository; sessions and verify still work', async () => {
    await using made = await hostile();
    const { folder, outside } = made;
    rmSync(path.join(folder, 'trash'), { recursive: true, force: true });
    symlinkSync(outside, path.join(folder, 'trash'));
    {
      await using store = await TenantStore.open({
        place: openFolderPlace(folder),
        mode: 'write',
        logger,
        quotaBytes: 10_000_000,
      });
      expect(await store.usedBytes()).toBeGreaterThan(0);
      await appendContent(store, Buffer.from('one more'));
      await store.flush();
    }
    const storage = new FolderStorage(folder);
    await expect(moveToTrash(storage, 'good', 1)).rejects.toThrow('trash is a symbolic link');
    await storage.close();
    expect(await verifyAndMark({ place: openFolderPlace(folder), logger })).toMatchObject({ ok: true, points: 1 });
    await expectGoodPoint(folder, path.join(made.scratch, 'out'));
    made.expectUntouched();
  });

  it('in the place of the tenant folder is refused with an error that names the folder', async () => {
    await using made = await hostile();
    const link = path.join(made.scratch, 'link');
    symlinkSync(made.folder, link);
    for (const mode of ['read', 'write'] as const)
      await expect(TenantStore.open({ place: openFolderPlace(link), mode, logger })).rejects.toThrow(
        'link is a symbolic link',
      );
    await expect(extractPoint({ place: openFolderPlace(link), pointId: 'good', to: `${link}-out` })).rejects.toThrow(
      'symbolic link',
    );
  });

  it('in the place of a pack folder or of a pack is never followed to read or write', async () => {
    await using made = await hostile();
    const { folder, outside } = made;
    for (let first = 0; first < 256; first += 1) {
      const at = path.join(folder, 'packs', first.toString(16).padStart(2, '0'));
      rmSync(at, { recursive: true, force: true });
      symlinkSync(outside, at);
    }
    await using store = await TenantStore.open({ place: openFolderPlace(folder), mode: 'write', logger });
    for (let index = 0; index < 3; index += 1) await appendContent(store, Buffer.from(`block ${index}`));
    await expect(store.flush()).rejects.toMatchObject({ code: 'storage.damaged' });
    made.expectUntouched();
  });
});

/** A forged rollback journal. SQLite would play it back and then delete the file `victim`. */
function journalNaming(victim: string): Buffer {
  const sector = 512;
  const head = Buffer.alloc(sector);
  Buffer.from('d9d505f920a163d7', 'hex').copy(head);
  head.writeUInt32BE(0, 8);
  head.writeUInt32BE(1, 16);
  head.writeUInt32BE(sector, 20);
  head.writeUInt32BE(4096, 24);
  const name = Buffer.from(victim);
  const end = Buffer.alloc(4 + name.length + 16);
  end.writeUInt32BE(2 ** 30 / 4096 + 1, 0);
  name.copy(end, 4);
  end.writeUInt32BE(name.length, 4 + name.length);
  end.writeUInt32BE(
    name.reduce((sum, byte) => sum + byte, 0),
    8 + name.length,
  );
  Buffer.from('d9d505f920a163d7', 'hex').copy(end, 12 + name.length);
  return Buffer.concat([head, end]);
}

describe('a catalogue that an attacker made', () => {
  const foreign: [string, string][] = [
    [
      'an endless view',
      "DROP TABLE packs; CREATE VIEW packs AS WITH RECURSIVE n (number) AS (VALUES (1) UNION ALL SELECT number + 1 FROM n) SELECT number, x'00' AS id, 1 AS size_bytes, 1 AS block_count FROM n",
    ],
    [
      'an endless trigger',
      'CREATE TRIGGER t AFTER INSERT ON packs BEGIN INSERT INTO applied_marks WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n; END',
    ],
    ['a table with other columns', 'DROP TABLE blocks; CREATE TABLE blocks (id)'],
    ['an additional table', 'CREATE TABLE more (x)'],
    ['an index', 'CREATE INDEX i ON blocks (pack)'],
    ['a later version', 'PRAGMA user_version=9'],
    [
      'no tables',
      'DROP TABLE blocks; DROP TABLE damaged_places; DROP TABLE packs; DROP TABLE reservations; DROP TABLE applied_marks',
    ],
  ];

  it.each(foreign)('with %s is renamed and rebuilt', async (_, sql) => {
    await using made = await hostile();
    const file = path.join(made.folder, 'catalogue.sqlite');
    {
      const database = new DatabaseSync(file);
      database.exec(`PRAGMA foreign_keys=OFF; ${sql}`);
      database.close();
    }
    await expectGoodPoint(made.folder, path.join(made.scratch, 'out'));
    expect((await verifyAndMark({ place: openFolderPlace(made.folder), logger })).ok).toBe(true);
    await makePoint(made.folder);
    expect(existsSync(`${file}.damaged`)).toBe(true);
    const database = new DatabaseSync(file, { readOnly: true });
    expect(database.prepare('SELECT count(*) AS packs FROM packs').get()).toEqual({ packs: 1 });
    database.close();
  });

  it('with impossible block lengths allocates no memory, and the error names the problem', async () => {
    await using made = await hostile();
    const database = new DatabaseSync(path.join(made.folder, 'catalogue.sqlite'));
    database.exec('UPDATE blocks SET stored_bytes = 1000000000000');
    database.close();
    await using store = await TenantStore.open({ place: openFolderPlace(made.folder), mode: 'read', logger });
    const [point] = await store.listPoints();
    expect(point?.pointId).toBe('good');
    await expect(
      extractPoint({ place: openFolderPlace(made.folder), pointId: 'good', to: made.scratch }),
    ).rejects.toMatchObject({
      code: 'storage.damaged',
    });
  });

  it('cannot use a forged journal to delete other files, and neither can a lock', async () => {
    await using made = await hostile();
    const { folder, outside } = made;
    const journal = journalNaming(path.join(outside, 'precious'));
    writeFileSync(path.join(folder, 'catalogue.sqlite-journal'), journal);
    const lock = path.join(folder, 'incoming', `${dead}.lock`);
    writeFileSync(lock, readFileSync(path.join(folder, 'catalogue.sqlite')));
    writeFileSync(`${lock}-journal`, journal);
    await makePoint(folder);
    await verifyAndMark({ place: openFolderPlace(folder), logger });
    await rebuildCatalogue({ place: openFolderPlace(folder), logger });
    made.expectUntouched();
    await expectGoodPoint(folder, path.join(made.scratch, 'out'));
  });
});

describe('verify and rebuild', () => {
  it('report invalid object names and continue', async () => {
    await using made = await hostile();
    const { folder } = made;
    const [sub = ''] = readdirSync(path.join(folder, 'packs'));
    const odd = Buffer.from([0x61, 0xff, 0x20]);
    mkdirSync(path.join(folder, 'damaged'), { recursive: true });
    for (const name of ['points', 'packs', `packs/${sub}`, 'damaged', 'incoming', 'trash', '']) {
      for (const each of ['a b', '.hidden', '..x', 'x.manifest~', 'UPPER.manifest', '-.manifest', 'x.pack'])
        writeFileSync(path.join(folder, name, each), 'x');
      writeFileSync(Buffer.concat([Buffer.from(path.join(folder, name, '/')), odd]), 'x');
    }
    // A pack in the wrong folder cannot be found by its name.
    const [file = ''] = readdirSync(path.join(folder, 'packs', sub)).filter((name) =>
      /^[0-9a-f]{32}\.pack$/.test(name),
    );
    mkdirSync(path.join(folder, 'packs', sub === '00' ? '01' : '00'));
    linkSync(path.join(folder, 'packs', sub, file), path.join(folder, 'packs', sub === '00' ? '01' : '00', file));
    const result = await verifyAndMark({ place: openFolderPlace(folder), logger });
    expect(result.damaged.map(({ pack, manifest }) => pack ?? manifest)).toEqual(
      expect.arrayContaining([
        'packs/a b',
        `packs/${sub}/x.pack`,
        `packs/${sub === '00' ? '01' : '00'}/${file}`,
        'points/a b',
        'points/UPPER.manifest',
        'points/-.manifest',
      ]),
    );
    expect(result).toMatchObject({ packs: 1, points: 1, markingProblem: undefined });
    expect(result.damaged.every(({ damagedBlocks }) => damagedBlocks === 0)).toBe(true);
    expect(await rebuildCatalogue({ place: openFolderPlace(folder), logger })).toMatchObject({ packs: 1, points: 1 });
    await makePoint(folder);
    await expectGoodPoint(folder, path.join(made.scratch, 'out'));
  });

  it.each(['EIO', 'EACCES'])('continue after a pack and a root that the disk cannot read (%s)', async (code) => {
    await using made = await hostile();
    const { folder } = made;
    {
      await using store = await TenantStore.open({ place: openFolderPlace(folder), mode: 'write', logger });
      await appendContent(store, Buffer.from('in another pack'));
      await store.flush();
    }
    const inner = new FolderStorage(folder);
    const packs = (
      await Promise.all(
        (await inner.list('packs')).map(async (sub) =>
          (await inner.list(`packs/${sub}`)).map((name) => `packs/${sub}/${name}`),
        ),
      )
    ).flat();
    const refused = packs.at(-1) ?? '';
    const storage = Object.create(inner, {
      readRange: {
        value: (name: string, offset: number, into: Buffer) =>
          name === refused
            ? Promise.reject(Object.assign(new Error(`${code}: injected`), { code }))
            : inner.readRange(name, offset, into),
      },
    }) as Storage;
    const methods = [
      'create',
      'read',
      'sizeBytes',
      'list',
      'rename',
      'sync',
      'remove',
      'removeFolder',
      'close',
    ] as const;
    for (const method of methods) Object.defineProperty(storage, method, { value: inner[method].bind(inner) });
    const result = await verifyPlace({ place: openFolderPlace(folder, storage), logger });
    expect(result.damaged).toContainEqual(
      expect.objectContaining({ pack: refused, reason: expect.stringContaining(code) }),
    );
    expect(result.packs).toBe(2);
  });

  it('mark damage only if the folder of packs is a real folder with packs', async () => {
    await using made = await hostile();
    const { folder, outside } = made;
    renameSync(path.join(folder, 'packs'), path.join(made.scratch, 'moved'));
    symlinkSync(outside, path.join(folder, 'packs'));
    await expect(markDamage({ place: openFolderPlace(folder), logger }, [])).rejects.toMatchObject({
      code: 'storage.io',
    });
    made.expectUntouched();
  });
});
