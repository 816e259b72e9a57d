// Owns one lane of a backup, on its own thread: opens the given files, reads each through one descriptor, and reports the result. The
// reported metadata belongs to the descriptor, never to the name. Does not decide which files are read or stored.
import { FarkeepError } from '../../../kernel/farkeep-error.ts';
import { isMissing } from '../../../kernel/system-error.ts';
import type { DataMessage } from '../../../wire/messages.ts';
import { keyOfId } from '../../../blocks/block.ts';
import { BlockSender } from './block-sender.ts';
import { ContentReader, createLaneCutter } from './content-reader.ts';
import type { Cutter } from './cutter.ts';
import { FileBatchWriter, readTasks } from '../streams/file-batch.ts';
import type { FileResult, FileTask } from '../streams/file-batch.ts';
import { isFile, isSameState, isSettled } from '../walk/file-stat.ts';
import { UndurableBlocks } from './undurable-blocks.ts';
import type { OpenFile } from './undurable-blocks.ts';
import { createSourceDisk, isOtherNow, reasonOf, type SourceDisk } from '../walk/source-disk.ts';
import { LaneClock } from '../streams/lane-clock.ts';
import { asBuffer, emptyCounters } from '../streams/worker-link.ts';
import type { FromWorker, MadeBlock, WorkerCounters } from '../streams/worker-link.ts';

const resultBatch = 128;
const noContent = Buffer.alloc(0);

export interface BackupLaneOptions {
  readonly send: (message: DataMessage) => true | Promise<void>;
  readonly post: (message: FromWorker, transfer?: ArrayBuffer[]) => void;
  readonly fail: (error: unknown) => void;
  /** Identifier of the job. */
  readonly chain: string | undefined;
  readonly disk?: SourceDisk;
  readonly cutter?: Cutter;
}

export class BackupLane {
  readonly #options: BackupLaneOptions;
  readonly #disk: SourceDisk;
  readonly #batches: Uint8Array[] = [];
  readonly #results = new FileBatchWriter();
  #durableFiles: number[] = [];
  #isReading = false;
  #isStopped = false;
  readonly #counters = emptyCounters();
  readonly #clock = new LaneClock(this.#counters);
  readonly #open: UndurableBlocks;
  readonly #sender: BlockSender;
  readonly #reader: ContentReader;
  #isDrainAsked = false;

  constructor(options: BackupLaneOptions) {
    this.#options = options;
    const { send, fail, post, chain, disk = createSourceDisk(), cutter = createLaneCutter() } = options;
    this.#disk = disk;
    const counters = this.#counters;
    this.#open = new UndurableBlocks({
      counters,
      onFileSafe: (index) => {
        this.#durableFiles.push(index);
      },
      onOfferSafe: (token) => {
        post({ type: 'offer-safe', token });
      },
    });
    this.#sender = new BlockSender({
      send,
      fail,
      chain,
      counters,
      clock: this.#clock,
      open: this.#open,
      onKnownAnswered: (token, wanted) => {
        post({ type: 'offered', token, wanted });
      },
      onProgress: () => {
        this.#postDurable();
        this.#checkDrained();
      },
    });
    this.#reader = new ContentReader({
      disk,
      cutter,
      sender: this.#sender,
      open: this.#open,
      counters,
      clock: this.#clock,
      onWait: () => {
        this.#postResults();
      },
      isStopped: () => this.#isStopped,
    });
  }

  /** @param files packed (file-batch.ts) */
  add(files: Uint8Array): void {
    this.#batches.push(files);
    if (this.#isReading) return;
    this.#isReading = true;
    this.#readAll()
      .catch((error: unknown) => {
        this.#options.fail(error);
      })
      .finally(() => {
        this.#isReading = false;
        this.#checkDrained();
      });
  }

  /**
   * Offers blocks that the main thread knows from the file cache. The lane does not have the content of these blocks, so it sends no
   * content.
   */
  offerKnown(token: number, ids: Uint8Array): void {
    const all = asBuffer(ids);
    const list = Array.from({ length: all.length / 32 }, (_, index) => all.subarray(index * 32, index * 32 + 32));
    this.#sender.offerKnown(token, list);
  }

  store(blocks: readonly MadeBlock[]): void {
    for (const { id, content } of blocks) {
      const key = keyOfId(asBuffer(id));
      this.#sender.offer({ key, content: asBuffer(content), memory: undefined, arena: undefined, file: undefined });
    }
    this.#sender.flush();
  }

  drain(): void {
    this.#isDrainAsked = true;
    this.#checkDrained();
  }

  stop(): void {
    this.#isStopped = true;
    this.#batches.length = 0;
  }

  takeCounters(): WorkerCounters {
    this.#clock.settle();
    const counters = { ...this.#counters };
    // If all changes are negative (a file must be read again), they are reported together with the next positive change.
    if (Object.values(counters).every((value: number) => value <= 0)) return emptyCounters();
    Object.assign(this.#counters, emptyCounters());
    return counters;
  }

  receive(message: DataMessage): void {
    switch (message.type) {
      case 'want':
        this.#sender.answered(message.offerId, message.wanted);
        return;
      case 'durable':
        this.#sender.durable(message.ids);
        this.#options.post({ type: 'durable', totalStoredBytes: message.totalStoredBytes });
        return;
      default:
        throw new FarkeepError('protocol.malformed', `The target sent "${message.type}" during a backup`);
    }
  }

  // reading files

  async #readAll(): Promise<void> {
    for (let batch = this.#batches.shift(); batch !== undefined; batch = this.#batches.shift()) {
      for (const task of readTasks(batch)) {
        if (this.#isStopped) return;
        let result = this.#readFile(task, 1);
        if (result instanceof Promise) result = await result;
        this.#results.addResult(result);
        if (this.#results.count >= resultBatch) this.#postResults();
        if (this.#reader.mustYield) await this.#reader.yield();
      }
      this.#postResults();
    }
    this.#sender.flush();
    this.#reader.seal();
    this.#postResults();
    this.#postDurable();
  }

  /** Reads a file once more when it changed during the first read. If it changes again, the last content is saved and marked as changed. */
  #readFile(task: FileTask, attempt: number): FileResult | Promise<FileResult> {
    const { index, folder, name } = task;
    const file: OpenFile = { index, undurableBlocks: 0, isRead: false, safeBytes: 0, isDropped: false };
    let descriptor: number;
    try {
      this.#clock.begin('source');
      descriptor = this.#disk.openFile(folder, name);
    } catch (error) {
      return this.#notRead(file, error);
    } finally {
      this.#clock.end('source');
    }
    let isLeftOpen = false;
    try {
      const before = this.#disk.statFile(descriptor);
      if (!isFile(before)) return { ...nothingRead(index), outcome: 'other' };
      const sizeBytes = this.#reader.read(descriptor, file, before);
      const finish = (bytes: number): FileResult | undefined => {
        const after = this.#disk.statFile(descriptor);
        const isChanged = bytes !== before.sizeBytes || !isSameState(before, after);
        if (isChanged && attempt === 1) {
          this.#open.drop(file);
          return undefined;
        }
        const content = this.#reader.packedContent();
        const settled = !isChanged && isSettled(after, Date.now());
        return {
          index,
          outcome: 'read',
          stat: after,
          sizeBytes: bytes,
          isChanged,
          isSettled: settled,
          problem: '',
          content,
        };
      };
      if (sizeBytes instanceof Promise) {
        isLeftOpen = true;
        return sizeBytes
          .then(finish)
          .finally(() => {
            this.#disk.closeFile(descriptor);
          })
          .then((result) => (result === undefined ? this.#readFile(task, 2) : this.#isRead(result, file)))
          .catch((error: unknown) => this.#notRead(file, error));
      }
      const result = finish(sizeBytes);
      return result === undefined ? this.#readFile(task, 2) : this.#isRead(result, file);
    } catch (error) {
      return this.#notRead(file, error);
    } finally {
      if (!isLeftOpen) this.#disk.closeFile(descriptor);
    }
  }

  #isRead(result: FileResult, file: OpenFile): FileResult {
    file.isRead = true;
    if (file.undurableBlocks === 0) this.#durableFiles.push(file.index);
    return result;
  }

  #notRead(file: OpenFile, error: unknown): FileResult {
    if (error instanceof FarkeepError) throw error;
    this.#reader.dropUncut();
    this.#open.drop(file);
    const nothing = nothingRead(file.index);
    if (isMissing(error)) return { ...nothing, outcome: 'gone' };
    if (isOtherNow(error)) return { ...nothing, outcome: 'other' };
    return { ...nothing, outcome: 'unreadable', problem: reasonOf(error) };
  }

  #checkDrained(): void {
    if (!this.#isDrainAsked || this.#isReading || !this.#sender.isIdle) return;
    this.#isDrainAsked = false;
    this.#options.post({ type: 'drained', sentBlocks: this.#sender.sentBlocks });
  }

  #postResults(): void {
    if (this.#results.count === 0) return;
    const results = this.#results.take();
    this.#options.post({ type: 'files-read', results }, [results.buffer]);
  }

  #postDurable(): void {
    if (this.#durableFiles.length === 0) return;
    // Sends the file results first, because the main thread learns about a file by its result.
    this.#postResults();
    this.#options.post({ type: 'files-durable', indexes: this.#durableFiles });
    this.#durableFiles = [];
  }
}

function nothingRead(index: number): FileResult {
  return {
    index,
    outcome: 'unreadable',
    stat: undefined,
    sizeBytes: 0,
    isChanged: false,
    isSettled: false,
    problem: '',
    content: noContent,
  };
}
