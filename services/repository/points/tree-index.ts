// Owns look-ups in a manifest without reading all of it: the entries of one folder, one path, matching names. Each block begins with the
// path at which the block continues the tree. So a binary search finds the block of a folder, and a listing skips the blocks of its
// subfolders.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { ManifestDecoder, readManifest, readManifestContext } from './manifest.ts';
import { splitPath } from './tree-position.ts';
import { compareTreePaths, type ManifestItem, type TreeEntry } from './tree-entry.ts';
import { isAtOrBelow } from './tree-selection.ts';

/** The blocks of one manifest. The implementation decodes and checks them. */
export interface ManifestBlocks {
  readonly count: number;
  read(index: number): Promise<Buffer>;
}

export interface FolderListing {
  readonly folder: TreeEntry;
  /** Direct entries of the folder, in order. */
  readonly entries: readonly TreeEntry[];
  /** True if `limit` has cut the list. */
  readonly isCut: boolean;
}

const cachedBlocks = 8;

export class TreeIndex {
  readonly #blocks: ManifestBlocks;
  /** For each block, the path of the last entry before it; read when first needed. Null for the first block. */
  readonly #contexts = new Map<number, Buffer | null>();
  readonly #cache = new Map<number, Promise<Buffer>>();

  constructor(blocks: ManifestBlocks) {
    this.#blocks = blocks;
  }

  /**
   * Returns the entry at `path` (empty: the top folder); undefined if there is none. A continued file is returned without its later
   * content.
   */
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
    // Each round reads entries from one position. Deep inside a subfolder, the next round starts after this subfolder.
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
          // Many entries of one subfolder were read. If several blocks of this subfolder follow, skip them.
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

  /** Yields at most `limit` entries whose name matches, in order. Reads the whole manifest. */
  async *search(isMatch: (entry: TreeEntry) => boolean, limit = 1000): AsyncGenerator<TreeEntry, void, undefined> {
    let found = 0;
    for await (const item of this.items()) {
      if (item.type !== 'entry' || !isMatch(item.entry)) continue;
      yield item.entry;
      found += 1;
      if (found >= limit) return;
    }
  }

  /** Yields all items of the manifest. */
  items(): AsyncGenerator<ManifestItem, void, undefined> {
    const { count } = this.#blocks;
    const read = (index: number): Promise<Buffer> => this.#blocks.read(index);
    return readManifest(
      (async function* (): AsyncGenerator<Buffer, void, undefined> {
        for (let index = 0; index < count; index += 1) yield await read(index);
      })(),
    );
  }

  /** Yields entries from `path` on. With `isBehind`, skips `path` and all entries below it. */
  async *#from(path: Buffer, isBehind = false): AsyncGenerator<TreeEntry, void, undefined> {
    const isBefore = (entryPath: Buffer): boolean =>
      compareTreePaths(entryPath, path) < 0 || (isBehind && isAtOrBelow(entryPath, path));
    // Binary search for the last block whose context is before the path. The wanted entry cannot be in an earlier block.
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

  /** Whether the block after the next block still belongs to `child`. If that block belongs to a later entry, a jump would save nothing. */
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
