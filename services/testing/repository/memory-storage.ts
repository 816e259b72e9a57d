// Owns a Storage in memory with two states: the state that a running process sees, and the state that would remain after a power failure.
// For tests of durability; also the second backend of the conformance tests. Must not be used by the product.
import type { ObjectWriter, Storage } from '../../repository/storage/storage.ts';

interface StoredObject {
  content: Buffer;
  /** Number of bytes that would remain after a power failure. */
  syncedLength: number;
}

function error(code: string, name: string): Error {
  return Object.assign(new Error(`${code}: ${name}`), { code });
}

function folderOf(name: string): string {
  return name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : '';
}

export class MemoryStorage implements Storage {
  readonly #objects = new Map<string, StoredObject>();
  /** Names that would remain after a power failure. */
  readonly #durableNames = new Map<string, StoredObject>();

  create(name: string): Promise<ObjectWriter> {
    if (this.#objects.has(name)) return Promise.reject(error('EEXIST', name));
    const stored: StoredObject = { content: Buffer.alloc(0), syncedLength: 0 };
    this.#objects.set(name, stored);
    return Promise.resolve({
      append: (pieces) => {
        stored.content = Buffer.concat([stored.content, ...pieces]);
        return Promise.resolve();
      },
      sync: () => {
        stored.syncedLength = stored.content.length;
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    });
  }

  #get(name: string): StoredObject {
    const stored = this.#objects.get(name);
    if (stored === undefined) throw error('ENOENT', name);
    return stored;
  }

  async read(name: string, maxBytes: number): Promise<Buffer> {
    const { content } = await Promise.resolve(this.#get(name));
    if (content.length > maxBytes) throw new RangeError(`${name} has ${content.length} bytes, more than ${maxBytes}`);
    return Buffer.from(content);
  }

  async readRange(name: string, offset: number, into: Buffer): Promise<number> {
    return (await Promise.resolve(this.#get(name))).content.copy(into, 0, offset);
  }

  sizeBytes(name: string): Promise<number | undefined> {
    return Promise.resolve(this.#objects.get(name)?.content.length);
  }

  list(folder: string): Promise<string[]> {
    const prefix = folder === '' ? '' : `${folder}/`;
    const names = [...this.#objects.keys()].filter((name) => name.startsWith(prefix));
    return Promise.resolve([...new Set(names.map((name) => name.slice(prefix.length).split('/')[0] ?? ''))].sort());
  }

  async rename(from: string, to: string): Promise<void> {
    const stored = await Promise.resolve(this.#get(from));
    this.#objects.delete(from);
    this.#objects.set(to, stored);
  }

  sync(folder: string): Promise<void> {
    for (const name of [...this.#durableNames.keys()]) {
      if (folderOf(name) === folder && !this.#objects.has(name)) this.#durableNames.delete(name);
    }
    for (const [name, stored] of this.#objects) if (folderOf(name) === folder) this.#durableNames.set(name, stored);
    return Promise.resolve();
  }

  remove(name: string): Promise<void> {
    this.#objects.delete(name);
    return Promise.resolve();
  }

  removeFolder(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * Returns the storage after a power failure. `keeps` decides for each unsynced change: whether a changed name remains, and which share (0
   * to 1) of unsynced content reached the disk.
   */
  afterPowerCut(keeps: (what: 'name' | 'content', name: string) => number): MemoryStorage {
    const after = new MemoryStorage();
    const names = new Map(this.#durableNames);
    for (const [name, stored] of this.#objects) if (keeps('name', name) >= 0.5) names.set(name, stored);
    for (const [name, stored] of names) {
      const unsynced = stored.content.length - stored.syncedLength;
      const length = stored.syncedLength + Math.floor(unsynced * keeps('content', name));
      const content = Buffer.from(stored.content.subarray(0, length));
      const survivor = { content, syncedLength: content.length };
      after.#objects.set(name, survivor);
      after.#durableNames.set(name, survivor);
    }
    return after;
  }
}
