// Owns a backup on the source mover's main thread: walks the tree, asks the cache, hands files to the lanes, writes the manifest in order,
// commits. Content never comes here; only identifiers do.
import { hostname } from 'node:os';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { blockIdOf } from '../repository/block-content.ts';
import { encodePointRoot } from '../repository/point-root.ts';
import { SpecialFiles } from '../repository/special-files.ts';
import { FileCache } from './file-cache.ts';
import type { CachedFile } from './file-cache.ts';
import { fileState } from './file-state.ts';
import type { BackupOperation, MoverPhase, MoverWarning, SourceEvent, SourceTotals } from './local-link.ts';
import { packedReferenceBytes } from './content-list.ts';
import { specialKindOf, type ReadContent } from './manifest-entry.ts';
import { ManifestWindow } from './manifest-window.ts';
import { showPath } from './path-text.ts';
import { PendingFiles } from './pending-files.ts';
import type { PendingFile } from './pending-files.ts';
import { specialNews } from './special-news.ts';
import type { StreamPool } from './stream-pool.ts';
import { resolveSources, scanTree, topOf } from './tree-scanner.ts';
import type { ScannedEntry, ScanSource } from './tree-scanner.ts';
import { UnsafeOffers } from './unsafe-offers.ts';
import { countTree, linkKey, sliceMs, TreeTotal } from './tree-total.ts';
import { asBuffer } from './worker-link.ts';
import type { FileResult, FromWorker } from './worker-link.ts';

const leadStream = 0;
const keptBatch = 4096;
/** Entries between the walk and the manifest. */
const maxWindowEntries = 2048;
const software = 'farkeep 0.1';

const emptyContent: ReadContent = { content: Buffer.alloc(0), sizeBytes: 0, isChanged: false, isUnreadable: false };

interface SourceObject {
  readonly name: string;
  bytes: number;
  warnings: number;
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
  readonly #window: ManifestWindow;
  readonly #pending: PendingFiles;
  /** Files that were read, until their blocks are durable. */
  readonly #unsaved = new Map<number, CachedFile>();
  /** First tree path of a file with several names, by device and inode. */
  readonly #links = new Map<string, Buffer>();
  #keptPaths: Buffer[] = [];
  readonly #objects: SourceObject[] = [];
  readonly #specials: readonly SpecialFiles[];
  #wake: (() => void) | undefined;
  #failure: FarkeepError | undefined;
  readonly #drained = new Set<number>();
  #sentBlocks = 0;
  #isCommitted = false;
  #isCounting = false;
  #warningCount = 0;
  #cachedBytes = 0;
  #cachedBlocks = 0;
  readonly #unsafeOffers = new UnsafeOffers();
  #processedFiles = 0;
  #unchangedFiles = 0;
  #skippedFiles = 0;
  #durableBytes = 0;
  #total: { bytes: number; files: number } | undefined;
  phase: MoverPhase = 'scanning';

  constructor({ operation, pool, emit, now }: BackupPipelineOptions) {
    this.#operation = operation;
    this.#pool = pool;
    this.#emit = emit;
    this.#now = now;
    this.#specials = operation.sourcePaths.map(() => new SpecialFiles());
    this.#cache = new FileCache(operation.fileCachePath);
    this.#window = new ManifestWindow((id, content) => {
      const block = { id: new Uint8Array(id), content: new Uint8Array(content) };
      pool.send(leadStream, { type: 'store', blocks: [block] });
    });
    this.#pending = new PendingFiles(pool, (file, content) => {
      this.#fileUnchanged(file, content);
    });
  }

  totals(): SourceTotals {
    const { readBytes, safeBytes, transferredBytes, newBlocks, reusedBlocks } = this.#pool.counters;
    const processed = this.#cachedBytes + readBytes;
    const processedBytes = this.#total === undefined ? processed : Math.min(processed, this.#total.bytes);
    return {
      totalBytes: this.#total?.bytes,
      totalFiles: this.#total?.files,
      processedBytes,
      readBytes,
      transferredBytes,
      durableBytes: this.#durableBytes,
      safeBytes: Math.max(0, Math.min(this.#cachedBytes - this.#unsafeOffers.bytes + safeBytes, processedBytes)),
      processedFiles: this.#processedFiles,
      skippedFiles: this.#skippedFiles,
      unchangedFiles: this.#unchangedFiles,
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
      this.#window.add(topOf(sources));
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
        this.#offerAnswered(message.token, message.wanted);
        break;
      case 'offer-safe':
        this.#unsafeOffers.safe(message.token);
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
    this.#window.write();
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
      this.#window.write();
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
    this.#tellSpecials();
    // A file whose cached blocks are missing comes back as a file to read, so this may take several turns.
    while (this.#pending.size > 0) {
      this.#pending.flush();
      const before = this.#pending.size;
      await this.#until(() => this.#pending.size < before || this.#pending.hasBatch);
    }
    this.#window.write();
  }

  #tellSpecials(): void {
    this.#specials.forEach((specials, sourceIndex) => {
      for (const news of specialNews(specials)) {
        if (news.type === 'remark') this.#emit(news);
        else this.#warn(sourceIndex, news.warning);
      }
    });
  }

  #mustWait(): boolean {
    if (this.#window.size < maxWindowEntries) return this.#pending.isFull;
    // The oldest entry may be waiting for an offer or a batch that is not full.
    this.#pending.flush();
    return this.#window.size >= maxWindowEntries;
  }

  #addEntry(entry: ScannedEntry): void {
    const { stats } = entry;
    const special = specialKindOf(stats);
    if (special !== undefined) this.#specials[entry.sourceIndex]?.add(special, entry.sourcePath);
    if (!stats.isFile()) this.#window.add(entry);
    else if (stats.nlink > 1n && this.#isLaterName(entry)) {
      this.#window.add({ ...entry, linkTarget: this.#links.get(linkKey(entry)) });
      this.#countFile(entry, 0);
    } else if (stats.size === 0n) {
      this.#window.add(entry, emptyContent);
      this.#countFile(entry, 0);
    } else {
      const cached = this.#cache.find(entry.sourcePath, fileState(stats));
      this.#pending.add(this.#window.expect(entry), entry, cached);
    }
  }

  #isLaterName(entry: ScannedEntry): boolean {
    const key = linkKey(entry);
    if (!this.#links.has(key)) {
      this.#links.set(key, entry.treePath);
      return false;
    }
    return true;
  }

  // what became of files

  #fileUnchanged(file: PendingFile, content: Buffer): void {
    const sizeBytes = Number(file.entry.stats.size);
    this.#unchangedFiles += 1;
    this.#cachedBytes += sizeBytes;
    this.#cachedBlocks += content.length / packedReferenceBytes;
    this.#keptPaths.push(file.entry.sourcePath);
    if (this.#keptPaths.length >= keptBatch) this.#saveKept();
    this.#fileDone(file, { content, sizeBytes, isChanged: false, isUnreadable: false });
  }

  #offerAnswered(token: number, wanted: readonly boolean[]): void {
    const before = this.#cachedBytes;
    this.#pending.answered(token, wanted);
    this.#unsafeOffers.answered(token, this.#cachedBytes - before);
  }

  #saveKept(): void {
    this.#cache.keep(this.#keptPaths);
    this.#keptPaths = [];
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
    const file = this.#pending.take(index);
    if (file === undefined) return;
    const { sourcePath, sourceIndex } = file.entry;
    if (problem !== undefined) {
      this.#skippedFiles += 1;
      this.#warn(sourceIndex, {
        code: 'source.unreadable',
        message: `It could not be read: ${problem}`,
        path: showPath(sourcePath),
      });
      this.#fileDone(file, { ...emptyContent, isUnreadable: true });
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

  #fileDone({ index, entry }: PendingFile, content: ReadContent): void {
    this.#window.complete(index, content);
    this.#countFile(entry, content.sizeBytes);
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

  // the end

  async #finishManifest(): Promise<Buffer> {
    const { manifest, totals } = this.#window.finish();
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
      totals,
      manifest,
    });
  }

  async #commit(root: Buffer): Promise<void> {
    this.#pool.send(leadStream, { type: 'commit', blockCount: this.#sentBlocks, root: new Uint8Array(root) });
    await this.#until(() => this.#isCommitted);
  }

  // beside the walk

  /** Counts what there is to do, for the progress bar. */
  async #count(sources: readonly ScanSource[]): Promise<void> {
    this.#isCounting = true;
    const isOver = (): boolean => this.#failure !== undefined || this.#total !== undefined;
    try {
      const total = await countTree(sources, this.#operation.excludes, isOver);
      if (total !== undefined) this.#total ??= total;
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
