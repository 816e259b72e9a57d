// Owns the summary of pipes, sockets and devices for messages: counted by kind, with the first names. A manifest records these entries; a
// restore does not create them.
import type { SpecialEntry } from './tree-entry.ts';

export type SpecialKind = SpecialEntry['special'];

export interface SpecialGroup {
  readonly kind: SpecialKind;
  readonly count: number;
  /** Paths of the first entries, as raw bytes. */
  readonly firstPaths: readonly Buffer[];
}

const maxNamed = 3;

const words: Record<SpecialKind, string> = {
  fifo: 'pipe',
  socket: 'socket',
  'character-device': 'character device',
  'block-device': 'block device',
};

export class SpecialFiles {
  readonly #groups = new Map<SpecialKind, { count: number; readonly firstPaths: Buffer[] }>();

  add(kind: SpecialKind, path: Buffer): void {
    const group = this.#groups.get(kind) ?? { count: 0, firstPaths: [] };
    group.count += 1;
    if (group.firstPaths.length < maxNamed) group.firstPaths.push(path);
    this.#groups.set(kind, group);
  }

  groups(): SpecialGroup[] {
    return [...this.#groups].map(([kind, group]) => ({ kind, ...group }));
  }
}

/**
 * Whether a person should be warned about this kind. Pipes and sockets hold no data, and programs create them again. A device node belongs
 * to a system that must run again after the restore (docs/data-movers.md, section 5).
 */
export function isMissed(kind: SpecialKind): boolean {
  return kind === 'character-device' || kind === 'block-device';
}

/** Returns a text such as "3 sockets". */
export function countOfKind({ kind, count }: Pick<SpecialGroup, 'kind' | 'count'>): string {
  return `${count} ${words[kind]}${count === 1 ? '' : 's'}`;
}

/** Returns a text such as "a, b, c and 4 more". */
export function namesOf(
  { count, firstPaths }: Pick<SpecialGroup, 'count' | 'firstPaths'>,
  show: (path: Buffer) => string,
): string {
  const more = count - firstPaths.length;
  return firstPaths.map(show).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
