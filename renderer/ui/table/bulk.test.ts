import { describe, expect, it } from 'vitest';
import type { TextFunction } from '../../i18n/use-text.ts';
import { callEach, firstNames } from './bulk.ts';

const t: TextFunction = (key, values) => `${key} ${JSON.stringify(values)}`;

describe('calls for several rows', () => {
  it('go on after a failure, and report the rows that are left', async () => {
    const called: number[] = [];
    const left: (readonly number[])[] = [];
    const call = async (row: number): Promise<void> => {
      called.push(row);
      if (row % 2 === 0) throw new Error(`row ${row} failed`);
      await Promise.resolve();
    };
    await expect(callEach([1, 2, 3, 4], call, (rows) => left.push(rows))).rejects.toThrow('row 2 failed');
    expect(called).toEqual([1, 2, 3, 4]);
    expect(left).toEqual([[2, 4]]);
  });

  it('report nothing if all succeed', async () => {
    const left: unknown[] = [];
    await callEach(
      [1, 2],
      () => Promise.resolve(),
      (rows) => left.push(rows),
    );
    expect(left).toEqual([]);
  });

  it('are named in a question: all names, or the first five', () => {
    expect(firstNames(['a', 'b'], t)).toBe('“a”, “b”');
    expect(firstNames(['a', 'b', 'c', 'd', 'e', 'f', 'g'], t)).toBe(
      'leftOut.more {"names":"“a”, “b”, “c”, “d”, “e”","count":2}',
    );
  });
});
