// Owns tables and lists of facts as text for people. Must not be used for --json.

import { inLine } from '../kernel/shown-text.ts';

/** Makes a text safe to print inside a line: a name must not control the terminal or start a new line. */
export const printable = inLine;

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right';
}

/** Rows below a title line; `empty` is printed when there are no rows. */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], empty: string): string {
  if (rows.length === 0) return empty;
  const cells = rows.map((row) => columns.map(({ value }) => printable(value(row))));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => (line[index] ?? '').length)),
  );
  const line = (values: readonly string[]): string =>
    values
      .map((value, index) =>
        columns[index]?.align === 'right' ? value.padStart(widths[index] ?? 0) : value.padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...cells.map(line)].join('\n');
}

/** Returns lines "Name: value" with all values in one column. */
export function formatFacts(facts: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${`${name}:`.padEnd(width + 2)}${printable(value)}`.trimEnd()).join('\n');
}
