// Owns counting the files and bytes in a tree. The content of a file with several names counts once.
import { isFile, linkKey } from './file-stat.ts';
import type { SourceDisk } from './source-disk.ts';
import type { ScanSource } from './source-list.ts';
import { TreeWalk, type ScannedEntry } from './tree-scanner.ts';

/** Longest time for which a walk may block its thread. */
export const sliceMs = 8;

export class TreeTotal {
  bytes = 0;
  files = 0;
  readonly #seen = new Set<string>();

  add({ stat }: Pick<ScannedEntry, 'stat'>): void {
    if (!isFile(stat)) return;
    this.files += 1;
    if (stat.nlink > 1) {
      const key = linkKey(stat);
      if (this.#seen.has(key)) return;
      this.#seen.add(key);
    }
    this.bytes += stat.sizeBytes;
  }
}

/**
 * Counts in short slices, so that other work can run between these. @returns undefined if `isOver` says that the result is no longer needed
 */
export async function countTree(
  disk: SourceDisk,
  sources: readonly ScanSource[],
  excludes: readonly string[],
  isOver: () => boolean,
): Promise<TreeTotal | undefined> {
  const total = new TreeTotal();
  using walk = new TreeWalk(disk, sources, excludes);
  let sliceBeganMs = performance.now();
  for (let item = walk.next(); item !== undefined; item = walk.next()) {
    if (item.type === 'entry') total.add(item.entry);
    if (performance.now() - sliceBeganMs > sliceMs) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (isOver()) return undefined;
      sliceBeganMs = performance.now();
    }
  }
  return total;
}
