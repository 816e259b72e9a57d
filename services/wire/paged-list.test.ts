import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRows } from '../contracts/row-list.ts';
import { readPages } from './paged-list.ts';

interface Row {
  readonly id: string;
}

describe('a list that is read page by page', () => {
  it('is complete, whatever the size of a page', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string(), { maxLength: 50 }),
        fc.integer({ min: 1, max: 10 }),
        async (ids, size) => {
          const { rows } = await readPages<Row>('points', 100, (after) => {
            const start = after === null ? 0 : ids.indexOf(after) + 1;
            return Promise.resolve({
              rows: ids.slice(start, start + size).map((id) => ({ id })),
              hasMore: start + size < ids.length,
            });
          });
          expect(rows.map(({ id }) => id)).toEqual(ids);
        },
      ),
    );
  });

  it.each<[string, (page: number) => readonly Row[]]>([
    ['the same page again and again', () => [{ id: 'a' }, { id: 'b' }]],
    ['empty pages', () => []],
    ['two pages in turn', (page) => [{ id: page % 2 === 0 ? 'a' : 'b' }]],
    ['ever new rows', (page) => Array.from({ length: 500 }, (_each, index) => ({ id: `${page}-${index}` }))],
  ])('ends at a peer that always has more: %s', async (_what, rowsOf) => {
    let pages = 0;
    const reading = readPages<Row>('points', 10_000, () => {
      pages += 1;
      // Without this limit the endless answers of this peer would keep the test running.
      if (pages > 30) return Promise.reject(new Error('It was asked without end'));
      return Promise.resolve({ rows: rowsOf(pages), hasMore: true });
    });
    await expect(reading).rejects.toMatchObject({ code: 'protocol.malformed' });
    expect(pages).toBeLessThanOrEqual(21);
  });

  it('has the number of all left-out rows, and the names of the first ones', async () => {
    const page = (good: string): readonly Row[] =>
      readRows<unknown, Row>([{ id: good }, { id: `bad ${good}` }], (raw) => {
        const row = raw as Row;
        if (row.id.startsWith('bad')) throw new Error('does not fit');
        return row;
      });
    const list = await readPages<Row>('points', 100, (after) =>
      Promise.resolve({ rows: page(after === null ? 'a' : 'b'), hasMore: after === null }),
    );
    expect(list).toEqual({ rows: [{ id: 'a' }, { id: 'b' }], leftOutCount: 2, leftOutNames: ['bad a', 'bad b'] });
  });
});
