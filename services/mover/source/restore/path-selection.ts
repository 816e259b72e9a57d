// Owns which entries of a restore point were asked for: paths in raw bytes, each with everything below it.
import { isAtOrBelow } from '../../../repository/points/tree-selection.ts';
import { showPath } from '../walk/path-text.ts';

export class PathSelection {
  readonly #paths: { readonly path: Buffer; isMatched: boolean }[];

  /** @param paths none = everything; `/` more than needed and `.` do not matter */
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

  /** Whether the entry itself was asked for, not only a folder above it. */
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

  /** What was asked for and never came, for people. */
  unmatched(): string[] {
    return this.isAll ? [] : this.#paths.filter(({ isMatched }) => !isMatched).map(({ path }) => showPath(path));
  }
}

function withoutNoise(path: Buffer): Buffer {
  const parts = path.toString('latin1').split('/');
  return Buffer.from(parts.filter((part) => part !== '' && part !== '.').join('/'), 'latin1');
}
