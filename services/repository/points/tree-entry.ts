// Owns the shapes of a restore point's tree: the kinds of entries, their order, and their limits.

/** Part of a file's content. If `id` is null, the part is a hole: `lengthBytes` zeros that need no disk space. */
export interface ContentReference {
  readonly id: Buffer | null;
  readonly lengthBytes: number;
}

export interface EntryOwner {
  readonly uid: number;
  readonly gid: number;
  /** Empty when not known. */
  readonly userName: string;
  readonly groupName: string;
}

interface EntryBase {
  /**
   * Raw bytes, relative to the top folder, parts joined by "/", no leading or trailing "/". Empty for the top folder itself.
   * Entries come parents first, the children of a folder directly after it, siblings in ascending order of their name's bytes.
   */
  readonly path: Buffer;
  /** Permission bits with set-id and sticky bits: 0 to 0o7777. */
  readonly mode: number;
  readonly owner: EntryOwner;
  /** Nanoseconds since the epoch; may be negative. */
  readonly mtimeNs: bigint;
  readonly isChangedWhileRead: boolean;
  readonly isUnreadable: boolean;
  /** Extended attributes with raw names and values. Saved, but a restore does not set them yet. */
  readonly extendedAttributes: readonly ExtendedAttribute[];
}

export interface ExtendedAttribute {
  readonly name: Buffer;
  readonly value: Buffer;
}

export interface FileEntry extends EntryBase {
  readonly kind: 'file';
  /** Size of the file, holes included. Equals the sum of `content` unless `isContinued`. */
  readonly sizeBytes: number;
  readonly content: readonly ContentReference[];
  /** If true, `content` items with more content follow, and a `file-end` item with the final size. */
  readonly isContinued: boolean;
}

export interface FolderEntry extends EntryBase {
  readonly kind: 'folder';
}

export interface SymlinkEntry extends EntryBase {
  readonly kind: 'symlink';
  /** Target of the link as raw bytes. This program does not interpret the target. */
  readonly target: Buffer;
}

/** A further name of a file. The first name comes earlier in the same tree. */
export interface HardLinkEntry extends EntryBase {
  readonly kind: 'hardlink';
  /** Path of the first name, in the same form as `path`. */
  readonly target: Buffer;
}

/** A pipe, socket or device. It is recorded but not restored. */
export interface SpecialEntry extends EntryBase {
  readonly kind: 'special';
  readonly special: 'fifo' | 'socket' | 'character-device' | 'block-device';
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

export type TreeEntry = FileEntry | FolderEntry | SymlinkEntry | HardLinkEntry | SpecialEntry;

/** One item of a manifest. */
export type ManifestItem =
  | { readonly type: 'entry'; readonly entry: TreeEntry }
  /** Further content of the continued file before it. */
  | { readonly type: 'content'; readonly content: readonly ContentReference[] }
  /** End of the continued file, with the result of reading it. */
  | {
      readonly type: 'file-end';
      readonly sizeBytes: number;
      readonly isChangedWhileRead: boolean;
      readonly isUnreadable: boolean;
    };

export const maxNameBytes = 1024;
export const maxPathBytes = 64 * 1024;
export const maxDepth = 2048;
export const maxContentReferencesPerItem = 1024;

/** Compares two paths in tree order: part by part, by bytes, and a folder before its entries. */
export function compareTreePaths(left: Buffer, right: Buffer): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at += 1) {
    const a = left[at] ?? 0;
    const b = right[at] ?? 0;
    if (a === b) continue;
    // "/" ends a part, so it sorts before every byte that a name can hold.
    if (a === 0x2f) return -1;
    if (b === 0x2f) return 1;
    return a - b;
  }
  return left.length - right.length;
}

/** Returns the reason why `name` is not a valid part of a path; undefined if it is valid. */
export function whyNotName(name: Buffer): string | undefined {
  if (name.length === 0) return 'a name is empty';
  if (name.length > maxNameBytes) return `a name has ${name.length} bytes`;
  if (name.includes(0)) return 'a name holds a zero byte';
  if (name.includes(0x2f)) return 'a name holds a "/"';
  if ((name.length === 1 && name[0] === 0x2e) || (name.length === 2 && name[0] === 0x2e && name[1] === 0x2e))
    return 'a name is "." or ".."';
  return undefined;
}
