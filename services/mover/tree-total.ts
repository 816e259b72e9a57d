// Owns how much there is in a tree: files and bytes, the content of a file with several names once.
import type { ScannedEntry } from './tree-scanner.ts';

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
