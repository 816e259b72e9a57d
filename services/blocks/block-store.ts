// Owns the interface of a block store, as movers, restores and manifest readers use it. Does not know packs, catalogues or disks.
import type { FarkeepError } from '../kernel/farkeep-error.ts';
import type { StoredBlock } from './block.ts';

/** A block to append. The store owns `stored` until `release` is called (its bytes are written) or the append is refused. */
export interface BlockToAppend extends StoredBlock {
  readonly release?: () => void;
}

/** A block, or the error that prevents reading the block. */
export type BlockOutcome =
  | { readonly id: Buffer; readonly block: StoredBlock }
  | { readonly id: Buffer; readonly block: undefined; readonly error: FarkeepError };

export interface DurableBlocks {
  /** Identifiers in the order in which they were appended. */
  readonly ids: readonly Buffer[];
  /** Bytes that these blocks add to the tenant's used bytes; 0 for blocks that were already stored. */
  readonly storedBytes: number;
  /** Number of these blocks that were marked as damaged and are now stored intact. */
  readonly replaced: number;
}

export interface BlockStore {
  /**
   * The state of each block. "pending": this store has received the block but not yet made it durable; a crash loses the block. When the
   * block is durable, a notice names the block. This method is synchronous, so no notice can arrive before the caller uses the answer.
   */
  locate(ids: readonly Buffer[]): ('stored' | 'pending' | 'missing')[];
  /**
   * Stores blocks. Resolves when the store can accept more (back-pressure). Rejects when a block cannot be stored: quota.exceeded (the
   * store stays usable), storage.disk-full and other storage errors (the store is closed). The caller must have checked that `stored`
   * belongs to `id`. The code that opened the store receives a notice about each durable block (`DurableBlocks`).
   */
  append(blocks: readonly BlockToAppend[]): Promise<void>;
  /** Resolves when every block appended before is durable. */
  flush(): Promise<void>;
  /**
   * Returns the stored form of a block, checked against the checksum from the time of storing. Throws call.not-found, or storage.damaged.
   */
  read(id: Buffer): Promise<StoredBlock>;
  /**
   * Yields blocks in the requested order and reads the next blocks ahead, in bounded memory. An unreadable block yields an error outcome,
   * and reading continues. An `undefined` among the identifiers requests the outcomes of all earlier identifiers without waiting for more
   * identifiers; it yields `undefined`.
   */
  readMany(
    ids: Iterable<Buffer | undefined> | AsyncIterable<Buffer | undefined>,
  ): AsyncIterable<BlockOutcome | undefined>;
}
