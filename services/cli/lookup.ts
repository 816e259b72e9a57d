// Owns finding items by a typed name. A name and a complete identifier always work; in lists with many identifiers, the first digits of an
// identifier also work. Ambiguous input is refused and all matches are named, because choosing one would be a guess.
import { FarkeepError } from '../kernel/farkeep-error.ts';

/** @throws FarkeepError call.not-found, with the command that lists the items; call.invalid when several items match */
export function findByName<Item extends { readonly id: string; readonly name: string }>(
  items: readonly Item[],
  wanted: string,
  { what, listCommand }: { readonly what: string; readonly listCommand: string },
): Item {
  const named = items.find(({ name }) => name === wanted);
  const identified = items.find(({ id }) => id === wanted);
  if (named !== undefined && identified !== undefined && named !== identified) {
    throw new FarkeepError(
      'call.invalid',
      `"${wanted}" is the name of one ${what} (${named.id}) and the identifier of another ("${identified.name}")`,
      { hint: `Write ${named.id} or "${identified.name}". See: ${listCommand}` },
    );
  }
  const found = named ?? identified;
  if (found !== undefined) return found;
  const other = items.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  throw new FarkeepError('call.not-found', `There is no ${what} "${wanted}"`, {
    hint: other === undefined ? `List them: ${listCommand}` : `Did you mean "${other.name}"?`,
  });
}

const minPrefixLength = 4;
const shownCandidates = 5;

/** Finds an item by its identifier, or by the first characters of its identifier (at least 4 characters, and only one match). */
export function findById<Item extends { readonly id: string }>(
  items: readonly Item[],
  wanted: string,
  { what, listCommand }: { readonly what: string; readonly listCommand: string },
): Item {
  const start = wanted.toLowerCase();
  const found = items.filter(({ id }) => id === start || (start.length >= minPrefixLength && id.startsWith(start)));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (found.length === 0) {
    throw new FarkeepError('call.not-found', `There is no ${what} "${wanted}"`, {
      hint: `List them: ${listCommand}`,
    });
  }
  const candidates = found.slice(0, shownCandidates).map(({ id }) => id);
  throw new FarkeepError(
    'call.invalid',
    `Several ${what}s start with "${wanted}": ${candidates.join(', ')}${found.length > shownCandidates ? ', ...' : ''}`,
    { hint: `Write more of the identifier. See: ${listCommand}` },
  );
}
