import { describe, expect, it } from 'vitest';
import { columnTracks, rowAfterKey, toggleSort, visibleRows } from './table-model.ts';
import type { TableColumnModel } from './table-model.ts';

interface Row {
  readonly name: string;
  readonly size: number;
}

const columns: readonly TableColumnModel<Row>[] = [
  { id: 'name', text: ({ name }) => name, sortBy: ({ name }) => name },
  { id: 'size', text: ({ size }) => `${size} GB`, sortBy: ({ size }) => size },
];
const rows: readonly Row[] = [
  { name: 'tenant 10', size: 5 },
  { name: 'Tenant 2', size: 100 },
  { name: 'other', size: 20 },
];
const names = (shown: readonly Row[]): readonly string[] => shown.map(({ name }) => name);

describe('columns', () => {
  const three = [
    { id: 'name', width: 'minmax(140px, 2fr)' },
    { id: 'size', width: '100px' },
    { id: 'time', width: '168px' },
  ];

  it('have their default widths', () => expect(columnTracks(three, {})).toBe('minmax(140px, 2fr) 100px 168px'));

  it('keep a width that was set; the last column takes the rest', () => {
    expect(columnTracks(three, { name: 300 })).toBe('300px 100px minmax(168px, 1fr)');
    expect(columnTracks(three, { time: 300 })).toBe('minmax(140px, 2fr) 100px minmax(168px, 1fr)');
  });
});

describe('tables', () => {
  it('keep the given order without a sort', () => expect(visibleRows(rows, columns, '', null)).toBe(rows));

  it('search for every word in any column, in upper or lower case', () => {
    expect(names(visibleRows(rows, columns, 'TENANT gb', null))).toEqual(['tenant 10', 'Tenant 2']);
    expect(names(visibleRows(rows, columns, 'tenant 100', null))).toEqual(['Tenant 2']);
    expect(visibleRows(rows, columns, 'nothing', null)).toEqual([]);
  });

  it('sort names with numbers as people do, and numbers as numbers', () => {
    expect(names(visibleRows(rows, columns, '', { columnId: 'name', direction: 'ascending' }))).toEqual([
      'other',
      'Tenant 2',
      'tenant 10',
    ]);
    expect(names(visibleRows(rows, columns, '', { columnId: 'size', direction: 'descending' }))).toEqual([
      'Tenant 2',
      'other',
      'tenant 10',
    ]);
  });

  it('change from no sort to both directions and back to none', () => {
    const first = toggleSort(null, 'name');
    const second = toggleSort(first, 'name');
    expect([first?.direction, second?.direction, toggleSort(second, 'name')]).toEqual([
      'ascending',
      'descending',
      null,
    ]);
    expect(toggleSort(second, 'size')).toEqual({ columnId: 'size', direction: 'ascending' });
  });

  it('stay within their rows when the keyboard moves', () => {
    expect(rowAfterKey('ArrowDown', -1, 3, 10)).toBe(0);
    expect(rowAfterKey('ArrowDown', 2, 3, 10)).toBe(2);
    expect(rowAfterKey('ArrowUp', 0, 3, 10)).toBe(0);
    expect(rowAfterKey('PageDown', 0, 100, 10)).toBe(10);
    expect(rowAfterKey('End', 0, 100, 10)).toBe(99);
    expect(rowAfterKey('Home', 50, 100, 10)).toBe(0);
    expect(rowAfterKey('a', 1, 3, 10)).toBeNull();
    expect(rowAfterKey('ArrowDown', 0, 0, 10)).toBeNull();
  });

  it('sort and search ten thousand rows quickly', () => {
    const many = Array.from({ length: 10_000 }, (_row, index) => ({ name: `tenant ${index}`, size: index % 97 }));
    const searchMs = (): number => {
      const begin = performance.now();
      const rows = visibleRows(many, columns, 'tenant 99', { columnId: 'size', direction: 'ascending' });
      expect(rows.length).toBeGreaterThan(10);
      return performance.now() - begin;
    };
    // The quickest of five searches counts, because a busy machine slows down some searches.
    expect(Math.min(...Array.from({ length: 5 }, searchMs))).toBeLessThan(500);
  });
});
