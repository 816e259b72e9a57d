// Owns reading lists that another program version, a peer or a disk provides. An invalid row is left out and named, so that one bad row
// never hides the valid rows. No other file may leave out rows.
import { z } from 'zod';

export interface LeftOut {
  readonly count: number;
  /** Names of the first omitted rows: identifier or name, cut and without control characters; "row 3" for a row without either. */
  readonly names: readonly string[];
}

/** Omitted rows of one list of an answer. */
export interface LeftOutRows extends LeftOut {
  /** Field of the list; for a list inside of rows with the field of the outer list: "sessions", "tenants.quotas". */
  readonly list: string;
}

const maxNames = 5;
const maxNameLength = 80;
/** Limit of nested values in which lists are searched. */
const maxDepth = 5;
/** Fields that can name a row, in order of preference. */
const namingFields = ['name', 'id', 'provider', 'step', 'sequence', 'host'];

const leftOutOfLists = new WeakMap<readonly unknown[], LeftOut>();
const leftOutOfAnswers = new WeakMap<object, readonly LeftOutRows[]>();

/** Returns number and names of the rows that `rowList` or `readRows` omitted from this list; undefined when none was omitted. */
export function leftOutOf(list: readonly unknown[]): LeftOut | undefined {
  return leftOutOfLists.get(list);
}

/**
 * Schema for a list of `row`. Refuses only a value that is not a list; rows beyond `max` are omitted. The schema's metadata describes a
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

/** Returns the rows for which `read` does not throw. The result also counts rows that were omitted from `rows` before. */
export function readRows<Raw, Row>(
  rows: readonly Raw[],
  read: (raw: Raw) => Row,
  max = Number.POSITIVE_INFINITY,
): Row[] {
  const good: Row[] = [];
  const before = leftOutOf(rows);
  const names = [...(before?.names ?? [])];
  let count = before?.count ?? 0;
  for (const [index, raw] of rows.entries()) {
    try {
      if (index < max) {
        good.push(read(raw));
        continue;
      }
    } catch {
      // The omitted row is named below.
    }
    count += 1;
    if (names.length < maxNames) names.push(nameOf(raw, index));
  }
  if (count > 0) leftOutOfLists.set(good, { count, names });
  return good;
}

/** Marks `rows`, which were made from `from`, with the rows that were omitted from `from`. */
export function keepLeftOut<Row>(from: readonly unknown[], rows: Row[]): Row[] {
  const leftOut = leftOutOf(from);
  if (leftOut !== undefined) leftOutOfLists.set(rows, leftOut);
  return rows;
}

/** `list.map(change)` that keeps the record of omitted rows. */
export function mapRows<Row, Changed>(list: readonly Row[], change: (row: Row) => Changed): Changed[] {
  return keepLeftOut(list, list.map(change));
}

/** Finds all lists in a value from which rows were omitted; one entry for each list name. */
export function leftOutIn(value: unknown): LeftOutRows[] {
  const found = new Map<string, LeftOut>();
  collect(value, '', maxDepth, found);
  return [...found].map(([list, leftOut]) => ({ list, ...leftOut }));
}

/** Records the omitted rows of an answer. The record belongs to the answer object, because its lists may be copied later. */
export function noteLeftOut(answer: unknown, rows: readonly LeftOutRows[]): void {
  if (typeof answer !== 'object' || answer === null) return;
  const found = new Map<string, LeftOut>();
  for (const { list, ...leftOut } of rows) add(found, list, leftOut);
  leftOutOfAnswers.set(
    answer,
    [...found].map(([list, leftOut]) => ({ list, ...leftOut })),
  );
}

/** The rows that `noteLeftOut` recorded for this answer. */
export function leftOutOfAnswer(answer: object): readonly LeftOutRows[] {
  return leftOutOfAnswers.get(answer) ?? [];
}

function collect(value: unknown, path: string, depth: number, found: Map<string, LeftOut>): void {
  if (depth === 0 || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const leftOut = leftOutOf(value);
    if (leftOut !== undefined) add(found, path, leftOut);
    for (const row of value) collect(row, path, depth - 1, found);
  } else {
    for (const [field, part] of Object.entries(value))
      collect(part, path === '' ? field : `${path}.${field}`, depth - 1, found);
  }
}

function add(found: Map<string, LeftOut>, list: string, { count, names }: LeftOut): void {
  const before = found.get(list);
  found.set(list, {
    count: count + (before?.count ?? 0),
    names: [...(before?.names ?? []), ...names].slice(0, maxNames),
  });
}

/** "2 rows are invalid and left out: 8c1d..., northwind" */
export function describeLeftOut(list: string, { count, names }: LeftOut): string {
  const what = count === 1 ? 'one row is invalid and left out' : `${count} rows are invalid and left out`;
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
