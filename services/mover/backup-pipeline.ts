// Owns a backup on the source mover's main thread: walks the tree, asks the cache, hands files to the lanes, writes the manifest in order,
// commits. Content never comes here; only identifiers do.
import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { blockIdOf } from '../repository/block-content.ts';
import { describeManifest } from '../repository/manifest-chain.ts';
import type { ManifestBlockReference } from '../repository/manifest-chain.ts';
import { ManifestEncoder } from '../repository/manifest.ts';
import { encodePointRoot } from '../repository/point-root.ts';
import { FileCache } from './file-cache.ts';
import type { CachedFile } from './file-cache.ts';
import { fileState } from './file-state.ts';
import type { BackupOperation, MoverPhase, MoverWarning, SourceEvent, SourceTotals } from './local-link.ts';
import { packedReferenceBytes, unpackContent } from './content-list.ts';
import { entryItems, plainEntry } from './manifest-entry.ts';
import { OwnerNames } from './owner-names.ts';
import { showPath } from './path-text.ts';
import type { StreamPool } from './stream-pool.ts';
import { resolveSources, scanTree } from './tree-scanner.ts';
import type { ScannedEntry, ScanSource } from './tree-scanner.ts';
import { asBuffer } from './worker-link.ts';
import type { FileResult, FileTask, FromWorker } from './worker-link.ts';

const leadStream = 0;
const offerIds = 4096;
const maxOpenOffers = 4;
const taskBatchFiles = 64;
const taskBatchBytes = 8 * 1024 * 1024;
const maxLaneFiles = 192;
const maxLaneBytes = 32 * 1024 * 1024;
/** Entries between the walk and the manifest. */
const maxWindowEntries = 2048;
const sliceMs = 8;
const software = 'farkeep 0.1';

interface PendingFile {
  readonly index: number;
  readonly entry: ScannedEntry;
  /** Cached, while the target is being asked. */
  cached: Buffer | undefined;
  unansweredIds: number;
  isMissingBlocks: boolean;
  lane: number;
}

/** An entry in tree order; `items` is undefined while its file is being read. */
interface WindowSlot {
  readonly entry: ScannedEntry | undefined;
  result:
    | {
        readonly content: Buffer;
        readonly sizeBytes: number;
        readonly isChanged: boolean;
        readonly isUnreadable: boolean;
      }
    | undefined;
  isReady: boolean;
}

interface SourceObject {
  readonly name: string;
  bytes: number;
  warnings: number;
}

/** What there is to do; the content of a file with several names counts once. */
class TreeTotal {
  bytes = 0;
  files = 0;
  readonly #seen = new Set<string>();

  add(entry: ScannedEntry): void {
    if (!entry.stats.isFile()) return;
    this.files += 1;
    if (entry.stats.nlink > 1n) {
      const key = linkKey(entry);
      if (this.#seen.has(key)) return;
      this.#seen.add(key);
    }
    this.bytes += Number(entry.stats.size);
  }
}

export interface BackupPipelineOptions {
  readonly operation: BackupOperation;
  readonly pool: StreamPool;
  readonly emit: (event: SourceEvent) => void;
  readonly now: () => number;
}

export interface BackupOutcome {
  readonly rootHash: string;
  readonly warningCount: number;
}

export class BackupPipeline {
  readonly #operation: BackupOperation;
  readonly #pool: StreamPool;
  readonly #emit: (event: SourceEvent) => void;
  readonly #now: () => number;
  readonly #cache: FileCache;
  readonly #encoder = new ManifestEncoder();
  readonly #owners = new OwnerNames();
  readonly #manifestBlocks: ManifestBlockReference[] = [];
  readonly #slots = new Map<number, WindowSlot>();
  #nextSlot = 0;
  #nextEmitted = 0;
  readonly #pending = new Map<number, PendingFile>();
  readonly #lanes: { files: number; bytes: number }[];
  #batch: PendingFile[] = [];
  #batchBytes = 0;
  #offer: { ids: Buffer[]; parts: { file: PendingFile; count: number }[] } = { ids: [], parts: [] };
  readonly #offers = new Map<number, { file: PendingFile; count: number }[]>();
  #nextToken = 1;
  /** Files that were read, until their blocks are durable. */
  readonly #unsaved = new Map<number, CachedFile>();
  /** First tree path of a file with several names, by device and inode. */
  readonly #links = new Map<string, Buffer>();
  #keptPaths: Buffer[] = [];
  readonly #objects: SourceObject[] = [];
  #wake: (() => void) | undefined;
  #failure: FarkeepError | undefined;
  readonly #drained = new Set<number>();
  #sentBlocks = 0;
  #isCommitted = false;
  #isCounting = false;
  #warningCount = 0;
  #cachedBytes = 0;
  #cachedBlocks = 0;
  #processedFiles = 0;
  #skippedFiles = 0;
  #durableBytes = 0;
  #total: { bytes: number; files: number } | undefined;
  phase: MoverPhase = 'scanning';

  constructor({ operation, pool, emit, now }: BackupPipelineOptions) {
    this.#operation = operation;
    this.#pool = pool;
    this.#emit = emit;
    this.#now = now;
    this.#cache = new FileCache(operation.fileCachePath);
    this.#lanes = Array.from({ length: pool.size }, () => ({ files: 0, bytes: 0 }));
  }

  totals(): SourceTotals {
    const { readBytes, transferredBytes, newBlocks, reusedBlocks } = this.#pool.counters;
    const processed = this.#cachedBytes + readBytes;
    return {
      totalBytes: this.#total?.bytes,
      totalFiles: this.#total?.files,
      processedBytes: this.#total === undefined ? processed : Math.min(processed, this.#total.bytes),
      readBytes,
      transferredBytes,
      durableBytes: this.#durableBytes,
      processedFiles: this.#processedFiles,
      skippedFiles: this.#skippedFiles,
      newBlocks,
      reusedBlocks: reusedBlocks + this.#cachedBlocks,
    };
  }

  /** @throws source.missing, and whatever ends the session */
  async run(): Promise<BackupOutcome> {
    try {
      const { sources, missing } = resolveSources(this.#operation.sourcePaths);
      for (const sourcePath of this.#operation.sourcePaths)
        this.#objects.push({ name: sourcePath, bytes: 0, warnings: 0 });
      this.#objects.forEach(({ name }) => {
        this.#emit({ type: 'object', name, state: 'running', bytes: 0 });
      });
      for (const index of missing) {
        this.#warn(index, {
          code: 'source.missing',
          message: 'It does not exist or cannot be reached',
          path: this.#operation.sourcePaths[index] ?? '',
        });
      }
      this.#addTop(sources);
      await this.#walk(sources);
      this.phase = 'finalising';
      const root = await this.#finishManifest();
      await this.#commit(root);
      this.#cache.save([...this.#unsaved.values()]);
      this.#saveKept();
      this.#cache.forgetOthers();
      this.#objects.forEach(({ name, bytes, warnings }) => {
        this.#emit({ type: 'object', name, state: warnings > 0 ? 'warning' : 'succeeded', bytes });
      });
      return { rootHash: blockIdOf(root).toString('hex'), warningCount: this.#warningCount };
    } finally {
      this.#failure ??= new FarkeepError('call.cancelled');
      this.#cache.close();
    }
  }

  fail(error: FarkeepError): void {
    this.#failure ??= error;
    this.#notify();
  }

  receive(streamIndex: number, message: FromWorker): void {
    if (this.#failure !== undefined) return;
    switch (message.type) {
      case 'files-read':
        this.#filesRead(message.results, asBuffer(message.bytes));
        break;
      case 'files-durable':
        this.#saveDurable(message.indexes);
        break;
      case 'offered':
        this.#offered(message.token, message.wanted);
        break;
      case 'durable':
        this.#durableBytes = Math.max(this.#durableBytes, message.totalStoredBytes);
        break;
      case 'drained':
        this.#drained.add(streamIndex);
        this.#sentBlocks += message.sentBlocks;
        break;
      case 'committed':
        this.#isCommitted = true;
        break;
      default:
        break;
    }
    this.#emitReady();
    this.#notify();
  }

  // the walk

  async #walk(sources: readonly ScanSource[]): Promise<void> {
    this.phase = 'transferring';
    const walked = new TreeTotal();
    let sliceBeganMs = performance.now();
    for (const item of scanTree(sources, this.#operation.excludes)) {
      if (item.type === 'problem') {
        this.#warn(item.sourceIndex, {
          code: 'source.unreadable',
          message: `It could not be looked at: ${item.reason}`,
          path: showPath(item.sourcePath),
        });
      } else {
        walked.add(item.entry);
        this.#addEntry(item.entry);
      }
      this.#emitReady();
      if (performance.now() - sliceBeganMs > sliceMs) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        sliceBeganMs = performance.now();
      }
      if (this.#mustWait()) {
        // There is more to do than to look: now it is worth a second walk to know how much.
        if (!this.#isCounting) void this.#count(sources);
        await this.#until(() => !this.#mustWait());
        sliceBeganMs = performance.now();
      }
    }
    this.#total = walked;
    // A file whose cached blocks are missing comes back as a file to read, so this may take several turns.
    while (this.#pending.size > 0) {
      this.#flushOffer();
      this.#flushBatch();
      const before = this.#pending.size;
      await this.#until(() => this.#pending.size < before || this.#batch.length > 0);
    }
    this.#emitReady();
  }

  #mustWait(): boolean {
    if (this.#slots.size >= maxWindowEntries) {
      // The oldest entry may be waiting for an offer or a batch that is not full.
      this.#flushOffer();
      this.#flushBatch();
      return this.#slots.size >= maxWindowEntries;
    }
    return (
      this.#offers.size > maxOpenOffers ||
      this.#lanes.every(({ files, bytes }) => files >= maxLaneFiles || bytes >= maxLaneBytes)
    );
  }

  /** The top of the tree holds the sources by name; it looks like the first of them, or like the folder a single file lies in. */
  #addTop(sources: readonly ScanSource[]): void {
    const first = sources[0];
    if (first === undefined) throw new FarkeepError('source.missing');
    let stats = statSync(first.root, { bigint: true });
    if (!stats.isDirectory()) stats = statSync(path.dirname(first.root.toString()), { bigint: true });
    this.#addSlot({
      entry: {
        treePath: Buffer.alloc(0),
        sourcePath: first.root,
        stats,
        linkTarget: undefined,
        sourceIndex: first.sourceIndex,
      },
      result: undefined,
      isReady: true,
    });
  }

  #addEntry(entry: ScannedEntry): void {
    const { stats } = entry;
    if (!stats.isFile()) {
      this.#addSlot({ entry, result: undefined, isReady: true });
      return;
    }
    if (stats.nlink > 1n && this.#isLaterName(entry)) {
      this.#addSlot({
        entry: { ...entry, linkTarget: this.#links.get(linkKey(entry)) },
        result: undefined,
        isReady: true,
      });
      this.#countFile(entry, 0);
      return;
    }
    if (stats.size === 0n) {
      this.#addSlot({
        entry,
        result: { content: Buffer.alloc(0), sizeBytes: 0, isChanged: false, isUnreadable: false },
        isReady: true,
      });
      this.#countFile(entry, 0);
      return;
    }
    const index = this.#addSlot({ entry, result: undefined, isReady: false });
    const cached = this.#cache.find(entry.sourcePath, fileState(stats));
    const file: PendingFile = { index, entry, cached, unansweredIds: 0, isMissingBlocks: false, lane: -1 };
    this.#pending.set(index, file);
    if (cached === undefined) this.#addToBatch(file);
    else this.#offerCached(file, cached);
  }

  #isLaterName(entry: ScannedEntry): boolean {
    const key = linkKey(entry);
    if (!this.#links.has(key)) {
      this.#links.set(key, entry.treePath);
      return false;
    }
    return true;
  }

  // cached files

  #offerCached(file: PendingFile, cached: Buffer): void {
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
    if (file.unansweredIds === 0) this.#cachedIsGood(file); // nothing but holes
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

  #offered(token: number, wanted: readonly boolean[]): void {
    const parts = this.#offers.get(token);
    if (parts === undefined) return;
    this.#offers.delete(token);
    let at = 0;
    for (const { file, count } of parts) {
      for (const end = at + count; at < end; at += 1) if (wanted[at] !== false) file.isMissingBlocks = true;
      file.unansweredIds -= count;
      if (file.unansweredIds > 0) continue;
      if (file.isMissingBlocks) this.#addToBatch(file);
      else this.#cachedIsGood(file);
    }
  }

  #cachedIsGood(file: PendingFile): void {
    const content = file.cached ?? Buffer.alloc(0);
    const sizeBytes = Number(file.entry.stats.size);
    this.#cachedBytes += sizeBytes;
    this.#cachedBlocks += content.length / packedReferenceBytes;
    this.#keptPaths.push(file.entry.sourcePath);
    if (this.#keptPaths.length >= offerIds) this.#saveKept();
    this.#fileDone(file, { content, sizeBytes, isChanged: false, isUnreadable: false });
  }

  #saveKept(): void {
    this.#cache.keep(this.#keptPaths);
    this.#keptPaths = [];
  }

  // files to read

  #addToBatch(file: PendingFile): void {
    this.#batch.push(file);
    this.#batchBytes += Number(file.entry.stats.size);
    if (this.#batch.length >= taskBatchFiles || this.#batchBytes >= taskBatchBytes) this.#flushBatch();
  }

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

  #filesRead(results: readonly FileResult[], bytes: Buffer): void {
    let at = 0;
    for (const result of results) {
      const stateAt = at + result.contentBytes;
      const end = stateAt + result.stateBytes;
      this.#fileRead(result, bytes.subarray(at, stateAt), bytes.subarray(stateAt, end));
      at = end;
    }
  }

  #fileRead({ index, sizeBytes, isChanged, problem }: FileResult, content: Buffer, state: Buffer): void {
    const file = this.#pending.get(index);
    if (file === undefined) return;
    const load = this.#lanes[file.lane];
    if (load !== undefined) {
      load.files -= 1;
      load.bytes -= Number(file.entry.stats.size);
    }
    const { sourcePath, sourceIndex } = file.entry;
    if (problem !== undefined) {
      this.#skippedFiles += 1;
      this.#warn(sourceIndex, {
        code: 'source.unreadable',
        message: `It could not be read: ${problem}`,
        path: showPath(sourcePath),
      });
      this.#fileDone(file, { content: Buffer.alloc(0), sizeBytes: 0, isChanged: false, isUnreadable: true });
      return;
    }
    if (isChanged) {
      this.#warn(sourceIndex, {
        code: 'source.changed',
        message: 'It changed while it was read, twice; it is saved as it was seen',
        path: showPath(sourcePath),
      });
    }
    if (state.length > 0) this.#unsaved.set(index, { path: sourcePath, state, content });
    this.#fileDone(file, { content, sizeBytes, isChanged, isUnreadable: false });
  }

  #fileDone(file: PendingFile, result: NonNullable<WindowSlot['result']>): void {
    this.#pending.delete(file.index);
    const slot = this.#slots.get(file.index);
    if (slot === undefined) return;
    slot.result = result;
    slot.isReady = true;
    this.#countFile(file.entry, result.sizeBytes);
  }

  #countFile(entry: ScannedEntry, sizeBytes: number): void {
    this.#processedFiles += 1;
    const object = this.#objects[entry.sourceIndex];
    if (object !== undefined) object.bytes += sizeBytes;
  }

  #saveDurable(indexes: readonly number[]): void {
    const files: CachedFile[] = [];
    for (const index of indexes) {
      const file = this.#unsaved.get(index);
      if (file !== undefined) files.push(file);
      this.#unsaved.delete(index);
    }
    this.#cache.save(files);
  }

  // the manifest

  #addSlot(slot: WindowSlot): number {
    const index = this.#nextSlot;
    this.#nextSlot += 1;
    this.#slots.set(index, slot);
    return index;
  }

  #emitReady(): void {
    for (;;) {
      const slot = this.#slots.get(this.#nextEmitted);
      if (slot?.isReady !== true) return;
      this.#slots.delete(this.#nextEmitted);
      this.#nextEmitted += 1;
      if (slot.entry === undefined) continue;
      const base = plainEntry(slot.entry, this.#owners);
      for (const item of entryItems(base, slot.entry, slot.result)) this.#storeManifest(this.#encoder.add(item));
    }
  }

  #storeManifest(contents: readonly Buffer[]): void {
    for (const content of contents) {
      const id = blockIdOf(content);
      this.#manifestBlocks.push({ id, lengthBytes: content.length });
      this.#pool.send(leadStream, {
        type: 'store',
        blocks: [{ id: new Uint8Array(id), content: new Uint8Array(content) }],
      });
    }
  }

  async #finishManifest(): Promise<Buffer> {
    this.#storeManifest([this.#encoder.finish()]);
    const { manifest, listBlocks } = describeManifest(this.#manifestBlocks, blockIdOf);
    for (const { id, content } of listBlocks) {
      this.#pool.send(leadStream, {
        type: 'store',
        blocks: [{ id: new Uint8Array(id), content: new Uint8Array(content) }],
      });
    }
    this.#pool.broadcast({ type: 'drain' });
    await this.#until(() => this.#drained.size === this.#pool.size);
    const { jobId, jobName, pointId, sourcePaths } = this.#operation;
    return encodePointRoot({
      pointId,
      jobId,
      jobName,
      createdAtMs: this.#now(),
      sourceHost: hostname().slice(0, 256),
      sourcePaths: sourcePaths.map((sourcePath) => sourcePath.slice(0, 4096)),
      state: this.#warningCount > 0 ? 'warnings' : 'complete',
      software,
      blockIdentifier: 'sha256',
      encryption: 'none',
      totals: this.#encoder.totals,
      manifest,
    });
  }

  async #commit(root: Buffer): Promise<void> {
    this.#pool.send(leadStream, { type: 'commit', blockCount: this.#sentBlocks, root: new Uint8Array(root) });
    await this.#until(() => this.#isCommitted);
  }

  // beside the walk

  /** Counts what there is to do, in slices beside the work, for the progress bar. */
  async #count(sources: readonly ScanSource[]): Promise<void> {
    this.#isCounting = true;
    const total = new TreeTotal();
    let sliceBeganMs = performance.now();
    try {
      for (const item of scanTree(sources, this.#operation.excludes)) {
        if (item.type === 'entry') total.add(item.entry);
        if (performance.now() - sliceBeganMs > sliceMs) {
          await new Promise<void>((resolve) => setImmediate(resolve));
          if (this.#failure !== undefined || this.#total !== undefined) return;
          sliceBeganMs = performance.now();
        }
      }
      this.#total ??= total;
    } catch (error) {
      this.fail(toFarkeepError(error));
    }
  }

  #warn(sourceIndex: number, warning: MoverWarning): void {
    this.#warningCount += 1;
    const object = this.#objects[sourceIndex];
    if (object !== undefined) object.warnings += 1;
    this.#emit({ type: 'warning', warning });
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Waits until messages from the lanes have made `condition` true; throws when the session fails meanwhile. */
  async #until(condition: () => boolean): Promise<void> {
    while (this.#failure === undefined && !condition()) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function linkKey({ stats }: ScannedEntry): string {
  return `${stats.dev}:${stats.ino}`;
}
