// Owns one file of a restore on its way to its place: content into a temporary file, then owner, mode, times, and one rename.
import { closeSync, constants, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { applyToDescriptor, removeQuietly, temporaryName, type DestinationFolder } from './tree-destination.ts';
import type { FileEntry } from './tree-entry.ts';

/** Up to here a file is kept in memory and written at once: fewer system calls, and none of them through the thread pool. */
const smallFileBytes = 256 * 1024;
const maxUnwrittenBytes = 8 * 1024 * 1024;

/** Takes the content of one file. Calls in order; buffers belong to the sink from the call on. */
export interface FileSink {
  readonly entry: FileEntry;
  /** Resolves when more may come; failures are reported by `finish`. `release` is called when it is not needed any more. */
  write(content: Buffer, release?: () => void): Promise<void>;
  /** Zeros that take no room. */
  hole(lengthBytes: number): void;
  /** Puts the file in its place. `sizeBytes` for a continued file. Problems are recorded, not thrown. */
  finish(end?: {
    readonly sizeBytes: number;
    readonly isChangedWhileRead: boolean;
    readonly isUnreadable: boolean;
  }): Promise<void>;
  /** Gives the file up; what is in its place stays. */
  fail(error: unknown): Promise<void>;
}

export interface DiskFileOptions {
  readonly entry: FileEntry;
  readonly folder: DestinationFolder;
  readonly name: Buffer;
  readonly isOwnerRestored: boolean;
  readonly onNote: (error: unknown) => void;
  readonly onEnd: (error: unknown, contentBytes: number) => void;
}

export class DiskFile implements FileSink {
  readonly entry: FileEntry;
  readonly #options: DiskFileOptions;
  readonly #temporary: Buffer;
  readonly #isSmall: boolean;
  #smallContent: Buffer[] = [];
  #smallReleases: (() => void)[] = [];
  #handle: FileHandle | undefined;
  #opening: Promise<FileHandle> | undefined;
  #position = 0;
  #contentBytes = 0;
  #unwrittenBytes = 0;
  readonly #writes = new Set<Promise<void>>();
  #error: unknown;
  #isEnded = false;

  constructor(options: DiskFileOptions) {
    this.#options = options;
    this.entry = options.entry;
    this.#temporary = options.folder.child(temporaryName());
    this.#isSmall =
      !options.entry.isContinued &&
      options.entry.sizeBytes <= smallFileBytes &&
      options.entry.content.every(({ id }) => id !== null);
  }

  async write(content: Buffer, release?: () => void): Promise<void> {
    const position = this.#position;
    const lengthBytes = content.length;
    this.#position += lengthBytes;
    this.#contentBytes += lengthBytes;
    if (this.#error !== undefined) {
      release?.();
      return;
    }
    // A hostile or broken sender must not fill the disk beyond what the entry says.
    if (!this.entry.isContinued && this.#position > this.entry.sizeBytes) {
      this.#error = this.#wrongSize(this.entry.sizeBytes);
      release?.();
      return;
    }
    if (this.#isSmall) {
      this.#smallContent.push(content);
      if (release !== undefined) this.#smallReleases.push(release);
      return;
    }
    const writing: Promise<void> = this.#writeAt(content, position)
      .catch((error: unknown) => {
        this.#error ??= error;
      })
      .finally(() => {
        this.#unwrittenBytes -= lengthBytes;
        this.#writes.delete(writing);
        release?.();
      });
    this.#unwrittenBytes += lengthBytes;
    this.#writes.add(writing);
    if (this.#handle === undefined) await writing;
    while (this.#unwrittenBytes > maxUnwrittenBytes) await Promise.race(this.#writes);
  }

  hole(lengthBytes: number): void {
    this.#position += lengthBytes;
  }

  async finish(end?: {
    readonly sizeBytes: number;
    readonly isChangedWhileRead: boolean;
    readonly isUnreadable: boolean;
  }): Promise<void> {
    if (this.#isEnded) return;
    const sizeBytes = end?.sizeBytes ?? this.entry.sizeBytes;
    try {
      await Promise.all(this.#writes);
      if (this.#error !== undefined) throw toFarkeepError(this.#error, 'storage.io');
      if (end?.isUnreadable === true)
        throw new FarkeepError('source.unreadable', 'It could not be read to its end when it was backed up');
      if (this.#position !== sizeBytes) throw this.#wrongSize(sizeBytes);
      if (this.#isSmall) this.#placeSmall();
      else await this.#placeLarge();
    } catch (error) {
      await this.fail(error);
      return;
    }
    if (end?.isChangedWhileRead ?? this.entry.isChangedWhileRead) {
      this.#options.onNote(new FarkeepError('source.changed', 'It changed while it was backed up'));
    }
    this.#end(undefined);
  }

  async fail(error: unknown): Promise<void> {
    if (this.#isEnded) return;
    this.#error ??= error;
    await Promise.all(this.#writes);
    await this.#handle?.close().catch(() => undefined); // its content is given up
    if (this.#handle !== undefined) removeQuietly(this.#temporary);
    this.#end(error);
  }

  #end(error: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#smallContent = [];
    for (const release of this.#smallReleases.splice(0)) release();
    this.#options.onEnd(error, this.#contentBytes);
  }

  #wrongSize(sizeBytes: number): FarkeepError {
    return new FarkeepError('restore.mismatch', `Its content has ${this.#position} bytes instead of ${sizeBytes}`);
  }

  async #open(): Promise<FileHandle> {
    this.#opening ??= open(
      this.#temporary,
      constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    this.#handle = await this.#opening;
    return this.#handle;
  }

  async #writeAt(content: Buffer, position: number): Promise<void> {
    const handle = await this.#open();
    for (let done = 0; done < content.length;) {
      const { bytesWritten } = await handle.write(content, done, content.length - done, position + done);
      done += bytesWritten;
    }
  }

  #placeSmall(): void {
    const { folder, name, isOwnerRestored } = this.#options;
    const descriptor = openSync(
      this.#temporary,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      try {
        for (const content of this.#smallContent) {
          for (let done = 0; done < content.length;)
            done += writeSync(descriptor, content, done, content.length - done);
        }
        this.#applyMetadata(descriptor, isOwnerRestored);
        if (folder.look(name) !== undefined) fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      renameSync(this.#temporary, folder.child(name));
    } catch (error) {
      removeQuietly(this.#temporary);
      throw error;
    }
  }

  async #placeLarge(): Promise<void> {
    const { folder, name, isOwnerRestored } = this.#options;
    const handle = await this.#open();
    await handle.truncate(this.#position); // a hole at the end
    this.#applyMetadata(handle.fd, isOwnerRestored);
    // What is replaced must not be lost for a file that a power cut leaves empty.
    if (folder.look(name) !== undefined) await handle.sync();
    await handle.close();
    renameSync(this.#temporary, folder.child(name));
  }

  #applyMetadata(descriptor: number, isOwnerRestored: boolean): void {
    try {
      applyToDescriptor(descriptor, this.entry, isOwnerRestored);
    } catch (error) {
      this.#options.onNote(error);
    }
  }
}
