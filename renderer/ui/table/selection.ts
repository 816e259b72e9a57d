// Owns which rows of a table are selected. Pure, so that tests can use ten thousand rows. Knows keys only, not rows.

export interface Selection {
  readonly keys: ReadonlySet<string>;
  /** The row where a range starts. */
  readonly anchor: string | null;
  /** The row that has the focus of the keyboard. */
  readonly current: string | null;
}

export const noSelection: Selection = { keys: new Set(), anchor: null, current: null };

export function selectOne(key: string): Selection {
  return { keys: new Set([key]), anchor: key, current: key };
}

/** Adds the row, or takes it out. The other rows stay as they are. */
export function toggleKey({ keys }: Selection, key: string): Selection {
  const next = new Set(keys);
  if (!next.delete(key)) next.add(key);
  return { keys: next, anchor: key, current: key };
}

/** Moves the focus of the keyboard. The selected rows stay as they are. */
export function moveCurrent({ keys }: Selection, key: string): Selection {
  return { keys, anchor: key, current: key };
}

/**
 * Selects the range from the anchor to the row, and no other row.
 * @param order all shown rows in their order
 */
export function extendTo({ anchor }: Selection, key: string, order: readonly string[]): Selection {
  const end = order.indexOf(key);
  const start = anchor === null ? -1 : order.indexOf(anchor);
  if (anchor === null || start === -1 || end === -1) return selectOne(key);
  return { keys: new Set(order.slice(Math.min(start, end), Math.max(start, end) + 1)), anchor, current: key };
}

export function selectAll({ anchor, current }: Selection, order: readonly string[]): Selection {
  const first = order[0] ?? null;
  return { keys: new Set(order), anchor: anchor ?? first, current: current ?? first };
}

interface Modifiers {
  readonly isRange: boolean;
  readonly isToggle: boolean;
}

/** The selection after a click, or after a key has moved to the row. */
export function selectWith(
  selection: Selection,
  key: string,
  order: readonly string[],
  { isRange, isToggle }: Modifiers,
): Selection {
  if (isRange) return extendTo(selection, key, order);
  return isToggle ? toggleKey(selection, key) : selectOne(key);
}
