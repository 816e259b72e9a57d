// Owns sending the blocks of one lane to the target. Reads no files and does not know the manifest.
//
// offer identifiers in batches; the target answers which blocks it wants
// wanted block: compress and send it, several small blocks in one message
// block that is sent or not wanted: release its content (settle)
// every offered block counts as undurable until the target reports it as durable
import { FarkeepError } from '../../../kernel/farkeep-error.ts';
import { encodeBlock, releaseStored } from '../../../blocks/block-codec.ts';
import { type BlockKey, idsOfKeys, type StoredBlock } from '../../../blocks/block.ts';
import { maxManifestRatio } from '../../../repository/points/manifest-format.ts';
import type { DataMessage } from '../../../wire/messages.ts';
import type { Arena, ArenaPool } from './arena-pool.ts';
import type { UndurableBlocks, OpenFile } from './undurable-blocks.ts';
import type { LaneClock } from '../streams/lane-clock.ts';
import type { WorkerCounters } from '../streams/worker-link.ts';

/** An offer is sent when it has this many blocks or bytes, or when the lane has no other work. */
const offerBlocks = 512;
const offerBytes = 4 * 1024 * 1024;
const messageBytes = 1024 * 1024;
const messageBlocks = 512;

export interface OfferedBlock {
  readonly key: BlockKey;
  readonly content: Buffer;
  /** The pool of the arena that holds the content; undefined for contents with their own memory. */
  readonly memory: ArenaPool | undefined;
  readonly arena: Arena | undefined;
  /** undefined for a block of the manifest. */
  readonly file: OpenFile | undefined;
}

/** An offer that was sent; `id` is a view of the offer's memory. */
interface SentOffer {
  readonly blocks: readonly OfferedBlock[];
  readonly ids: readonly Buffer[];
}

interface WantedBlock {
  readonly block: OfferedBlock;
  readonly id: Buffer;
}

/** An offer of blocks from the file cache. */
interface KnownOffer {
  readonly token: number;
  readonly ids: readonly Buffer[];
}

export interface BlockSenderOptions {
  readonly send: (message: DataMessage) => true | Promise<void>;
  readonly fail: (error: unknown) => void;
  /** Identifier of the job. */
  readonly chain: string | undefined;
  readonly counters: WorkerCounters;
  readonly clock: LaneClock;
  readonly open: UndurableBlocks;
  /** The target's answer to `offerKnown`. */
  readonly onKnownAnswered: (token: number, wanted: readonly boolean[]) => void;
  /** Called after each finished step. The lane then checks whether all work is done. */
  readonly onProgress: () => void;
}

export class BlockSender {
  readonly #options: BlockSenderOptions;
  #offer: OfferedBlock[] = [];
  #offerBytes = 0;
  #nextOfferId = 1;
  /** Offers without an answer. Offers of cached blocks have a token instead of blocks. */
  readonly #offers = new Map<number, SentOffer | KnownOffer>();
  readonly #wanted: WantedBlock[] = [];
  #nextWanted = 0;
  #isSending = false;
  #sentBlocks = 0;

  constructor(options: BlockSenderOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return (
      !this.#isSending &&
      this.#nextWanted === this.#wanted.length &&
      this.#offers.size === 0 &&
      this.#offer.length === 0
    );
  }

  get sentBlocks(): number {
    return this.#sentBlocks;
  }

  offer(block: OfferedBlock): void {
    this.#options.open.add(block.key, block.content.length, block.file);
    this.#offer.push(block);
    this.#offerBytes += block.content.length;
    if (this.#offer.length >= offerBlocks || this.#offerBytes >= offerBytes) this.flush();
  }

  /** Offers blocks of the file cache. The sender does not have the content of these blocks, so it sends no content. */
  offerKnown(token: number, ids: readonly Buffer[]): void {
    this.#sendOffer(ids, { token, ids });
  }

  /** Sends the offer, even if it is not full. */
  flush(): void {
    if (this.#offer.length === 0) return;
    const blocks = this.#offer;
    this.#offer = [];
    this.#offerBytes = 0;
    const ids = idsOfKeys(blocks.map(({ key }) => key));
    this.#sendOffer(ids, { blocks, ids });
  }

  /** @throws protocol.malformed */
  answered(offerId: number, wanted: readonly boolean[]): void {
    const { onKnownAnswered, onProgress, counters, open, clock } = this.#options;
    const offered = this.#offers.get(offerId);
    this.#offers.delete(offerId);
    if (offered === undefined)
      throw new FarkeepError('protocol.malformed', 'The target answered an offer that was not made');
    clock.end('target');
    if ('token' in offered) {
      onKnownAnswered(offered.token, wanted);
      open.addOffer(
        offered.token,
        offered.ids.filter((_, index) => wanted[index] === false),
      );
      onProgress();
      return;
    }
    if (wanted.length !== offered.blocks.length)
      throw new FarkeepError('protocol.malformed', 'The target answered another offer than the one that was made');
    offered.blocks.forEach((block, index) => {
      const id = offered.ids[index];
      if (wanted[index] === true && id !== undefined) {
        this.#wanted.push({ block, id });
        return;
      }
      // The target has the block, but perhaps not durably. It reports the block as durable later.
      counters.reusedBlocks += 1;
      settle(block);
    });
    this.#startSending();
    onProgress();
  }

  durable(ids: readonly Buffer[]): void {
    this.#options.open.durable(ids);
    this.#options.onProgress();
  }

  #sendOffer(ids: readonly Buffer[], answer: SentOffer | KnownOffer): void {
    const offerId = this.#nextOfferId;
    this.#nextOfferId = offerId === 0xffffffff ? 1 : offerId + 1;
    this.#offers.set(offerId, answer);
    this.#options.clock.begin('target');
    // The sender does not wait for the connection after an offer. An offer is small, and the arenas limit the number of offers.
    Promise.resolve(this.#options.send({ type: 'offer', offerId, ids })).catch(this.#options.fail);
  }

  #startSending(): void {
    if (this.#isSending || this.#nextWanted === this.#wanted.length) return;
    this.#isSending = true;
    this.#sendAll()
      .catch(this.#options.fail)
      .finally(() => {
        this.#isSending = false;
        this.#options.onProgress();
      });
  }

  async #sendAll(): Promise<void> {
    const { counters, clock, send } = this.#options;
    while (this.#nextWanted < this.#wanted.length) {
      clock.begin('compress');
      const { taken, blocks, storedBytes } = await this.#takeMessage();
      const sent = send({ type: 'block', blocks });
      clock.end('compress');
      // The message is encrypted now, so the contents are no longer needed.
      for (const block of taken) settle(block);
      for (const block of blocks) releaseStored(block);
      this.#sentBlocks += blocks.length;
      counters.newBlocks += blocks.length;
      counters.transferredBytes += storedBytes;
      for (const { contentLength } of blocks) counters.contentBytes += contentLength;
      if (sent === true) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        continue;
      }
      clock.begin('network');
      await sent;
      clock.end('network');
    }
  }

  /** Takes the next message from the wanted blocks: one large block, or several small blocks. */
  async #takeMessage(): Promise<{ taken: OfferedBlock[]; blocks: StoredBlock[]; storedBytes: number }> {
    const taken: OfferedBlock[] = [];
    const blocks: StoredBlock[] = [];
    let storedBytes = 0;
    for (let wanted = this.#wanted[this.#nextWanted]; wanted !== undefined; wanted = this.#wanted[this.#nextWanted]) {
      const encoded = this.#encode(wanted);
      const stored = this.#storedForm(wanted, encoded instanceof Promise ? await encoded : encoded);
      this.#nextWanted += 1;
      taken.push(wanted.block);
      blocks.push(stored);
      storedBytes += stored.stored.length;
      const nextBytes = this.#wanted[this.#nextWanted]?.block.content.length ?? 0;
      if (storedBytes + nextBytes > messageBytes || blocks.length === messageBlocks) break;
    }
    if (this.#nextWanted === this.#wanted.length) {
      this.#wanted.length = 0;
      this.#nextWanted = 0;
    }
    return { taken, blocks, storedBytes };
  }

  #encode({ id, block: { content, file } }: WantedBlock): StoredBlock | Promise<StoredBlock> {
    const kind = file === undefined ? 'metadata' : 'data';
    return encodeBlock(content, { chain: this.#options.chain, kind, purpose: 'wire' }, id);
  }

  /** A manifest piece must not shrink too much: the target limits unpacked bytes by stored bytes, so such a piece is sent raw. */
  #storedForm({ id, block: { content, file } }: WantedBlock, packed: StoredBlock): StoredBlock {
    if (file !== undefined || packed.stored.length * maxManifestRatio >= content.length) return packed;
    return { id, encoding: 'raw', contentLength: content.length, stored: content };
  }
}

/** Releases the memory of the content. */
function settle({ memory, arena }: OfferedBlock): void {
  if (arena !== undefined) memory?.settle(arena);
}
