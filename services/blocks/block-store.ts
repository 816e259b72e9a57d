// Owns the port of a store of blocks: what movers, restores and the reading of manifests need. Does not know packs, catalogues or disks.
import type { FarkeepError } from '../kernel/farkeep-error.ts';
import type { StoredBlock } from './block.ts';

/** A block to append. The store owns `stored` until `release` is called (its bytes are written) or the append is refused. */
export interface BlockToAppend extends StoredBlock {
  readonly release?: () => void;
}

/** A block, or why it cannot be had. */
export type BlockOutcome =
  | { readonly id: Buffer; readonly block: StoredBlock }
  | { readonly id: Buffer; readonly block: undefined; readonly error: FarkeepError };

export interface DurableBlocks {
  /** Identifiers in the order in which they were appended. */
  readonly ids: readonly Buffer[];
  /** What they add to the tenant's used bytes; 0 for blocks that were there already. */
  readonly storedBytes: number;
  /** How many of them were known to be damaged and are whole again. */
  readonly replaced: number;
}

export interface BlockStore {
  /**
   * Where each block is. "pending": on its way in this store, lost in a crash; a notice names it when it is stored. The answer comes at once,
   * so that no such notice can come between it and its use.
   */
  locate(ids: readonly Buffer[]): ('stored' | 'pending' | 'missing')[];
  /**
   * Stores blocks. Resolves when the store is ready for more (back-pressure). Rejects when a block cannot be stored: quota.exceeded (the
   * store stays usable), storage.disk-full and other storage errors (the store is closed). The caller must have checked that `stored`
   * belongs to `id`. Who opened the store is told when blocks are durable (`DurableBlocks`).
   */
  append(blocks: readonly BlockToAppend[]): Promise<void>;
  /** Resolves when every block appended before is durable. */
  flush(): Promise<void>;
  /** The stored form of a block, checked against what the store took in. Throws call.not-found, or storage.damaged. */
  read(id: Buffer): Promise<StoredBlock>;
  /**
   * Blocks in the order asked for, with the next ones read ahead in bounded memory. A block that cannot be read is an outcome and the others
   * go on. `undefined` among the identifiers asks for all before it without waiting for more, and is answered by `undefined`.
   */
  readMany(
    ids: Iterable<Buffer | undefined> | AsyncIterable<Buffer | undefined>,
  ): AsyncIterable<BlockOutcome | undefined>;
}
