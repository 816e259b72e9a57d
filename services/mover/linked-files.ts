// Owns which names of a backup are other names of one file. A number (device and inode) only says which names to compare, since it goes to
// another file as soon as the first one is deleted: a name becomes a link when the file behind it is in the very state in which it was read
// under its first name, or when it was read itself and is the same. Each name that nothing could be read of leaves the file to the next one.
import { hasSameMetadata, isSameState, linkKey, type FileStat } from './file-stat.ts';
import type { RawText } from './source-disk.ts';
import type { ScannedEntry } from './tree-scanner.ts';

/** A file at its place in the manifest window. */
export interface PlacedName {
  readonly index: number;
  readonly entry: ScannedEntry;
}

/** What was read under a name, through one descriptor. */
export interface ReadFile {
  readonly stat: FileStat;
  /** Packed (content-list.ts). */
  readonly content: Buffer;
  readonly sizeBytes: number;
  readonly isChanged: boolean;
  /** A later change would show in its times. */
  readonly isSettled: boolean;
}

interface Group {
  /** Of the name that stands for the file; a link can only point to a name before it. */
  index: number;
  treePath: RawText;
  /** Undefined while that name is being read. */
  read: ReadFile | undefined;
  waiting: PlacedName[];
  names: number;
}

export interface LinkedFilesOptions {
  /** The name has to be read. */
  readonly onRead: (name: PlacedName) => void;
  readonly onLink: (name: PlacedName, target: RawText) => void;
}

export class LinkedFiles {
  readonly #options: LinkedFilesOptions;
  readonly #groups = new Map<string, Group>();

  constructor(options: LinkedFilesOptions) {
    this.#options = options;
  }

  /** A file with several names was met. @returns whether it is the first of them, which the caller reads or looks up */
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

  /** A name was read, or is unchanged. @returns the name that it is a link to, if it is one */
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

  /** Nothing was read under this name, or another file: the next name stands for the one that was met. */
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

  /** All names of the file have been met: no other will be. */
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
