// Owns finding hard links: names of a backup that belong to one file. Device and inode only select the names to compare, because the system
// reuses the numbers after a deletion. A name becomes a link if its file is in the same state as when its first name was read, or if it was
// read itself and is equal. If a name could not be read, the next name represents the file.
import { hasSameMetadata, isSameState, linkKey, type FileStat } from '../walk/file-stat.ts';
import type { RawText } from '../walk/source-disk.ts';
import type { ScannedEntry } from '../walk/tree-scanner.ts';

/** A file at its place in the manifest window. */
export interface PlacedName {
  readonly index: number;
  readonly entry: ScannedEntry;
}

/** The result of reading one name through one descriptor. */
export interface ReadFile {
  readonly stat: FileStat;
  /** Packed (content-list.ts). */
  readonly content: Buffer;
  readonly sizeBytes: number;
  readonly isChanged: boolean;
  /** True if any later change must show in the file's times. */
  readonly isSettled: boolean;
}

interface Group {
  /** Index of the name that represents the file; a link can only point to an earlier name. */
  index: number;
  treePath: RawText;
  /** Undefined while that name is being read. */
  read: ReadFile | undefined;
  waiting: PlacedName[];
  names: number;
}

export interface LinkedFilesOptions {
  /** Called for a name that has to be read. */
  readonly onRead: (name: PlacedName) => void;
  readonly onLink: (name: PlacedName, target: RawText) => void;
}

export class LinkedFiles {
  readonly #options: LinkedFilesOptions;
  readonly #groups = new Map<string, Group>();

  constructor(options: LinkedFilesOptions) {
    this.#options = options;
  }

  /**
   * Records a name of a file with several names. @returns whether the name is the first name of the file. The caller then reads the file or
   * looks it up in the file cache
   */
  meet(name: PlacedName): boolean {
    const key = linkKey(name.entry.stat);
    const group = this.#groups.get(key);
    if (group === undefined) {
      this.#begin(key, name);
      return true;
    }
    group.names += 1;
    if (group.read === undefined) group.waiting.push(name);
    else this.#decide(key, group, group.read, name);
    return false;
  }

  /** Records that a name was read or is unchanged. @returns the name that it links to, if it becomes a link */
  read({ index, entry }: PlacedName, read: ReadFile): RawText | undefined {
    const met = linkKey(entry.stat);
    const key = linkKey(read.stat);
    const group = this.#groups.get(key);
    const isOwn = group?.index === index;
    let target: RawText | undefined;
    if (group?.read !== undefined && group.index < index && isSameFile(group.read, read)) {
      target = group.treePath;
      group.read = read;
    } else if (group === undefined) {
      if (read.stat.nlink > 1) this.#groups.set(key, { index, treePath: entry.treePath, read, waiting: [], names: 1 });
    } else if (isOwn || group.read !== undefined) {
      group.index = index;
      group.treePath = entry.treePath;
      group.read = read;
    }
    if (key !== met) this.failed({ index, entry });
    if (group !== undefined && isOwn) {
      for (const name of group.waiting.splice(0)) this.#decide(key, group, read, name);
      this.#forgetWhole(key, group);
    }
    return target;
  }

  /** Records that the name could not be read or belonged to another file: the next name then represents the file. */
  failed({ index, entry }: PlacedName): void {
    const key = linkKey(entry.stat);
    const group = this.#groups.get(key);
    if (group?.index !== index || group.read !== undefined) return;
    this.#groups.delete(key);
    const [next, ...others] = group.waiting;
    if (next === undefined) return;
    const left = this.#begin(key, next);
    left.waiting = others;
    left.names += others.length;
    this.#options.onRead(next);
  }

  #begin(key: string, { index, entry: { treePath } }: PlacedName): Group {
    const group: Group = { index, treePath, read: undefined, waiting: [], names: 1 };
    this.#groups.set(key, group);
    return group;
  }

  #decide(key: string, group: Group, read: ReadFile, name: PlacedName): void {
    const isLink = read.isSettled && group.index < name.index && isSameState(read.stat, name.entry.stat);
    if (isLink) this.#options.onLink(name, group.treePath);
    else this.#options.onRead(name);
    this.#forgetWhole(key, group);
  }

  /** Forgets a file when all of its names have been met. */
  #forgetWhole(key: string, group: Group): void {
    const { read } = group;
    if (read === undefined || group.waiting.length > 0 || group.names < read.stat.nlink || !read.isSettled) return;
    this.#groups.delete(key);
  }
}

function isSameFile(one: ReadFile, other: ReadFile): boolean {
  return (
    !other.isChanged &&
    !one.isChanged &&
    one.sizeBytes === other.sizeBytes &&
    one.content.equals(other.content) &&
    hasSameMetadata(one.stat, other.stat)
  );
}
