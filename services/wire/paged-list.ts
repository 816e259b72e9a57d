// Owns reading a peer's list page by page. Each page must contain a new row, and the total is limited, so that a peer cannot send an
// endless list. Must not know messages.
import { leftOutOf } from '../contracts/row-list.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';

export interface PagedList<Row> {
  readonly rows: Row[];
  readonly leftOutCount: number;
  /** Names of the first rows that were left out. */
  readonly leftOutNames: string[];
}

const maxNames = 20;

/**
 * @param ask requests the rows after the row with this identifier, in the peer's order
 * @throws protocol.malformed for a page without a new row, and for a list longer than `maxRows`
 */
export async function readPages<Row extends { readonly id: string }>(
  what: string,
  maxRows: number,
  ask: (after: string | null) => Promise<{ readonly rows: readonly Row[]; readonly hasMore: boolean }>,
): Promise<PagedList<Row>> {
  const rowsById = new Map<string, Row>();
  let leftOutCount = 0;
  const leftOutNames: string[] = [];
  let after: string | null = null;
  for (;;) {
    const { rows, hasMore } = await ask(after);
    const before = rowsById.size;
    for (const row of rows) if (!rowsById.has(row.id)) rowsById.set(row.id, row);
    const leftOut = leftOutOf(rows);
    leftOutCount += leftOut?.count ?? 0;
    leftOutNames.push(...(leftOut?.names ?? []).slice(0, maxNames - leftOutNames.length));
    if (!hasMore) return { rows: [...rowsById.values()], leftOutCount, leftOutNames };
    if (rowsById.size === before) throw endless(`a page of the list of ${what} contains no new entry`);
    if (rowsById.size > maxRows) throw endless(`the list of ${what} has more than ${maxRows} entries`);
    after = rows.at(-1)?.id ?? null;
  }
}

function endless(what: string): FarkeepError {
  return new FarkeepError('protocol.malformed', `The other side sends an endless list: ${what}`);
}
