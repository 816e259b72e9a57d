// Owns the folder backend of Storage: plain files. Large writes and reads bypass the page cache. A bounded number of files stay open for
// reading.
import { open, rename, rmdir, unlink, type FileHandle } from 'node:fs/promises';
import { syncFolder } from '../../kernel/state/atomic-file.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { isMissing } from '../../kernel/system-error.ts';
import { AlignedBuffers, DirectReader, DirectWriter, makeWriteBuffers } from '../storage/direct-file.ts';
import { RepositoryFolder } from './repository-folder.ts';
import type { ObjectWriter, Storage } from '../storage/storage.ts';

const maxOpenFiles = 48;
/** Number of packs that one store writes at the same time. One pack is growing, two packs are being sealed. */
const directWriters = 3;
/** Number of direct reads at a time. Shorter reads use the page cache, because its read-ahead makes them faster. */
const directReads = 4;
const readBufferBytes = 2 * 1024 * 1024;
const minDirectReadBytes = 128 * 1024;
const maxPiecesPerWrite = 1000; // IOV_MAX is 1024 on Linux
const namePart = /^(?!\.\.?$)[0-9a-zA-Z._-]+$/;

class FileAppender implements ObjectWriter {
  readonly #handle: FileHandle;
  #isClosed = false;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async append(pieces: readonly Buffer[]): Promise<void> {
    for (let start = 0; start < pieces.length; start += maxPiecesPerWrite) {
      let rest: Buffer[] = pieces.slice(start, start + maxPiecesPerWrite);
      while (rest.length > 0) {
        let { bytesWritten } = await this.#handle.writev(rest);
        // A nearly full disk writes only some of the bytes. The next call then reports ENOSPC.
        let done = 0;
        for (; done < rest.length; done += 1) {
          const piece = rest[done];
          if (piece === undefined || bytesWritten < piece.length) break;
          bytesWritten -= piece.length;
        }
        const partial = rest[done];
        rest = rest.slice(done);
        if (partial !== undefined && bytesWritten > 0) rest[0] = partial.subarray(bytesWritten);
      }
    }
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#handle.close();
  }
}

class DirectAppender implements ObjectWriter {
  readonly #handle: FileHandle;
  readonly #writer: DirectWriter;
  #isClosed = false;

  constructor(handle: FileHandle, writer: DirectWriter) {
    this.#handle = handle;
    this.#writer = writer;
  }

  async append(pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) await this.#writer.append(piece);
  }

  async sync(): Promise<void> {
    await this.#writer.flush();
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#writer.close();
    await this.#handle.close();
  }
}

interface OpenFile {
  readonly handle: Promise<FileHandle>;
  /** Reader for long reads; created at the first one. */
  direct: Promise<DirectReader | undefined> | undefined;
  users: number;
  isEvicted: boolean;
}

/** Splits an object name into folder and last part. @throws storage.damaged for a name that no object can have */
function parted(name: string): { readonly folder: string; readonly last: string } {
  const parts = name.split('/');
  for (const part of parts)
    if (!namePart.test(part)) throw new FarkeepError('storage.damaged', `${name} is not the name of an object`);
  return { folder: parts.slice(0, -1).join('/'), last: parts.at(-1) ?? '' };
}

export class FolderStorage implements Storage {
  readonly #files: RepositoryFolder;
  readonly #folders = new Set<string>(['']);
  readonly #openFiles = new Map<string, OpenFile>();
  readonly #writeBuffers = makeWriteBuffers(directWriters);
  readonly #readBuffers = new AlignedBuffers(readBufferBytes, directReads);

  constructor(root: string) {
    this.#files = new RepositoryFolder(root);
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    const parent = parted(folder).folder;
    await this.#makeFolder(parent);
    if (this.#files.makeFolder(folder)) await this.sync(parent);
    this.#folders.add(folder);
  }

  async create(name: string, { isBulk = false }: { readonly isBulk?: boolean } = {}): Promise<ObjectWriter> {
    const { folder, last } = parted(name); // This call refuses an invalid name before any folder is created for the object.
    await this.#makeFolder(folder);
    const handle = await this.#files.within(folder, (base) => open(`${base}/${last}`, 'wx', 0o600));
    const writer = isBulk ? await DirectWriter.open(handle, this.#writeBuffers) : undefined;
    return writer === undefined ? new FileAppender(handle) : new DirectAppender(handle, writer);
  }

  async read(name: string, maxBytes: number): Promise<Buffer> {
    parted(name);
    return this.#files.readFile(name, maxBytes);
  }

  async readRange(name: string, offset: number, into: Buffer): Promise<number> {
    const file = this.#acquire(name);
    try {
      const handle = await file.handle;
      if (into.length >= minDirectReadBytes) {
        file.direct ??= DirectReader.open(handle, this.#readBuffers);
        const direct = await file.direct;
        if (direct !== undefined) return await direct.read(offset, into);
      }
      let filled = 0;
      while (filled < into.length) {
        const { bytesRead } = await handle.read(into, filled, into.length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    } finally {
      this.#release(file);
    }
  }

  #acquire(name: string): OpenFile {
    let file = this.#openFiles.get(name);
    if (file === undefined) {
      parted(name); // This call refuses an invalid name.
      const handle = this.#files.openFile(name);
      const opened: OpenFile = { handle, direct: undefined, users: 0, isEvicted: false };
      handle.catch(() => {
        if (this.#openFiles.get(name) === opened) this.#openFiles.delete(name);
      });
      file = opened;
    } else {
      this.#openFiles.delete(name);
    }
    this.#openFiles.set(name, file); // The file moves to the end of the map, so the map stays ordered by last use.
    file.users += 1;
    if (this.#openFiles.size > maxOpenFiles) {
      const [oldest] = this.#openFiles.keys();
      if (oldest !== undefined && oldest !== name) this.#evict(oldest);
    }
    return file;
  }

  #evict(name: string): void {
    const file = this.#openFiles.get(name);
    if (file === undefined) return;
    this.#openFiles.delete(name);
    file.isEvicted = true;
    if (file.users === 0) this.#closeQuietly(file);
  }

  #release(file: OpenFile): void {
    file.users -= 1;
    if (file.isEvicted && file.users === 0) this.#closeQuietly(file);
  }

  #closeQuietly(file: OpenFile): void {
    // The file was only read, so an error of `close` cannot lose data.
    closeFile(file).catch(() => undefined);
  }

  async sizeBytes(name: string): Promise<number | undefined> {
    parted(name);
    return Promise.resolve(this.#files.sizeOf(name));
  }

  async list(folder: string): Promise<string[]> {
    if (folder !== '') parted(folder);
    return this.#files.names(folder);
  }

  async rename(from: string, to: string): Promise<void> {
    const [source, target] = [parted(from), parted(to)];
    await this.#makeFolder(target.folder);
    await this.#files.within(source.folder, (here) =>
      this.#files.within(target.folder, (there) => rename(`${here}/${source.last}`, `${there}/${target.last}`)),
    );
    this.#evict(from);
    this.#evict(to);
  }

  async sync(folder: string): Promise<void> {
    await this.#files.within(folder, (base) => syncFolder(base));
  }

  async remove(name: string): Promise<void> {
    const { folder, last } = parted(name);
    this.#evict(name);
    try {
      await this.#files.within(folder, (base) => unlink(`${base}/${last}`));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async removeFolder(name: string): Promise<void> {
    const { folder, last } = parted(name);
    this.#folders.delete(name);
    try {
      await this.#files.within(folder, (base) => rmdir(`${base}/${last}`));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async close(): Promise<void> {
    const files = [...this.#openFiles.values()];
    this.#openFiles.clear();
    await Promise.allSettled(
      files.map(async (file) => {
        file.isEvicted = true;
        if (file.users === 0) await closeFile(file);
      }),
    );
  }
}

async function closeFile({ handle, direct }: OpenFile): Promise<void> {
  await (await direct)?.close();
  await (await handle).close();
}
