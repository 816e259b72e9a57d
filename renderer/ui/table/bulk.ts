// Owns calls for several rows: one after the other, all of them, and what is told about rows that failed.
import type { TextFunction } from '../../i18n/use-text.ts';

const namesShown = 5;

/** The first names in quotation marks, and how many more there are. */
export function firstNames(names: readonly string[], t: TextFunction): string {
  const shown = names
    .slice(0, namesShown)
    .map((name) => `“${name}”`)
    .join(', ');
  return names.length > namesShown ? t('leftOut.more', { names: shown, count: names.length - namesShown }) : shown;
}

/**
 * Calls for every row, also after a failure. Throws the first failure.
 * @param onLeft gets the rows that failed before the failure is thrown, so that a second attempt does not repeat the others
 */
export async function callEach<T>(
  rows: readonly T[],
  call: (row: T) => Promise<unknown>,
  onLeft?: (rows: readonly T[]) => void,
): Promise<void> {
  const failures: { readonly row: T; readonly error: unknown }[] = [];
  for (const row of rows) {
    try {
      await call(row);
    } catch (error) {
      failures.push({ row, error });
    }
  }
  const [first] = failures;
  if (first === undefined) return;
  onLeft?.(failures.map(({ row }) => row));
  throw first.error;
}
