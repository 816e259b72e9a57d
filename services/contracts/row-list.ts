// Owns reading lists that another side made: a peer, a stored row, a service of another version. A row that does not fit is left out and
// named, so that one bad row never hides the good ones. No other file does this.
import { z } from 'zod';

export interface LeftOut {
  readonly count: number;
  /** Names of the first omitted rows: identifier or name, cut and without control characters; "row 3" for a row without either. */
  readonly names: readonly string[];
}

const maxNames = 5;
const maxNameLength = 80;
/** Fields that can name a row, best first. */
const namingFields = ['id', 'name', 'provider', 'step', 'sequence', 'host'];

const leftOutOfLists = new WeakMap<readonly unknown[], LeftOut>();

/** Returns number and names of the rows that `rowList` or `readRows` omitted from this list; undefined when none was omitted. */
export function leftOutOf(list: readonly unknown[]): LeftOut | undefined {
  return leftOutOfLists.get(list);
}

/**
 * Schema for a list of `row`. Only a value that is not a list is refused; rows beyond `max` are omitted. The schema's metadata describes a
 * row.
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

/** Returns the rows for which `read` does not throw. */
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
      // The row is named below.
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
