// Owns the files of a backup without an outcome: files whose cached blocks were offered to the target, and files that a lane reads. Sends
// the files of both groups in batches, so that thousands of small files need only dozens of messages. The folder of a file that a lane
// reads stays open.
import type { CacheSlot } from '../walk/cached-folder.ts';
import { packedReferenceBytes } from '../walk/content-list.ts';
import { FileBatchWriter } from '../streams/file-batch.ts';
import { reasonOf } from '../walk/source-disk.ts';
import type { PipelineStreams } from '../streams/stream-pool.ts';
import type { ScannedEntry } from '../walk/tree-scanner.ts';

const leadStream = 0;
const idBytes = 32;
const offerIds = 4096;
const maxOpenOffers = 4;
const batchFiles = 128;
const batchBytes = 8 * 1024 * 1024;
const maxLaneFiles = 512;
const maxLaneBytes = 32 * 1024 * 1024;

export interface PendingFile {
  /** Index in the manifest window. */
  readonly index: number;
  readonly entry: ScannedEntry;
  /** Packed content list from the cache; undefined if the file must be read. */
  readonly cached: Buffer | undefined;
  /** The file's place in the cache; undefined when the file is not remembered. */
  readonly slot: CacheSlot | undefined;
  unansweredIds: number;
  isMissingBlocks: boolean;
  lane: number;
  /** Number of times a lane has read the file. */
  readings: number;
}

export interface PendingFilesOptions {
  readonly streams: PipelineStreams;
  /** Called when the target has every block of a remembered file, which settles the file. */
  readonly onUnchanged: (file: PendingFile, content: Buffer) => void;
  /** Called when the file can no longer be given to a lane. */
  readonly onLost: (file: PendingFile, reason: string) => void;
}

type OfferPart = { readonly file: PendingFile; readonly count: number };

export class PendingFiles {
  readonly #options: PendingFilesOptions;
  readonly #files = new Map<number, PendingFile>();
  readonly #lanes: { files: number; bytes: number }[];
  readonly #writer = new FileBatchWriter();
  #batch: PendingFile[] = [];
  #batchBytes = 0;
  readonly #offerIds = Buffer.allocUnsafeSlow(offerIds * idBytes);
  #offerCount = 0;
  #offerParts: OfferPart[] = [];
  readonly #offers = new Map<number, readonly OfferPart[]>();
  #nextToken = 1;

  constructor(options: PendingFilesOptions) {
    this.#options = options;
    this.#lanes = Array.from({ length: options.streams.size }, () => ({ files: 0, bytes: 0 }));
  }

  get size(): number {
    return this.#files.size;
  }

  get hasBatch(): boolean {
    return this.#batch.length > 0;
  }

  /** Whether the lanes have enough files to stay busy. */
  get isFull(): boolean {
    return (
      this.#offers.size > maxOpenOffers ||
      this.#lanes.every(({ files, bytes }) => files >= maxLaneFiles || bytes >= maxLaneBytes)
    );
  }

  add(index: number, entry: ScannedEntry, cached: Buffer | undefined, slot: CacheSlot | undefined): void {
    const file: PendingFile = {
      index,
      entry,
      cached,
      slot,
      unansweredIds: 0,
      isMissingBlocks: false,
      lane: -1,
      readings: 0,
    };
    this.#files.set(index, file);
    if (cached === undefined) this.#read(file);
    else this.#ask(file, cached);
  }

  /** Gives a file to a lane again. */
  readAgain(file: PendingFile): void {
    this.#files.set(file.index, file);
    this.#read(file);
  }

  /** Sends all waiting files and offers, even in an incomplete batch. */
  flush(): void {
    this.#flushOffer();
    this.#flushBatch();
  }

  /** The target's answer to an offer of remembered blocks. Files with a missing block are read. */
  answered(token: number, wanted: readonly boolean[]): void {
    const parts = this.#offers.get(token);
    if (parts === undefined) return;
    this.#offers.delete(token);
    let at = 0;
    for (const { file, count } of parts) {
      for (const end = at + count; at < end; at += 1) if (wanted[at] !== false) file.isMissingBlocks = true;
      file.unansweredIds -= count;
      if (file.unansweredIds > 0) continue;
      if (file.isMissingBlocks) this.#read(file);
      else this.#settle(file);
    }
  }

  /** Removes a file when its lane has finished; undefined for an unknown index. The caller releases the file's folder. */
  take(index: number): PendingFile | undefined {
    const file = this.#files.get(index);
    if (file === undefined) return undefined;
    this.#files.delete(index);
    const load = this.#lanes[file.lane];
    if (load !== undefined) {
      load.files -= 1;
      load.bytes -= file.entry.stat.sizeBytes;
    }
    return file;
  }

  #ask(file: PendingFile, cached: Buffer): void {
    let count = 0;
    for (let at = 0; at + packedReferenceBytes <= cached.length; at += packedReferenceBytes) {
      if (isHole(cached, at)) continue;
      cached.copy(this.#offerIds, this.#offerCount * idBytes, at, at + idBytes);
      this.#offerCount += 1;
      file.unansweredIds += 1;
      count += 1;
      if (this.#offerCount < offerIds) continue;
      this.#offerParts.push({ file, count });
      count = 0;
      this.#flushOffer();
    }
    if (count > 0) this.#offerParts.push({ file, count });
    if (file.unansweredIds === 0) this.#settle(file); // The file consists of holes only and has no blocks.
  }

  #settle(file: PendingFile): void {
    this.#files.delete(file.index);
    this.#options.onUnchanged(file, file.cached ?? Buffer.alloc(0));
  }

  #flushOffer(): void {
    if (this.#offerCount === 0) return;
    const ids = new Uint8Array(this.#offerIds.subarray(0, this.#offerCount * idBytes));
    this.#offerCount = 0;
    const token = this.#nextToken;
    this.#nextToken += 1;
    this.#offers.set(token, this.#offerParts);
    this.#offerParts = [];
    this.#options.streams.send(leadStream, { type: 'offer', token, ids }, [ids.buffer]);
  }

  #read(file: PendingFile): void {
    const { folder, name, stat } = file.entry;
    try {
      folder.hold();
    } catch (error) {
      this.#files.delete(file.index);
      this.#options.onLost(file, reasonOf(error));
      return;
    }
    file.readings += 1;
    this.#writer.addTask({ index: file.index, folder, name });
    this.#batch.push(file);
    this.#batchBytes += stat.sizeBytes;
    if (this.#batch.length >= batchFiles || this.#batchBytes >= batchBytes) this.#flushBatch();
  }

  /** Sends the batch to the lane with the least work. */
  #flushBatch(): void {
    if (this.#batch.length === 0) return;
    let lane = 0;
    this.#lanes.forEach(({ bytes, files }, index) => {
      const best = this.#lanes[lane];
      if (best === undefined || bytes < best.bytes || (bytes === best.bytes && files < best.files)) lane = index;
    });
    const load = this.#lanes[lane];
    if (load === undefined) return;
    for (const file of this.#batch) file.lane = lane;
    load.files += this.#batch.length;
    load.bytes += this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    const files = this.#writer.take();
    this.#options.streams.send(lane, { type: 'files', files }, [files.buffer]);
  }
}

function isHole(packed: Buffer, at: number): boolean {
  for (let byte = 0; byte < idBytes; byte += 4) if (packed.readUInt32LE(at + byte) !== 0) return false;
  return true;
}
