// Owns one lane of a backup, on its own thread: reads files into its arenas, cuts, identifies, and hands the blocks to its sender.
// Every byte is copied once by the disk read and once by the cipher. Does not decide what is read, nor what a restore point holds.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { blockIdOf } from '../repository/block-content.ts';
import type { DataMessage } from '../wire/messages.ts';
import { ArenaPool } from './arena-pool.ts';
import type { Arena } from './arena-pool.ts';
import { BlockSender } from './block-sender.ts';
import { ContentList } from './content-list.ts';
import { Cutter, defaultCutSizes } from './cutter.ts';
import { fileState, isSettled } from './file-state.ts';
import { OpenBlocks } from './open-blocks.ts';
import type { OpenFile } from './open-blocks.ts';
import { RecentBlocks } from './recent-blocks.ts';
import { isProbablySparse, openDirect, zeroGranuleBytes } from './sparse-reading.ts';
import { reasonOf } from './tree-scanner.ts';
import { asBuffer, emptyCounters } from './worker-link.ts';
import type { FileResult, FileTask, FromWorker, MadeBlock, WorkerCounters } from './worker-link.ts';

/** More than the largest block, so that a block always fits whole. */
const arenaBytes = 5 * 1024 * 1024;
const arenaCount = 3;
const readBytes = 1024 * 1024;
const sparseReadBytes = 4 * 1024 * 1024;
const resultBatch = 64;
const emptyState = Buffer.alloc(0);

interface ReadFile {
  readonly result: FileResult;
  readonly bytes: readonly Buffer[];
}

export interface BackupLaneOptions {
  readonly send: (message: DataMessage) => true | Promise<void>;
  readonly post: (message: FromWorker) => void;
  readonly fail: (error: unknown) => void;
}

export class BackupLane {
  readonly #options: BackupLaneOptions;
  readonly #cutter = new Cutter(arenaBytes * arenaCount + sparseReadBytes);
  readonly #pool = new ArenaPool(arenaBytes, arenaCount);
  readonly #tasks: FileTask[] = [];
  #results: FileResult[] = [];
  #resultBytes: Buffer[] = [];
  #durableFiles: number[] = [];
  #isReading = false;
  #isStopped = false;
  readonly #recent = new RecentBlocks();
  readonly #counters = emptyCounters();
  readonly #open: OpenBlocks;
  readonly #sender: BlockSender;
  #isDrainAsked = false;

  // The file being read: its bytes lie from #start to #fill in the current arena and are not cut yet.
  #start = 0;
  #fill = 0;
  #file: OpenFile | undefined;
  readonly #content = new ContentList();
  #sinceYieldBytes = 0;

  constructor(options: BackupLaneOptions) {
    this.#options = options;
    const { send, fail, post } = options;
    this.#open = new OpenBlocks({
      counters: this.#counters,
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
      counters: this.#counters,
      open: this.#open,
      onKnownAnswered: (token, wanted) => {
        post({ type: 'offered', token, wanted });
      },
      onProgress: () => {
        this.#postDurable();
        this.#checkDrained();
      },
    });
  }

  add(files: readonly FileTask[]): void {
    this.#tasks.push(...files);
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

  /** Asks for blocks that the main thread remembers; nothing is sent for them here. */
  offerKnown(token: number, ids: Uint8Array): void {
    const all = asBuffer(ids);
    const list = Array.from({ length: all.length / 32 }, (_, index) => all.subarray(index * 32, index * 32 + 32));
    this.#sender.offerKnown(token, list);
  }

  store(blocks: readonly MadeBlock[]): void {
    for (const { id, content } of blocks) {
      this.#sender.offer({ id: asBuffer(id), content: asBuffer(content), settle: () => undefined, file: undefined });
    }
    this.#sender.flush();
  }

  drain(): void {
    this.#isDrainAsked = true;
    this.#checkDrained();
  }

  stop(): void {
    this.#isStopped = true;
    this.#tasks.length = 0;
  }

  takeCounters(): WorkerCounters {
    const counters = { ...this.#counters };
    // What is only taken back is told together with what comes next.
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

  // reading

  async #readAll(): Promise<void> {
    for (let task = this.#tasks.shift(); task !== undefined && !this.#isStopped; task = this.#tasks.shift()) {
      await this.#readFile(task);
      if (this.#results.length >= resultBatch) this.#postResults();
      if (this.#sinceYieldBytes >= readBytes) await this.#yield();
    }
    this.#sender.flush();
    this.#pool.seal();
    this.#postResults();
    this.#postDurable();
  }

  async #readFile(task: FileTask): Promise<void> {
    // A file that changed while it was read is read once more; if it changes again it is saved as it was seen, and marked.
    for (let attempt = 1; ; attempt += 1) {
      const { result, bytes } = await this.#readOnce(task);
      const isReadAgain = result.problem === undefined && result.isChanged && attempt === 1;
      if (this.#file !== undefined && (isReadAgain || result.problem !== undefined)) this.#open.drop(this.#file);
      if (isReadAgain) continue;
      this.#results.push(result);
      this.#resultBytes.push(...bytes);
      return;
    }
  }

  async #readOnce({ index, path }: FileTask): Promise<ReadFile> {
    const failed = (error: unknown): ReadFile => ({
      result: { index, contentBytes: 0, stateBytes: 0, sizeBytes: 0, isChanged: false, problem: reasonOf(error) },
      bytes: [],
    });
    const file: OpenFile = { index, openBlocks: 0, isRead: false, safeBytes: 0, isDropped: false };
    this.#file = file;
    this.#content.clear();
    let descriptor: number;
    try {
      // O_NONBLOCK: a pipe put in the file's place since the scan must not hold the lane for ever.
      descriptor = openSync(asBuffer(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      return failed(error);
    }
    try {
      const before = fstatSync(descriptor, { bigint: true });
      if (!before.isFile()) return failed(new Error('it is not a file any more'));
      const sizeBytes = isProbablySparse(before)
        ? await this.#readSparse(descriptor, asBuffer(path), Number(before.size))
        : await this.#readPlain(descriptor, Number(before.size));
      const after = fstatSync(descriptor, { bigint: true });
      const isChanged = sizeBytes !== Number(before.size) || !fileState(before).equals(fileState(after));
      const content = this.#content.packed();
      const state = !isChanged && isSettled(after, Date.now()) ? fileState(after) : emptyState;
      return {
        result: {
          index,
          contentBytes: content.length,
          stateBytes: state.length,
          sizeBytes,
          isChanged,
          problem: undefined,
        },
        bytes: [content, state],
      };
    } catch (error) {
      if (error instanceof FarkeepError) throw error;
      return failed(error);
    } finally {
      closeSync(descriptor);
      this.#dropUncut();
      file.isRead = true;
      if (file.openBlocks === 0) this.#durableFiles.push(index);
    }
  }

  /** Reads up to the size that the file had when it was opened: a file that grows without end must come to one. */
  async #readPlain(descriptor: number, sizeBytes: number): Promise<number> {
    let position = 0;
    await this.#beginContent();
    while (position < sizeBytes) {
      const room = await this.#room();
      const beganMs = performance.now();
      const count = readSync(
        descriptor,
        this.#cutter.memory,
        this.#fill,
        Math.min(room, readBytes, sizeBytes - position),
        position,
      );
      if (count === 0) break;
      position += count;
      this.#fill += count;
      this.#read(count, beganMs);
      this.#cutFull();
      if (this.#sinceYieldBytes >= readBytes) await this.#yield();
    }
    this.#cutRest();
    return position;
  }

  /** As #readPlain, but runs of zeros become holes and are neither hashed nor sent. */
  async #readSparse(descriptor: number, path: Buffer, sizeBytes: number): Promise<number> {
    const direct = openDirect(path, descriptor);
    const memory = this.#cutter.memory;
    const window = memory.subarray(arenaBytes * arenaCount);
    let position = 0;
    await this.#beginContent();
    try {
      while (position < sizeBytes) {
        const beganMs = performance.now();
        const count = Math.min(direct.read(window, position), sizeBytes - position);
        if (count <= 0) break;
        for (let at = 0; at < count; at += zeroGranuleBytes) {
          const granule = window.subarray(at, Math.min(at + zeroGranuleBytes, count));
          if (direct.isZero(granule)) {
            this.#cutRest();
            this.#content.addHole(granule.length);
            if (this.#file !== undefined) this.#open.countSafe(this.#file, granule.length);
            continue;
          }
          for (let done = 0; done < granule.length;) {
            const part = granule.subarray(done, done + (await this.#room()));
            memory.set(part, this.#fill);
            this.#fill += part.length;
            done += part.length;
            this.#cutFull();
          }
        }
        position += count;
        this.#read(count, beganMs);
        if (this.#sinceYieldBytes >= readBytes) await this.#yield();
      }
    } finally {
      direct.close();
    }
    this.#cutRest();
    return position;
  }

  #read(count: number, beganMs: number): void {
    this.#counters.readBytes += count;
    this.#counters.sourceMs += performance.now() - beganMs;
    this.#sinceYieldBytes += count;
  }

  async #beginContent(): Promise<void> {
    const arena = this.#pool.current ?? (await this.#nextArena());
    this.#start = arena.used;
    this.#fill = arena.used;
  }

  /** Free bytes behind #fill, at least one; moves what is not cut yet to the next arena when the current one is full. */
  async #room(): Promise<number> {
    const arena = this.#pool.current;
    if (arena !== undefined && this.#fill < arena.end) return arena.end - this.#fill;
    const uncut = this.#cutter.memory.subarray(this.#start, this.#fill);
    if (arena !== undefined) arena.used = this.#start;
    // The arena may be given out again only after the move, so it is held like by a block.
    if (arena !== undefined) arena.openBlocks += 1;
    const next = await this.#nextArena();
    this.#cutter.memory.set(uncut, next.start);
    if (arena !== undefined) this.#pool.settle(arena);
    this.#start = next.start;
    this.#fill = next.start + uncut.length;
    return next.end - this.#fill;
  }

  async #nextArena(): Promise<Arena> {
    this.#sender.flush();
    this.#postResults();
    const beganMs = performance.now();
    const arena = await this.#pool.next();
    this.#counters.targetMs += performance.now() - beganMs;
    return arena;
  }

  /** Cuts while the answer cannot depend on bytes that are not here yet: an end before the last byte here, or a block of the largest size. */
  #cutFull(): void {
    const { averageBytes, maxBytes } = defaultCutSizes;
    for (;;) {
      const available = this.#fill - this.#start;
      // Looking too early would only mean looking again; a full arena cannot wait.
      if (available < 2 * averageBytes && this.#fill !== this.#pool.current?.end) return;
      const length = this.#cutter.cut(this.#start, available);
      if (length === available && available < maxBytes) return;
      this.#cutOne(length);
    }
  }

  #cutRest(): void {
    while (this.#fill > this.#start) this.#cutOne(this.#cutter.cut(this.#start, this.#fill - this.#start));
    const arena = this.#pool.current;
    if (arena !== undefined) arena.used = this.#fill;
  }

  #dropUncut(): void {
    const arena = this.#pool.current;
    if (arena !== undefined) arena.used = this.#start;
    this.#fill = this.#start;
  }

  #cutOne(length: number): void {
    const arena = this.#pool.current;
    const file = this.#file;
    if (arena === undefined || file === undefined)
      throw new FarkeepError('call.internal', 'A block was cut outside of a file');
    const beganMs = performance.now();
    const content = this.#cutter.memory.subarray(this.#start, this.#start + length);
    const id = blockIdOf(content);
    this.#counters.sourceMs += performance.now() - beganMs;
    this.#start += length;
    arena.used = this.#start;
    this.#content.addBlock(id, length);
    if (!this.#recent.isNew(id)) {
      this.#counters.reusedBlocks += 1;
      this.#open.repeat(id, length, file);
      return;
    }
    arena.openBlocks += 1;
    const settle = (): void => {
      this.#pool.settle(arena);
    };
    this.#sender.offer({ id, content, settle, file });
  }

  async #yield(): Promise<void> {
    this.#sinceYieldBytes = 0;
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.#isStopped) throw new FarkeepError('call.cancelled');
  }

  #checkDrained(): void {
    if (!this.#isDrainAsked || this.#isReading || !this.#sender.isIdle) return;
    this.#isDrainAsked = false;
    this.#options.post({ type: 'drained', sentBlocks: this.#sender.sentBlocks });
  }

  #postResults(): void {
    if (this.#results.length === 0) return;
    this.#options.post({
      type: 'files-read',
      results: this.#results,
      bytes: new Uint8Array(Buffer.concat(this.#resultBytes)),
    });
    this.#results = [];
    this.#resultBytes = [];
  }

  #postDurable(): void {
    if (this.#durableFiles.length === 0) return;
    // Results first: the main thread knows a file by its result.
    this.#postResults();
    this.#options.post({ type: 'files-durable', indexes: this.#durableFiles });
    this.#durableFiles = [];
  }
}
