// Owns writing the packs of one store. A block is reported as durable only after steps 1 to 4 of its pack.
//
// append(block): add the block to the queue; if the queue is full, the caller waits
// background loop, while the queue is not empty:
//   write up to 8 MiB or 400 blocks from the queue to the open pack, in one call
//   if the pack is large enough, or the queue has reached a flush: seal the pack
// seal, for at most two packs at a time, while the loop fills the next pack:
//   append index and trailer
//   1. fsync the file; 2. rename it into packs/; 3. fsync the folder; 4. add the pack to the catalogue
// after the first error: write nothing more, drop the queue, report the error to every caller
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { BlockToAppend } from '../../blocks/block-store.ts';
import {
  blockHeaderBytes,
  encodeBlockHeader,
  encodePackEnd,
  encodePackHeader,
  indexEntryBytes,
  packHeaderBytes,
  packName,
  packTrailerBytes,
  type PackBlock,
} from './pack-format.ts';
import type { ObjectWriter, Storage } from '../storage/storage.ts';

/** Bytes of a block in a pack beside its stored bytes: its header and its index entry. */
export const blockOverheadBytes = blockHeaderBytes + indexEntryBytes;
export const packOverheadBytes = packHeaderBytes + packTrailerBytes;

const maxBatchBytes = 8 * 1024 * 1024;
const maxBatchBlocks = 400;
/** Pieces up to this size are copied together into buffers of this size. */
const maxJoinedPieceBytes = 8 * 1024;
const joinedBytes = 256 * 1024;
const maxSealing = 2;
const maxBlocksPerPack = 16_384;

export interface FinishedPack {
  readonly packId: Buffer;
  readonly sizeBytes: number;
  readonly blocks: readonly PackBlock[];
}

interface OpenPack {
  readonly packId: Buffer;
  readonly temporaryName: string;
  readonly output: ObjectWriter;
  readonly blocks: PackBlock[];
  sizeBytes: number;
}

interface Barrier {
  readonly reached: () => void;
}

export interface PackWriterOptions {
  readonly storage: Storage;
  /** Folder for packs that are being written, below the tenant folder. */
  readonly incoming: string;
  readonly packBytes: number;
  readonly maxQueuedBytes: number;
  readonly now: () => number;
  /**
   * Called when the pack is durable and in its final place. Must add the pack to the catalogue. Runs before any block is reported as
   * durable.
   */
  readonly onPack: (pack: FinishedPack) => void;
}

/**
 * The pieces of one write. Hundreds of small pieces (headers, small files) are copied together, because each separate piece would cost a
 * system call.
 */
class Pieces {
  readonly #pieces: Buffer[] = [];
  #joined = Buffer.alloc(0);
  #from = 0;
  #to = 0;

  add(piece: Buffer): void {
    if (piece.length > maxJoinedPieceBytes) {
      this.#close();
      this.#pieces.push(piece);
      return;
    }
    if (this.#to + piece.length > this.#joined.length) {
      this.#close();
      this.#joined = Buffer.allocUnsafeSlow(joinedBytes);
      this.#from = 0;
      this.#to = 0;
    }
    this.#joined.set(piece, this.#to);
    this.#to += piece.length;
  }

  take(): Buffer[] {
    this.#close();
    return this.#pieces;
  }

  #close(): void {
    if (this.#to > this.#from) this.#pieces.push(this.#joined.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}

export class PackWriter {
  readonly #options: PackWriterOptions;
  readonly #queue: (BlockToAppend | Barrier)[] = [];
  readonly #sealing = new Set<Promise<void>>();
  #queuedBytes = 0;
  #roomWaiters: (() => void)[] = [];
  #isPumping = false;
  #pack: OpenPack | undefined;
  #failure: FarkeepError | undefined;

  constructor(options: PackWriterOptions) {
    this.#options = options;
  }

  get failure(): FarkeepError | undefined {
    return this.#failure;
  }

  /**
   * Queues a block. If the queue is full, returns a promise. The caller must wait for this promise before the caller adds the next block.
   * The queue lets the receiving of blocks overlap with the writing of blocks.
   */
  append(block: BlockToAppend): Promise<void> | undefined {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.#queue.push(block);
    this.#queuedBytes += block.stored.length + blockHeaderBytes;
    this.#pump();
    return this.#isFull ? this.#untilRoom() : undefined;
  }

  get #isFull(): boolean {
    return this.#queuedBytes > this.#options.maxQueuedBytes && this.#failure === undefined;
  }

  async #untilRoom(): Promise<void> {
    while (this.#isFull) await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    this.#throwFailure();
  }

  /** Resolves when everything appended before is durable and reported. */
  async flush(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#queue.push({ reached: resolve });
      this.#pump();
    });
    await Promise.all(this.#sealing);
    this.#throwFailure();
  }

  /** Ends the writer: drops queued blocks, waits for running writes, and removes the unfinished pack. */
  async discard(): Promise<void> {
    this.#fail(new FarkeepError('call.canceled', 'The store was closed'));
    await new Promise<void>((resolve) => {
      this.#queue.push({ reached: resolve });
      this.#pump();
    });
    await Promise.all(this.#sealing);
    const pack = this.#pack;
    this.#pack = undefined;
    if (pack === undefined) return;
    await pack.output.close();
    await this.#options.storage.remove(pack.temporaryName);
  }

  #throwFailure(): void {
    const failure = this.failure;
    if (failure !== undefined) throw failure;
  }

  #fail(error: unknown): void {
    this.#failure ??= toFarkeepError(error, 'storage.io');
    for (const wake of this.#roomWaiters.splice(0)) wake();
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    void this.#drain().finally(() => {
      this.#isPumping = false;
      if (this.#queue.length > 0) this.#pump();
    });
  }

  async #drain(): Promise<void> {
    await Promise.resolve(); // Blocks that arrive together are written together.
    while (this.#queue.length > 0) {
      const first = this.#queue[0];
      try {
        if (first !== undefined && 'reached' in first) {
          if (this.#failure === undefined) await this.#seal();
        } else if (this.#failure === undefined) {
          await this.#writeBatch();
          continue;
        }
      } catch (error) {
        this.#fail(error);
      }
      const dropped = this.#queue.shift();
      if (dropped === undefined) continue;
      if ('reached' in dropped) dropped.reached();
      else this.#forget(dropped);
    }
  }

  #forget(block: BlockToAppend): void {
    this.#queuedBytes -= block.stored.length + blockHeaderBytes;
    block.release?.();
    if (this.#queuedBytes <= this.#options.maxQueuedBytes / 2) for (const wake of this.#roomWaiters.splice(0)) wake();
  }

  /**
   * Writes blocks from the head of the queue in one call. The blocks stay in the queue until they are written, so the memory limit counts
   * them.
   */
  async #writeBatch(): Promise<void> {
    const pack = this.#pack ?? (await this.#startPack());
    const pieces = new Pieces();
    let batchBytes = 0;
    let count = 0;
    let offset = pack.sizeBytes;
    if (offset === 0) {
      const header = encodePackHeader({ packId: pack.packId, createdAtMs: this.#options.now() });
      pieces.add(header);
      offset += header.length;
    }
    for (const queued of this.#queue) {
      if ('reached' in queued || count === maxBatchBlocks) break;
      const { id, encoding, contentLength, stored } = queued;
      if (count > 0 && (batchBytes + stored.length > maxBatchBytes || offset >= this.#options.packBytes)) break;
      const described = { id, encoding, contentLength, storedLength: stored.length, crc: crc32(stored) };
      pieces.add(encodeBlockHeader(described));
      pieces.add(stored);
      pack.blocks.push({ ...described, offset: offset + blockHeaderBytes });
      offset += blockHeaderBytes + stored.length;
      batchBytes += stored.length;
      count += 1;
    }
    await pack.output.append(pieces.take());
    pack.sizeBytes = offset;
    for (const queued of this.#queue.splice(0, count)) if (!('reached' in queued)) this.#forget(queued);
    if (pack.sizeBytes >= this.#options.packBytes || pack.blocks.length >= maxBlocksPerPack) await this.#seal();
  }

  async #startPack(): Promise<OpenPack> {
    const packId = randomBytes(16);
    const temporaryName = `${this.#options.incoming}/${packId.toString('hex')}.tmp`;
    const output = await this.#options.storage.create(temporaryName, { isBulk: true });
    const pack = { packId, temporaryName, output, blocks: [], sizeBytes: 0 };
    this.#pack = pack;
    return pack;
  }

  async #seal(): Promise<void> {
    const pack = this.#pack;
    if (pack === undefined || pack.blocks.length === 0) return;
    while (this.#sealing.size >= maxSealing) await Promise.race(this.#sealing);
    if (this.#failure !== undefined) return;
    this.#pack = undefined;
    const sealed: Promise<void> = this.#finish(pack)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#sealing.delete(sealed));
    this.#sealing.add(sealed);
  }

  async #finish(pack: OpenPack): Promise<void> {
    const { storage, onPack } = this.#options;
    const name = packName(pack.packId);
    try {
      const end = encodePackEnd(pack.packId, pack.blocks, pack.sizeBytes);
      await pack.output.append([end]);
      pack.sizeBytes += end.length;
      await pack.output.sync();
      await pack.output.close();
      await storage.rename(pack.temporaryName, name);
      await storage.sync(name.slice(0, name.lastIndexOf('/')));
    } catch (error) {
      await pack.output.close().catch(() => undefined); // The caller must get the first error, not an error of the cleanup.
      await storage.remove(pack.temporaryName).catch(() => undefined);
      throw error;
    }
    onPack({ packId: pack.packId, sizeBytes: pack.sizeBytes, blocks: pack.blocks });
  }
}
