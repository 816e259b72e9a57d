// Owns what a lane knows of its blocks that may not survive yet: offered or sent, not named by the target as durable.
// What is counted as safe here survives a crash of the target; it is never a guess.
import { type BlockKey, keyOfId } from '../../../blocks/block.ts';
import type { WorkerCounters } from '../streams/worker-link.ts';

/** A file whose blocks are on their way. */
export interface OpenFile {
  readonly index: number;
  /** Offered or sent, not known to be durable. */
  undurableBlocks: number;
  isRead: boolean;
  /** Bytes of it that survive; taken back when the file is read anew or cannot be read. */
  safeBytes: number;
  isDropped: boolean;
}

interface Part {
  readonly file: OpenFile;
  bytes: number;
}

interface OpenBlock {
  /** Most blocks belong to one file. */
  part: Part | undefined;
  more: Part[] | undefined;
  /** Offers of remembered blocks that this one belongs to. */
  tokens: number[] | undefined;
}

export interface UndurableBlocksOptions {
  readonly counters: WorkerCounters;
  /** Every block of the file survives a crash of the target. */
  readonly onFileSafe: (index: number) => void;
  /** Every block of the offer that the target did not want survives. */
  readonly onOfferSafe: (token: number) => void;
}

export class UndurableBlocks {
  readonly #options: UndurableBlocksOptions;
  readonly #blocks = new Map<BlockKey, OpenBlock>();
  /** Blocks of an offer that are open still. */
  readonly #offers = new Map<number, number>();

  constructor(options: UndurableBlocksOptions) {
    this.#options = options;
  }

  /** A block that is going to be offered. @param file undefined for blocks that belong to no file (the manifest) */
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

  /** A block that was offered lately, and is not offered again: as safe as it is then. */
  repeat(key: BlockKey, bytes: number, file: OpenFile): void {
    if (this.#blocks.has(key)) this.add(key, bytes, file);
    else this.countSafe(file, bytes);
  }

  /** Remembered blocks that the target has, or has on its way to the disk. */
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

  /** The target has named these. */
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

  /** Bytes of a file that survive without a block of their own, too: holes. */
  countSafe(file: OpenFile, bytes: number): void {
    if (file.isDropped) return;
    file.safeBytes += bytes;
    this.#options.counters.safeBytes += bytes;
  }

  /** What was read of the file does not count: it will be read once more, or not be in the restore point. */
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
