// Owns safe access to names below a restore's destination: every folder is opened once without following links and its children
// are reached through that open folder, so nothing that stands or appears on the disk can lead a write elsewhere.
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  unlinkSync,
  type BigIntStats,
} from 'node:fs';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { EntryOwner } from './tree-entry.ts';

/** Linux gives openat() through here; elsewhere paths are used, and every component is looked at before use. */
const hasDescriptorPaths = process.platform === 'linux' && existsSync('/proc/self/fd');
const canOpenFolders = process.platform !== 'win32';
const slash = Buffer.from('/');

export interface EntryMetadata {
  readonly mode: number;
  readonly owner: EntryOwner;
  readonly mtimeNs: bigint;
}

/**
 * Seconds for utimes. Node takes a double: at today's dates that is exact to about 0.2 microseconds, the finest it offers
 * (docs/repository-format.md, section 7). A time before 1970 goes as text: of a negative number Node makes the present time.
 */
export function secondsOf(timeNs: bigint): number | string {
  const seconds = Number(timeNs) / 1e9;
  return seconds < 0 ? String(seconds) : seconds;
}

export function accessTime(): number {
  return Date.now() / 1000;
}

/** An open folder of the destination. */
export class DestinationFolder {
  readonly #descriptor: number | undefined;
  readonly #base: Buffer;
  readonly isCreated: boolean;
  #isClosed = false;

  private constructor(descriptor: number | undefined, base: Buffer, isCreated: boolean) {
    this.#descriptor = descriptor;
    this.#base = base;
    this.isCreated = isCreated;
  }

  static #open(path: Buffer, isCreated: boolean, follow: boolean): DestinationFolder {
    if (!canOpenFolders) return new DestinationFolder(undefined, path, isCreated);
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | (follow ? 0 : constants.O_NOFOLLOW));
    return new DestinationFolder(
      descriptor,
      hasDescriptorPaths ? Buffer.from(`/proc/self/fd/${descriptor}`) : path,
      isCreated,
    );
  }

  /** The destination itself: the person named it, so a link on the way to it is theirs to follow. */
  static openTop(path: string): DestinationFolder {
    const isCreated = !existsSync(path);
    if (isCreated) mkdirSync(path, { recursive: true, mode: 0o700 });
    return DestinationFolder.#open(Buffer.from(path), isCreated, true);
  }

  /** Path by which the child can be used in calls. `name` must have passed whyNotName. */
  child(name: Buffer): Buffer {
    return Buffer.concat([this.#base, slash, name]);
  }

  /** What stands at this name, without following links. */
  look(name: Buffer): BigIntStats | undefined {
    return lstatSync(this.child(name), { bigint: true, throwIfNoEntry: false });
  }

  /** Opens a folder in this one, making it with `mode` when nothing stands there. Anything else there: replaced or restore.exists. */
  openChild(name: Buffer, mayReplace: boolean, mode = 0o700): DestinationFolder {
    const path = this.child(name);
    const existing = this.look(name);
    let isCreated = false;
    if (existing?.isDirectory() !== true) {
      if (existing !== undefined) {
        if (!mayReplace) throw new FarkeepError('restore.exists', 'Something that is no folder stands in its place');
        unlinkSync(path);
      }
      mkdirSync(path, { mode });
      isCreated = true;
    }
    return DestinationFolder.#open(path, isCreated, false);
  }

  /** Owner, then mode (a change of owner clears set-id bits), then times. */
  apply(metadata: EntryMetadata, isOwnerRestored: boolean): void {
    if (this.#descriptor === undefined) return;
    applyToDescriptor(this.#descriptor, metadata, isOwnerRestored);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }
}

export function applyToDescriptor(
  descriptor: number,
  { mode, owner, mtimeNs }: EntryMetadata,
  isOwnerRestored: boolean,
): void {
  if (isOwnerRestored) fchownSync(descriptor, owner.uid, owner.gid);
  // Set-id bits under another owner would give that owner's rights away.
  fchmodSync(descriptor, isOwnerRestored ? mode & 0o7777 : mode & 0o1777);
  futimesSync(descriptor, accessTime(), secondsOf(mtimeNs));
}

const temporaryPrefix = '.farkeep-';

/** Not to be met by chance in a folder where another restore has left something. */
let nextTemporary = randomBytes(6).readUIntBE(0, 6);

/** A name under which something is made before it is renamed into its place; different for every call. */
export function temporaryName(): Buffer {
  nextTemporary = (nextTemporary + 1) % 2 ** 48;
  return Buffer.from(`${temporaryPrefix}${nextTemporary.toString(16).padStart(12, '0')}.part`);
}

export function removeQuietly(path: Buffer): void {
  try {
    unlinkSync(path);
  } catch (error) {
    // Gone already is what is wanted; anything else was reported by what came before.
    if (!(error instanceof Error)) throw error;
  }
}
