// Owns the way of a lane's blocks to the target: offers in batches, compresses and sends what is wanted, learns what is durable.
// Contents lie in their owner's memory until `settle`; nothing here reads files or knows a manifest.
import { zstdCompressSync } from 'node:zlib';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { releaseMemory } from '../kernel/release-memory.ts';
import { isCompressible, zstdOptions } from '../repository/block-content.ts';
import type { DataMessage, StoredBlock } from '../wire/messages.ts';
import type { WorkerCounters } from './worker-link.ts';

/** An offer goes out when it names so many blocks or bytes, or when there is nothing else to do. */
const offerBlocks = 128;
const offerBytes = 4 * 1024 * 1024;
const messageBytes = 1024 * 1024;
const messageBlocks = 256;
/** Not worth a frame of its own. */
const minCompressBytes = 64;
/** Trying costs no more than sampling. */
const unsampledBytes = 128 * 1024;

/** A file whose blocks are on their way. */
export interface OpenFile {
  readonly index: number;
  /** Offered or sent, not known to be durable. */
  openBlocks: number;
  isRead: boolean;
}

export interface OfferedBlock {
  readonly id: Buffer;
  readonly content: Buffer;
  /** The content is not needed any more. */
  readonly settle: () => void;
  /** Undefined for blocks that belong to no file (the manifest). */
  readonly file: OpenFile | undefined;
}

export interface BlockSenderOptions {
  readonly send: (message: DataMessage) => true | Promise<void>;
  readonly fail: (error: unknown) => void;
  readonly counters: WorkerCounters;
  /** The target's answer to `offerKnown`. */
  readonly onKnownAnswered: (token: number, wanted: readonly boolean[]) => void;
  /** Every block of the file survives a crash of the target. */
  readonly onFileSafe: (index: number) => void;
  /** Something came to its end; perhaps all has. */
  readonly onProgress: () => void;
}

export class BlockSender {
  readonly #options: BlockSenderOptions;
  #offer: OfferedBlock[] = [];
  #offerBytes = 0;
  #nextOfferId = 1;
  /** Not answered yet; offers of remembered blocks carry a token instead of blocks. */
  readonly #offers = new Map<number, readonly OfferedBlock[] | { readonly token: number }>();
  readonly #wanted: OfferedBlock[] = [];
  readonly #waitingForDurable = new Map<string, OpenFile[]>();
  #isSending = false;
  #sentBlocks = 0;

  constructor(options: BlockSenderOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return !this.#isSending && this.#wanted.length === 0 && this.#offers.size === 0 && this.#offer.length === 0;
  }

  get sentBlocks(): number {
    return this.#sentBlocks;
  }

  offer(block: OfferedBlock): void {
    this.#offer.push(block);
    this.#offerBytes += block.content.length;
    if (this.#offer.length >= offerBlocks || this.#offerBytes >= offerBytes) this.flush();
  }

  /** Asks for blocks that somebody remembers; nothing is sent for them here. */
  offerKnown(token: number, ids: readonly Buffer[]): void {
    this.#sendOffer(ids, { token });
  }

  /** Sends the offer, though it is not full. */
  flush(): void {
    if (this.#offer.length === 0) return;
    const blocks = this.#offer;
    this.#offer = [];
    this.#offerBytes = 0;
    this.#sendOffer(
      blocks.map((block) => block.id),
      blocks,
    );
  }

  /** @throws protocol.malformed */
  answered(offerId: number, wanted: readonly boolean[]): void {
    const { onKnownAnswered, onProgress, counters } = this.#options;
    const offered = this.#offers.get(offerId);
    this.#offers.delete(offerId);
    if (offered === undefined)
      throw new FarkeepError('protocol.malformed', 'The target answered an offer that was not made');
    if ('token' in offered) {
      onKnownAnswered(offered.token, wanted);
      onProgress();
      return;
    }
    if (wanted.length !== offered.length)
      throw new FarkeepError('protocol.malformed', 'The target answered another offer than the one that was made');
    offered.forEach((block, index) => {
      if (wanted[index] === true) {
        this.#wanted.push(block);
        if (block.file !== undefined) this.#waitForDurable(block.id, block.file);
        return;
      }
      counters.reusedBlocks += 1;
      block.settle();
      this.#blockSafe(block.file);
    });
    this.#startSending();
    onProgress();
  }

  durable(ids: readonly Buffer[]): void {
    for (const id of ids) {
      const key = id.toString('latin1');
      for (const file of this.#waitingForDurable.get(key) ?? []) this.#blockSafe(file);
      this.#waitingForDurable.delete(key);
    }
    this.#options.onProgress();
  }

  #sendOffer(ids: readonly Buffer[], answer: readonly OfferedBlock[] | { readonly token: number }): void {
    const offerId = this.#nextOfferId;
    this.#nextOfferId = offerId === 0xffffffff ? 1 : offerId + 1;
    this.#offers.set(offerId, answer);
    // An offer is small and bounded by the arenas: it need not wait.
    Promise.resolve(this.#options.send({ type: 'offer', offerId, ids })).catch(this.#options.fail);
  }

  #startSending(): void {
    if (this.#isSending || this.#wanted.length === 0) return;
    this.#isSending = true;
    this.#sendAll()
      .catch(this.#options.fail)
      .finally(() => {
        this.#isSending = false;
        this.#options.onProgress();
      });
  }

  async #sendAll(): Promise<void> {
    const { counters, send } = this.#options;
    while (this.#wanted.length > 0) {
      const beganMs = performance.now();
      const { taken, blocks, storedBytes } = this.#takeMessage();
      const packedMs = performance.now();
      counters.compressMs += packedMs - beganMs;
      const sent = send({ type: 'block', blocks });
      // Sealed by now: the contents are free.
      for (const block of taken) block.settle();
      for (const { encoding, stored } of blocks) if (encoding === 'zstd') releaseMemory(stored);
      this.#sentBlocks += blocks.length;
      counters.newBlocks += blocks.length;
      counters.transferredBytes += storedBytes;
      if (sent !== true) await sent;
      else await new Promise<void>((resolve) => setImmediate(resolve));
      counters.networkMs += performance.now() - packedMs;
    }
  }

  /** One large block, or small ones together. */
  #takeMessage(): { taken: OfferedBlock[]; blocks: StoredBlock[]; storedBytes: number } {
    const taken: OfferedBlock[] = [];
    const blocks: StoredBlock[] = [];
    let storedBytes = 0;
    for (let block = this.#wanted[0]; block !== undefined; block = this.#wanted[0]) {
      const stored = compressBlock(block.id, block.content);
      this.#wanted.shift();
      taken.push(block);
      blocks.push(stored);
      storedBytes += stored.stored.length;
      const nextBytes = this.#wanted[0]?.content.length ?? 0;
      if (storedBytes + nextBytes > messageBytes || blocks.length === messageBlocks) break;
    }
    return { taken, blocks, storedBytes };
  }

  #waitForDurable(id: Buffer, file: OpenFile): void {
    const key = id.toString('latin1');
    const files = this.#waitingForDurable.get(key);
    if (files === undefined) this.#waitingForDurable.set(key, [file]);
    else files.push(file);
  }

  #blockSafe(file: OpenFile | undefined): void {
    if (file === undefined) return;
    file.openBlocks -= 1;
    if (file.openBlocks === 0 && file.isRead) this.#options.onFileSafe(file.index);
  }
}

/** zstd level 1 when a sample shrinks and the whole does too; raw otherwise. */
function compressBlock(id: Buffer, content: Buffer): StoredBlock {
  const contentLength = content.length;
  if (contentLength >= minCompressBytes && (contentLength <= unsampledBytes || isCompressible(content))) {
    const stored = zstdCompressSync(content, zstdOptions(contentLength));
    if (stored.length < contentLength) return { id, encoding: 'zstd', contentLength, stored };
    releaseMemory(stored);
  }
  return { id, encoding: 'raw', contentLength, stored: content };
}
