// Owns the requirements for every Catalogue, as tests. Each storage backend runs them, and so does the in-memory catalogue of the tests
// (folder/sqlite-catalogue.test.ts).
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { DamageMarks, type DamagedPack } from '../../repository/packs/damage-marks.ts';
import type { PackBlock } from '../../repository/packs/pack-format.ts';
import type { Catalogue } from '../../repository/store/catalogue.ts';

function blockOf(changes: Partial<PackBlock> = {}): PackBlock {
  const base = { id: randomBytes(32), offset: 92, storedLength: 10, contentLength: 20, crc: 7, encoding: 'zstd' };
  return { ...base, ...changes } as PackBlock;
}

function marked(packId: Buffer, blocks: readonly PackBlock[], untrue: readonly PackBlock[] = []): DamagedPack {
  return { packId, ids: blocks.map(({ id }) => id), untrueIds: untrue.map(({ id }) => id) };
}

/** Bytes of a marked block that the quota does not count: stored bytes, header, and index entry. */
const lostBytes = 10 + 56 + 56;

/** Declares the tests; `make` returns an empty catalogue. */
export function describeCatalogue(make: () => Promise<Catalogue>): void {
  const [packA, packB] = [randomBytes(16), randomBytes(16)];

  it('returns the place of a block in an added pack, and the list of missing blocks', async () => {
    using catalogue = await make();
    const blocks = [blockOf(), blockOf({ offset: 400, encoding: 'raw', contentLength: 10 })];
    expect(catalogue.addPack(packA, 1000, blocks)).toBe(0);
    const unknown = randomBytes(32);
    for (const block of blocks) expect(catalogue.find(block.id)).toEqual({ ...block, packId: packA, isMarked: false });
    expect(catalogue.find(unknown)).toBeUndefined();
    const ids = [...blocks.map(({ id }) => id), unknown];
    expect(ids.map((id) => catalogue.has(id))).toEqual([true, true, false]);
    expect(catalogue.hasAll([unknown, ...ids])).toEqual([false, true, true, false]);
    expect(catalogue.missing(Buffer.concat([unknown, ...ids]))).toEqual([unknown, unknown]);
    expect([...catalogue.packIds()]).toEqual([packA]);
    expect(catalogue.packBytes()).toBe(1000);
  });

  it('looks up thousands of blocks at a time', async () => {
    using catalogue = await make();
    const blocks = Array.from({ length: 9000 }, (_, index) => blockOf({ offset: 100 + index }));
    catalogue.addPack(packA, 1000, blocks);
    const ids = blocks.map(({ id }, index) => (index % 3 === 0 ? randomBytes(32) : id));
    expect(catalogue.hasAll(ids)).toEqual(ids.map((_, index) => index % 3 !== 0));
    expect(catalogue.missing(Buffer.concat(ids))).toEqual(ids.filter((_, index) => index % 3 === 0));
    expect(catalogue.blocksInPack(packA)).toHaveLength(9000);
  });

  it('keeps the first place of a block that two packs hold, and adds a pack only once', async () => {
    using catalogue = await make();
    const block = blockOf();
    catalogue.addPack(packA, 1000, [block]);
    catalogue.addPack(packA, 1000, [block]);
    catalogue.addPack(packB, 500, [blockOf({ id: block.id, offset: 4000 })]);
    expect(catalogue.find(block.id)).toMatchObject({ packId: packA, offset: 92 });
    expect(catalogue.packBytes()).toBe(1500);
  });

  it('forgets a pack and its blocks', async () => {
    using catalogue = await make();
    const [gone, stays] = [blockOf(), blockOf()];
    catalogue.addPack(packA, 1000, [gone]);
    catalogue.addPack(packB, 500, [stays]);
    catalogue.removePack(packA);
    expect(catalogue.hasAll([gone.id, stays.id])).toEqual([false, true]);
    expect([...catalogue.packIds()]).toEqual([packB]);
    expect(catalogue.packBytes()).toBe(500);
  });

  it('does not count a marked block as present, but still returns its place', async () => {
    using catalogue = await make();
    const [bad, good] = [blockOf(), blockOf()];
    catalogue.addPack(packA, 1000, [bad, good]);
    catalogue.applyMarks(new DamageMarks([marked(packA, [bad])], ['1.marks']));
    expect(catalogue.hasAll([bad.id, good.id])).toEqual([false, true]);
    expect(catalogue.missing(bad.id)).toEqual([bad.id]);
    expect(catalogue.find(bad.id)).toMatchObject({ packId: packA, isMarked: true });
    expect(catalogue.packBytes()).toBe(1000 - lostBytes);
    expect(catalogue.blocksInPack(packA)).toHaveLength(2);
  });

  it('still counts a block against the quota if its content never matched its identifier', async () => {
    using catalogue = await make();
    const bad = blockOf();
    catalogue.addPack(packA, 1000, [bad]);
    catalogue.applyMarks(new DamageMarks([marked(packA, [bad], [bad])], ['1.marks']));
    expect(catalogue.has(bad.id)).toBe(false);
    expect(catalogue.packBytes()).toBe(1000);
  });

  it('returns how many marked blocks a new pack replaces', async () => {
    using catalogue = await make();
    const [bad, alsoBad] = [blockOf(), blockOf()];
    catalogue.addPack(packA, 1000, [bad, alsoBad]);
    catalogue.applyMarks(new DamageMarks([marked(packA, [bad, alsoBad])], ['1.marks']));
    expect(catalogue.addPack(packB, 500, [blockOf({ id: bad.id, offset: 4000 }), blockOf()])).toBe(1);
    expect(catalogue.find(bad.id)).toMatchObject({ packId: packB, isMarked: false });
    expect(catalogue.has(alsoBad.id)).toBe(false);
  });

  it('applies existing marks to a pack that is added later', async () => {
    using catalogue = await make();
    const [bad, good] = [blockOf(), blockOf()];
    catalogue.addPack(packA, 1000, [bad, good], { marks: new DamageMarks([marked(packA, [bad])], ['1.marks']) });
    expect(catalogue.hasAll([bad.id, good.id])).toEqual([false, true]);
  });

  it('replaces all marks with the result of a complete check', async () => {
    using catalogue = await make();
    const [cured, bad, moved] = [blockOf(), blockOf(), blockOf()];
    catalogue.addPack(packA, 1000, [cured, bad, moved]);
    catalogue.addPack(packB, 500, []);
    catalogue.applyMarks(new DamageMarks([marked(packA, [cured, moved])], ['1.marks']));
    const better = { ...moved, offset: 4000, packId: packB, isMarked: false };
    catalogue.setMarks(new DamageMarks([marked(packA, [bad, moved])], ['2.marks']), [better]);
    expect(catalogue.hasAll([cured.id, bad.id, moved.id])).toEqual([true, false, true]);
    expect(catalogue.find(moved.id)).toMatchObject({ packId: packB, offset: 4000 });
    // The catalogue ignores a mark file that it has already applied, and applies one that it does not know.
    catalogue.applyMarks(new DamageMarks([marked(packA, [cured])], ['2.marks']));
    expect(catalogue.has(cured.id)).toBe(true);
    catalogue.applyMarks(new DamageMarks([marked(packA, [cured])], ['1.marks']));
    expect(catalogue.has(cured.id)).toBe(false);
  });

  it('reserves quota for all writers together, and releases it', async () => {
    using catalogue = await make();
    catalogue.addPack(packA, 1000, []);
    expect(catalogue.reserve('a', 100, 10_000, 9000, 0)).toBe(2000);
    expect(catalogue.reserve('b', 5000, 5000, 9000, 0)).toBe(5000);
    expect(catalogue.reserve('b', 1500, 1500, 9000, 0)).toBe(0);
    expect(catalogue.reserve('b', 900, 1500, 9000, 200)).toBe(0);
    expect(catalogue.reserve('b', 700, 1500, 9000, 200)).toBe(700);
    catalogue.dropReservation('b');
    // The pack takes the place of its reservation, so its bytes count only once.
    catalogue.addPack(packB, 1500, [], { writer: 'a' });
    expect(catalogue.reserve('c', 6000, 6000, 9000, 0)).toBe(6000);
    expect(catalogue.reserve('c', 1, 1, 9000, 0)).toBe(0);
    catalogue.checkpoint();
    expect(catalogue.packBytes()).toBe(2500);
  });
}
