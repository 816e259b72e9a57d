// Owns changing one row of a list. The other rows stay the same objects, so they are not redrawn.

interface Row {
  readonly id: string;
}

/** Replaces the row with the same identifier, or adds a new row at the given end. */
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
