// Owns how much there is in a tree: files and bytes, the content of a file with several names once.
import { scanTree, type ScannedEntry, type ScanSource } from './tree-scanner.ts';

/** How long a walk keeps the thread to itself. */
export const sliceMs = 8;

export class TreeTotal {
  bytes = 0;
  files = 0;
  readonly #seen = new Set<string>();

  add(entry: ScannedEntry): void {
    if (!entry.stats.isFile()) return;
    this.files += 1;
    if (entry.stats.nlink > 1n) {
      const key = linkKey(entry);
      if (this.#seen.has(key)) return;
      this.#seen.add(key);
    }
    this.bytes += Number(entry.stats.size);
  }
}

/** The same for all names of one file. */
export function linkKey({ stats }: ScannedEntry): string {
  return `${stats.dev}:${stats.ino}`;
}

/** Counts in slices, beside other work. @returns undefined when `isOver` says that nobody wants to know any more */
export async function countTree(
  sources: readonly ScanSource[],
  excludes: readonly string[],
  isOver: () => boolean,
): Promise<TreeTotal | undefined> {
  const total = new TreeTotal();
  let sliceBeganMs = performance.now();
  for (const item of scanTree(sources, excludes)) {
    if (item.type === 'entry') total.add(item.entry);
    if (performance.now() - sliceBeganMs > sliceMs) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (isOver()) return undefined;
      sliceBeganMs = performance.now();
    }
  }
  return total;
}
