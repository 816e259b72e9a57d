// Owns the target's reaction to data messages: stores blocks, reports durable blocks, commits the restore point, reads blocks. Works on
// messages and the interfaces of a store; does not know sockets, tickets or keys.
import type { ErrorCode } from '../../contracts/errors.ts';
import { systemClock, type Timer, type Timers } from '../../kernel/clock.ts';
import { every, type Schedule } from '../../kernel/schedule.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { releaseMemory } from '../../kernel/release-memory.ts';
import type { Logger } from '../../kernel/logger.ts';
import { decodePointRoot } from '../../repository/points/point-root.ts';
import type { PointStore } from '../../repository/store/point-store.ts';
import type { TenantPlace } from '../../repository/store/tenant-place.ts';
import { TenantStore } from '../../repository/store/tenant-store.ts';
import { blockIdBytes, type StoredBlock } from '../../blocks/block.ts';
import type { BlockStore, BlockToAppend, DurableBlocks } from '../../blocks/block-store.ts';
import { dataProtocolVersion, maxIdsPerMessage } from '../../wire/messages.ts';
import type { DataMessage, Operation } from '../../wire/messages.ts';
import { failureOfTenant, forTenant } from '../link/for-tenant.ts';
import { WaitTime } from './wait-time.ts';
import type { TargetEvent, TargetTotals } from '../link/local-link.ts';

/** How a session answers on a stream; resolves when more may be sent. */
export type Send = (message: DataMessage) => true | Promise<void>;

export interface TargetSessionOptions {
  readonly operation: Operation;
  readonly place: TenantPlace;
  readonly quotaBytes: number;
  readonly pointId: string;
  readonly streamCount: number;
  readonly flushIntervalMs: number;
  readonly logger: Logger;
  readonly timers?: Timers;
  readonly onEvent: (event: TargetEvent) => void;
  /** Called when the session cannot continue; the caller must drop the streams. */
  readonly onFailure: (error: FarkeepError) => void;
}

/** What a session needs of the tenant's store. */
type SessionStore = BlockStore & PointStore & { close(): Promise<void> };

const maxDataMessageBytes = 512 * 1024;
const maxBlocksPerDataMessage = 256;
/** Time for the source to read the reason of a refusal. */
const lingerMs = 3_000;

/** The tenant asks for its used space as often while a backup runs. */
const usageIntervalMs = 10_000;

export class TargetSession {
  readonly #options: TargetSessionOptions;
  readonly #store: SessionStore;
  readonly #streams = new Map<number, Send>();
  /** The streams that wait for a block to become durable: bit 0 is stream 0. A session has at most 16. */
  readonly #waiting = new Map<string, number>();
  /**
   * For each stream: the pending send of an answer that the source has not read. While the send is pending, no further message of the
   * stream is handled. So a source that reads no answers cannot fill the memory.
   */
  readonly #unread = new Map<number, Promise<void>>();
  readonly #flushing: Schedule | undefined;
  #receivedBlocks = 0;
  #unflushedBlocks = 0;
  #durableBlocks = 0;
  #replacedBlocks = 0;
  readonly #storeWait = new WaitTime();
  #usageToldMs = -Infinity;
  #refusal: FarkeepError | undefined;
  #lingerTimer: Timer | undefined;
  #isCommitted = false;
  #isClosed = false;
  #commit: { readonly blockCount: number; readonly root: Buffer; readonly streamIndex: number } | undefined;
  readonly totals: { -readonly [Name in keyof TargetTotals]: number } = {
    receivedBytes: 0,
    sentBytes: 0,
    storedBytes: 0,
    durableBytes: 0,
    newBlocks: 0,
    sentBlocks: 0,
  };

  private constructor(
    options: TargetSessionOptions,
    openStore: (onDurable: (blocks: DurableBlocks) => void) => SessionStore,
  ) {
    this.#options = options;
    this.#store = openStore((blocks) => {
      this.#tellDurable(blocks);
    });
    if (options.operation === 'backup') {
      const flush = (): void => {
        if (this.#unflushedBlocks === 0) return;
        this.#unflushedBlocks = 0;
        this.#store.flush().then(
          () => this.#tellUsage(),
          // The error of a background write can appear in this flush, or when the next block is added.
          (error: unknown) => this.refuse(error),
        );
      };
      this.#flushing = every(options.flushIntervalMs, flush, { timers: options.timers ?? systemClock });
    }
  }

  /** @throws storage errors when the tenant's folder cannot be used */
  static async open(options: TargetSessionOptions): Promise<TargetSession> {
    let onDurable: (blocks: DurableBlocks) => void = () => undefined;
    const store = await TenantStore.open({
      place: options.place,
      mode: options.operation === 'backup' ? 'write' : 'read',
      logger: options.logger,
      ...(options.quotaBytes < 0 ? {} : { quotaBytes: options.quotaBytes }),
      onDurable: (blocks) => {
        onDurable(blocks);
      },
      onDamageMarked: ({ blocks, packs }) => {
        options.onEvent({ type: 'damage-marked', blocks, packs });
      },
    });
    return new TargetSession(options, (listener) => {
      onDurable = listener;
      return store;
    });
  }

  get isCommitted(): boolean {
    return this.#isCommitted;
  }

  /** Handles one message of a stream. The stream's next message must wait until the promise has resolved. */
  receive(streamIndex: number, message: DataMessage, memory: readonly Uint8Array[], send: Send): void | Promise<void> {
    if (this.#refusal !== undefined) return;
    if (message.type === 'open') return this.#open(streamIndex, message, send);
    if (!this.#streams.has(streamIndex))
      throw new FarkeepError('protocol.malformed', 'A data stream did not begin with "open"');
    if (message.type === 'abort') throw failureOfTenant(message.code, message.message);
    const isBackup = this.#options.operation === 'backup';
    switch (message.type) {
      case 'offer': {
        // An empty offer only asks for a sign of life.
        if (!isBackup && message.ids.length > 0) break;
        return this.#answerOffer(streamIndex, message, send);
      }
      case 'block': {
        if (!isBackup) break;
        const unread = this.#unread.get(streamIndex);
        if (unread === undefined) return this.#take(streamIndex, message.blocks, memory);
        return unread.then(() => this.#take(streamIndex, message.blocks, memory));
      }
      case 'commit':
        if (!isBackup || this.#commit !== undefined) break;
        this.#commit = { blockCount: message.blockCount, root: Buffer.from(message.root), streamIndex };
        return this.#commitWhenWhole();
      case 'read':
        if (isBackup) break;
        return this.#send(message.ids, send);
      default:
        break;
    }
    throw new FarkeepError('protocol.malformed', `A "${message.type}" does not belong here`);
  }

  /** Makes the received blocks durable, so that the next attempt need not send them again. Then closes the store. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#flushing?.stop();
    this.#lingerTimer?.stop();
    if (this.#options.operation === 'backup' && !this.#isCommitted) {
      try {
        await this.#store.flush();
        await this.#tellUsage({ isLast: true });
      } catch (error) {
        this.#options.logger.warn('The last received blocks could not be made durable', { error });
      }
    }
    await this.#store.close();
    this.#tellReplaced();
  }

  /** What a running or interrupted backup has stored also counts as used. A failure is ignored: the next count has the same bytes. */
  async #tellUsage({ isLast = false } = {}): Promise<void> {
    const nowMs = performance.now();
    // Counting looks at the root of every restore point of the tenant, which takes long for many points.
    if (this.#isCommitted || (!isLast && nowMs - this.#usageToldMs < usageIntervalMs)) return;
    this.#usageToldMs = nowMs;
    try {
      const usedBytes = await this.#store.usedBytes();
      this.#options.onEvent({ type: 'usage', usedBytes });
    } catch (error) {
      this.#options.logger.info('The used space could not be counted', { error });
    }
  }

  #tellReplaced(): void {
    const blocks = this.#replacedBlocks;
    this.#replacedBlocks = 0;
    if (blocks > 0) this.#options.onEvent({ type: 'damage-replaced', blocks });
  }

  /** Returns the share of the last seconds in which the session waited for the store. */
  takeBusyShare(): number {
    return this.#storeWait.share();
  }

  async #open(streamIndex: number, message: DataMessage & { type: 'open' }, send: Send): Promise<void> {
    const { operation, pointId, streamCount } = this.#options;
    if (message.protocol !== dataProtocolVersion) {
      throw new FarkeepError(
        'protocol.version',
        `The source speaks version ${message.protocol} of the data messages, this side ${dataProtocolVersion}`,
      );
    }
    if (
      this.#streams.has(streamIndex) ||
      message.streamIndex !== streamIndex ||
      message.streamCount !== streamCount ||
      message.operation !== operation ||
      message.pointId !== pointId
    ) {
      throw new FarkeepError('protocol.malformed', 'The source opened another session than the one that was agreed');
    }
    let root: Buffer = Buffer.alloc(0);
    if (operation !== 'backup') {
      try {
        root = await this.#store.readPointRoot(pointId);
        decodePointRoot(root, pointId);
      } catch (error) {
        this.refuse(error, send);
        return;
      }
    }
    this.#streams.set(streamIndex, send);
    await send({ type: 'open', protocol: dataProtocolVersion, operation, streamIndex, streamCount, pointId, root });
    if (this.#streams.size === streamCount) this.#options.onEvent({ type: 'streams-open', count: streamCount });
  }

  /**
   * Answers an offer. Blocks that the target does not want are also reported as durable: at once if they are already durable, or later,
   * when they become durable.
   */
  async #answerOffer(
    streamIndex: number,
    { offerId, ids }: DataMessage & { type: 'offer' },
    send: Send,
  ): Promise<void> {
    const states = this.#store.locate(ids);
    const stored: Buffer[] = [];
    for (const [index, id] of ids.entries()) {
      if (states[index] === 'stored') stored.push(id);
      else if (states[index] === 'pending') this.#tellWhenDurable(id, streamIndex);
    }
    const answered = send({ type: 'want', offerId, wanted: states.map((state) => state === 'missing') });
    const told = stored.length === 0 ? true : send(this.#durableMessage(stored));
    await Promise.all([answered, told]);
  }

  #tellWhenDurable(id: Buffer, streamIndex: number): void {
    const key = keyOf(id);
    this.#waiting.set(key, (this.#waiting.get(key) ?? 0) | (1 << streamIndex));
  }

  async #take(streamIndex: number, blocks: readonly StoredBlock[], memory: readonly Uint8Array[]): Promise<void> {
    let unwritten = blocks.length;
    const release = (): void => {
      unwritten -= 1;
      if (unwritten === 0) for (const each of memory) releaseMemory(each);
    };
    // A copy, because the identifiers are used after the message's memory is reused.
    const ids = Buffer.allocUnsafeSlow(blocks.length * blockIdBytes);
    let receivedBytes = 0;
    const taken = blocks.map(({ id, encoding, contentLength, stored }, index): BlockToAppend => {
      id.copy(ids, index * blockIdBytes);
      receivedBytes += stored.length;
      return {
        id: ids.subarray(index * blockIdBytes, (index + 1) * blockIdBytes),
        encoding,
        contentLength,
        stored,
        release,
      };
    });
    for (const { id } of taken) this.#tellWhenDurable(id, streamIndex);
    this.totals.receivedBytes += receivedBytes;
    this.totals.newBlocks += blocks.length;
    this.#unflushedBlocks += blocks.length;
    this.#storeWait.begin();
    try {
      await this.#store.append(taken);
    } catch (error) {
      this.refuse(error, this.#streams.get(streamIndex));
      return;
    } finally {
      this.#storeWait.end();
    }
    this.#receivedBlocks += blocks.length;
    if (this.#commit !== undefined) await this.#commitWhenWhole();
  }

  /** The commit may arrive before blocks on other streams, so it waits until all blocks are received. */
  async #commitWhenWhole(): Promise<void> {
    const commit = this.#commit;
    if (commit === undefined || this.#receivedBlocks < commit.blockCount || this.#isCommitted) return;
    if (this.#receivedBlocks > commit.blockCount)
      throw new FarkeepError('protocol.malformed', 'The target received more blocks than the source reports as sent');
    const { pointId, onEvent } = this.#options;
    const send = this.#streams.get(commit.streamIndex);
    try {
      await this.#store.flush();
      await this.#store.commitPoint({ pointId, root: commit.root });
    } catch (error) {
      this.refuse(error, send);
      return;
    }
    this.#isCommitted = true;
    this.#tellReplaced();
    const { storedBytes, newBlocks } = this.totals;
    onEvent({ type: 'committed', pointId, storedBytes, newBlocks, usedBytes: await this.#store.usedBytes() });
    await send?.({ type: 'committed', pointId, storedBytes, newBlocks });
  }

  async #send(ids: readonly Buffer[], send: Send): Promise<void> {
    const failed = new Map<string, { code: ErrorCode; message: string; ids: Buffer[] }>();
    let batch: StoredBlock[] = [];
    let batchBytes = 0;
    const flush = async (next?: StoredBlock): Promise<void> => {
      if (batch.length === 0) return;
      const blocks = batch;
      batch = [];
      this.totals.sentBytes += batchBytes;
      this.totals.sentBlocks += blocks.length;
      batchBytes = 0;
      const sent = send({ type: 'data', blocks });
      // The blocks are encrypted now. Neighboring blocks share the memory that they were read into. So the memory is released only if the
      // next block does not use it.
      for (const block of blocks) if (block.stored.buffer !== next?.stored.buffer) releaseMemory(block.stored);
      await sent;
    };
    const add = async (block: StoredBlock): Promise<void> => {
      if (
        batch.length > 0 &&
        (batchBytes + block.stored.length > maxDataMessageBytes || batch.length === maxBlocksPerDataMessage)
      )
        await flush(block);
      batch.push(block);
      batchBytes += block.stored.length;
    };
    for await (const outcome of this.#store.readMany(ids)) {
      if (outcome === undefined) continue;
      if (outcome.block !== undefined) {
        await add(outcome.block);
        continue;
      }
      const { code, message } = outcome.error;
      if (code !== 'storage.damaged' && code !== 'call.not-found') throw outcome.error;
      const group = failed.get(message) ?? { code: 'storage.damaged', message, ids: [] };
      group.ids.push(outcome.id);
      failed.set(message, group);
    }
    await flush();
    for (const { code, message, ids: lost } of failed.values()) await send({ type: 'error', code, message, ids: lost });
  }

  /**
   * Sends the reason to the source, without the provider's folders, and gives the source time to read it. If the connection were dropped at
   * once, the last message could be lost. The source would then assume a broken connection and try again. Data that still arrives is
   * ignored.
   */
  refuse(
    error: unknown,
    send: Send | undefined = this.#streams.values().next().value,
    type: 'error' | 'abort' = 'error',
  ): void {
    if (this.#refusal !== undefined) return;
    const known = toFarkeepError(error, 'storage.io');
    this.#refusal = known;
    if (type === 'error') this.#options.logger.warn('The source is refused', { error: known });
    const { code, message } = forTenant(known);
    const sent = send?.(type === 'error' ? { type, code, message, ids: [] } : { type, code, message });
    if (sent instanceof Promise) sent.catch(() => undefined); // The refusal is the real error, so an error of sending it is ignored.
    this.#lingerTimer = (this.#options.timers ?? systemClock).startTimer(send === undefined ? 0 : lingerMs, () => {
      this.#fail(this.#refusal);
    });
  }

  /** The reason why this side ended the session; undefined if it did not. */
  get refusal(): FarkeepError | undefined {
    return this.#refusal;
  }

  #tellDurable({ ids, storedBytes, replaced }: DurableBlocks): void {
    this.#replacedBlocks += replaced;
    this.totals.storedBytes += storedBytes;
    this.totals.durableBytes += storedBytes;
    this.#durableBlocks += ids.length;
    const byStream = new Map<number, Buffer[]>();
    for (const id of ids) {
      const key = keyOf(id);
      const streams = this.#waiting.get(key) ?? 0;
      this.#waiting.delete(key);
      for (let streamIndex = 0; streams >> streamIndex > 0; streamIndex += 1) {
        if (((streams >> streamIndex) & 1) === 0) continue;
        const list = byStream.get(streamIndex);
        if (list === undefined) byStream.set(streamIndex, [id]);
        else list.push(id);
      }
    }
    for (const [streamIndex, list] of byStream) {
      const send = this.#streams.get(streamIndex);
      for (let start = 0; start < list.length; start += maxIdsPerMessage) {
        const part = list.slice(start, start + maxIdsPerMessage);
        const sent = send?.(this.#durableMessage(part));
        if (sent instanceof Promise) this.#waitUntilRead(streamIndex, sent);
      }
    }
  }

  #waitUntilRead(streamIndex: number, sent: Promise<void>): void {
    const unread: Promise<void> = sent
      .catch(() => undefined) // A lost stream is reported elsewhere. The blocks are durable in any case.
      .finally(() => {
        if (this.#unread.get(streamIndex) === unread) this.#unread.delete(streamIndex);
      });
    this.#unread.set(streamIndex, unread);
  }

  #durableMessage(ids: readonly Buffer[]): DataMessage {
    const totalStoredBytes = this.totals.durableBytes;
    return { type: 'durable', totalBlocks: this.#durableBlocks, totalStoredBytes, ids };
  }

  #fail(error: unknown): void {
    this.#options.onFailure(toFarkeepError(error, 'storage.io'));
  }
}

function keyOf(id: Buffer): string {
  return id.toString('latin1');
}
