// Owns the selection of entries for a restore: requested paths in raw bytes, each with all entries below it.
import { isAtOrBelow } from '../../../repository/points/tree-selection.ts';
import { showPath } from '../walk/path-text.ts';

export class PathSelection {
  readonly #paths: { readonly path: Buffer; isMatched: boolean }[];

  /** @param paths an empty list selects everything; additional `/` and `.` are ignored */
  constructor(paths: readonly (string | Uint8Array)[]) {
    this.#paths = paths.map((path) => ({
      path: withoutNoise(Buffer.from(path)),
      isMatched: false,
    }));
  }

  get isAll(): boolean {
    return this.#paths.length === 0 || this.#paths.some(({ path }) => path.length === 0);
  }

  includes(entryPath: Buffer): boolean {
    if (this.isAll) return true;
    for (const wanted of this.#paths) {
      const { path } = wanted;
      const isSame = entryPath.equals(path);
      if (
        isSame ||
        (entryPath.length > path.length &&
          entryPath[path.length] === 0x2f &&
          entryPath.subarray(0, path.length).equals(path))
      ) {
        wanted.isMatched = true;
        return true;
      }
    }
    return false;
  }

  /** Whether the entry itself was requested, not only a folder above it. */
  names(entryPath: Buffer): boolean {
    return this.#paths.some(({ path }) => path.equals(entryPath));
  }

  /** Whether `folderPath` is a parent folder of a requested path. */
  leadsTo(folderPath: Buffer): boolean {
    return this.#paths.some(({ path }) => isAtOrBelow(path, folderPath));
  }

  get isAnyMatched(): boolean {
    return this.#paths.some(({ isMatched }) => isMatched);
  }

  /** Returns the requested paths that the restore point does not contain, as text for display. */
  unmatched(): string[] {
    return this.isAll ? [] : this.#paths.filter(({ isMatched }) => !isMatched).map(({ path }) => showPath(path));
  }
}

function withoutNoise(path: Buffer): Buffer {
  const parts = path.toString('latin1').split('/');
  return Buffer.from(parts.filter((part) => part !== '' && part !== '.').join('/'), 'latin1');
}
