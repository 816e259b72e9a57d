// Owns the current position of a manifest reader or writer in the tree, and the rules of order, names, depth and sizes that the reader and
// the writer share.
import { damagedManifest } from './manifest-format.ts';
import {
  compareTreePaths,
  maxDepth,
  maxPathBytes,
  whyNotName,
  type ContentReference,
  type ManifestItem,
  type TreeEntry,
} from './tree-entry.ts';

export const contextFlags = { first: 1, previousIsFolder: 2, insideFile: 4 } as const;
export const slashByte = 0x2f;

/** The fields of an entry that decide where it may be in the tree. */
export type PlacedEntry =
  | Pick<Extract<TreeEntry, { kind: 'file' }>, 'kind' | 'sizeBytes' | 'isContinued' | 'isUnreadable'>
  | { readonly kind: Exclude<TreeEntry['kind'], 'file'> };

/** The position after the last record. Each next record is checked against this position. */
export class TreePosition {
  /** Names from the top folder down to the last entry. */
  readonly #names: Buffer[] = [];
  isStarted = false;
  lastIsFolder = false;
  isInsideFile = false;
  /** Bytes of content so far of the continued file. */
  fileBytes = 0;

  /** Path of the last entry. */
  get path(): Buffer {
    return joinPath(this.#names);
  }

  parentOf(depth: number): Buffer {
    this.checkDepth(depth);
    return joinPath(this.#names.slice(0, depth - 1));
  }

  /** Checks that an entry of this depth may be next. */
  checkDepth(depth: number): void {
    if (depth > this.#names.length + 1 || depth > maxDepth)
      throw damagedManifest('an entry lies deeper than its parent');
    if (depth === this.#names.length + 1 && !this.lastIsFolder)
      throw damagedManifest('an entry lies below something that is no folder');
  }

  enter(depth: number, name: Buffer, entry: TreeEntry): void {
    this.place(depth, name, entry, entry.kind === 'file' ? sumOf(entry.content) : 0);
    if (entry.kind === 'hardlink') checkLinkTarget(entry.target, entry.path);
  }

  /** Checks and records the next entry. For callers without a complete `TreeEntry`: the target of a hard link is not checked. */
  place(depth: number, name: Buffer, entry: PlacedEntry, contentBytes: number): void {
    if (this.isInsideFile) throw damagedManifest('a file has no end');
    if (depth === 0) {
      if (this.isStarted || entry.kind !== 'folder')
        throw damagedManifest('only the first entry, and a folder, can be the top');
    } else {
      if (!this.isStarted) throw damagedManifest('the first entry must be the top folder');
      const before = this.#names[depth - 1];
      if (before !== undefined && Buffer.compare(before, name) >= 0) throw damagedManifest('entries are not in order');
      this.#names.length = depth - 1;
      this.#names.push(name);
    }
    this.isStarted = true;
    this.lastIsFolder = entry.kind === 'folder';
    if (entry.kind === 'file') {
      this.fileBytes = contentBytes;
      this.isInsideFile = entry.isContinued;
      if (!entry.isContinued && !entry.isUnreadable && this.fileBytes !== entry.sizeBytes)
        throw damagedManifest('a file has another size than its content');
    }
  }

  content(content: readonly ContentReference[]): void {
    this.addContent(sumOf(content));
  }

  addContent(contentBytes: number): void {
    if (!this.isInsideFile) throw damagedManifest('content belongs to no file');
    this.fileBytes += contentBytes;
    if (!Number.isSafeInteger(this.fileBytes)) throw damagedManifest('a file is larger than the format allows');
  }

  /** Copies names that are views of a piece, so that the memory of the piece can be released. */
  keepNames(): void {
    this.#names.forEach((name, depth) => {
      this.#names[depth] = Buffer.from(name);
    });
  }

  fileEnd(end: Extract<ManifestItem, { type: 'file-end' }>): void {
    if (!this.isInsideFile) throw damagedManifest('the end of a file belongs to no file');
    if (!end.isUnreadable && end.sizeBytes !== this.fileBytes)
      throw damagedManifest('a file has another size than its content');
    this.isInsideFile = false;
  }

  context(): { flags: number; path: Buffer } {
    const flags =
      (this.isStarted ? 0 : contextFlags.first) |
      (this.lastIsFolder ? contextFlags.previousIsFolder : 0) |
      (this.isInsideFile ? contextFlags.insideFile : 0);
    return { flags, path: this.path };
  }

  static at(context: { flags: number; path: Buffer }): TreePosition {
    const position = new TreePosition();
    if (context.path.length > 0) position.#names.push(...splitPath(context.path));
    position.isStarted = (context.flags & contextFlags.first) === 0;
    position.lastIsFolder = (context.flags & contextFlags.previousIsFolder) !== 0;
    position.isInsideFile = (context.flags & contextFlags.insideFile) !== 0;
    return position;
  }
}

function sumOf(content: readonly ContentReference[]): number {
  let sum = 0;
  for (const { lengthBytes } of content) sum += lengthBytes;
  if (!Number.isSafeInteger(sum)) throw damagedManifest('a file is larger than the format allows');
  return sum;
}

export function joinPath(names: readonly Buffer[]): Buffer {
  let length = Math.max(0, names.length - 1);
  for (const name of names) length += name.length;
  const path = Buffer.allocUnsafe(length);
  let at = 0;
  for (const name of names) {
    if (at > 0) path[at++] = slashByte;
    at += name.copy(path, at);
  }
  return path;
}

/** Returns the parts of a tree path. Throws storage.damaged when a part is not a valid name. */
export function splitPath(path: Buffer): Buffer[] {
  if (path.length === 0) return [];
  if (path.length > maxPathBytes) throw damagedManifest('a path is too long');
  const names: Buffer[] = [];
  let start = 0;
  for (;;) {
    const end = path.indexOf(slashByte, start);
    const name = path.subarray(start, end === -1 ? path.length : end);
    const reason = whyNotName(name);
    if (reason !== undefined) throw damagedManifest(reason);
    names.push(name);
    if (end === -1) break;
    start = end + 1;
  }
  if (names.length > maxDepth) throw damagedManifest('a path is too deep');
  return names;
}

export function checkLinkTarget(target: Buffer, path: Buffer): void {
  if (target.length === 0) throw damagedManifest('a hard link leads to the top folder');
  splitPath(target);
  if (compareTreePaths(target, path) >= 0) throw damagedManifest('a hard link leads forward');
}
