// Owns the rows of the printed table: a value with its goal, a value alone, or the reason for a missing value. Pure.

export interface Row {
  readonly text: string;
  readonly value: number | undefined;
  readonly unit: string;
  readonly goal?: { readonly limit: number; readonly isAtLeast: boolean };
  /** How the value was measured, where the name alone would be misleading. */
  readonly note?: string;
}

export const atLeast = (text: string, value: number | undefined, limit: number, unit = '', note?: string): Row => ({
  ...measured(text, value, unit, note),
  goal: { limit, isAtLeast: true },
});

export const atMost = (text: string, value: number | undefined, limit: number, unit: string, note?: string): Row => ({
  ...measured(text, value, unit, note),
  goal: { limit, isAtLeast: false },
});

export const measured = (text: string, value: number | undefined, unit: string, note?: string): Row => ({
  text,
  value,
  unit,
  ...(note === undefined ? {} : { note }),
});

/** null without a goal or a value. */
export function isReached({ value, goal }: Row): boolean | null {
  if (value === undefined || goal === undefined) return null;
  return goal.isAtLeast ? value >= goal.limit : value <= goal.limit;
}

/** The form in bench/results. */
export function toJson(row: Row): object {
  const { text, value, unit, goal } = row;
  return { text, value: value ?? null, unit, ...(goal === undefined ? {} : { ...goal, isReached: isReached(row) }) };
}

const textWidth = 66;
const valueWidth = 16;

export function formatRow(row: Row): string {
  const { text, value, unit, goal, note } = row;
  const shown = value === undefined ? '-' : `${formatValue(value)} ${unit}`.trim();
  const verdict =
    goal === undefined
      ? ''
      : `   ${goal.isAtLeast ? 'at least' : 'at most'} ${`${goal.limit} ${unit}`.trim()}: ${verdictOf(row)}`;
  const line = `${text.padEnd(textWidth)} ${shown.padStart(valueWidth)}${verdict}`;
  return note === undefined ? line : `${line}\n    ${note}`;
}

function verdictOf(row: Row): string {
  const reached = isReached(row);
  return reached === null ? 'not measured' : reached ? 'reached' : 'MISSED';
}

/** Three significant digits, without an exponent. */
function formatValue(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
