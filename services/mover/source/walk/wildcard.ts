// Owns matching a text against one wildcard pattern. Follows all possible matches at the same time, so the time grows only with the length
// of the text times the length of the pattern, for any number of stars. A regular expression would try one possible match after the other,
// and a hostile pattern could take hours.

type Part =
  | { readonly kind: 'literal'; readonly character: string }
  /** `?`: one character of a name. */
  | { readonly kind: 'one' }
  /** `*`: any characters of a name. */
  | { readonly kind: 'name' }
  /** `**`: anything. */
  | { readonly kind: 'any' }
  /** `**` with its slash: zero or more folders. */
  | { readonly kind: 'folders' };

/** @returns a function that matches whole texts. Characters are compared one by one, so pass bytes as Latin-1 */
export function compileWildcard(pattern: string): (text: string) => boolean {
  const parts = parse(pattern);
  const end = parts.length;
  const lastWildcard = parts.findLastIndex(({ kind }) => kind !== 'literal');
  const tail = literalsOf(parts.slice(lastWildcard + 1));
  if (lastWildcard === -1) return (text) => text === tail;

  // A state is a position in the pattern. States above `end` mean: inside a folder that a "folders" part at this position matches.
  const inside = end + 1;
  const seen = new Uint32Array(inside + end);
  let generation = 0;
  let next: number[] = [];
  const enter = (state: number): void => {
    for (let at = state; seen[at] !== generation; at += 1) {
      seen[at] = generation;
      next.push(at);
      const kind = parts[at]?.kind;
      // Parts of the kinds "name", "any" and "folders" can also match the empty text.
      if (at >= end || (kind !== 'name' && kind !== 'any' && kind !== 'folders')) return;
    }
  };
  const begin = (): void => {
    generation += 1;
    if (generation === 2 ** 32) {
      seen.fill(0);
      generation = 1;
    }
    next = [];
  };
  const follow = (state: number, character: string): void => {
    if (state >= inside) {
      enter(state);
      if (character === '/') enter(state - inside + 1);
      return;
    }
    const part = parts[state];
    switch (part?.kind) {
      case 'literal':
        if (part.character === character) enter(state + 1);
        return;
      case 'one':
        if (character !== '/') enter(state + 1);
        return;
      case 'name':
        if (character !== '/') enter(state);
        return;
      case 'any':
        enter(state);
        return;
      case 'folders':
        enter(inside + state);
        if (character === '/') enter(state + 1);
        return;
      case undefined:
        return;
    }
  };

  return (text) => {
    // Most names already fail here.
    if (!text.endsWith(tail)) return false;
    begin();
    enter(0);
    for (const character of text) {
      const current = next;
      if (current.length === 0) return false;
      begin();
      for (const state of current) follow(state, character);
    }
    return next.includes(end);
  };
}

function parse(pattern: string): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern.charAt(at);
    if (pattern.startsWith('**/', at)) {
      parts.push({ kind: 'folders' });
      at += 2;
    } else if (pattern.startsWith('**', at)) {
      parts.push({ kind: 'any' });
      at += 1;
    } else if (character === '*') parts.push({ kind: 'name' });
    else if (character === '?') parts.push({ kind: 'one' });
    else parts.push({ kind: 'literal', character });
  }
  return parts;
}

function literalsOf(parts: readonly Part[]): string {
  return parts.map((part) => (part.kind === 'literal' ? part.character : '')).join('');
}
