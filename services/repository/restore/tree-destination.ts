// Owns safe access to names below a restore's destination. Every folder is opened once without following links, and its entries are reached
// through the open folder. So a link that an attacker places on the disk cannot redirect a write.
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  openSync,
  readFileSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
  type BigIntStats,
} from 'node:fs';
import path from 'node:path';
import {
  applyMetadata,
  isMetadataRight,
  presentMetadata,
  type EntryMetadata,
  type PresentMetadata,
  type PresentOwner,
  type RefusedStep,
} from './entry-metadata.ts';
import { isLeftBehind, isTemporaryName, isTopMark, temporaryName } from './temporary-name.ts';

/**
 * On Linux, paths below /proc/self/fd work like openat(). Other systems use plain paths, and every part of a path is checked before use.
 */
const hasDescriptorPaths = process.platform === 'linux' && existsSync('/proc/self/fd');
const canOpenFolders = process.platform !== 'win32';
const slash = Buffer.from('/');
/** O_PATH of fcntl.h: opens a folder without read permission. */
const openPathOnly = 0o10_000_000;
const ownId = process.geteuid?.();
const ownGroup = process.getegid?.();

/** An open folder of the destination. */
export class DestinationFolder {
  readonly #descriptor: number | undefined;
  /** Path through the descriptor, valid in every thread of this process. */
  readonly base: Buffer;
  /** True when this restore has made the folder. */
  readonly isCreated: boolean;
  #bornOwner: PresentOwner | null | undefined;
  #atFirst: PresentMetadata | undefined;
  #isClosed = false;

  private constructor(descriptor: number | undefined, base: Buffer, isCreated: boolean) {
    this.#descriptor = descriptor;
    this.base = base;
    this.isCreated = isCreated;
  }

  static #open(folder: Buffer, isCreated: boolean, follow: boolean): DestinationFolder {
    if (!canOpenFolders) return new DestinationFolder(undefined, folder, isCreated);
    const descriptor = openSync(
      folder,
      constants.O_RDONLY | constants.O_DIRECTORY | (follow ? 0 : constants.O_NOFOLLOW),
    );
    return new DestinationFolder(
      descriptor,
      hasDescriptorPaths ? Buffer.from(`/proc/self/fd/${descriptor}`) : folder,
      isCreated,
    );
  }

  /** Opens the destination itself. The user chose this path, so links in it are followed. */
  static openTop(folder: string): DestinationFolder {
    const isCreated = !existsSync(folder);
    if (isCreated) {
      // Invalid UTF-8 in the path was replaced by U+FFFD before this call. So the path names a different folder than the user intended.
      if (folder.includes('\ufffd')) throw new Error('the name of the folder is not valid UTF-8');
      makeMissing(path.dirname(path.resolve(folder)));
      mkdirSync(folder, { mode: 0o700 });
    }
    const top = DestinationFolder.#open(Buffer.from(folder), isCreated, true);
    top.#atFirst = top.present();
    return top;
  }

  /** Returns the path of the child for system calls. `name` must have passed `whyNotName`. */
  child(name: Buffer): Buffer {
    return Buffer.concat([this.base, slash, name]);
  }

  /** Returns the metadata of the entry with this name, without following links. */
  look(name: Buffer): BigIntStats | undefined {
    return lstatSync(this.child(name), { bigint: true, throwIfNoEntry: false });
  }

  /** Makes a folder that only its owner can enter. */
  makeChild(name: Buffer): DestinationFolder {
    const child = this.child(name);
    mkdirSync(child, { mode: 0o700 });
    return DestinationFolder.#open(child, true, false);
  }

  /**
   * Opens an existing folder. With `mayOpenUp`, a folder of this account that lacks the needed permissions (from an earlier attempt) first
   * gets them.
   */
  openChild(name: Buffer, mayOpenUp: boolean): DestinationFolder {
    const child = this.child(name);
    if (!mayOpenUp || ownId === 0) return DestinationFolder.#open(child, false, false);
    let folder: DestinationFolder;
    try {
      folder = DestinationFolder.#open(child, false, false);
    } catch (error) {
      if (!openUp(child)) throw error;
      folder = DestinationFolder.#open(child, false, false);
    }
    const present = folder.present();
    if (
      present !== undefined &&
      present.uid === ownId &&
      (present.mode & 0o300) !== 0o300 &&
      folder.#descriptor !== undefined
    )
      fchmodSync(folder.#descriptor, present.mode | 0o700);
    return folder;
  }

  /** Undefined on systems without folder descriptors. */
  present(): PresentMetadata | undefined {
    return this.#descriptor === undefined ? undefined : presentMetadata(this.#descriptor);
  }

  /** Owner of new entries in this folder; undefined when it has to be looked up. */
  get bornOwner(): PresentOwner | undefined {
    if (this.#bornOwner === undefined) {
      this.#bornOwner = null;
      // File systems differ: a new file gets the group of the folder, or the group of the process.
      const gid = this.present()?.gid;
      if (ownId !== undefined && gid !== undefined && gid === ownGroup) this.#bornOwner = { uid: ownId, gid };
    }
    return this.#bornOwner ?? undefined;
  }

  apply(metadata: EntryMetadata, isOwnerRestored: boolean): readonly RefusedStep[] {
    if (this.#descriptor === undefined) return [];
    return applyMetadata(this.#descriptor, metadata, isOwnerRestored);
  }

  setMode(mode: number): void {
    if (this.#descriptor !== undefined) fchmodSync(this.#descriptor, mode);
  }

  /** Marks this top folder as made by a restore that is not finished. @returns name of the mark file */
  markTop(): Buffer {
    const name = temporaryName('top');
    writeFileSync(this.child(name), '', { flag: 'wx', mode: 0o600 });
    return name;
  }

  /** Whether a restore, running or ended, has made this top folder and not finished it. */
  isMarked(): boolean {
    return this.#temporaryNames().some(isTopMark);
  }

  /** Whether owner, mode and time were already correct when the folder was opened. */
  isRightAtFirst(metadata: EntryMetadata, isOwnerRestored: boolean): boolean {
    return this.#atFirst !== undefined && isMetadataRight(metadata, this.#atFirst, isOwnerRestored);
  }

  /** Removes temporary files of ended restores. */
  removeLeftBehind(): void {
    for (const name of this.#temporaryNames()) if (isLeftBehind(name, () => this.#ageMs(name))) removeTree(this, name);
  }

  *names(): Generator<Buffer, void, undefined> {
    // Node's types know names as text only.
    const open = opendirSync as unknown as (
      folder: Buffer,
      options: { encoding: 'buffer'; bufferSize: number },
    ) => { readSync(): { readonly name: Buffer } | null; closeSync(): void };
    const folder = open(this.base, { encoding: 'buffer', bufferSize: 512 });
    try {
      for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) yield entry.name;
    } finally {
      folder.closeSync();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }

  #temporaryNames(): Buffer[] {
    const found: Buffer[] = [];
    try {
      for (const name of this.names()) if (isTemporaryName(name)) found.push(Buffer.from(name));
    } catch (error) {
      // The folder cannot be listed, so old temporary files stay. The restore itself does not need the list.
      if (!(error instanceof Error)) throw error;
    }
    return found;
  }

  #ageMs(name: Buffer): number {
    const found = this.look(name);
    return found === undefined ? 0 : Date.now() - Number(found.mtimeNs / 1_000_000n);
  }
}

/**
 * Returns the mode of a new folder that is not in the restore point (0777 without the umask). Reads the umask from /proc, because Node can
 * only read it by changing it for a moment, for all threads.
 */
export function usualFolderMode(): number {
  let status = '';
  try {
    status = readFileSync('/proc/self/status', 'latin1');
  } catch {
    // A system without /proc: the usual umask 022 is assumed.
  }
  return 0o777 & ~parseInt(/^Umask:\s+([0-7]+)/m.exec(status)?.[1] ?? '022', 8);
}

/**
 * Makes the folder and its missing parent folders. Does not use `mkdir` with `recursive`: that call loops forever on a file system that
 * answers ENOENT for a new folder (kernel/make-folders.ts).
 */
function makeMissing(folder: string): void {
  if (existsSync(folder)) return;
  makeMissing(path.dirname(folder));
  mkdirSync(folder);
}

/** Gives the owner full rights on a folder, through a descriptor that was opened without following links. */
function openUp(folder: Buffer): boolean {
  if (!hasDescriptorPaths) return false;
  const descriptor = openSync(folder, openPathOnly | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const { uid, mode } = presentMetadata(descriptor);
    if (uid === ownId) chmodSync(`/proc/self/fd/${descriptor}`, mode | 0o700);
    return uid === ownId;
  } finally {
    closeSync(descriptor);
  }
}

/** Removes a file, or a folder with its content, without following links. */
export function removeTree(parent: DestinationFolder, name: Buffer): void {
  if (parent.look(name)?.isDirectory() !== true) {
    removeQuietly(parent.child(name));
    return;
  }
  try {
    const folder = parent.openChild(name, true);
    try {
      for (const child of [...folder.names()]) removeTree(folder, Buffer.from(child));
    } finally {
      folder.close();
    }
    rmdirSync(parent.child(name));
  } catch (error) {
    // The entry belongs to a different user, or no longer exists. The remaining entries stay under their temporary names, and the restore
    // continues.
    if (!(error instanceof Error)) throw error;
  }
}

export function removeQuietly(path: Buffer): void {
  try {
    unlinkSync(path);
  } catch (error) {
    // The folder may already be gone, as intended. Any other cause was reported by an earlier step.
    if (!(error instanceof Error)) throw error;
  }
}
