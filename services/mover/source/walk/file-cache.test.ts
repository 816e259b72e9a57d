// Tests that the file cache is used only for unchanged files, and that its errors never end a run.
import { crc32 } from 'node:zlib';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeTemporaryFolder } from '../../../testing/temporary-folder.ts';
import { ContentList } from './content-list.ts';
import { FileCache } from './file-cache.ts';
import type { FileValues } from '../../../kernel/file-metadata.ts';
import { FileStat, fromNodeStats, isSettled } from './file-stat.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await makeTemporaryFolder();
  file = path.join(folder, 'cache/job.sqlite');
});

const content = (sizeBytes: number, fill = 1): Buffer => {
  const list = new ContentList();
  list.addBlock(Buffer.alloc(32, fill), sizeBytes);
  return list.packed();
};

const stat = (sizeBytes: number, more: Partial<FileValues> = {}): FileStat =>
  FileStat.of({
    mode: 0o100644,
    uid: 0,
    gid: 0,
    nlink: 1,
    sizeBytes,
    blocks: 8,
    ino: 5n,
    dev: 1,
    rdev: 0,
    mtimeNs: 1_000_000_000_123_456_789n,
    ctimeNs: 1_000_000_000_123_456_789n,
    attributes: 0,
    ...more,
  });

/** Simulates a run over the files of one folder. Returns the cached content of each file. */
function run(cache: FileCache, files: ReadonlyMap<string, FileStat>, isWhole = true): Map<string, Buffer | undefined> {
  const cached = cache.folder('/somewhere');
  const found = new Map<string, Buffer | undefined>();
  for (const name of [...files.keys()].sort()) {
    const now = files.get(name);
    if (now === undefined) continue;
    const known = cached.find(name, now);
    found.set(name, known === undefined ? undefined : Buffer.from(known));
    const { part, position } = cached.add(name);
    if (known === undefined) {
      part.hold(position, name, now, content(now.sizeBytes, name.length));
      part.save(position);
    } else part.keep(position);
  }
  cached.end();
  if (isWhole) cache.finish();
  return found;
}

const rowCount = (): number => {
  using database = new DatabaseSync(file);
  return Number(database.prepare('SELECT count(*) AS count FROM part').get()?.['count']);
};

describe('the file cache', () => {
  it('finds exactly the files that did not change since the last run, after any additions, deletions and changes', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z\u00e4\u00ff]{1,3}$/), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(fc.tuple(names, fc.nat(5)), { minLength: 1, maxLength: 4 }), (rounds) => {
        rmSync(path.dirname(file), { recursive: true, force: true });
        let before = new Map<string, FileStat>();
        /** The last state of each name. A change never restores an earlier state, because the ctime only increases. */
        const states = new Map<string, FileStat>();
        let changes = 0;
        rounds.forEach(([list, changed], round) => {
          const isWhole = round % 2 === 0;
          const files = new Map(
            list.map((name, index) => {
              const last = states.get(name);
              const sizeBytes = 100 + index;
              const isKept = last?.sizeBytes === sizeBytes && index % 6 !== changed;
              if (!isKept) changes += 1;
              const now = isKept ? last : stat(sizeBytes, { ctimeNs: BigInt(changes) });
              states.set(name, now);
              return [name, now];
            }),
          );
          using cache = new FileCache(file);
          const found = run(cache, files, isWhole);
          for (const [name, now] of files) {
            const last = before.get(name);
            const isSame = last?.sizeBytes === now.sizeBytes && last.ctimeNs === now.ctimeNs;
            expect(found.get(name)).toEqual(isSame ? content(now.sizeBytes, name.length) : undefined);
          }
          before = isWhole ? files : new Map([...before, ...files]);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('does not find a file with another size, mtime, ctime, inode or device', () => {
    using cache = new FileCache(file);
    run(cache, new Map([['a', stat(10)]]));
    cache.close();
    for (const change of [
      { sizeBytes: 11 },
      { mtimeNs: 1_000_000_000_123_456_788n },
      { ctimeNs: 1_000_000_000_123_456_788n },
      { mtimeNs: 1_000_000_001_123_456_789n },
      { ctimeNs: 999_999_999_123_456_789n },
      { ino: 6n },
      { ino: 5n + 2n ** 32n },
      { dev: 2 },
    ] satisfies Partial<FileValues>[]) {
      using later = new FileCache(file);
      expect(later.folder('/somewhere').find('a', stat(10, change))).toBeUndefined();
      expect(later.folder('/somewhere').find('a', stat(10))).toEqual(content(10));
    }
  });

  it('keeps the results of a broken run, removes deleted files after a complete run, and does not write unchanged parts', () => {
    const many = new Map(Array.from({ length: 3000 }, (_, index) => [`f${index}`, stat(index + 1)]));
    {
      using cache = new FileCache(file);
      run(cache, many, false);
    }
    {
      using cache = new FileCache(file);
      expect([...run(cache, many).values()].every((known) => known !== undefined)).toBe(true);
    }
    const rows = rowCount();
    expect(rows).toBeGreaterThan(5);
    expect(rows).toBeLessThan(40);
    const ids = (): unknown[] => {
      using database = new DatabaseSync(file);
      return database.prepare('SELECT id FROM part ORDER BY id').all();
    };
    const before = ids();
    {
      using cache = new FileCache(file);
      run(cache, many);
    }
    expect(ids()).toEqual(before);
    {
      using cache = new FileCache(file);
      run(cache, new Map([['f1', stat(2)]]));
    }
    expect(rowCount()).toBe(1);
  });

  it('writes the durable files of an unfinished folder at intervals and at the end of a broken run', () => {
    let now = 0;
    const cache = new FileCache(file, { now: () => now });
    const cached = cache.folder('/somewhere');
    const [one, other] = [cached.add('a'), cached.add('b')];
    one.part.hold(one.position, 'a', stat(10), content(10));
    other.part.hold(other.position, 'b', stat(20), content(20));
    one.part.save(one.position);
    cache.writeOpen();
    expect(rowCount()).toBe(0);
    now = 60_000;
    cache.writeOpen();
    expect(rowCount()).toBe(1);
    other.part.save(other.position);
    cache.close();
    using later = new FileCache(file);
    const again = later.folder('/somewhere');
    expect([again.find('a', stat(10)), again.find('b', stat(20))]).toEqual([content(10), content(20)]);
  });

  it('finds no file in a full read, and remembers the files that were read', () => {
    {
      using cache = new FileCache(file);
      run(cache, new Map([['a', stat(10)]]));
    }
    {
      using cache = new FileCache(file, { isFullRead: true });
      expect(run(cache, new Map([['a', stat(10)]])).get('a')).toBeUndefined();
    }
    using cache = new FileCache(file);
    expect(run(cache, new Map([['a', stat(10)]])).get('a')).toEqual(content(10));
  });

  it('ignores a damaged part, and content of a wrong length', () => {
    {
      using cache = new FileCache(file);
      run(cache, new Map([['a', stat(10)]]));
    }
    const change = (work: (bytes: Buffer) => void): void => {
      using database = new DatabaseSync(file);
      const bytes = Buffer.from(database.prepare('SELECT bytes FROM part').get()?.['bytes'] as Uint8Array);
      work(bytes);
      database.prepare('UPDATE part SET bytes = ?').run(bytes);
    };
    const find = (): Buffer | undefined => {
      using cache = new FileCache(file);
      return cache.folder('/somewhere').find('a', stat(10));
    };
    change((bytes) => bytes.writeUInt8(9, bytes.length - 20));
    expect(find()).toBeUndefined();
    change((bytes) => {
      bytes.writeUInt8(99, bytes.length - 1);
      bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
    });
    expect(find()).toBeUndefined();
  });

  it('does not remember a file that was changed a moment ago', () => {
    writeFileSync(path.join(folder, 'x'), 'x');
    const stats = fromNodeStats(statSync(path.join(folder, 'x'), { bigint: true }));
    const changedMs = Number(stats.ctimeNs / 1_000_000n);
    expect(isSettled(stats, changedMs + 50)).toBe(false);
    expect(isSettled(stats, changedMs + 3_000)).toBe(true);
  });
});

describe('a file cache that cannot be used', () => {
  const makeGood = (): void => {
    using cache = new FileCache(file);
    run(cache, new Map(Array.from({ length: 2000 }, (_, index) => [`f${index}`, stat(index + 1)])));
  };
  const damages: Record<string, () => void> = {
    garbage: () => writeFileSync(file, Buffer.alloc(20_000, 'no database')),
    'cut short': () => truncateSync(file, 3000),
    zeros: () => writeFileSync(file, Buffer.alloc(8192)),
    'a page of garbage': () => {
      const descriptor = openSync(file, 'r+');
      writeSync(descriptor, Buffer.alloc(12_288, 'garbage'), 0, 12_288, 4096);
      closeSync(descriptor);
    },
    empty: () => truncateSync(file, 0),
    'a folder': () => {
      rmSync(file);
      mkdirSync(file);
    },
    'of a later version': () => {
      using database = new DatabaseSync(file);
      database.exec('PRAGMA user_version = 99');
    },
    'without its tables': () => {
      using database = new DatabaseSync(file);
      database.exec('DROP TABLE part');
    },
  };

  it.each(Object.keys(damages))('is replaced when it is %s, and works again in the next run', (kind) => {
    makeGood();
    damages[kind]?.();
    for (const more of ['-wal', '-shm']) rmSync(file + more, { force: true });
    const files = new Map([['a', stat(10)]]);
    const told: string[] = [];
    {
      using cache = new FileCache(file, { onTrouble: (text) => told.push(text) });
      expect(run(cache, files).get('a')).toBeUndefined();
    }
    // SQLite treats an empty file, or a file of zeros, as a new database. So there may be no error.
    expect(told.length).toBeLessThanOrEqual(1);
    for (const text of told) expect(text).toMatch(/file cache .*job\.sqlite.* renamed/);
    if (told.length > 0) expect(existsSync(`${file}.damaged`)).toBe(true);
    using cache = new FileCache(file, { onTrouble: (text) => told.push(text) });
    expect(run(cache, files).get('a')).toEqual(content(10, 1));
    expect(told.length).toBeLessThanOrEqual(1);
  });

  it.each(['locked', 'unreachable'])(
    'is not used when it is %s',
    (kind) => {
      makeGood();
      using lock = new DatabaseSync(file);
      if (kind === 'locked') lock.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
      const place = kind === 'locked' ? file : path.join(folder, 'blocked/job.sqlite');
      if (kind === 'unreachable') writeFileSync(path.join(folder, 'blocked'), 'a file where the folder should be');
      const told: string[] = [];
      using cache = new FileCache(place, { onTrouble: (text) => told.push(text) });
      expect(run(cache, new Map([['f1', stat(2)]])).get('f1')).toBeUndefined();
      expect(told).toEqual([expect.stringMatching(/could not be used: .+ continues without it/)]);
    },
    30_000,
  );
});
