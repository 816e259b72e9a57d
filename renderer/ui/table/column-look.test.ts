import { describe, expect, it } from 'vitest';
import { minTableWidth, shownColumns, toggleColumn } from './column-look.ts';

const columns = [
  { id: 'name', width: 'minmax(200px, 2fr)' },
  { id: 'size', width: '100px' },
  { id: 'time', width: '168px' },
];
const ids = (shown: readonly { readonly id: string }[]): readonly string[] => shown.map(({ id }) => id);

describe('the columns of a table', () => {
  it('are all shown until a person hides one; the first one always stays', () => {
    expect(ids(shownColumns(columns, []))).toEqual(['name', 'size', 'time']);
    expect(ids(shownColumns(columns, ['size', 'name']))).toEqual(['name', 'time']);
  });

  it('can be hidden and shown again', () => {
    const hidden = toggleColumn(columns, [], 'size');
    expect(hidden).toEqual(['size']);
    expect(toggleColumn(columns, hidden, 'size')).toEqual([]);
  });

  it('forget columns of an earlier version, and never hide the first one', () => {
    expect(toggleColumn(columns, ['gone'], 'time')).toEqual(['time']);
    expect(toggleColumn(columns, [], 'name')).toEqual([]);
  });

  it('keep their smallest width, so that names stay readable beside the details', () => {
    expect(minTableWidth(columns, {})).toBe(468);
    expect(minTableWidth(columns, { name: 300 })).toBe(568);
    // The last column takes the rest, whatever width was set.
    expect(minTableWidth(columns, { time: 600 })).toBe(468);
  });
});
