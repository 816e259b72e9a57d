// Owns which rows a table shows, and in which order. Pure, so that tests can use ten thousand rows without drawing.

export interface SortState {
  readonly columnId: string;
  readonly direction: 'ascending' | 'descending';
}

export interface TableColumnModel<T> {
  readonly id: string;
  /** The text that the search examines. Columns without it are not searched. */
  readonly text?: (row: T) => string;
  /** The sort value of the column. A column without it cannot be sorted. */
  readonly sortBy?: (row: T) => string | number;
}

const collator = new Intl.Collator('en-US', { numeric: true, sensitivity: 'base' });

function compare(left: string | number, right: string | number): number {
  return typeof left === 'number' && typeof right === 'number'
    ? left - right
    : collator.compare(String(left), String(right));
}

/**
 * Returns the rows that the search finds, in the order of the sort. Every word of the search must be in some column. Without a sort the
 * given order stays.
 */
export function visibleRows<T>(
  rows: readonly T[],
  columns: readonly TableColumnModel<T>[],
  search: string,
  sort: SortState | null,
): readonly T[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const matching =
    words.length === 0
      ? rows
      : rows.filter((row) => {
          const text = columns
            .map((column) => column.text?.(row) ?? '')
            .join('\n')
            .toLowerCase();
          return words.every((word) => text.includes(word));
        });
  const sortBy = columns.find(({ id }) => id === sort?.columnId)?.sortBy;
  if (sort === null || sortBy === undefined) return matching;
  const factor = sort.direction === 'ascending' ? 1 : -1;
  return matching.toSorted((left, right) => factor * compare(sortBy(left), sortBy(right)));
}

/** The grid's columns. Widths that the user set are kept. The last column takes the remaining space, so that no gap appears at its side. */
export function columnTracks(
  columns: readonly { readonly id: string; readonly width: string }[],
  widths: Readonly<Record<string, number>>,
): string {
  return columns
    .map(({ id, width }, index) => {
      const own = widths[id];
      if (own !== undefined && index < columns.length - 1) return `${own}px`;
      const isStretched = Object.keys(widths).length > 0 && index === columns.length - 1 && !width.includes('fr');
      return isStretched ? `minmax(${width}, 1fr)` : width;
    })
    .join(' ');
}

/** First click ascending, second click descending, third click the given order. */
export function toggleSort(sort: SortState | null, columnId: string): SortState | null {
  if (sort?.columnId !== columnId) return { columnId, direction: 'ascending' };
  return sort.direction === 'ascending' ? { columnId, direction: 'descending' } : null;
}

/** The row that a key moves to; null for keys that do not move. */
export function rowAfterKey(key: string, current: number, rowCount: number, pageSize: number): number | null {
  const last = rowCount - 1;
  if (last < 0) return null;
  switch (key) {
    case 'ArrowDown':
      return Math.min(last, current + 1);
    case 'ArrowUp':
      return Math.max(0, current - 1);
    case 'PageDown':
      return Math.min(last, current + pageSize);
    case 'PageUp':
      return Math.max(0, current - pageSize);
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return null;
  }
}
