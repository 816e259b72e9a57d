// Owns one file of a restore on its way to its place: content into a temporary file, then owner, mode, times, and one rename.
import { closeSync, constants, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { DirectWriter, type AlignedBuffers } from './direct-file.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { applyToDescriptor, removeQuietly, temporaryName, type DestinationFolder } from './tree-destination.ts';
import type { FileEntry } from './tree-entry.ts';

/** Up to here a file is kept in memory and written at once: fewer system calls, and none of them through the thread pool. */
const smallFileBytes = 256 * 1024;
const maxUnwrittenBytes = 8 * 1024 * 1024;
/** From here on a file does not go through the page cache. */
const minDirectBytes = 1024 * 1024;

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
  /** Memory for large files, shared by all of a restore; who finds none left writes the usual way. */
  readonly writeBuffers: AlignedBuffers;
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
  #direct: DirectWriter | undefined;
  #position = 0;
  #contentBytes = 0;
  #unwrittenBytes = 0;
  /** One after the other: two writes to one file only wait for each other in the kernel. Never rejects. */
  #written: Promise<void> = Promise.resolve();
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
    this.#unwrittenBytes += lengthBytes;
    const written = this.#then(() => this.#append(content, position)).finally(() => {
      this.#unwrittenBytes -= lengthBytes;
      release?.();
    });
    this.#written = written;
    if (this.#handle === undefined || this.#unwrittenBytes > maxUnwrittenBytes) await written;
  }

  hole(lengthBytes: number): void {
    this.#position += lengthBytes;
    if (!this.#isSmall) this.#written = this.#then(async () => (await this.#open()).direct?.hole(lengthBytes));
  }

  async finish(end?: {
    readonly sizeBytes: number;
    readonly isChangedWhileRead: boolean;
    readonly isUnreadable: boolean;
  }): Promise<void> {
    if (this.#isEnded) return;
    const sizeBytes = end?.sizeBytes ?? this.entry.sizeBytes;
    try {
      await this.#written;
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
    await this.#written;
    await this.#direct?.close().catch(() => undefined);
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

  async #then(work: () => Promise<void>): Promise<void> {
    try {
      await this.#written;
      if (this.#error === undefined) await work();
    } catch (error) {
      this.#error ??= error;
    }
  }

  async #open(): Promise<{ readonly handle: FileHandle; readonly direct: DirectWriter | undefined }> {
    if (this.#handle === undefined) {
      this.#handle = await open(
        this.#temporary,
        constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
        0o600,
      );
      if (this.entry.isContinued || this.entry.sizeBytes >= minDirectBytes)
        this.#direct = await DirectWriter.open(this.#handle, this.#options.writeBuffers);
    }
    return { handle: this.#handle, direct: this.#direct };
  }

  async #append(content: Buffer, position: number): Promise<void> {
    const { handle, direct } = await this.#open();
    if (direct !== undefined) {
      await direct.append(content);
      return;
    }
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
    const { handle, direct } = await this.#open();
    await direct?.flush();
    await direct?.close();
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
