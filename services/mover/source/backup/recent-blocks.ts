// Owns the list of blocks that a lane has met recently, so that the lane does not offer them again. Clears the list when it is too long;
// the target then decides again whether it needs a block.
import type { BlockKey } from '../../../blocks/block.ts';

const maxRecentBlocks = 32_768;

export class RecentBlocks {
  readonly #keys = new Set<BlockKey>();

  /** Remembers the block. @returns whether it is new */
  isNew(key: BlockKey): boolean {
    if (this.#keys.has(key)) return false;
    if (this.#keys.size >= maxRecentBlocks) this.#keys.clear();
    this.#keys.add(key);
    return true;
  }
}
