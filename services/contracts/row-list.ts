// Owns how a list is read that somebody else made: a peer, a stored row, a service of another version. Row by row: a row that does not fit is
// left out and named, so that one bad record never hides the good ones. The only place that does so.
import { z } from 'zod';

export interface LeftOut {
  readonly count: number;
  /** Of the first ones: identifier or name, cut and without control characters; "row 3" for one that has neither. */
  readonly names: readonly string[];
}

const maxNames = 5;
const maxNameLength = 80;
/** What a row may be known by, the best first. */
const namingFields = ['id', 'name', 'provider', 'step', 'sequence', 'host'];

const leftOutOfLists = new WeakMap<readonly unknown[], LeftOut>();

/** What was left out of a list that `rowList` or `readRows` made; undefined when everything did fit. */
export function leftOutOf(list: readonly unknown[]): LeftOut | undefined {
  return leftOutOfLists.get(list);
}

/**
 * A list of `row`. Only something that is no list at all is refused; what is more than `max` rows is left out as well. Its metadata says what a row is.
 */
export function rowList<Row extends z.ZodType>(
  row: Row,
  max = Number.POSITIVE_INFINITY,
): z.ZodType<z.output<Row>[], z.input<Row>[]> {
  return z
    .custom<z.input<Row>[]>((value) => Array.isArray(value), 'Invalid input: expected array')
    .transform((rows) => readRows(rows, (value) => row.parse(value), max))
    .meta({ row, max });
}

/** The rows that `read` does not throw at. */
export function readRows<Raw, Row>(
  rows: readonly Raw[],
  read: (raw: Raw) => Row,
  max = Number.POSITIVE_INFINITY,
): Row[] {
  const good: Row[] = [];
  const names: string[] = [];
  let count = 0;
  for (const [index, raw] of rows.entries()) {
    try {
      if (index < max) {
        good.push(read(raw));
        continue;
      }
    } catch {
      // Named below.
    }
    count += 1;
    if (names.length < maxNames) names.push(nameOf(raw, index));
  }
  if (count > 0) leftOutOfLists.set(good, { count, names });
  return good;
}

/** "2 rows do not fit and are left out: 8c1d..., northwind" */
export function describeLeftOut(list: string, { count, names }: LeftOut): string {
  const what = count === 1 ? 'one row does not fit and is left out' : `${count} rows do not fit and are left out`;
  return `${list}: ${what} (${names.join(', ')}${count > names.length ? ', ...' : ''})`;
}

function nameOf(raw: unknown, index: number): string {
  const fields = typeof raw === 'object' && raw !== null ? (raw as Readonly<Record<string, unknown>>) : {};
  const found = namingFields.map((field) => fields[field]).find(isName);
  return found === undefined
    ? `row ${index + 1}`
    : String(found)
        .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
        .slice(0, maxNameLength);
}

function isName(value: unknown): value is string | number {
  return typeof value === 'number' || (typeof value === 'string' && value.trim() !== '');
}
