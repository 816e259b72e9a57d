// Owns the disk access of a backup. On Linux everything below a source is opened by the descriptor of its folder and its own name, without
// following links. So the walked tree is the tree that is read, even if folders are moved, and no path is too long. Other systems use whole
// paths (docs/data-movers.md, section 3, lists the remaining risks).
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
} from 'node:fs';
import { createFolderCalls, type FolderCalls } from '../../../kernel/native/folder-calls.ts';
import { isDenied, isMissing, isNotFolder, systemErrorCode } from '../../../kernel/system-error.ts';
import { fromNodeStats, isFolder, type FileStat } from './file-stat.ts';

/** Raw bytes of a name or path. Each byte is one latin1 character. Such a text is compact in memory and sorts in byte order. */
export type RawText = string;

export interface SourceFolder {
  /** Descriptor of the open folder, valid in all threads of this process. -1 on systems other than Linux, which open files by whole path. */
  readonly descriptor: number;
  /** Path where the folder was found. */
  readonly path: RawText;
}

/** A source as named by the job: a folder, or the entry `name` in a folder. */
export interface OpenSource {
  readonly folder: SourceFolder;
  readonly name: RawText | undefined;
}

/** Throws the errors of Node.js (with `code`). The caller owns and closes each descriptor. */
export interface SourceDisk {
  /** Follows links, because a source may be a link. */
  openSource(path: string): OpenSource;
  openFolder(parent: SourceFolder, name: RawText): SourceFolder;
  closeFolder(folder: SourceFolder): void;
  statFolder(folder: SourceFolder): FileStat;
  list(folder: SourceFolder): RawText[];
  stat(folder: SourceFolder, name: RawText): FileStat;
  readLink(folder: SourceFolder, name: RawText): RawText;
  /** Never follows a link, and never blocks on a pipe. */
  openFile(folder: SourceFolder, name: RawText): number;
  statFile(descriptor: number): FileStat;
  read(descriptor: number, memory: Buffer, offset: number, length: number, position: number): number;
  /** The next range of data at or after `position`; undefined when there is none; "unknown" when the system does not report data. */
  nextData(descriptor: number, position: number): { from: number; to: number } | undefined | 'unknown';
  /** Flushes the file to disk: before that, some file systems report recent data as holes. */
  settleFile(descriptor: number): void;
  /** Opens a second descriptor of the same file for reading past the page cache. */
  openDirect(descriptor: number): number | undefined;
  closeFile(descriptor: number): void;
}

// Windows has only the first of these flags; a missing flag counts as 0.
const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const fileFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** O_CLOEXEC and O_PATH of Linux. Node.js always sets the first and has no constant for the second. */
const closeOnExec = 0x80000;
const pathOnly = 0x200000;

export function rawText(bytes: Uint8Array): RawText {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function rawBytes(text: RawText): Buffer {
  return Buffer.from(text, 'latin1');
}

export function joinRaw(folder: RawText, name: RawText): RawText {
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

/** The common part of both implementations. */
abstract class NodeDisk implements SourceDisk {
  abstract openSource(path: string): OpenSource;
  abstract openFolder(parent: SourceFolder, name: RawText): SourceFolder;
  abstract closeFolder(folder: SourceFolder): void;
  abstract statFolder(folder: SourceFolder): FileStat;
  protected abstract where(folder: SourceFolder, name?: RawText): Buffer;

  list(folder: SourceFolder): RawText[] {
    return readdirSync(this.where(folder), { encoding: 'latin1' });
  }

  stat(folder: SourceFolder, name: RawText): FileStat {
    return fromNodeStats(lstatSync(this.where(folder, name), { bigint: true }));
  }

  readLink(folder: SourceFolder, name: RawText): RawText {
    return rawText(readlinkSync(this.where(folder, name), { encoding: 'buffer' }));
  }

  openFile(folder: SourceFolder, name: RawText): number {
    return openSync(this.where(folder, name), fileFlags);
  }

  statFile(descriptor: number): FileStat {
    return fromNodeStats(fstatSync(descriptor, { bigint: true }));
  }

  read(descriptor: number, memory: Buffer, offset: number, length: number, position: number): number {
    return readSync(descriptor, memory, offset, length, position);
  }

  nextData(_descriptor: number, _position: number): { from: number; to: number } | undefined | 'unknown' {
    return 'unknown';
  }

  settleFile(descriptor: number): void {
    fsyncSync(descriptor);
  }

  openDirect(_descriptor: number): number | undefined {
    return undefined;
  }

  closeFile(descriptor: number): void {
    closeSync(descriptor);
  }
}

class DescriptorDisk extends NodeDisk {
  readonly #calls: FolderCalls | undefined = createFolderCalls();

  openSource(path: string): OpenSource {
    const real = realpathSync.native(path, { encoding: 'buffer' });
    const text = rawText(real);
    try {
      return { folder: { descriptor: openSync(real, folderFlags), path: text }, name: undefined };
    } catch (error) {
      if (!isNotFolder(error)) throw error;
    }
    const slash = text.lastIndexOf('/');
    const parent = text.slice(0, slash) || '/';
    // The folder only serves to open the source by name, so it need not be readable.
    const descriptor = openSync(rawBytes(parent), pathOnly | folderFlags);
    return { folder: { descriptor, path: parent }, name: text.slice(slash + 1) };
  }

  openFolder(parent: SourceFolder, name: RawText): SourceFolder {
    const path = joinRaw(parent.path, name);
    const descriptor = this.#calls?.open(parent.descriptor, name, folderFlags | closeOnExec) ?? -1;
    return { descriptor: descriptor >= 0 ? descriptor : openSync(this.where(parent, name), folderFlags), path };
  }

  closeFolder(folder: SourceFolder): void {
    closeSync(folder.descriptor);
  }

  statFolder(folder: SourceFolder): FileStat {
    return this.statFile(folder.descriptor);
  }

  override stat(folder: SourceFolder, name: RawText): FileStat {
    return this.#calls?.stat(folder.descriptor, name) ?? super.stat(folder, name);
  }

  override openFile(folder: SourceFolder, name: RawText): number {
    const descriptor = this.#calls?.open(folder.descriptor, name, fileFlags | closeOnExec) ?? -1;
    return descriptor >= 0 ? descriptor : super.openFile(folder, name);
  }

  override statFile(descriptor: number): FileStat {
    return this.#calls?.statDescriptor(descriptor) ?? super.statFile(descriptor);
  }

  override nextData(descriptor: number, position: number): { from: number; to: number } | undefined | 'unknown' {
    if (this.#calls === undefined) return 'unknown';
    const from = this.#calls.seek(descriptor, position, 'data');
    if (from < 0) {
      // The system returns the same error for "no data after this position" and "unknown". In the first case, the position itself is in a
      // hole.
      return this.#calls.seek(descriptor, position, 'hole') === position ? undefined : 'unknown';
    }
    const to = this.#calls.seek(descriptor, from, 'hole');
    return to > from ? { from, to } : 'unknown';
  }

  override openDirect(descriptor: number): number | undefined {
    const direct = (constants as { readonly O_DIRECT?: number }).O_DIRECT;
    if (direct === undefined) return undefined;
    try {
      return openSync(`/proc/self/fd/${descriptor}`, constants.O_RDONLY | constants.O_NONBLOCK | direct);
    } catch {
      return undefined; // The file system has no direct reads (EINVAL).
    }
  }

  protected where(folder: SourceFolder, name?: RawText): Buffer {
    const place = `/proc/self/fd/${folder.descriptor}`;
    return rawBytes(name === undefined ? place : `${place}/${name}`);
  }
}

class PathDisk extends NodeDisk {
  openSource(path: string): OpenSource {
    const real = rawText(realpathSync.native(path, { encoding: 'buffer' }));
    const text = process.platform === 'win32' ? real.replaceAll('\\', '/') : real;
    const folder = { descriptor: -1, path: text };
    if (isFolder(this.statFolder(folder))) return { folder, name: undefined };
    const slash = text.lastIndexOf('/');
    return { folder: { descriptor: -1, path: text.slice(0, slash) || '/' }, name: text.slice(slash + 1) };
  }

  openFolder(parent: SourceFolder, name: RawText): SourceFolder {
    const folder = { descriptor: -1, path: joinRaw(parent.path, name) };
    if (!isFolder(this.statFolder(folder))) throw Object.assign(new Error('Not a folder'), { code: 'ENOTDIR' });
    return folder;
  }

  closeFolder(): void {
    // On these systems no descriptor is open.
  }

  statFolder(folder: SourceFolder): FileStat {
    return fromNodeStats(lstatSync(rawBytes(folder.path), { bigint: true }));
  }

  protected where(folder: SourceFolder, name?: RawText): Buffer {
    return rawBytes(name === undefined ? folder.path : joinRaw(folder.path, name));
  }
}

/** FARKEEP_SOURCE_PATHS=on uses whole paths on Linux too, so that tests cover the implementation for other systems. */
export function createSourceDisk(): SourceDisk {
  const isByPath = process.platform !== 'linux' || process.env['FARKEEP_SOURCE_PATHS'] === 'on';
  return isByPath ? new PathDisk() : new DescriptorDisk();
}

/** Whether the error shows that the file no longer exists under this name, or that the name now belongs to a link or a socket. */
export function isOtherNow(error: unknown): boolean {
  return isMissing(error) || isNotFolder(error) || ['ELOOP', 'ENXIO'].includes(systemErrorCode(error) ?? '');
}

export function reasonOf(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) return error instanceof Error ? error.message : String(error);
  if (isDenied(error)) return 'access was denied';
  if (isMissing(error)) return 'it does not exist any more';
  if (code === 'EIO') return 'the disk reported an error';
  return code;
}
