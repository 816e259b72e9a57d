import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createDomainClient } from './client.ts';
import { defineDomain } from './contract.ts';
import {
  describeLeftOut,
  keepLeftOut,
  leftOutIn,
  leftOutOf,
  leftOutOfAnswer,
  mapRows,
  readRows,
  rowList,
} from './row-list.ts';

const list = z.object({ points: rowList(z.object({ id: z.string().min(2), files: z.int() }), 5) });

describe('a list of somebody else', () => {
  it('keeps every row that fits, wherever the others stand, and counts and names those', () => {
    const good = fc.record({
      kind: fc.constant('good' as const),
      value: fc.record({ id: fc.constant('ok'), files: fc.nat() }),
    });
    const bad = fc.record({
      kind: fc.constant('bad' as const),
      value: fc.oneof(fc.anything(), fc.constant({ id: 'x', files: 1 })),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(good, bad), { maxLength: 30 }), (rows) => {
        const isGood = z.object({ id: z.string().min(2), files: z.int() });
        const fitting = rows.map(({ value }) => value).filter((value) => isGood.safeParse(value).success);
        const read = rowList(isGood).parse(rows.map(({ value }) => value));
        expect(read).toHaveLength(fitting.length);
        expect(leftOutOf(read)?.count ?? 0).toBe(rows.length - fitting.length);
        expect(leftOutOf(read)?.names.length ?? 0).toBeLessThanOrEqual(5);
      }),
    );
  });

  it('names a row by what it is known by, without what a terminal would obey', () => {
    const { points } = list.parse({
      points: [{ id: 'a' }, { files: 1 }, { id: '\u001b[31mred\u202e', files: 'x' }, 7, null],
    });
    expect(points).toEqual([]);
    expect(leftOutOf(points)).toEqual({ count: 5, names: ['a', 'row 2', ' [31mred ', 'row 4', 'row 5'] });
  });

  it('takes no more than its bound, and says so', () => {
    const rows = Array.from({ length: 8 }, (_each, index) => ({ id: `id${index}`, files: index }));
    const { points } = list.parse({ points: rows });
    expect(points).toEqual(rows.slice(0, 5));
    expect(leftOutOf(points)).toEqual({ count: 3, names: ['id5', 'id6', 'id7'] });
    expect(describeLeftOut('points', { count: 3, names: ['id5'] })).toBe(
      'points: 3 rows do not fit and are left out (id5, ...)',
    );
  });

  it('still refuses what is no list, and has nothing to say about a list that fits', () => {
    expect(list.safeParse({ points: 'none' }).success).toBe(false);
    expect(list.safeParse({}).success).toBe(false);
    expect(leftOutOf(list.parse({ points: [] }).points)).toBeUndefined();
    expect(readRows([1, 2], (value) => value * 2)).toEqual([2, 4]);
  });
});

describe('rows that were left out', () => {
  const number = (raw: unknown): number => z.number().parse(raw);
  const stored = (): number[] => readRows<unknown, number>([1, 'two', 3, { name: 'four' }], number);

  it('stay known when the list is changed, copied, or read again, and are counted once', () => {
    const known = { count: 2, names: ['row 2', 'four'] };
    expect(leftOutOf(mapRows(stored(), (row) => row * 2))).toEqual(known);
    expect(leftOutOf(keepLeftOut(stored(), [7]))).toEqual(known);
    expect(leftOutOf(rowList(z.int()).parse(stored()))).toEqual(known);
    const again = readRows<unknown, number>(
      mapRows<number, unknown>(stored(), (row) => (row === 3 ? { id: 'x' } : row)),
      number,
    );
    expect(leftOutOf(again)).toEqual({ count: 3, names: ['row 2', 'four', 'x'] });
  });

  it('are found in a whole answer, also in a list inside of rows', () => {
    const answer = { jobs: stored(), tenants: [{ quotas: stored() }, { quotas: stored() }], total: 3, problem: null };
    expect(leftOutIn(answer)).toEqual([
      { list: 'jobs', count: 2, names: ['row 2', 'four'] },
      { list: 'tenants.quotas', count: 4, names: ['row 2', 'four', 'row 2', 'four'] },
    ]);
  });

  it('reach the caller: those of the service and those that do not fit on this side', async () => {
    const domain = defineDomain({
      name: 'sample',
      targets: ['tenant'],
      commands: { list: { input: z.object({}), output: z.object({ jobs: rowList(z.object({ id: z.string() })) }) } },
      events: {},
    });
    const client = createDomainClient(domain, () =>
      Promise.resolve({
        ok: true as const,
        value: { jobs: [{ id: 'a' }, { name: 'of a later version' }] },
        leftOutRows: [{ list: 'jobs', count: 6, names: ['b', 'c', 'd', 'e', 'f'] }],
      }),
    );
    const answer = await client.list({});
    expect(answer).toEqual({ jobs: [{ id: 'a' }] });
    expect(leftOutOfAnswer(answer)).toEqual([{ list: 'jobs', count: 7, names: ['b', 'c', 'd', 'e', 'f'] }]);
  });
});
