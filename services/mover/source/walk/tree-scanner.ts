// Owns walking the source folders in tree order (services/repository/points/tree-entry.ts), with raw names and exact times.
// Opens folders, each from its parent, and no files. A folder that cannot be listed is reported by name and the walk continues.
// The tree may change during the walk: each entry existed in this form at some moment, and no entry comes from outside a source.
import { isTemporaryName } from '../../../repository/restore/temporary-name.ts';
import { maxDepth, maxNameBytes, maxPathBytes } from '../../../repository/points/tree-entry.ts';
import { compileExcludes } from './exclude-patterns.ts';
import { isFolder, isSameState, kindOf, type FileStat } from './file-stat.ts';
import { isOtherNow, joinRaw, rawBytes, reasonOf, type RawText, type SourceDisk } from './source-disk.ts';
import type { ScanSource } from './source-list.ts';
import type { WalkedFolder } from './walked-folder.ts';
import { isInvalid, isMissing } from '../../../kernel/system-error.ts';

export interface ScannedEntry {
  /** Path relative to the top of the restore point. */
  readonly treePath: RawText;
  /** The entry's parent folder, or the source itself when `name` is empty. */
  readonly folder: WalkedFolder;
  readonly name: RawText;
  readonly stat: FileStat;
  /** Target of a symbolic link. */
  readonly linkTarget: RawText | undefined;
  /** Position in the job's list of sources. */
  readonly sourceIndex: number;
}

export type ScanItem =
  | { readonly type: 'entry'; readonly entry: ScannedEntry }
  /** An entry whose metadata could not be read. */
  | { readonly type: 'problem'; readonly path: RawText; readonly sourceIndex: number; readonly reason: string }
  /** All entries of this folder have been returned. */
  | { readonly type: 'left'; readonly folder: WalkedFolder };

/** Where an entry lies on this machine. */
export function pathOf({ folder, name }: Pick<ScannedEntry, 'folder' | 'name'>): RawText {
  return name === '' ? folder.path : joinRaw(folder.path, name);
}

/** Limit of open folders between a source and the walk's position. Closed folders above are opened again on the way back. */
const maxOpenDepth = 64;
/** Limit of repeated reads of a name's metadata, because the kind of the entry could change each time. */
const maxLooks = 6;

interface Frame {
  readonly folder: WalkedFolder;
  isOpen: boolean;
  readonly names: readonly RawText[];
  next: number;
  readonly treePath: RawText;
  /** Path relative to the source; empty for the source itself. */
  readonly relativePath: RawText;
}

/** An entry and, for a folder, its open folder. */
type Look = { readonly entry: ScannedEntry; readonly opened?: WalkedFolder; readonly problem?: string } | undefined;

export class TreeWalk implements Disposable {
  readonly #disk: SourceDisk;
  readonly #sources: readonly ScanSource[];
  readonly #isExcluded: ((path: RawText, isFolder: boolean) => boolean) | undefined;
  readonly #stack: Frame[] = [];
  readonly #ready: ScanItem[] = [];
  #nextSource = 0;
  #source: ScanSource | undefined;

  constructor(disk: SourceDisk, sources: readonly ScanSource[], excludes: readonly string[]) {
    this.#disk = disk;
    this.#sources = sources;
    if (excludes.some((pattern) => pattern.trim() !== '')) {
      const isExcluded = compileExcludes(excludes);
      this.#isExcluded = (path, isDirectory) => isExcluded(rawBytes(path), isDirectory);
    }
  }

  /** Returns the next item: parents first, siblings in ascending order of their bytes; undefined at the end. */
  next(): ScanItem | undefined {
    for (;;) {
      const ready = this.#ready.shift();
      if (ready !== undefined) return ready;
      const frame = this.#stack.at(-1);
      if (frame === undefined) {
        const source = this.#sources[this.#nextSource];
        if (source === undefined) return undefined;
        this.#nextSource += 1;
        this.#source = source;
        this.#begin(source);
        continue;
      }
      const name = frame.names[frame.next];
      if (name === undefined) {
        this.#leave();
        continue;
      }
      frame.next += 1;
      if (isOfRestore(name)) continue;
      if (!frame.isOpen && !this.#openAgain(frame)) continue;
      const relativePath = frame.relativePath === '' ? name : `${frame.relativePath}/${name}`;
      const treePath = frame.treePath === '' ? name : `${frame.treePath}/${name}`;
      const item = this.#look(frame.folder, name, treePath, relativePath);
      if (item !== undefined) return item;
    }
  }

  [Symbol.dispose](): void {
    for (const frame of this.#stack.splice(0)) if (frame.isOpen) frame.folder.release();
  }

  #begin(source: ScanSource): void {
    const { folder, entryName, name, sourceIndex } = source;
    if (entryName !== undefined) {
      const item = this.#look(folder, entryName, name, undefined);
      if (item !== undefined) this.#ready.unshift(item);
      return;
    }
    try {
      const stat = this.#disk.statFolder(folder);
      // The pipeline writes the top of the tree.
      if (name !== '') {
        const entry = { treePath: name, folder, name: '', stat, linkTarget: undefined, sourceIndex };
        this.#ready.push({ type: 'entry', entry });
      }
      folder.hold();
      this.#enter(folder, name, '');
    } catch (error) {
      this.#problem(folder.path, reasonOf(error));
    }
  }

  /** Reads the metadata of one name, and enters folders. @param relativePath undefined for the source itself, which no pattern excludes */
  #look(
    folder: WalkedFolder,
    name: RawText,
    treePath: RawText,
    relativePath: RawText | undefined,
  ): ScanItem | undefined {
    let look: Look;
    try {
      look = this.#lookUntilStable(folder, name, treePath, relativePath);
    } catch (error) {
      if (relativePath !== undefined && this.#isExcluded?.(relativePath, false) === true) return undefined;
      // An entry that disappears between listing and look counts as deleted before the walk.
      if (!isMissing(error)) this.#problem(joinRaw(folder.path, name), reasonOf(error));
      return this.#ready.shift();
    }
    if (look === undefined) return undefined;
    const { entry, opened, problem } = look;
    const reason = whyNotKept(entry);
    if (reason !== undefined) {
      opened?.release();
      this.#problem(pathOf(entry), reason);
      return this.#ready.shift();
    }
    if (problem !== undefined) this.#problem(pathOf(entry), problem);
    if (opened !== undefined) this.#enter(opened, treePath, relativePath ?? '');
    return { type: 'entry', entry };
  }

  /** Reads the metadata again until the result is consistent: a link with its own target, a folder with its own descriptor. */
  #lookUntilStable(folder: WalkedFolder, name: RawText, treePath: RawText, relativePath: RawText | undefined): Look {
    const disk = this.#disk;
    const sourceIndex = this.#source?.sourceIndex ?? 0;
    for (let look = 0; look < maxLooks; look += 1) {
      const stat = disk.stat(folder, name);
      if (relativePath !== undefined && this.#isExcluded?.(relativePath, isFolder(stat)) === true) return undefined;
      const entry = { treePath, folder, name, stat, linkTarget: undefined, sourceIndex };
      switch (kindOf(stat)) {
        case 'folder':
          try {
            const opened = folder.openFolder(name);
            return { entry: { ...entry, stat: disk.statFolder(opened) }, opened };
          } catch (error) {
            if (isOtherNow(error)) continue;
            return { entry, problem: reasonOf(error) };
          }
        case 'symlink':
          try {
            const linkTarget = disk.readLink(folder, name);
            if (isSameState(stat, disk.stat(folder, name))) return { entry: { ...entry, linkTarget } };
          } catch (error) {
            // EINVAL: the name is no longer a link.
            if (!isOtherNow(error) && !isInvalid(error)) throw error;
          }
          continue;
        default:
          return { entry };
      }
    }
    throw new Error('it changed each time it was looked at');
  }

  #enter(folder: WalkedFolder, treePath: RawText, relativePath: RawText): void {
    let names: RawText[];
    try {
      names = this.#disk.list(folder).sort();
    } catch (error) {
      this.#problem(folder.path, reasonOf(error));
      folder.release();
      return;
    }
    const above = this.#stack[this.#stack.length - maxOpenDepth];
    if (above?.isOpen === true && this.#stack.length > maxOpenDepth) {
      above.isOpen = false;
      above.folder.release();
    }
    this.#stack.push({ folder, isOpen: true, names, next: 0, treePath, relativePath });
  }

  #leave(): void {
    const frame = this.#stack.pop();
    if (frame === undefined) return;
    this.#ready.push({ type: 'left', folder: frame.folder });
    if (frame.isOpen) frame.folder.release();
  }

  /** Reopens a folder that was closed on the way down, together with the parents that the walk returns to next. */
  #openAgain(frame: Frame): boolean {
    try {
      for (const above of this.#stack.slice(-maxOpenDepth)) {
        if (above.isOpen) continue;
        above.folder.hold();
        above.isOpen = true;
      }
      return true;
    } catch (error) {
      this.#problem(frame.folder.path, `the rest of its content can no longer be reached: ${reasonOf(error)}`);
      frame.next = frame.names.length;
      return frame.isOpen;
    }
  }

  #problem(path: RawText, reason: string): void {
    this.#ready.push({ type: 'problem', path, sourceIndex: this.#source?.sourceIndex ?? 0, reason });
  }
}

/** Whether this is a temporary entry of a restore that is running or was killed. */
function isOfRestore(name: RawText): boolean {
  return name.startsWith('.farkeep-') && isTemporaryName(rawBytes(name));
}

/** Returns the reason why a manifest cannot hold the entry (docs/repository-format.md, section 4). */
function whyNotKept({ treePath, name, stat }: ScannedEntry): string | undefined {
  if (name.length > maxNameBytes) return `its name has more than ${maxNameBytes} bytes`;
  if (treePath.length > maxPathBytes) return `its path has more than ${maxPathBytes} bytes`;
  if (treePath.length >= maxDepth && treePath.split('/').length > maxDepth)
    return `it is more than ${maxDepth} folders deep`;
  if (!Number.isSafeInteger(stat.sizeBytes)) return `its size of ${stat.sizeBytes} bytes is more than can be kept`;
  return undefined;
}
