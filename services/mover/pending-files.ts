// Owns the files of a backup that are not settled: those whose remembered blocks the target is being asked for, and those given to a lane.
// Batches both, so that thousands of small files cost dozens of messages.
import { unpackContent } from './content-list.ts';
import type { StreamPool } from './stream-pool.ts';
import type { ScannedEntry } from './tree-scanner.ts';
import type { FileTask } from './worker-link.ts';

const leadStream = 0;
const offerIds = 4096;
const maxOpenOffers = 4;
const batchFiles = 64;
const batchBytes = 8 * 1024 * 1024;
const maxLaneFiles = 192;
const maxLaneBytes = 32 * 1024 * 1024;

export interface PendingFile {
  /** Its place in the manifest window. */
  readonly index: number;
  readonly entry: ScannedEntry;
  /** Packed content from the cache, undefined when it must be read. */
  readonly cached: Buffer | undefined;
  unansweredIds: number;
  isMissingBlocks: boolean;
  lane: number;
}

export class PendingFiles {
  readonly #pool: StreamPool;
  readonly #onUnchanged: (file: PendingFile, content: Buffer) => void;
  readonly #files = new Map<number, PendingFile>();
  readonly #lanes: { files: number; bytes: number }[];
  #batch: PendingFile[] = [];
  #batchBytes = 0;
  #offer: { ids: Buffer[]; parts: { file: PendingFile; count: number }[] } = { ids: [], parts: [] };
  readonly #offers = new Map<number, { file: PendingFile; count: number }[]>();
  #nextToken = 1;

  /** @param onUnchanged the target has every block of a remembered file; the file is settled */
  constructor(pool: StreamPool, onUnchanged: (file: PendingFile, content: Buffer) => void) {
    this.#pool = pool;
    this.#onUnchanged = onUnchanged;
    this.#lanes = Array.from({ length: pool.size }, () => ({ files: 0, bytes: 0 }));
  }

  get size(): number {
    return this.#files.size;
  }

  get hasBatch(): boolean {
    return this.#batch.length > 0;
  }

  /** Whether enough is on its way to keep everybody busy. */
  get isFull(): boolean {
    return (
      this.#offers.size > maxOpenOffers ||
      this.#lanes.every(({ files, bytes }) => files >= maxLaneFiles || bytes >= maxLaneBytes)
    );
  }

  add(index: number, entry: ScannedEntry, cached: Buffer | undefined): void {
    const file: PendingFile = { index, entry, cached, unansweredIds: 0, isMissingBlocks: false, lane: -1 };
    this.#files.set(index, file);
    if (cached === undefined) this.#read(file);
    else this.#ask(file, cached);
  }

  /** Sends what is gathered, though it is not a full batch. */
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

  /** A lane is through with the file; undefined when it is not known. */
  take(index: number): PendingFile | undefined {
    const file = this.#files.get(index);
    if (file === undefined) return undefined;
    this.#files.delete(index);
    const load = this.#lanes[file.lane];
    if (load !== undefined) {
      load.files -= 1;
      load.bytes -= Number(file.entry.stats.size);
    }
    return file;
  }

  #ask(file: PendingFile, cached: Buffer): void {
    let count = 0;
    const close = (): void => {
      if (count > 0) this.#offer.parts.push({ file, count });
      count = 0;
    };
    for (const { id } of unpackContent(cached)) {
      if (id === null) continue;
      this.#offer.ids.push(id);
      file.unansweredIds += 1;
      count += 1;
      if (this.#offer.ids.length === offerIds) {
        close();
        this.#flushOffer();
      }
    }
    close();
    if (file.unansweredIds === 0) this.#settle(file); // nothing but holes
  }

  #settle(file: PendingFile): void {
    this.#files.delete(file.index);
    this.#onUnchanged(file, file.cached ?? Buffer.alloc(0));
  }

  #flushOffer(): void {
    const { ids, parts } = this.#offer;
    if (ids.length === 0) return;
    this.#offer = { ids: [], parts: [] };
    const token = this.#nextToken;
    this.#nextToken += 1;
    this.#offers.set(token, parts);
    this.#pool.send(leadStream, { type: 'offer', token, ids: new Uint8Array(Buffer.concat(ids)) });
  }

  #read(file: PendingFile): void {
    this.#batch.push(file);
    this.#batchBytes += Number(file.entry.stats.size);
    if (this.#batch.length >= batchFiles || this.#batchBytes >= batchBytes) this.#flushBatch();
  }

  /** To the lane with the least to do. */
  #flushBatch(): void {
    if (this.#batch.length === 0) return;
    let lane = 0;
    this.#lanes.forEach(({ bytes, files }, index) => {
      const best = this.#lanes[lane];
      if (best === undefined || bytes < best.bytes || (bytes === best.bytes && files < best.files)) lane = index;
    });
    const load = this.#lanes[lane];
    if (load === undefined) return;
    const files = this.#batch.map((file): FileTask => {
      file.lane = lane;
      load.files += 1;
      load.bytes += Number(file.entry.stats.size);
      return { index: file.index, path: new Uint8Array(file.entry.sourcePath) };
    });
    this.#batch = [];
    this.#batchBytes = 0;
    this.#pool.send(lane, { type: 'files', files });
  }
}
