// Owns what is said of pipes, sockets and devices: counted by kind, with the first names. A manifest records them; nothing makes them again.
import type { SpecialEntry } from './tree-entry.ts';

export type SpecialKind = SpecialEntry['special'];

export interface SpecialGroup {
  readonly kind: SpecialKind;
  readonly count: number;
  /** Raw bytes, the first ones met. */
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
 * Whether somebody would miss it after a restore. Pipes and sockets hold nothing, and the programs that use them make them anew; a device
 * node is part of a system that is to run again (docs/data-movers.md, section 5).
 */
export function isMissed(kind: SpecialKind): boolean {
  return kind === 'character-device' || kind === 'block-device';
}

/** "3 sockets" */
export function countOfKind({ kind, count }: Pick<SpecialGroup, 'kind' | 'count'>): string {
  return `${count} ${words[kind]}${count === 1 ? '' : 's'}`;
}

/** "a, b, c and 4 more" */
export function namesOf(
  { count, firstPaths }: Pick<SpecialGroup, 'count' | 'firstPaths'>,
  show: (path: Buffer) => string,
): string {
  const more = count - firstPaths.length;
  return firstPaths.map(show).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
