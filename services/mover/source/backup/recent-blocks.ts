// Owns which blocks a lane has met lately, so that it does not offer them again. Forgets everything when it holds too many; the target decides
// about all others.
import type { BlockKey } from '../../../blocks/block.ts';

const maxRecentBlocks = 32_768;

export class RecentBlocks {
  readonly #keys = new Set<BlockKey>();

  /** Remembers the block. @returns whether it was not known */
  isNew(key: BlockKey): boolean {
    if (this.#keys.has(key)) return false;
    if (this.#keys.size >= maxRecentBlocks) this.#keys.clear();
    this.#keys.add(key);
    return true;
  }
}
