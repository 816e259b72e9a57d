// Owns the blocks of a lane that are offered or sent, but that the target has not reported as durable. Bytes that this class counts as safe
// survive a crash of the target. Their number is never a guess.
import { type BlockKey, keyOfId } from '../../../blocks/block.ts';
import type { WorkerCounters } from '../streams/worker-link.ts';

/** A file with blocks that are not durable yet. */
export interface OpenFile {
  readonly index: number;
  /** Number of blocks that are not known to be durable. */
  undurableBlocks: number;
  isRead: boolean;
  /** Bytes of the file that survive a crash. Subtracted again when the file is read again or cannot be read. */
  safeBytes: number;
  isDropped: boolean;
}

interface Part {
  readonly file: OpenFile;
  bytes: number;
}

interface OpenBlock {
  /** The file that contains the block. Further files are in `more`, because most blocks belong to one file. */
  part: Part | undefined;
  more: Part[] | undefined;
  /** Tokens of the offers that contain this block. Only offers of blocks from the file cache have a token. */
  tokens: number[] | undefined;
}

export interface UndurableBlocksOptions {
  readonly counters: WorkerCounters;
  /** Called when every block of the file survives a crash of the target. */
  readonly onFileSafe: (index: number) => void;
  /** Called when every block of the offer that the target did not want is durable. */
  readonly onOfferSafe: (token: number) => void;
}

export class UndurableBlocks {
  readonly #options: UndurableBlocksOptions;
  readonly #blocks = new Map<BlockKey, OpenBlock>();
  /** Number of undurable blocks by offer. */
  readonly #offers = new Map<number, number>();

  constructor(options: UndurableBlocksOptions) {
    this.#options = options;
  }

  /** Adds a block that will be offered. @param file undefined for a block of the manifest */
  add(key: BlockKey, bytes: number, file: OpenFile | undefined): void {
    const block = this.#open(key);
    if (file === undefined) return;
    const last = block.more?.at(-1) ?? block.part;
    if (last?.file === file) {
      last.bytes += bytes;
      return;
    }
    if (block.part === undefined) block.part = { file, bytes };
    else (block.more ??= []).push({ file, bytes });
    file.undurableBlocks += 1;
  }

  /**
   * Adds a block that was recently offered and is not offered again. The block becomes safe together with the block of the earlier offer.
   */
  repeat(key: BlockKey, bytes: number, file: OpenFile): void {
    if (this.#blocks.has(key)) this.add(key, bytes, file);
    else this.countSafe(file, bytes);
  }

  /** Adds cached blocks that the target has, perhaps not durably yet. */
  addOffer(token: number, ids: readonly Buffer[]): void {
    let count = 0;
    for (const id of ids) {
      const block = this.#open(keyOfId(id));
      if (block.tokens?.at(-1) === token) continue;
      (block.tokens ??= []).push(token);
      count += 1;
    }
    if (count === 0) this.#options.onOfferSafe(token);
    else this.#offers.set(token, count);
  }

  /** Called when the target reports these blocks as durable. */
  durable(ids: readonly Buffer[]): void {
    for (const id of ids) {
      const key = keyOfId(id);
      const block = this.#blocks.get(key);
      if (block === undefined) continue;
      this.#blocks.delete(key);
      if (block.part !== undefined) this.#partSafe(block.part);
      block.more?.forEach((part) => {
        this.#partSafe(part);
      });
      block.tokens?.forEach((token) => {
        this.#offerBlockSafe(token);
      });
    }
  }

  /** Counts bytes of a file as safe; also holes, which have no block. */
  countSafe(file: OpenFile, bytes: number): void {
    if (file.isDropped) return;
    file.safeBytes += bytes;
    this.#options.counters.safeBytes += bytes;
  }

  /** Subtracts the file's safe bytes: the file will be read again, or is left out of the restore point. */
  drop(file: OpenFile): void {
    this.#options.counters.safeBytes -= file.safeBytes;
    file.isDropped = true;
    file.safeBytes = 0;
  }

  #partSafe({ file, bytes }: Part): void {
    this.countSafe(file, bytes);
    file.undurableBlocks -= 1;
    if (file.undurableBlocks === 0 && file.isRead) this.#options.onFileSafe(file.index);
  }

  #open(key: BlockKey): OpenBlock {
    let block = this.#blocks.get(key);
    if (block === undefined) this.#blocks.set(key, (block = { part: undefined, more: undefined, tokens: undefined }));
    return block;
  }

  #offerBlockSafe(token: number): void {
    const left = (this.#offers.get(token) ?? 1) - 1;
    this.#offers.set(token, left);
    if (left > 0) return;
    this.#offers.delete(token);
    this.#options.onOfferSafe(token);
  }
}
