// Owns all access to a repository folder. The disk of the folder may belong to an attacker, and the reading process may be root. So no link
// is followed. Nothing that could block or never end (pipe, device) is opened. Only regular files and real folders are accepted.
import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync, type Stats } from 'node:fs';
import { open, opendir, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { isMissing, isTaken, systemErrorCode } from '../../kernel/system-error.ts';

/**
 * On Linux, paths below /proc/self/fd work like openat(). Other systems use plain paths, and each part of a path is checked immediately
 * before use.
 */
const hasDescriptorPaths = process.platform === 'linux' && existsSync('/proc/self/fd');
/** Returns the value of an open flag, or zero on a system without this flag (Windows). */
const flag = (name: string): number =>
  (constants as unknown as Readonly<Record<string, number | undefined>>)[name] ?? 0;
const carefully = flag('O_NOFOLLOW') | flag('O_NONBLOCK');
const folderFlags = constants.O_RDONLY | flag('O_DIRECTORY') | carefully;
/** A million names of one folder need about 100 MB of memory. Real folders of the format have far fewer. */
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

/** Names in calls are relative to the top, with "/" between parts. The caller must ensure that no part is "." or "..". */
export class RepositoryFolder {
  readonly #top: string;

  constructor(top: string) {
    this.#top = path.resolve(top);
  }

  pathOf(name: string): string {
    return name === '' ? this.#top : path.join(this.#top, name);
  }

  /**
   * Runs `work` with a path that leads through the open folder. So an attacker cannot replace a part of the path while `work` runs.
   *
   * @throws ENOENT, or storage.damaged when a part of the path is not a folder
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

  /**
   * Returns the metadata of the entry without following a link; undefined if there is no entry. @throws storage.damaged when a parent is
   * not a folder
   */
  look(name: string): Stats | undefined {
    if (name === '') return lstatSync(this.#top, { throwIfNoEntry: false });
    const { folder, last } = splitName(name);
    try {
      return this.withinSync(folder, (base) => lstatSync(`${base}/${last}`, { throwIfNoEntry: false }));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /**
   * Returns the size of the regular file in bytes; undefined if there is no entry. @throws storage.damaged when the entry is not a regular
   * file
   */
  sizeOf(name: string): number | undefined {
    const stats = this.look(name);
    if (stats !== undefined) this.#requireFile(name, stats);
    return stats?.size;
  }

  /** @throws ENOENT; storage.damaged when the entry is not a regular file */
  async openFile(name: string): Promise<FileHandle> {
    const { folder, last } = splitName(name);
    return this.within(folder, async (base) => {
      const file = `${base}/${last}`;
      // The kind is checked before the open, because opening a device can already have an effect.
      const before = lstatSync(file, { throwIfNoEntry: false });
      if (before !== undefined) this.#requireFile(name, before);
      let handle: FileHandle;
      try {
        handle = await open(file, constants.O_RDONLY | carefully);
      } catch (error) {
        if (['ELOOP', 'ENXIO'].includes(systemErrorCode(error) ?? ''))
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

  /** @throws RangeError when the file is longer; the errors of `openFile` */
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

  /** @throws ENOENT; storage.damaged when the entry or a parent is not a folder */
  requireFolder(folder: string): void {
    this.#open(folder).close();
  }

  /**
   * Makes the folder if nothing has this name. @returns whether the folder was made. @throws storage.damaged when the name belongs to
   * something that is not a folder
   */
  makeFolder(name: string): boolean {
    const { folder, last } = splitName(name);
    let isMade = true;
    try {
      this.withinSync(folder, (base) => {
        mkdirSync(`${base}/${last}`, { mode: 0o700 });
      });
    } catch (error) {
      if (!isTaken(error)) throw error;
      isMade = false;
    }
    this.requireFolder(name);
    return isMade;
  }

  /**
   * Returns the names of the folder's direct entries, sorted; empty if the folder does not exist.
   *
   * @throws storage.damaged only when it is not a folder
   */
  async names(folder: string): Promise<string[]> {
    const names: string[] = [];
    try {
      await this.within(folder, async (base) => {
        for await (const { name } of await opendir(base, { bufferSize: 1024 })) {
          if (names.length === maxNames)
            throw new FarkeepError('storage.io', `${this.pathOf(folder)} holds more than ${maxNames} names`, {
              hint: 'No folder of a repository has so many. Move away the files that do not belong there.',
            });
          names.push(name);
        }
      });
    } catch (error) {
      if (isMissing(error)) return [];
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

  /** Replaces the descriptor path in a system error by the path that the user knows. */
  #named(error: unknown, base: string, folder: string): unknown {
    if (error instanceof Error) error.message = error.message.replaceAll(base, this.pathOf(folder));
    return error;
  }
}

function notFolder(name: string, stats: Stats): FarkeepError {
  return new FarkeepError('storage.damaged', `${name} is ${kindOf(stats)}, not a folder`, {
    hint: 'Links in a repository are not followed. Put the real folder there, or give its real path.',
  });
}

/** @param shown path of the folder for error messages */
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
