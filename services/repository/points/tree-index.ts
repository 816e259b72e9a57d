// Owns looking into a manifest without reading all of it: the entries of one folder, one path, names that match.
// Each block begins with the path it continues from, so a folder is found by halving, and what lies deeper is jumped over.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { ManifestDecoder, readManifest, readManifestContext } from './manifest.ts';
import { splitPath } from './tree-position.ts';
import { compareTreePaths, type ManifestItem, type TreeEntry } from './tree-entry.ts';
import { isAtOrBelow } from './tree-selection.ts';

/** The blocks of one manifest, decoded and checked by whoever gives them. */
export interface ManifestBlocks {
  readonly count: number;
  read(index: number): Promise<Buffer>;
}

export interface FolderListing {
  readonly folder: TreeEntry;
  /** Directly in the folder, in order. */
  readonly entries: readonly TreeEntry[];
  /** True when `limit` cut the list. */
  readonly isCut: boolean;
}

const cachedBlocks = 8;

export class TreeIndex {
  readonly #blocks: ManifestBlocks;
  /** Path before each block, read when first needed; null for the first block. */
  readonly #contexts = new Map<number, Buffer | null>();
  readonly #cache = new Map<number, Promise<Buffer>>();

  constructor(blocks: ManifestBlocks) {
    this.#blocks = blocks;
  }

  /** The entry at `path` (empty: the top folder), undefined when there is none. A continued file comes without its later content. */
  async find(path: Buffer): Promise<TreeEntry | undefined> {
    splitPath(path);
    for await (const entry of this.#from(path)) {
      const order = compareTreePaths(entry.path, path);
      if (order === 0) return entry;
      if (order > 0) return undefined;
    }
    return undefined;
  }

  /** Throws call.not-found when there is no such folder. */
  async list(
    path: Buffer,
    { after, limit = 10_000 }: { readonly after?: Buffer; readonly limit?: number } = {},
  ): Promise<FolderListing> {
    const folder = await this.find(path);
    if (folder?.kind !== 'folder')
      throw new FarkeepError(
        'call.not-found',
        `There is no folder ${path.length === 0 ? '/' : path.toString('utf8')} in this restore point`,
      );
    const entries: TreeEntry[] = [];
    const prefixLength = path.length === 0 ? 0 : path.length + 1;
    let start = after ?? path;
    // Each round reads on from one place; what lies below a child is left out by starting anew behind it.
    for (;;) {
      let behind: Buffer | undefined;
      let read = 0;
      for await (const entry of this.#from(start, start !== path)) {
        if (!isAtOrBelow(entry.path, path)) return { folder, entries, isCut: false };
        read += 1;
        if (entry.path.equals(path) || (after !== undefined && isAtOrBelow(entry.path, after))) continue;
        const slash = entry.path.indexOf(0x2f, prefixLength);
        if (slash === -1) {
          if (entries.length >= limit) return { folder, entries, isCut: true };
          entries.push(entry);
        } else if (read > 256) {
          // Deep inside a child: perhaps many blocks of it follow.
          const child = entry.path.subarray(0, slash);
          if (await this.#isWorthJumping(child, entry.path)) {
            behind = Buffer.from(child);
            break;
          }
        }
      }
      if (behind === undefined) return { folder, entries, isCut: false };
      start = behind;
    }
  }

  /** Entries whose name matches, in order, with what is left to say by `limit`. Reads the whole manifest. */
  async *search(isMatch: (entry: TreeEntry) => boolean, limit = 1000): AsyncGenerator<TreeEntry, void, undefined> {
    let found = 0;
    for await (const item of this.items()) {
      if (item.type !== 'entry' || !isMatch(item.entry)) continue;
      yield item.entry;
      found += 1;
      if (found >= limit) return;
    }
  }

  /** Everything, from the start. */
  items(): AsyncGenerator<ManifestItem, void, undefined> {
    const { count } = this.#blocks;
    const read = (index: number): Promise<Buffer> => this.#blocks.read(index);
    return readManifest(
      (async function* (): AsyncGenerator<Buffer, void, undefined> {
        for (let index = 0; index < count; index += 1) yield await read(index);
      })(),
    );
  }

  /** Entries from the first that is not before `path`; with `isBehind` from the first behind it and all below it. */
  async *#from(path: Buffer, isBehind = false): AsyncGenerator<TreeEntry, void, undefined> {
    const isBefore = (entryPath: Buffer): boolean =>
      compareTreePaths(entryPath, path) < 0 || (isBehind && isAtOrBelow(entryPath, path));
    // The last block whose context is still before: the wanted entry cannot be in an earlier one.
    let low = 0;
    let high = this.#blocks.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const context = await this.#context(middle);
      if (context === null || isBefore(context)) low = middle;
      else high = middle - 1;
    }
    const decoder = new ManifestDecoder(low === 0 ? 'start' : 'anywhere');
    for (let index = low; index < this.#blocks.count; index += 1) {
      for (const item of decoder.decode(await this.#block(index))) {
        if (item.type === 'entry' && !isBefore(item.entry.path)) yield item.entry;
      }
    }
  }

  /** Whether the next block but one still lies inside `child`. */
  async #isWorthJumping(child: Buffer, from: Buffer): Promise<boolean> {
    let low = 0;
    let high = this.#blocks.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const context = await this.#context(middle);
      if (context === null || compareTreePaths(context, from) < 0) low = middle;
      else high = middle - 1;
    }
    const next = low + 2;
    if (next >= this.#blocks.count) return false;
    const context = await this.#context(next);
    return context !== null && isAtOrBelow(context, child);
  }

  async #context(index: number): Promise<Buffer | null> {
    let context = this.#contexts.get(index);
    if (context === undefined) {
      const found = readManifestContext(await this.#block(index));
      context = found.isFirst ? null : found.path;
      this.#contexts.set(index, context);
    }
    return context;
  }

  #block(index: number): Promise<Buffer> {
    const cached = this.#cache.get(index);
    if (cached !== undefined) {
      this.#cache.delete(index);
      this.#cache.set(index, cached);
      return cached;
    }
    const block = this.#blocks.read(index);
    this.#cache.set(index, block);
    block.catch(() => this.#cache.delete(index));
    if (this.#cache.size > cachedBlocks) {
      const [oldest] = this.#cache.keys();
      if (oldest !== undefined) this.#cache.delete(oldest);
    }
    return block;
  }
}
