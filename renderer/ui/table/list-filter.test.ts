import { describe, expect, it } from 'vitest';
import { chooseFilter, filterRows, useListFilters } from './list-filter.ts';

const rows = [{ size: 1 }, { size: 20 }, { size: 30 }];
const filters = [
  { id: 'big', label: 'Big', isMatch: ({ size }: { size: number }) => size > 10 },
  { id: 'small', label: 'Small', isMatch: ({ size }: { size: number }) => size <= 10 },
];

describe('the state filter of a list', () => {
  it('passes the rows in this state', () => {
    expect(filterRows(rows, filters, 'big')).toEqual([{ size: 20 }, { size: 30 }]);
    expect(filterRows(rows, filters, null)).toBe(rows);
    expect(filterRows(rows, filters, 'from another version')).toBe(rows);
  });

  it('is remembered for each list while other pages are open', () => {
    chooseFilter('tenant/jobs', 'small');
    chooseFilter('tenant/sessions', 'big');
    chooseFilter('tenant/sessions', null);
    expect(useListFilters.getState().chosen).toEqual({ 'tenant/jobs': 'small', 'tenant/sessions': null });
  });
});
