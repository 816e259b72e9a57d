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

describe('a list from another process', () => {
  it('keeps every valid row in any order, and counts and names the others', () => {
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
        const validValues = rows.map(({ value }) => value).filter((value) => isGood.safeParse(value).success);
        const read = rowList(isGood).parse(rows.map(({ value }) => value));
        expect(read).toHaveLength(validValues.length);
        expect(leftOutOf(read)?.count ?? 0).toBe(rows.length - validValues.length);
        expect(leftOutOf(read)?.names.length ?? 0).toBeLessThanOrEqual(5);
      }),
    );
  });

  it('names a left-out row by its identifying field, without control characters', () => {
    const { points } = list.parse({
      points: [{ id: 'a' }, { files: 1 }, { id: '\u001b[31mred\u202e', files: 'x' }, 7, null],
    });
    expect(points).toEqual([]);
    expect(leftOutOf(points)).toEqual({ count: 5, names: ['a', 'row 2', ' [31mred ', 'row 4', 'row 5'] });
  });

  it('keeps at most its limit of rows, and says so', () => {
    const rows = Array.from({ length: 8 }, (_each, index) => ({ id: `id${index}`, files: index }));
    const { points } = list.parse({ points: rows });
    expect(points).toEqual(rows.slice(0, 5));
    expect(leftOutOf(points)).toEqual({ count: 3, names: ['id5', 'id6', 'id7'] });
    expect(describeLeftOut('points', { count: 3, names: ['id5'] })).toBe(
      'points: 3 rows are invalid and left out (id5, ...)',
    );
  });

  it('refuses a value that is not a list, and reports nothing for a valid list', () => {
    expect(list.safeParse({ points: 'none' }).success).toBe(false);
    expect(list.safeParse({}).success).toBe(false);
    expect(leftOutOf(list.parse({ points: [] }).points)).toBeUndefined();
    expect(readRows([1, 2], (value) => value * 2)).toEqual([2, 4]);
  });
});

describe('left-out rows', () => {
  const number = (raw: unknown): number => z.number().parse(raw);
  const stored = (): number[] => readRows<unknown, number>([1, 'two', 3, { name: 'four' }], number);

  it('stay recorded when the list is changed, copied, or read again, and are counted once', () => {
    const omitted = { count: 2, names: ['row 2', 'four'] };
    expect(leftOutOf(mapRows(stored(), (row) => row * 2))).toEqual(omitted);
    expect(leftOutOf(keepLeftOut(stored(), [7]))).toEqual(omitted);
    expect(leftOutOf(rowList(z.int()).parse(stored()))).toEqual(omitted);
    const again = readRows<unknown, number>(
      mapRows<number, unknown>(stored(), (row) => (row === 3 ? { id: 'x' } : row)),
      number,
    );
    expect(leftOutOf(again)).toEqual({ count: 3, names: ['row 2', 'four', 'x'] });
  });

  it('are found in a whole answer, also in lists inside of rows', () => {
    const answer = { jobs: stored(), tenants: [{ quotas: stored() }, { quotas: stored() }], total: 3, problem: null };
    expect(leftOutIn(answer)).toEqual([
      { list: 'jobs', count: 2, names: ['row 2', 'four'] },
      { list: 'tenants.quotas', count: 4, names: ['row 2', 'four', 'row 2', 'four'] },
    ]);
  });

  it("are reported to the caller: those of the service and those that do not match on the caller's side", async () => {
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
