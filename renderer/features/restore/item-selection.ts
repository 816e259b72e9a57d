// Owns which entries of a restore point are ticked. A ticked folder includes everything in it. Pure.

export type Selection = ReadonlySet<string>;
export type CheckState = 'checked' | 'included' | 'mixed' | 'unchecked';

/** "a/b/c" is inside "a" and "a/b". */
function ancestorsOf(path: string): readonly string[] {
  const parts = path.split('/');
  return parts.slice(0, -1).map((_part, index) => parts.slice(0, index + 1).join('/'));
}

export function checkStateOf(selection: Selection, path: string): CheckState {
  if (selection.has(path)) return 'checked';
  if (ancestorsOf(path).some((ancestor) => selection.has(ancestor))) return 'included';
  const prefix = `${path}/`;
  for (const chosen of selection) if (chosen.startsWith(prefix)) return 'mixed';
  return 'unchecked';
}

/** A newly ticked folder replaces the ticks inside it. An entry inside a ticked folder cannot be changed separately. */
export function toggleItem(selection: Selection, path: string): Selection {
  const state = checkStateOf(selection, path);
  if (state === 'included') return selection;
  const next = new Set(selection);
  if (state === 'checked') {
    next.delete(path);
    return next;
  }
  const prefix = `${path}/`;
  for (const chosen of selection) if (chosen.startsWith(prefix)) next.delete(chosen);
  next.add(path);
  return next;
}
