// Owns the state filters of lists: which filter a list offers, which rows it passes, and which one was chosen during this visit.
import { create } from 'zustand';

export interface ListFilter<T> {
  readonly id: string;
  readonly label: string;
  readonly isMatch: (row: T) => boolean;
}

/** The rows that pass the chosen filter. Without a choice, and with a filter that no longer exists, all rows pass. */
export function filterRows<T>(
  rows: readonly T[],
  filters: readonly ListFilter<T>[],
  chosen: string | null,
): readonly T[] {
  const filter = filters.find(({ id }) => id === chosen);
  return filter === undefined ? rows : rows.filter(filter.isMatch);
}

interface VisitState {
  /** The chosen filter of each list, by page. */
  readonly chosen: Readonly<Record<string, string | null>>;
}

/** Lives until the console closes, so that a list keeps its filter while the person looks at other pages. */
export const useListFilters = create<VisitState>(() => ({ chosen: {} }));

export function chooseFilter(page: string, filterId: string | null): void {
  useListFilters.setState(({ chosen }) => ({ chosen: { ...chosen, [page]: filterId } }));
}
