// Owns comparing an existing file at the destination with the content in the restore point. Reads it in pieces and compares block
// identifiers; follows no link and does not block on a pipe.
import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { blockIdOf } from '../../blocks/block.ts';
import { applyMetadata, isMetadataRight, type PresentMetadata, type RefusedStep } from './entry-metadata.ts';
import type { ContentReference, FileEntry } from '../points/tree-entry.ts';

/** Files up to this size are read synchronously, because the thread pool would need more turns of the event loop. */
const maxSyncBytes = 1024 * 1024;
const zeros = Buffer.alloc(256 * 1024);
const readAsync = promisify(read);

export class StandingFile {
  readonly entry: FileEntry;
  readonly #descriptor: number;
  readonly #sizeBytes: number;
  readonly #present: PresentMetadata;
  /** Number of hard links. If more than one: other names may belong to other users, so owner and mode must not be changed. */
  readonly linkCount: number;
  #position = 0;
  #isSame = true;
  #isClosed = false;

  private constructor(entry: FileEntry, descriptor: number) {
    this.entry = entry;
    this.#descriptor = descriptor;
    const { size, uid, gid, mode, mtimeNs, nlink } = fstatSync(descriptor, { bigint: true });
    this.#sizeBytes = Number(size);
    this.#present = { uid: Number(uid), gid: Number(gid), mode: Number(mode) & 0o7777, mtimeNs };
    this.linkCount = Number(nlink);
  }

  /** @throws the system's error */
  static open(path: Buffer, entry: FileEntry): StandingFile {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return new StandingFile(entry, descriptor);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** Compares the next pieces of the content, in order. @throws read errors */
  async compare(content: readonly ContentReference[]): Promise<void> {
    for (const { id, lengthBytes } of content) {
      if (!this.#isSame) return;
      const start = this.#position;
      this.#position += lengthBytes;
      if (this.#position > this.#sizeBytes) this.#isSame = false;
      else if (id === null) this.#isSame = await this.#isZero(start, lengthBytes);
      else {
        const piece = await this.#read(start, Buffer.allocUnsafe(lengthBytes));
        this.#isSame = piece.length === lengthBytes && blockIdOf(piece).equals(id);
      }
    }
  }

  /** Whether the file equals the restore point. Valid after the last piece was compared. */
  get isSame(): boolean {
    return this.#isSame && this.#position === this.#sizeBytes;
  }

  isMetadataRight(isOwnerRestored: boolean): boolean {
    return isMetadataRight(this.entry, this.#present, isOwnerRestored);
  }

  mend(isOwnerRestored: boolean): readonly RefusedStep[] {
    return applyMetadata(this.#descriptor, this.entry, isOwnerRestored, this.#present);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#descriptor);
  }

  async #isZero(start: number, lengthBytes: number): Promise<boolean> {
    for (let done = 0; done < lengthBytes;) {
      const length = Math.min(zeros.length, lengthBytes - done);
      const piece = await this.#read(start + done, Buffer.allocUnsafe(length));
      if (!piece.equals(zeros.subarray(0, length))) return false;
      done += length;
    }
    return true;
  }

  /** Fills `into` from `start`; returns fewer bytes at the end of the file. */
  async #read(start: number, into: Buffer): Promise<Buffer> {
    let done = 0;
    while (done < into.length) {
      const left = into.length - done;
      const got =
        this.#sizeBytes <= maxSyncBytes
          ? readSync(this.#descriptor, into, done, left, start + done)
          : (await readAsync(this.#descriptor, into, done, left, start + done)).bytesRead;
      if (got === 0) break;
      done += got;
    }
    return into.subarray(0, done);
  }
}

/** Whether two files have equal content. Both files are opened without following links. @throws the system's error */
export async function haveSameContent(one: Buffer, other: Buffer): Promise<boolean> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const first = openSync(one, flags);
  try {
    const second = openSync(other, flags);
    try {
      return await haveSameBytes(first, second);
    } finally {
      closeSync(second);
    }
  } finally {
    closeSync(first);
  }
}

async function haveSameBytes(first: number, second: number): Promise<boolean> {
  const [a, b] = [fstatSync(first), fstatSync(second)];
  if (!a.isFile() || !b.isFile() || a.size !== b.size) return false;
  const [left, right] = [Buffer.allocUnsafe(zeros.length), Buffer.allocUnsafe(zeros.length)];
  for (let at = 0; at < a.size;) {
    const { bytesRead } = await readAsync(first, left, 0, left.length, at);
    const { bytesRead: others } = await readAsync(second, right, 0, bytesRead, at);
    if (bytesRead === 0 || others !== bytesRead) return false;
    if (!left.subarray(0, bytesRead).equals(right.subarray(0, bytesRead))) return false;
    at += bytesRead;
  }
  return true;
}
