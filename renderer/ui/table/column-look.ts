// Owns which columns of a table are shown, and how narrow the table can be before it scrolls sideways. Pure.

interface LookColumn {
  readonly id: string;
  /** A CSS grid track, such as "120px" or "minmax(160px, 2fr)". */
  readonly width: string;
}

/** The first column names the row, so it is always shown. */
export function shownColumns<T extends LookColumn>(columns: readonly T[], hidden: readonly string[]): readonly T[] {
  return columns.filter(({ id }, index) => index === 0 || !hidden.includes(id));
}

/** The columns to hide after the person has shown or hidden one. Names of columns that no longer exist disappear. */
export function toggleColumn(
  columns: readonly LookColumn[],
  hidden: readonly string[],
  columnId: string,
): readonly string[] {
  const next = hidden.includes(columnId) ? hidden.filter((id) => id !== columnId) : [...hidden, columnId];
  return columns.slice(1).flatMap(({ id }) => (next.includes(id) ? [id] : []));
}

/** In pixels. A table in a narrower place scrolls sideways. */
export function minTableWidth(columns: readonly LookColumn[], widths: Readonly<Record<string, number>>): number {
  return columns.reduce((sum, { id, width }, index) => {
    const own = index < columns.length - 1 ? widths[id] : undefined;
    return sum + (own ?? Number(/(\d+)px/.exec(width)?.[1] ?? 0));
  }, 0);
}
