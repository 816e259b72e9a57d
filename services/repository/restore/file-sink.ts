// Owns writing one file of a restore: the content goes into a temporary file, then owner, mode and times are set, and one rename puts the
// file in its place.
import { constants, renameSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { DirectWriter, type AlignedBuffers } from '../storage/direct-file.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { applyMetadata, type RefusedStep } from './entry-metadata.ts';
import { bornMode, placeSmallFile, type SmallFile } from './small-file.ts';
import { temporaryName } from './temporary-name.ts';
import { removeQuietly, type DestinationFolder } from './tree-destination.ts';
import type { FileEntry } from '../points/tree-entry.ts';

/** Files from this size on bypass the page cache. */
const minDirectBytes = 1024 * 1024;
/**
 * Files up to this size are collected in memory and written at once. A single write needs fewer system calls, and no call through the
 * thread pool.
 */
const smallFileBytes = 256 * 1024;
/** A file of one block up to this size is also written at once, because its block is completely in memory anyway. */
const smallBlockBytes = minDirectBytes - 1;
const maxUnwrittenBytes = 8 * 1024 * 1024;

/** Receives the content of one file. Calls must be in order. A buffer belongs to the sink from the call on. */
export interface FileSink {
  readonly entry: FileEntry;
  /**
   * Adds content. Resolves when more may be added. A failure is reported by `finish`. `release` is called when the buffer is no longer
   * needed.
   */
  write(content: Buffer, release?: () => void): Promise<void>;
  /** Adds a hole: zeros that need no disk space. */
  hole(lengthBytes: number): void;
  /** Puts the file in its place. For a continued file, `sizeBytes` is its size. Problems are recorded, not thrown. */
  finish(end?: {
    readonly sizeBytes: number;
    readonly isChangedWhileRead: boolean;
    readonly isUnreadable: boolean;
  }): Promise<void>;
  /** Ends the file without its content. An existing entry in its place stays. */
  fail(error: unknown): Promise<void>;
}

/** A sink for a file that another thread can make. */
export interface PlaceableFile extends FileSink {
  /**
   * If the file is a single block: the data for `placeSmallFile`. A thread that has the block may call `placeSmallFile` instead of `write`
   * and `finish`.
   */
  readonly smallFile: SmallFile | undefined;
  /** Files of the same lane must be made one after the other. */
  readonly lane: number;
  /** Must be called after `placeSmallFile` has made the file. `refused` is its result. If `placeSmallFile` throws, call `fail` instead. */
  placed(refused: readonly RefusedStep[]): void;
}

/** Whether the file is small enough to be made in one step. */
export function isSmallFile({ isContinued, sizeBytes, content }: FileEntry): boolean {
  return (
    !isContinued &&
    sizeBytes <= (content.length === 1 ? smallBlockBytes : smallFileBytes) &&
    content.every(({ id }) => id !== null)
  );
}

export interface DiskFileOptions {
  readonly entry: FileEntry;
  readonly folder: DestinationFolder;
  readonly name: Buffer;
  readonly lane: number;
  /** If true, the file is made under its own name, because its folder is still hidden. Small files only. */
  readonly isHidden: boolean;
  readonly isOwnerRestored: boolean;
  /** Whether an existing entry will be replaced. */
  readonly isReplacing: boolean;
  /** Memory for direct writes of large files, shared by the whole restore. If none is free, the file is written through the page cache. */
  readonly writeBuffers: AlignedBuffers;
  readonly onNote: (error: unknown) => void;
  readonly onRefused: (steps: readonly RefusedStep[]) => void;
  /** `isPerhapsHalf`: the entry under the file's own name may be incomplete. */
  readonly onEnd: (error: unknown, contentBytes: number, isPerhapsHalf: boolean) => void;
}

export class DiskFile implements PlaceableFile {
  readonly entry: FileEntry;
  readonly #options: DiskFileOptions;
  #temporary: Buffer | undefined;
  /** True when another thread may be making the file. */
  #isGivenAway = false;
  readonly #isSmall: boolean;
  #smallContent: Buffer[] = [];
  #smallReleases: (() => void)[] = [];
  #handle: FileHandle | undefined;
  #direct: DirectWriter | undefined;
  #position = 0;
  #contentBytes = 0;
  #unwrittenBytes = 0;
  /**
   * The last write of this file. Writes run one after the other, because two writes to one file would only wait for each other in the
   * kernel. Never rejects.
   */
  #written: Promise<void> = Promise.resolve();
  #error: unknown;
  /**
   * The running move of the file into its place. A failure at this time is too late to stop the move, and waits for its result. Never
   * rejects.
   */
  #placing: Promise<void> | undefined;
  #isEnded = false;

  constructor(options: DiskFileOptions) {
    this.#options = options;
    this.entry = options.entry;
    this.#isSmall = isSmallFile(options.entry);
  }

  get lane(): number {
    return this.#options.lane;
  }

  get smallFile(): SmallFile | undefined {
    const [block, ...others] = this.entry.content;
    const isOneBlock = this.#isSmall && others.length === 0 && block?.lengthBytes === this.entry.sizeBytes;
    if (!isOneBlock) return undefined;
    this.#isGivenAway = true;
    return this.#describe();
  }

  placed(refused: readonly RefusedStep[]): void {
    if (this.#isEnded) return;
    this.#contentBytes = this.entry.sizeBytes;
    this.#complete(refused, this.entry.isChangedWhileRead);
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

  finish(end?: {
    readonly sizeBytes: number;
    readonly isChangedWhileRead: boolean;
    readonly isUnreadable: boolean;
  }): Promise<void> {
    if (!this.#isEnded) this.#placing ??= this.#place(end);
    return this.#placing ?? Promise.resolve();
  }

  async fail(error: unknown): Promise<void> {
    if (this.#placing === undefined) await this.#giveUp(error, false);
    else await this.#placing;
  }

  /** Gives up a file after the thread that was making it has ended. The file may exist completely or partly. */
  async abandon(error: unknown): Promise<void> {
    if (this.#placing === undefined) await this.#giveUp(error, this.#isGivenAway && this.#options.isHidden);
    else await this.#placing;
  }

  async #place(end: Parameters<FileSink['finish']>[0]): Promise<void> {
    const sizeBytes = end?.sizeBytes ?? this.entry.sizeBytes;
    try {
      await this.#written;
      if (this.#error !== undefined) {
        await this.#giveUp(this.#error, false);
        return;
      }
      if (end?.isUnreadable === true)
        throw new FarkeepError('source.unreadable', 'It could not be read to its end when it was backed up');
      if (this.#position !== sizeBytes) throw this.#wrongSize(sizeBytes);
      const refused = this.#isSmall ? placeSmallFile(this.#describe(), this.#smallContent) : await this.#placeLarge();
      this.#complete(refused, end?.isChangedWhileRead ?? this.entry.isChangedWhileRead);
    } catch (error) {
      await this.#giveUp(error, false);
    }
  }

  async #giveUp(error: unknown, isPerhapsHalf: boolean): Promise<void> {
    if (this.#isEnded) return;
    this.#error ??= error;
    await this.#written;
    await this.#direct?.close().catch(() => undefined);
    await this.#handle?.close().catch(() => undefined); // The content is not used.
    if (this.#temporary !== undefined) removeQuietly(this.#temporary);
    this.#end(error, isPerhapsHalf);
  }

  #complete(refused: readonly RefusedStep[], isChangedWhileRead: boolean): void {
    if (refused.length > 0) this.#options.onRefused(refused);
    if (isChangedWhileRead)
      this.#options.onNote(new FarkeepError('source.changed', 'It changed while it was backed up'));
    this.#end(undefined, false);
  }

  #describe(): SmallFile {
    const { folder, name, isHidden, isOwnerRestored, isReplacing } = this.#options;
    const { mode, owner, mtimeNs } = this.entry;
    const metadata = { mode, owner, mtimeNs };
    const { base, bornOwner } = folder;
    return { folder: base, name, isHidden, metadata, isOwnerRestored, bornOwner, isReplacing };
  }

  #end(error: unknown, isPerhapsHalf: boolean): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#smallContent = [];
    for (const release of this.#smallReleases.splice(0)) release();
    this.#options.onEnd(error, this.#contentBytes, isPerhapsHalf);
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
      const temporary = this.#options.folder.child(temporaryName());
      this.#handle = await open(
        temporary,
        constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
        bornMode,
      );
      this.#temporary = temporary;
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

  /** Puts the temporary file in its place, like `placeSmallFile`. */
  async #placeLarge(): Promise<readonly RefusedStep[]> {
    const { folder, name, isOwnerRestored, isReplacing } = this.#options;
    const { handle, direct } = await this.#open();
    await direct?.flush();
    await direct?.close();
    await handle.truncate(this.#position); // The file may end with a hole, which needs an explicit length.
    const refused = applyMetadata(handle.fd, this.entry, isOwnerRestored);
    if (isReplacing) await handle.sync();
    await handle.close();
    if (this.#temporary !== undefined) renameSync(this.#temporary, folder.child(name));
    return refused;
  }
}
