// Owns changing one row of a list without touching the others, so that rows that did not change are not drawn again.

interface Row {
  readonly id: string;
}

/** Replaces the row with the same id, or puts a new one at the named end. */
export function upsertRow<T extends Row>(
  rows: readonly T[],
  row: T,
  newRowsGo: 'first' | 'last' = 'last',
): readonly T[] {
  const index = rows.findIndex(({ id }) => id === row.id);
  if (index === -1) return newRowsGo === 'first' ? [row, ...rows] : [...rows, row];
  return rows.with(index, row);
}

export function removeRow<T extends Row>(rows: readonly T[], id: string): readonly T[] {
  return rows.some((row) => row.id === id) ? rows.filter((row) => row.id !== id) : rows;
}
