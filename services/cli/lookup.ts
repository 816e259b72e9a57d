// Owns finding things by the name that a person typed. Names and whole identifiers work; where many identifiers are listed, their start.
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { printable } from './text-table.ts';

/** @throws FarkeepError call.not-found, with the command that lists what there is */
export function findByName<Item extends { readonly id: string; readonly name: string }>(
  items: readonly Item[],
  wanted: string,
  { what, listCommand }: { readonly what: string; readonly listCommand: string },
): Item {
  const found = items.find(({ name }) => name === wanted) ?? items.find(({ id }) => id === wanted);
  if (found !== undefined) return found;
  const other = items.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  throw new FarkeepError('call.not-found', `There is no ${what} "${printable(wanted)}"`, {
    hint: other === undefined ? `See which there are: ${listCommand}` : `Did you mean "${printable(other.name)}"?`,
  });
}

const minPrefixLength = 4;

/** Finds by identifier or by its start (at least 4 characters, and only one thing may start so). */
export function findById<Item extends { readonly id: string }>(
  items: readonly Item[],
  wanted: string,
  { what, listCommand }: { readonly what: string; readonly listCommand: string },
): Item {
  const start = wanted.toLowerCase();
  const found = items.filter(({ id }) => id === start || (start.length >= minPrefixLength && id.startsWith(start)));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new FarkeepError(
    'call.not-found',
    found.length > 1 ? `Several ${what}s start with "${wanted}"` : `There is no ${what} "${printable(wanted)}"`,
    { hint: `See which there are: ${listCommand}` },
  );
}
