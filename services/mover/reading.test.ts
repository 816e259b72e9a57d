// Tests which entries a backup reads, how it cuts files into blocks, and how it shares memory between blocks.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { temporaryName } from '../repository/restore/temporary-name.ts';
import { ArenaPool } from './source/backup/arena-pool.ts';
import { InFlightBudget } from './source/streams/in-flight-budget.ts';
import { ContentList, unpackContent } from './source/walk/content-list.ts';
import { Cutter } from './source/backup/cutter.ts';
import { compileExcludes } from './source/walk/exclude-patterns.ts';
import { PathSelection } from './source/restore/path-selection.ts';
import { showPath } from './source/walk/path-text.ts';
import { createSourceDisk, rawBytes } from './source/walk/source-disk.ts';
import { nameSources, openSources } from './source/walk/source-list.ts';
import { TreeWalk } from './source/walk/tree-scanner.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farkeep-reading-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('cutting a file into blocks', () => {
  const sizes = { minBytes: 2048, averageBytes: 8192, maxBytes: 32_768 };

  function cutAll(content: Buffer): number[] {
    const cutter = new Cutter(content.length, sizes);
    content.copy(cutter.memory);
    const ends: number[] = [];
    for (let start = 0; start < content.length;) {
      start += cutter.cut(start, content.length - start);
      ends.push(start);
    }
    return ends;
  }

  it('keeps the smallest and largest size, and the sizes lie around the average', () => {
    const content = randomBytes(4_000_000);
    const ends = cutAll(content);
    const lengths = ends.map((end, index) => end - (ends[index - 1] ?? 0));
    expect(ends.at(-1)).toBe(content.length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(sizes.maxBytes);
    expect(Math.min(...lengths.slice(0, -1))).toBeGreaterThan(sizes.minBytes);
    expect(content.length / lengths.length).toBeGreaterThan(sizes.averageBytes * 0.8);
    expect(content.length / lengths.length).toBeLessThan(sizes.averageBytes * 1.4);
  });

  it('depends on the content alone: an insertion moves the block ends after it and changes few blocks', () => {
    const content = randomBytes(1_000_000);
    const inserted = Buffer.concat([content.subarray(0, 300_000), Buffer.from('news'), content.subarray(300_000)]);
    const before = new Set(cutAll(content).map((end) => (end > 300_000 ? end + 4 : end)));
    const changed = cutAll(inserted).filter((end) => !before.has(end));
    expect(changed.length).toBeLessThan(12);
  });

  it('gives the same first end for each longer part of a file, once the part is long enough', () => {
    const content = randomBytes(100_000);
    const cutter = new Cutter(content.length, sizes);
    content.copy(cutter.memory);
    const whole = cutter.cut(0, content.length);
    for (let available = sizes.minBytes; available < content.length; available += 997) {
      const length = cutter.cut(0, available);
      expect(length).toBe(Math.min(whole, available));
    }
  });

  it('never changes: it gives the recorded ends', () => {
    const content = Buffer.alloc(200_000);
    let state = 1;
    for (let at = 0; at < content.length; at += 1) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      content[at] = state >>> 24;
    }
    expect(cutAll(content)).toMatchInlineSnapshot(`
      [
        9040,
        19498,
        27804,
        37884,
        46466,
        54890,
        65436,
        74991,
        81465,
        89818,
        98110,
        106401,
        116652,
        125095,
        136505,
        145684,
        154482,
        164226,
        172838,
        181241,
        191327,
        200000,
      ]
    `);
  });

  it('cuts uniform bytes at the largest or the smallest size', () => {
    for (const end of cutAll(Buffer.alloc(100_000)).slice(0, 1)) {
      expect(end).toBeGreaterThanOrEqual(sizes.minBytes);
      expect(end).toBeLessThanOrEqual(sizes.maxBytes);
    }
  });
});

describe('a list of blocks and holes', () => {
  it('is the same after packing and unpacking, with neighboring holes joined', () => {
    const id = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes.fill(bytes[0] || 1)));
    const piece = fc.record({ id: fc.option(id), lengthBytes: fc.integer({ min: 1, max: 2 ** 40 }) });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const packed = new ContentList();
        for (const { id, lengthBytes } of pieces) {
          if (id === null) packed.addHole(lengthBytes);
          else packed.addBlock(id, lengthBytes);
        }
        const back = [...unpackContent(packed.packed())];
        const sum = (list: { lengthBytes: number }[]): number =>
          list.reduce((total, { lengthBytes }) => total + lengthBytes, 0);
        expect(sum(back)).toBe(sum(pieces));
        expect(back.filter((item) => item.id !== null)).toEqual(pieces.filter((item) => item.id !== null));
        expect(back.some((item, index) => item.id === null && back[index + 1]?.id === null)).toBe(false);
      }),
    );
  });

  it('starts empty after it was cleared', () => {
    const list = new ContentList();
    list.addHole(5);
    list.clear();
    list.addHole(7);
    expect([...unpackContent(list.packed())]).toEqual([{ id: null, lengthBytes: 7 }]);
  });
});

describe('exclude patterns', () => {
  it.each<[string, string, boolean, boolean]>([
    ['*.tmp', 'a/b.tmp', false, true],
    ['*.tmp', 'b.tmpx', false, false],
    ['node_modules/', 'x/node_modules', true, true],
    ['node_modules/', 'x/node_modules', false, false],
    ['a/b', 'a/b', true, true],
    ['a/b', 'x/a/b', true, false],
    ['**/cache', 'x/y/cache', true, true],
    ['**/cache', 'cache', true, true],
    ['a/**', 'a/x/y', false, true],
    ['a/*', 'a/x/y', false, false],
    ['?.txt', 'a.txt', false, true],
    ['(a|b)+.txt', 'a.txt', false, false],
    ['zäh*', 'zäher', false, true],
    ['/top', 'top', false, true],
    ['/top', 'x/top', false, false],
  ])('%s against %s (folder: %s): %s', (pattern, name, isFolder, expected) => {
    expect(compileExcludes([pattern])(Buffer.from(name), isFolder)).toBe(expected);
  });

  it('match names that are not UTF-8; an empty list matches nothing', () => {
    expect(compileExcludes(['?x*'])(Buffer.from([0xff, 0x78, 0x80]), false)).toBe(true);
    expect(compileExcludes(['', '  '])(Buffer.from('a'), false)).toBe(false);
  });
});

describe('the walk', () => {
  const disk = createSourceDisk();
  const walkAll = (sourcePaths: readonly string[], excludes: readonly string[] = []): string[] => {
    const { sources } = openSources(disk, sourcePaths);
    using walk = new TreeWalk(disk, sources, excludes);
    const seen: string[] = [];
    for (let item = walk.next(); item !== undefined; item = walk.next())
      if (item.type === 'entry') seen.push(rawBytes(item.entry.treePath).toString());
    for (const { folder: opened } of sources) opened.release();
    return seen;
  };

  it('lists in tree order: a folder, then its entries, names sorted by their bytes', () => {
    mkdirSync(path.join(folder, 'source/b'), { recursive: true });
    mkdirSync(path.join(folder, 'source/b-side'));
    for (const name of ['b/x', 'b-side/y', 'a', 'Z', 'ä']) writeFileSync(path.join(folder, 'source', name), '');
    symlinkSync('a', path.join(folder, 'source/link'));
    expect(walkAll([path.join(folder, 'source')])).toEqual(['Z', 'a', 'b', 'b/x', 'b-side', 'b-side/y', 'link', 'ä']);
  });

  it('skips the temporary entries that a killed restore leaves behind', () => {
    mkdirSync(path.join(folder, 'source'));
    const ours = [temporaryName(), temporaryName('top')].map(String);
    for (const name of [...ours, '.farkeep-mine', '.farkeep-0123456789ab.part', 'x.part'])
      writeFileSync(path.join(folder, 'source', name), 'x');
    expect(walkAll([path.join(folder, 'source')])).toEqual(['.farkeep-0123456789ab.part', '.farkeep-mine', 'x.part']);
  });

  it('warns about a missing source, and fails when all sources are missing', () => {
    writeFileSync(path.join(folder, 'file'), '');
    const { sources, missing } = openSources(disk, [path.join(folder, 'file'), path.join(folder, 'no')]);
    for (const { folder: opened } of sources) opened.release();
    expect(missing).toMatchObject([{ sourceIndex: 1, code: 'source.missing' }]);
    expect(() => openSources(disk, [path.join(folder, 'no')])).toThrow(
      expect.objectContaining({ code: 'source.missing' }),
    );
    expect(() => openSources(disk, [' '])).toThrow(expect.objectContaining({ code: 'source.empty-path' }));
  });
});

describe('names of sources inside a restore point', () => {
  it('are the last part of the path, with more folders where two paths end alike', () => {
    expect(nameSources(['/srv/a/docs', '/srv/b/docs', '/srv/pictures'])).toEqual([
      'docs (srv-a)',
      'docs (srv-b)',
      'pictures',
    ]);
    expect(nameSources(['/', '/x/../y/'])).toEqual(['root', 'y']);
    expect(nameSources(['/a', '/a'])).toEqual(['a', 'a (2)']);
    // The names of these two paths look alike even with their folders. When the order of the paths changes, each path must keep its own
    // name.
    const [one, other] = nameSources(['/a/b/data', '/a-b/data']);
    expect(nameSources(['/a-b/data', '/a/b/data'])).toEqual([other, one]);
  });

  it('never refer to another source, also in another order or with similar source names', () => {
    const part = fc.constantFrom('a', 'b', 'a-b', 'a (b)', 'data', 'data (a)', 'data (a-b)', 'x'.repeat(120));
    const sourcePath = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(fc.uniqueArray(sourcePath, { minLength: 2, maxLength: 6 }), fc.nat(), (sourcePaths, seed) => {
        const names = new Map(nameSources(sourcePaths).map((name, index) => [name, sourcePaths[index]]));
        expect(names.size).toBe(sourcePaths.length);
        const turned = sourcePaths.map((_, index) => sourcePaths[(index + seed) % sourcePaths.length] ?? '').reverse();
        for (const [index, name] of nameSources(turned).entries()) expect(names.get(name)).toBe(turned[index]);
        for (const name of names.keys()) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      }),
    );
  });
});

describe('memory limits', () => {
  it('of arenas: a full pool waits until the oldest arena is free', async () => {
    const pool = new ArenaPool(100, 2);
    const first = await pool.next();
    first.undurableBlocks = 2;
    await pool.next();
    let hasNext = false;
    const third = pool.next().then((arena) => {
      hasNext = true;
      return arena;
    });
    // The second arena held no data and is free at once; the first arena is not.
    expect((await third).start).toBe(100);
    expect(hasNext).toBe(true);
    const arena = pool.current;
    if (arena !== undefined) arena.undurableBlocks = 1;
    const fourth = pool.next();
    pool.settle(first);
    pool.settle(first);
    expect((await fourth).start).toBe(0);
  });

  it('of bytes in flight: shared in turn, never all for one stream, and a wait ends when no more space can be released', async () => {
    const budget = new InFlightBudget(10);
    await budget.take(8);
    const order: string[] = [];
    const large = budget.take(50).then(() => order.push('large'));
    const small = budget.take(1).then(() => order.push('small'));
    budget.giveBack(8);
    await large;
    budget.giveBack(50);
    await small;
    expect(order).toEqual(['large', 'small']);
    const waiting = budget.take(10);
    const alsoWaiting = budget.take(1);
    const lost = new FarkeepError('connection.lost');
    budget.fail(lost);
    await expect(waiting).rejects.toBe(lost);
    await expect(alsoWaiting).rejects.toBe(lost);
    await expect(budget.take(1)).rejects.toBe(lost);
  });
});

describe('paths inside a restore point', () => {
  it('are shown in a form that people can read and type', () => {
    expect(showPath(Buffer.from('zäh/☃/😀'))).toBe('zäh/☃/😀');
    expect(showPath(Buffer.from([0x61, 0xff, 0x0a, 0xc3, 0xa4, 0xf0, 0x9f]))).toBe('a\\xff\\x0aä\\xf0\\x9f');
  });

  it('select the path itself and every entry below it', () => {
    const selection = new PathSelection(['./a//b/', Buffer.from('c'), 'never']);
    const includes = (entry: string): boolean => selection.includes(Buffer.from(entry));
    expect([
      includes('a'),
      includes('a/b'),
      includes('a/b/x'),
      includes('a/bc'),
      includes('c'),
      includes('cc'),
    ]).toEqual([false, true, true, false, true, false]);
    expect(selection.unmatched()).toEqual(['never']);
    expect(new PathSelection([]).includes(Buffer.from('x'))).toBe(true);
    expect(new PathSelection(['/']).isAll).toBe(true);
  });
});
