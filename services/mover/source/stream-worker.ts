// Owns one stream of a source mover, on its own thread: connects with its ticket, opens the stream, runs the backup lane or checks restored
// blocks, and ends the stream. Exchanges messages with the main thread (worker-link.ts). Does not decide what is read or written.
import { isMarkedAsUntransferable } from 'node:worker_threads';
import { systemClock, type Timer, type Timers } from '../../kernel/clock.ts';
import { every, type Schedule } from '../../kernel/schedule.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { releaseMemory } from '../../kernel/release-memory.ts';
import { Secret } from '../../kernel/secret.ts';
import { decodeBlock, type BlockContext } from '../../blocks/block-codec.ts';
import type { StoredBlock } from '../../blocks/block.ts';
import { dataProtocolVersion } from '../../wire/messages.ts';
import type { DataMessage } from '../../wire/messages.ts';
import type { BackupLane, BackupLaneOptions } from './backup/backup-lane.ts';
import { aliveIntervalMs, maxSilentMs } from '../link/data-connection.ts';
import type { DataConnection, DataConnectionHandlers } from '../link/data-connection.ts';
import { failureOfProvider } from '../link/for-tenant.ts';
import type { FilePlacer } from './restore/file-placer.ts';
import { unpackPlacedFiles } from './streams/placed-files.ts';
import { asBuffer, emptyCounters } from './streams/worker-link.ts';
import type { FromWorker, RestoredBlock, ToWorker, WorkerStart } from './streams/worker-link.ts';

const countersIntervalMs = 100;
const closeDeadlineMs = 5_000;
/** Lanes number their offers from 1. */
const aliveOfferId = 0;

/** A restore does not name job and kind of its blocks to a worker. Blocks that are not encrypted do not need them. */
const receivedBlock: BlockContext = { chain: undefined, kind: undefined, purpose: 'wire' };

/** What a stream worker needs of its data connection. */
export type StreamConnection = Pick<DataConnection, 'send' | 'end' | 'fail' | 'isOpen' | 'silentMs'>;

export interface StreamWorkerOptions {
  /** Sends a message to the main thread. */
  readonly post: (message: FromWorker, transfer?: ArrayBuffer[]) => void;
  /** Called once, after the last message: the thread may end. */
  readonly onFinished: () => void;
  /** Calls no handler before the returned promise has resolved. */
  readonly connect: (start: WorkerStart, keyB: Secret, handlers: DataConnectionHandlers) => Promise<StreamConnection>;
  /** Called for a backup only. */
  readonly createLane: (ports: BackupLaneOptions) => BackupLane;
  readonly placer: FilePlacer;
  readonly timers?: Timers;
}

export class StreamWorker {
  readonly #start: WorkerStart;
  readonly #options: StreamWorkerOptions;
  readonly #timers: Timers;
  readonly #keyB: Secret;
  readonly #lane: BackupLane | undefined;
  readonly #placer: FilePlacer;
  readonly #counterReports: Schedule;
  readonly #signsOfLife: Schedule;
  #connection: StreamConnection | undefined;
  #hasSentOpen = false;
  /** The target has answered `open`. */
  #isOpen = false;
  /** The main thread has asked for the end. */
  #isEnding = false;
  #hasFailed = false;
  #isFinished = false;
  #closeLimit: Timer | undefined;
  #restoreCounters = emptyCounters();

  /** Takes Key B out of `start` and zeroes it there. */
  constructor(start: WorkerStart, options: StreamWorkerOptions) {
    const { timers = systemClock } = options;
    this.#start = start;
    this.#options = options;
    this.#timers = timers;
    this.#placer = options.placer;
    this.#keyB = Secret.take(Buffer.from(start.keyB));
    start.keyB.fill(0);
    this.#lane =
      start.operation !== 'backup'
        ? undefined
        : options.createLane({
            chain: start.chain,
            send: (message) => this.#send(message),
            post: options.post,
            fail: (error) => {
              this.#fail(error);
            },
          });
    this.#counterReports = every(countersIntervalMs, () => this.#report(), { timers });
    this.#signsOfLife = every(aliveIntervalMs, () => this.#keepAlive(), { timers });
  }

  /** Connects and opens the stream. Never rejects: a failure goes to the main thread. */
  async run(): Promise<void> {
    try {
      this.#connection = await this.#options.connect(this.#start, this.#keyB, {
        onOpen: () => {
          // Sent in the next turn, because the connection is still reading.
          setImmediate(() => {
            this.#sendOpen();
          });
        },
        onMessage: (message, memory) => {
          const failed = (error: unknown): never => {
            this.#fail(error);
            throw error;
          };
          try {
            return this.#receive(message, memory)?.catch(failed);
          } catch (error) {
            return failed(error);
          }
        },
        onPeerEnd: () => {
          if (!this.#isEnding)
            this.#fail(new FarkeepError('connection.lost', 'The target ended the data stream early'));
        },
        onClose: (error) => {
          if (error === undefined || this.#isEnding) this.#finish();
          else this.#fail(error);
        },
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Carries out what the main thread asks for. */
  command(message: Exclude<ToWorker, WorkerStart>): void {
    try {
      this.#command(message);
    } catch (error) {
      this.#fail(error);
    }
  }

  #command(message: Exclude<ToWorker, WorkerStart>): void {
    switch (message.type) {
      case 'files':
        this.#lane?.add(message.files);
        return;
      case 'offer':
        this.#lane?.offerKnown(message.token, message.ids);
        return;
      case 'store':
        this.#lane?.store(message.blocks);
        return;
      case 'drain':
        this.#lane?.drain();
        return;
      case 'commit':
        this.#sendOrFail({ type: 'commit', blockCount: message.blockCount, root: asBuffer(message.root) });
        return;
      case 'read': {
        const all = asBuffer(message.ids);
        const ids = Array.from({ length: all.length / 32 }, (_, index) => all.subarray(index * 32, index * 32 + 32));
        this.#placer.expect(ids, unpackPlacedFiles(asBuffer(message.files)));
        this.#sendOrFail({ type: 'read', ids });
        return;
      }
      case 'abort':
        this.#lane?.stop();
        this.#isEnding = true;
        // `open` is the first message of a stream. If another message came first, the target would report a malformed stream, and the
        // session would not be tried again.
        if (this.#connection?.isOpen === true && this.#hasSentOpen)
          // A failure to send changes nothing: the stream ends either way.
          void Promise.resolve(this.#send({ type: 'abort', code: message.code, message: message.message })).catch(
            () => undefined,
          );
        this.#close();
        return;
      case 'close':
        this.#isEnding = true;
        this.#close();
        return;
    }
  }

  // receiving messages of the target

  #receive(message: DataMessage, memory: readonly Uint8Array[]): void | Promise<void> {
    if (!this.#isOpen) {
      this.#opened(message);
      return;
    }
    if (message.type === 'want' && message.offerId === aliveOfferId) return;
    switch (message.type) {
      case 'committed':
        this.#options.post({ type: 'committed', storedBytes: message.storedBytes });
        return;
      case 'data':
        return this.#restored(message.blocks, memory);
      case 'abort':
        throw failureOfProvider(message.code, message.message);
      case 'error': {
        const error = failureOfProvider(message.code, message.message);
        if (message.ids.length === 0) throw error;
        this.#blocksFailed(message.ids, error);
        this.#postPlaced();
        return;
      }
      default:
        if (this.#lane === undefined)
          throw new FarkeepError('protocol.malformed', `The target sent "${message.type}" during a restore`);
        this.#lane.receive(message);
    }
  }

  #opened(message: DataMessage): void {
    if (message.type === 'error') throw failureOfProvider(message.code, message.message);
    const { pointId } = this.#start;
    if (message.type !== 'open' || message.protocol !== dataProtocolVersion || message.pointId !== pointId)
      throw new FarkeepError('protocol.malformed', 'The target did not answer "open" as it should');
    this.#isOpen = true;
    this.#options.post({ type: 'open', root: new Uint8Array(message.root) });
  }

  /**
   * Decodes and checks blocks on this thread, and passes them to the main thread without a copy. Waits only for blocks that are decoded
   * asynchronously.
   */
  #restored(blocks: readonly StoredBlock[], received: readonly Uint8Array[]): void | Promise<void> {
    const counters = this.#restoreCounters;
    const checked: RestoredBlock[] = [];
    const memory = new Set<ArrayBuffer>();
    const beganMs = performance.now();
    const take = (block: StoredBlock, decoded: Buffer): void => {
      let content: Uint8Array = decoded;
      if (this.#placer.place(block.id, content)) {
        if (block.encoding !== 'raw') releaseMemory(content); // A raw block's content is the received memory, which is passed on.
        return;
      }
      const id = new Uint8Array(block.id);
      // Small buffers share Node's pool, which cannot leave this thread.
      if (isMarkedAsUntransferable(content.buffer)) content = new Uint8Array(content);
      memory.add(content.buffer as ArrayBuffer);
      checked.push({ id, content });
    };
    const decodeFrom = (first: number): void | Promise<void> => {
      for (const [index, block] of blocks.entries()) {
        if (index < first) continue;
        counters.transferredBytes += block.stored.length;
        counters.contentBytes += block.contentLength;
        counters.newBlocks += 1;
        const content = this.#decode(block);
        if (content instanceof Promise)
          return content.then(async (decoded) => {
            if (decoded !== undefined) take(block, decoded);
            await decodeFrom(index + 1);
          });
        if (content !== undefined) take(block, content);
      }
      counters.compressMs += performance.now() - beganMs;
      if (checked.length > 0) this.#options.post({ type: 'blocks', blocks: checked }, [...memory]);
      this.#postPlaced();
      for (const view of received) releaseMemory(view); // Releases the memory that was not passed on.
    };
    return decodeFrom(0);
  }

  /** Decodes a block. @returns undefined if the content is wrong; the error is then reported to the main thread */
  #decode(block: StoredBlock): Buffer | undefined | Promise<Buffer | undefined> {
    const failed = (error: unknown): undefined => {
      this.#blocksFailed([block.id], toFarkeepError(error, 'restore.mismatch'));
      return undefined;
    };
    try {
      const content = decodeBlock(block, receivedBlock);
      return content instanceof Promise ? content.catch(failed) : content;
    } catch (error) {
      failed(error);
      return undefined;
    }
  }

  #blocksFailed(ids: readonly Buffer[], error: FarkeepError): void {
    const others = ids.filter((id) => !this.#placer.fail(id, error.toInfo()));
    if (others.length === 0) return;
    const { code, message } = error;
    this.#options.post({ type: 'blocks-failed', ids: new Uint8Array(Buffer.concat(others)), code, message });
  }

  #postPlaced(): void {
    const taken = this.#placer.takeResults();
    if (taken !== undefined) this.#options.post({ type: 'placed', ...taken }, [taken.whole.buffer]);
  }

  // sending messages to the target

  #sendOpen(): void {
    if (this.#isEnding || this.#isFinished) return;
    this.#hasSentOpen = true;
    const { operation, streamIndex, streamCount, pointId } = this.#start;
    const root = Buffer.alloc(0);
    this.#sendOrFail({
      type: 'open',
      protocol: dataProtocolVersion,
      operation,
      streamIndex,
      streamCount,
      pointId,
      root,
    });
  }

  #send(message: DataMessage): true | Promise<void> {
    return (
      this.#connection?.send(message) ??
      Promise.reject(new FarkeepError('connection.lost', 'The data stream is not open yet'))
    );
  }

  /** Does not wait: messages sent this way are small. */
  #sendOrFail(message: DataMessage): void {
    Promise.resolve(this.#send(message)).catch((error: unknown) => {
      this.#fail(error);
    });
  }

  #keepAlive(): void {
    const connection = this.#connection;
    if (connection?.isOpen !== true || !this.#isOpen || this.#isEnding) return;
    if (connection.silentMs > maxSilentMs)
      this.#fail(new FarkeepError('connection.lost', 'The target has not been heard of for too long'));
    else if (connection.silentMs > aliveIntervalMs / 2)
      this.#sendOrFail({ type: 'offer', offerId: aliveOfferId, ids: [] });
  }

  // ending the stream

  #fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#lane?.stop();
    const { code, message, hint, retryable, details } = toFarkeepError(error);
    const known = new FarkeepError(code, message, {
      hint,
      retryable,
      details: { ...details, stream: this.#start.streamIndex },
      cause: error,
    });
    // The reason is sent before this stream is cut. After the cut, the target drops the other streams, and the workers of these streams
    // only know that their connection was cut.
    this.#options.post({ type: 'failed', error: known.toInfo() });
    this.#connection?.fail(known);
    this.#finish();
  }

  #close(): void {
    if (this.#connection === undefined || !this.#connection.isOpen) {
      this.#finish();
      return;
    }
    this.#connection.end();
    this.#closeLimit ??= this.#timers.startTimer(closeDeadlineMs, () => this.#finish(), { isBackground: true });
  }

  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#counterReports.stop();
    this.#signsOfLife.stop();
    this.#closeLimit?.stop();
    this.#report();
    this.#options.post({ type: 'closed' });
    this.#keyB.dispose();
    this.#options.onFinished();
  }

  #report(): void {
    const counters = this.#lane === undefined ? this.#restoreCounters : this.#lane.takeCounters();
    this.#restoreCounters = emptyCounters();
    if (Object.values(counters).some((value: number) => value > 0)) this.#options.post({ type: 'counters', counters });
  }
}
