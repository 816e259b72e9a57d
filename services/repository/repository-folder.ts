// Owns every way into a repository folder. Its disk may belong to somebody else, and a process that reads it may be root: nothing in it is
// followed, nothing that could block or never end (pipe, device) is opened, and only a regular file or a real folder counts as one.
import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync, type Stats } from 'node:fs';
import { open, opendir, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { FarkeepError } from '../kernel/farkeep-error.ts';

/** Linux gives openat() through here. Elsewhere paths are used, and each part is looked at right before. */
const hasDescriptorPaths = process.platform === 'linux' && existsSync('/proc/self/fd');
/** Zero where the system does not know the flag (Windows). */
const flag = (name: string): number =>
  (constants as unknown as Readonly<Record<string, number | undefined>>)[name] ?? 0;
const carefully = flag('O_NOFOLLOW') | flag('O_NONBLOCK');
const folderFlags = constants.O_RDONLY | flag('O_DIRECTORY') | carefully;
/** A million names of one folder take about 100 MB. No folder of the format comes near. */
const maxNames = 1_000_000;

function kindOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFile()) return 'a file';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

function splitName(name: string): { readonly folder: string; readonly last: string } {
  const slash = name.lastIndexOf('/');
  return { folder: slash === -1 ? '' : name.slice(0, slash), last: name.slice(slash + 1) };
}

function isNodeError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error;
}

/** Names in calls are relative to the top, with "/" between parts; the caller has checked that no part is "." or "..". */
export class RepositoryFolder {
  readonly #top: string;

  constructor(top: string) {
    this.#top = path.resolve(top);
  }

  pathOf(name: string): string {
    return name === '' ? this.#top : path.join(this.#top, name);
  }

  /**
   * Runs `work` with a path that leads through the open folder, so that none of its parts can be exchanged meanwhile.
   *
   * @throws ENOENT, or storage.damaged when something on the way is no folder
   */
  async within<T>(folder: string, work: (base: string) => Promise<T>): Promise<T> {
    const opened = this.#open(folder);
    try {
      return await work(opened.base);
    } catch (error) {
      throw this.#named(error, opened.base, folder);
    } finally {
      opened.close();
    }
  }

  withinSync<T>(folder: string, work: (base: string) => T): T {
    const opened = this.#open(folder);
    try {
      return work(opened.base);
    } catch (error) {
      throw this.#named(error, opened.base, folder);
    } finally {
      opened.close();
    }
  }

  /** What stands at this name, not followed; undefined for nothing. @throws storage.damaged when something on the way is no folder */
  look(name: string): Stats | undefined {
    if (name === '') return lstatSync(this.#top, { throwIfNoEntry: false });
    const { folder, last } = splitName(name);
    try {
      return this.withinSync(folder, (base) => lstatSync(`${base}/${last}`, { throwIfNoEntry: false }));
    } catch (error) {
      if (isNodeError(error) && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Bytes of the regular file, undefined when nothing is there. @throws storage.damaged when it is something else */
  sizeOf(name: string): number | undefined {
    const stats = this.look(name);
    if (stats !== undefined) this.#requireFile(name, stats);
    return stats?.size;
  }

  /** @throws ENOENT, storage.damaged when it is no regular file */
  async openFile(name: string): Promise<FileHandle> {
    const { folder, last } = splitName(name);
    return this.within(folder, async (base) => {
      const file = `${base}/${last}`;
      // Looked at first: opening a device is already doing something.
      const before = lstatSync(file, { throwIfNoEntry: false });
      if (before !== undefined) this.#requireFile(name, before);
      let handle: FileHandle;
      try {
        handle = await open(file, constants.O_RDONLY | carefully);
      } catch (error) {
        if (isNodeError(error) && (error.code === 'ELOOP' || error.code === 'ENXIO'))
          throw new FarkeepError('storage.damaged', `${name} is not a file`);
        throw error;
      }
      try {
        this.#requireFile(name, await handle.stat());
        return handle;
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  /** @throws RangeError when the file is longer, and what `openFile` throws */
  async readFile(name: string, maxBytes: number): Promise<Buffer> {
    const handle = await this.openFile(name);
    try {
      const { size } = await handle.stat();
      if (size > maxBytes) throw new RangeError(`${name} has ${size} bytes, more than ${maxBytes}`);
      const bytes = Buffer.allocUnsafe(size);
      let filled = 0;
      while (filled < size) {
        const { bytesRead } = await handle.read(bytes, filled, size - filled, filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      await handle.close();
    }
  }

  /** @throws ENOENT, storage.damaged when it, or something on the way, is no folder */
  requireFolder(folder: string): void {
    this.#open(folder).close();
  }

  /** Makes the folder when nothing is there. Returns whether it did. @throws storage.damaged when something else is there */
  makeFolder(name: string): boolean {
    const { folder, last } = splitName(name);
    let isMade = true;
    try {
      this.withinSync(folder, (base) => {
        mkdirSync(`${base}/${last}`, { mode: 0o700 });
      });
    } catch (error) {
      if (!isNodeError(error) || error.code !== 'EEXIST') throw error;
      isMade = false;
    }
    this.requireFolder(name);
    return isMade;
  }

  /** Names of what is directly in the folder, sorted; empty when it does not exist. */
  async names(folder: string): Promise<string[]> {
    const names: string[] = [];
    try {
      await this.within(folder, async (base) => {
        for await (const { name } of await opendir(base, { bufferSize: 1024 })) {
          if (names.length === maxNames)
            throw new FarkeepError('storage.damaged', `${this.pathOf(folder)} holds more than ${maxNames} names`);
          names.push(name);
        }
      });
    } catch (error) {
      if (isNodeError(error) && error.code === 'ENOENT') return [];
      throw error;
    }
    return names.sort();
  }

  #requireFile(name: string, stats: Stats): void {
    if (!stats.isFile()) throw new FarkeepError('storage.damaged', `${name} is ${kindOf(stats)}, not a file`);
  }

  #open(folder: string): { readonly base: string; readonly close: () => void } {
    const parts = folder === '' ? [] : folder.split('/');
    if (!hasDescriptorPaths) {
      for (let depth = 0; depth <= parts.length; depth += 1) {
        const part = this.pathOf(parts.slice(0, depth).join('/'));
        const stats = lstatSync(part);
        if (!stats.isDirectory()) throw notFolder(part, stats);
      }
      return { base: this.pathOf(folder), close: () => undefined };
    }
    let descriptor = openFolder(this.#top, this.#top);
    for (const [index, part] of parts.entries()) {
      const parent = descriptor;
      try {
        const name = this.pathOf(parts.slice(0, index + 1).join('/'));
        descriptor = openFolder(`/proc/self/fd/${parent}/${part}`, name);
      } finally {
        closeSync(parent);
      }
    }
    return {
      base: `/proc/self/fd/${descriptor}`,
      close: () => {
        closeSync(descriptor);
      },
    };
  }

  /** Errors of the system name the path of the call; people know the one of the folder. */
  #named(error: unknown, base: string, folder: string): unknown {
    if (error instanceof Error) error.message = error.message.replaceAll(base, this.pathOf(folder));
    return error;
  }
}

function notFolder(name: string, stats: Stats): FarkeepError {
  return new FarkeepError('storage.damaged', `${name} is ${kindOf(stats)}, not a folder`, {
    hint: 'Nothing in a repository is followed. Put the folder itself there, or give its real path.',
  });
}

/** @param shown its path as people know it */
function openFolder(at: string, shown: string): number {
  try {
    return openSync(at, folderFlags);
  } catch (error) {
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (stats !== undefined && !stats.isDirectory()) throw notFolder(shown, stats);
    if (error instanceof Error) error.message = error.message.replaceAll(at, shown);
    throw error;
  }
}
