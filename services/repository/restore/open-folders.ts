// Owns the open folders of a restore: makes or finds them, hides new ones while they fill, and sets their metadata when their content is
// complete.
//
// New folder: make it under a temporary name. Its files get their final names at once.
//   So a killed restore leaves no incomplete file under a visible path, and files need no rename.
// The topmost new folder (the hiding place) hides all folders below it.
// When the hiding place is complete: set its metadata, rename it to its final name.
// When the hiding place exceeds 64 MiB: wait until no file in it is incomplete, then rename it early.
//   Later files in it get a temporary name each, and a rename each.
// When all entries of a folder are finished: set its owner, mode and time.
import { renameSync } from 'node:fs';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { temporaryName } from './temporary-name.ts';
import { removeQuietly, removeTree, usualFolderMode, type DestinationFolder } from './tree-destination.ts';
import type { RestoreProblems } from './restore-problems.ts';
import type { FolderEntry } from '../points/tree-entry.ts';

/** Size limit of a hiding place before it gets its final name. A killed restore loses at most this much work. */
const maxHiddenBytes = 64 * 1024 * 1024;
const fileOverheadBytes = 1024;

interface HidingPlace {
  readonly root: OpenFolder;
  readonly temporary: Buffer;
  bytes: number;
  /** Number of incomplete files under their own names. */
  halfFiles: number;
  /** From now on, files get a temporary name and are renamed into their place. */
  isClosing: boolean;
}

export interface OpenFolder {
  readonly path: Buffer;
  readonly name: Buffer;
  readonly parent: OpenFolder | undefined;
  /** Undefined when the folder could not be opened; all entries below it then fail without further problem reports. */
  readonly folder: DestinationFolder | undefined;
  /** Undefined: owner, mode and time of the folder are not changed. */
  entry: FolderEntry | undefined;
  /** One thread makes all files of a folder, because several threads would wait for each other in the kernel. */
  readonly lane: number;
  hidden: HidingPlace | undefined;
  /** Number of unfinished files and folders in this folder. */
  pending: number;
  isLeft: boolean;
}

export interface OpenFoldersOptions {
  readonly top: DestinationFolder;
  readonly isOwnerRestored: boolean;
  /** Whether an existing entry that is not a folder may be replaced by a folder. */
  readonly mayReplace: boolean;
  readonly problems: RestoreProblems;
}

const slash = Buffer.from('/');

export class OpenFolders {
  readonly #options: OpenFoldersOptions;
  readonly #stack: OpenFolder[];
  /** Temporary names of folders that are hidden, by path (latin1). */
  readonly #hiddenNames = new Map<string, Buffer>();
  #nextLane = 1;

  constructor(options: OpenFoldersOptions) {
    this.#options = options;
    const empty = Buffer.alloc(0);
    this.#stack = [
      {
        path: empty,
        name: empty,
        parent: undefined,
        folder: options.top,
        entry: undefined,
        lane: 0,
        hidden: undefined,
        pending: 0,
        isLeft: false,
      },
    ];
  }

  get top(): OpenFolder {
    const [top] = this.#stack;
    if (top === undefined) throw new FarkeepError('call.internal', 'The restore was finished already');
    return top;
  }

  /** Opens or makes the folder at this path below the top. Leaves open folders outside the path. */
  enter(names: readonly Buffer[]): OpenFolder {
    let depth = 0;
    while (depth < names.length && this.#stack[depth + 1]?.name.equals(names[depth] ?? Buffer.alloc(0)) === true)
      depth += 1;
    this.leaveTo(depth + 1);
    for (; depth < names.length; depth += 1) {
      const parent = this.#stack[depth];
      const name = names[depth];
      if (parent === undefined || name === undefined) break;
      this.#push(parent, name, undefined);
    }
    return this.#stack.at(-1) ?? this.top;
  }

  /** @param isOnTheWay true for a parent of the requested entries: if it exists, its metadata is not changed */
  begin(parent: OpenFolder, name: Buffer, entry: FolderEntry, isOnTheWay: boolean): void {
    this.leaveTo(this.#stack.indexOf(parent) + 1);
    this.#push(parent, name, entry, isOnTheWay);
  }

  /** Returns the current name of the folder, temporary or final. */
  presentName({ path, name }: { readonly path: Buffer; readonly name: Buffer }): Buffer {
    return this.#hiddenNames.get(path.toString('latin1')) ?? name;
  }

  /**
   * Called before a small file is made in the folder. @returns the hiding place if the file may be made under its own name; the caller must
   * then call `endFile`
   */
  hideFile(folder: OpenFolder, sizeBytes: number): HidingPlace | undefined {
    const place = folder.hidden;
    if (place === undefined || place.isClosing) return undefined;
    place.halfFiles += 1;
    place.bytes += sizeBytes + fileOverheadBytes;
    if (place.bytes > maxHiddenBytes) place.isClosing = true;
    return place;
  }

  /** @param leftOver a file under its own name that may be incomplete */
  endFile(folder: OpenFolder, place: HidingPlace | undefined, leftOver?: Buffer): void {
    if (leftOver !== undefined) removeQuietly(leftOver);
    if (place !== undefined) {
      place.halfFiles -= 1;
      if (place.isClosing && place.halfFiles === 0) this.#open(place);
    }
    this.done(folder);
  }

  /** Called when a file or folder in it is finished. */
  done(folder: OpenFolder): void {
    folder.pending -= 1;
    this.#settle(folder);
  }

  leaveTo(length: number): void {
    while (this.#stack.length > length) {
      const left = this.#stack.pop();
      if (left === undefined) break;
      left.isLeft = true;
      this.#settle(left);
    }
  }

  #push(parent: OpenFolder, name: Buffer, entry: FolderEntry | undefined, isOnTheWay = true): void {
    const path = parent.path.length === 0 ? name : Buffer.concat([parent.path, slash, name]);
    const { problems, mayReplace } = this.#options;
    let folder: DestinationFolder | undefined;
    let temporary: Buffer | undefined;
    if (parent.folder !== undefined) {
      try {
        const existing = parent.hidden === undefined ? parent.folder.look(name) : undefined;
        if (existing?.isDirectory() === true) {
          folder = parent.folder.openChild(name, !isOnTheWay);
          folder.removeLeftBehind();
        } else {
          if (existing !== undefined && !mayReplace)
            throw new FarkeepError('restore.exists', 'The place of this folder is taken by something else');
          if (existing !== undefined) removeQuietly(parent.folder.child(name));
          if (parent.hidden === undefined || parent.hidden.isClosing) temporary = temporaryName();
          folder = parent.folder.makeChild(temporary ?? name);
        }
        if (entry !== undefined) problems.counts.folders += 1;
      } catch (error) {
        problems.fail(path, error);
      }
    }
    const isKept = isOnTheWay && folder?.isCreated !== true;
    parent.pending += 1;
    const opened: OpenFolder = {
      path,
      name: Buffer.from(name),
      parent,
      folder,
      entry: isKept ? undefined : entry,
      lane: (this.#nextLane += 1),
      hidden: temporary === undefined && folder?.isCreated === true ? parent.hidden : undefined,
      pending: 0,
      isLeft: false,
    };
    if (folder !== undefined && temporary !== undefined) {
      opened.hidden = { root: opened, temporary, bytes: 0, halfFiles: 0, isClosing: false };
      this.#hiddenNames.set(path.toString('latin1'), temporary);
    }
    this.#stack.push(opened);
  }

  /** Sets owner, mode and time of a folder when all its entries are finished. */
  #settle(left: OpenFolder): void {
    if (!left.isLeft || left.pending > 0) return;
    const { folder, hidden, parent } = left;
    if (folder !== undefined) {
      this.#apply(left, 0);
      if (hidden?.root === left) this.#giveName(hidden);
      folder.close();
    }
    if (parent !== undefined) this.done(parent);
  }

  /** The owner of the folder needs the permission to add files. */
  #open(place: HidingPlace): void {
    if (place.root.hidden === undefined) return;
    this.#apply(place.root, 0o700);
    this.#giveName(place);
  }

  #apply({ path, folder, entry }: OpenFolder, furtherRights: number): void {
    const { problems, isOwnerRestored } = this.#options;
    try {
      if (entry !== undefined) {
        const mode = entry.mode | furtherRights;
        const refused = folder?.apply({ ...entry, mode }, isOwnerRestored) ?? [];
        if (furtherRights === 0) problems.refused(path, refused, isOwnerRestored);
      } else if (folder?.isCreated === true) folder.setMode(usualFolderMode());
    } catch (error) {
      problems.note(path, error);
    }
  }

  #giveName(place: HidingPlace): void {
    const { root, temporary } = place;
    place.isClosing = true;
    root.hidden = undefined;
    this.#hiddenNames.delete(root.path.toString('latin1'));
    const parent = root.parent?.folder;
    if (parent === undefined) return;
    try {
      renameSync(parent.child(temporary), parent.child(root.name));
    } catch (error) {
      this.#options.problems.fail(root.path, error);
      removeTree(parent, temporary);
    }
  }
}
