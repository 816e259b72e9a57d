// Owns splitting one open file into blocks, on a lane's thread: reads into arenas, cuts, hashes and offers. The disk read copies each byte
// once, and the cipher once more. Does not know file names, and does not decide whether a file is read again.
import { FarkeepError } from '../../../kernel/farkeep-error.ts';
import { ArenaPool } from './arena-pool.ts';
import type { Arena } from './arena-pool.ts';
import { blockKeyOf } from '../../../blocks/block.ts';
import type { BlockSender } from './block-sender.ts';
import { ContentList } from '../walk/content-list.ts';
import { Cutter, defaultCutSizes } from './cutter.ts';
import { isSettled, type FileStat } from '../walk/file-stat.ts';
import type { UndurableBlocks, OpenFile } from './undurable-blocks.ts';
import { RecentBlocks } from './recent-blocks.ts';
import type { SourceDisk } from '../walk/source-disk.ts';
import { dataStretches, DirectReader, isProbablySparse, isZero, zeroGranuleBytes } from './sparse-reading.ts';
import type { LaneClock } from '../streams/lane-clock.ts';
import type { WorkerCounters } from '../streams/worker-link.ts';

/** Larger than the largest block, so that every block fits into one arena. */
const arenaBytes = 5 * 1024 * 1024;
const arenaCount = 3;
const readBytes = 1024 * 1024;
const sparseReadBytes = 4 * 1024 * 1024;
/** The cost of opening a file, expressed in bytes of reading. */
const fileCostBytes = 4096;

export function createLaneCutter(): Cutter {
  return new Cutter(arenaBytes * arenaCount + sparseReadBytes);
}

export interface ContentReaderOptions {
  readonly disk: SourceDisk;
  readonly cutter: Cutter;
  readonly sender: BlockSender;
  readonly open: UndurableBlocks;
  readonly counters: WorkerCounters;
  readonly clock: LaneClock;
  /** Called while the reader waits for memory, so that the caller can report finished files. */
  readonly onWait: () => void;
  readonly isStopped: () => boolean;
}

export class ContentReader {
  readonly #options: ContentReaderOptions;
  readonly #cutter: Cutter;
  readonly #pool = new ArenaPool(arenaBytes, arenaCount);
  readonly #recent = new RecentBlocks();
  readonly #content = new ContentList();
  // The bytes of the current file from #start to #fill in the current arena are not cut into blocks yet.
  #start = 0;
  #fill = 0;
  #file: OpenFile | undefined;
  #sinceYieldBytes = 0;

  constructor(options: ContentReaderOptions) {
    this.#options = options;
    this.#cutter = options.cutter;
  }

  /** Returns a copy of the content list of the last file (content-list.ts). */
  packedContent(): Buffer {
    return this.#content.packed();
  }

  /**
   * Reads up to the size of the file when it was opened, so that a growing file cannot keep the reader busy forever.
   * A file that fits into free memory is read at once, without a promise.
   * @returns number of bytes read
   */
  read(descriptor: number, file: OpenFile, stat: FileStat): number | Promise<number> {
    this.#file = file;
    this.#content.clear();
    const { sizeBytes } = stat;
    const arena = this.#pool.current;
    if (arena !== undefined && sizeBytes < arena.end - arena.used && sizeBytes <= defaultCutSizes.minBytes) {
      this.#start = arena.used;
      this.#fill = arena.used;
      const count = this.#readSome(descriptor, sizeBytes, 0);
      // The read is short if the file was truncated, or if a signal interrupted it. Signals are rare, so the read is simply repeated.
      if (count === sizeBytes || this.#readSome(descriptor, sizeBytes - count, count) === 0) {
        this.#cutRest();
        return count;
      }
      this.dropUncut();
    }
    return isProbablySparse(stat) ? this.#readSparse(descriptor, stat) : this.#readPlain(descriptor, sizeBytes);
  }

  /** Drops the bytes that were read but not cut, of a file that cannot be read to its end. */
  dropUncut(): void {
    const arena = this.#pool.current;
    if (arena !== undefined) arena.used = this.#start;
    this.#fill = this.#start;
  }

  /** Must be called when no file waits to be read. The current arena is then free again as soon as its blocks are no longer needed. */
  seal(): void {
    this.#pool.seal();
  }

  get mustYield(): boolean {
    return this.#sinceYieldBytes >= readBytes;
  }

  async yield(): Promise<void> {
    this.#sinceYieldBytes = 0;
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.#options.isStopped()) throw new FarkeepError('call.canceled');
  }

  async #readPlain(descriptor: number, sizeBytes: number): Promise<number> {
    let position = 0;
    await this.#begin();
    while (position < sizeBytes) {
      const room = await this.#room();
      const count = this.#readSome(descriptor, Math.min(room, readBytes, sizeBytes - position), position);
      if (count === 0) break;
      position += count;
      this.#cutFull();
      if (this.mustYield) await this.yield();
    }
    this.#cutRest();
    return position;
  }

  #readSome(descriptor: number, length: number, position: number): number {
    const count = this.#timed(() =>
      this.#options.disk.read(descriptor, this.#cutter.memory, this.#fill, length, position),
    );
    this.#fill += count;
    this.#read(count);
    return count;
  }

  /**
   * Reads a sparse file. Runs of zeros become holes and are neither hashed nor sent. In all other respects, the method works like
   * #readPlain.
   */
  async #readSparse(descriptor: number, stat: FileStat): Promise<number> {
    const { disk } = this.#options;
    const { sizeBytes } = stat;
    await this.#begin();
    // Some file systems allocate space late and report recent writes as holes.
    if (!isSettled(stat, Date.now())) settle(disk, descriptor);
    let reader: DirectReader | undefined;
    let position = 0;
    try {
      for (const { from, to, isGuess } of dataStretches(disk, descriptor, sizeBytes)) {
        this.#hole(from - position);
        position = from;
        if (isGuess) reader ??= new DirectReader(disk, descriptor);
        position = await this.#readGranules(descriptor, reader, from, to);
        if (position < to) break;
      }
      // After the last data there is one hole, unless the file was truncated during the read.
      if (position < sizeBytes && disk.statFile(descriptor).sizeBytes >= sizeBytes) {
        this.#hole(sizeBytes - position);
        position = sizeBytes;
      }
    } finally {
      reader?.close();
    }
    this.#cutRest();
    return position;
  }

  #hole(lengthBytes: number): void {
    if (lengthBytes <= 0) return;
    this.#cutRest();
    this.#content.addHole(lengthBytes);
    if (this.#file !== undefined) this.#options.open.countSafe(this.#file, lengthBytes);
    this.#options.counters.readBytes += lengthBytes;
  }

  async #readGranules(descriptor: number, direct: DirectReader | undefined, from: number, to: number): Promise<number> {
    const memory = this.#cutter.memory;
    const window = memory.subarray(arenaBytes * arenaCount);
    const reader = direct ?? {
      read: (target: Buffer, at: number) => this.#options.disk.read(descriptor, target, 0, target.length, at),
    };
    let position = from;
    while (position < to) {
      const target = direct === undefined ? window.subarray(0, Math.min(window.length, to - position)) : window;
      const count = Math.min(
        this.#timed(() => reader.read(target, position)),
        to - position,
      );
      if (count <= 0) break;
      for (let at = 0; at < count;) {
        // Granules start at multiples of their size in the file, even after a short read.
        const length = Math.min(zeroGranuleBytes - ((position + at) % zeroGranuleBytes), count - at);
        const granule = window.subarray(at, at + length);
        at += length;
        if (isZero(granule)) {
          this.#hole(length);
          this.#options.counters.readBytes -= length;
          continue;
        }
        for (let done = 0; done < length;) {
          const part = granule.subarray(done, done + (await this.#room()));
          memory.set(part, this.#fill);
          this.#fill += part.length;
          done += part.length;
          this.#cutFull();
        }
      }
      position += count;
      this.#read(count);
      if (this.mustYield) await this.yield();
    }
    return position;
  }

  /** Counts the time of this work as time of the source. */
  #timed<Result>(work: () => Result): Result {
    const { clock } = this.#options;
    clock.begin('source');
    try {
      return work();
    } finally {
      clock.end('source');
    }
  }

  #read(count: number): void {
    this.#options.counters.readBytes += count;
    this.#sinceYieldBytes += count + fileCostBytes;
  }

  async #begin(): Promise<void> {
    const arena = this.#pool.current ?? (await this.#nextArena());
    this.#start = arena.used;
    this.#fill = arena.used;
  }

  /** Number of free bytes after #fill, at least one. If the current arena is full, the uncut bytes move to the next arena. */
  async #room(): Promise<number> {
    const arena = this.#pool.current;
    if (arena !== undefined && this.#fill < arena.end) return arena.end - this.#fill;
    const uncut = this.#cutter.memory.subarray(this.#start, this.#fill);
    if (arena !== undefined) arena.used = this.#start;
    // The pool must not reuse this arena before its uncut bytes are in the next arena. So until then, this arena counts one more undurable
    // block.
    if (arena !== undefined) arena.undurableBlocks += 1;
    const next = await this.#nextArena();
    this.#cutter.memory.set(uncut, next.start);
    if (arena !== undefined) this.#pool.settle(arena);
    this.#start = next.start;
    this.#fill = next.start + uncut.length;
    return next.end - this.#fill;
  }

  async #nextArena(): Promise<Arena> {
    this.#options.sender.flush();
    this.#options.onWait();
    return this.#pool.next();
  }

  /** Cuts blocks whose end cannot depend on later bytes: the cut lies before the last byte present, or the block has the largest size. */
  #cutFull(): void {
    const { averageBytes, maxBytes } = defaultCutSizes;
    for (;;) {
      const available = this.#fill - this.#start;
      // With fewer bytes, the search for a block end would probably be repeated later. But if the arena is full, no more bytes can be
      // added.
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

  #cutOne(length: number): void {
    const arena = this.#pool.current;
    const file = this.#file;
    if (arena === undefined || file === undefined)
      throw new FarkeepError('call.internal', 'A block was cut outside of a file');
    const { counters, open, sender } = this.#options;
    const content = this.#cutter.memory.subarray(this.#start, this.#start + length);
    const key = this.#timed(() => blockKeyOf(content));
    this.#start += length;
    arena.used = this.#start;
    this.#content.addBlock(key, length);
    if (!this.#recent.isNew(key)) {
      counters.reusedBlocks += 1;
      open.repeat(key, length, file);
      return;
    }
    arena.undurableBlocks += 1;
    sender.offer({ key, content, memory: this.#pool, arena, file });
  }
}

/** Flushes the file. If the file system cannot flush, its report of holes is still checked against the file's times later. */
function settle(disk: SourceDisk, descriptor: number): void {
  try {
    disk.settleFile(descriptor);
  } catch {
    // A read-only file system, or one without this call.
  }
}
