// Owns a backup on the source mover's main thread. File contents never reach this thread, only identifiers.
//
// walk the sources in tree order; for each entry:
//   file: BackupFiles decides whether it is read by a lane other entry: add it to the manifest window
//   wait while 8,192 entries are open, or while the lanes have enough files
// the manifest window writes finished entries in tree order; stream 0 sends the manifest's blocks
// after the walk: wait for all files; wait until every lane has sent all its blocks (drain)
// send the root to be committed; when the target confirms: finish the file cache
import { hostname } from 'node:os';
import { FarkeepError, toFarkeepError } from '../../../kernel/farkeep-error.ts';
import { blockIdOf } from '../../../blocks/block.ts';
import { encodePointRoot } from '../../../repository/points/point-root.ts';
import { SpecialFiles } from '../../../repository/points/special-files.ts';
import { BackupFiles } from './backup-files.ts';
import { isFile, type FileStat } from '../walk/file-stat.ts';
import type { BackupOperation, MoverPhase, MoverWarning, SourceEvent, SourceTotals } from '../../link/local-link.ts';
import { hasTimeInBounds, specialKindOf } from './manifest-entry.ts';
import { ManifestWindow } from './manifest-window.ts';
import { showPath } from '../walk/path-text.ts';
import { specialFileRemarks } from '../walk/special-file-remarks.ts';
import { createSourceDisk, rawBytes, type RawText, type SourceDisk } from '../walk/source-disk.ts';
import { openSources, topStat, type MissingSource, type ScanSource } from '../walk/source-list.ts';
import type { PipelineStreams } from '../streams/stream-pool.ts';
import { pathOf, TreeWalk, type ScannedEntry } from '../walk/tree-scanner.ts';
import { countTree, sliceMs, TreeTotal } from '../walk/tree-total.ts';
import { FolderCount } from '../walk/walked-folder.ts';
import type { FromWorker } from '../streams/worker-link.ts';

const leadStream = 0;
/** Limit of entries that the walk has found and the manifest does not contain yet. */
const maxWindowEntries = 8192;
/**
 * A run longer than this shows a total, which needs a second walk that counts the files. For short runs the second walk would take too
 * long.
 */
const countAfterMs = 5_000;
/** STATX_ATTR_IMMUTABLE and STATX_ATTR_APPEND of statx(2). Each read of a file's metadata returns these flags at no extra cost. */
const keptFlags = 0x10 | 0x20;
/** Limit of open folders, not counting the sources themselves. */
const maxOpenFolders = 512;
const software = 'farkeep 0.1';

interface SourceObject {
  readonly name: string;
  bytes: number;
  warnings: number;
}

export interface BackupPipelineOptions {
  readonly operation: BackupOperation;
  readonly pool: PipelineStreams;
  readonly disk?: SourceDisk;
  readonly emit: (event: SourceEvent) => void;
  readonly now: () => number;
}

export interface BackupOutcome {
  readonly rootHash: string;
  readonly warningCount: number;
}

export class BackupPipeline {
  readonly #operation: BackupOperation;
  readonly #pool: PipelineStreams;
  readonly #disk: SourceDisk;
  readonly #emit: (event: SourceEvent) => void;
  readonly #now: () => number;
  readonly #window: ManifestWindow;
  readonly #files: BackupFiles;
  readonly #folders = new FolderCount();
  readonly #maxFolders: number;
  readonly #objects: SourceObject[] = [];
  readonly #specials: readonly SpecialFiles[];
  /** Entries with flags that a restore does not set. */
  #flaggedCount = 0;
  #firstFlagged = '';
  #wake: (() => void) | undefined;
  #failure: FarkeepError | undefined;
  readonly #drained = new Set<number>();
  #sentBlocks = 0;
  #isCommitted = false;
  #isCounting = false;
  #warningCount = 0;
  #processedFiles = 0;
  #durableBytes = 0;
  #total: { bytes: number; files: number } | undefined;
  phase: MoverPhase = 'scanning';
  walkMs = 0;

  constructor({ operation, pool, emit, now, disk = createSourceDisk() }: BackupPipelineOptions) {
    this.#operation = operation;
    this.#pool = pool;
    this.#disk = disk;
    this.#maxFolders = maxOpenFolders + operation.sourcePaths.length;
    this.#emit = emit;
    this.#now = now;
    this.#specials = operation.sourcePaths.map(() => new SpecialFiles());
    this.#window = new ManifestWindow((id, content) => {
      const block = { id: new Uint8Array(id), content: new Uint8Array(content) };
      pool.send(leadStream, { type: 'store', blocks: [block] });
    });
    this.#files = new BackupFiles({
      operation,
      streams: pool,
      disk,
      window: this.#window,
      now,
      onRemark: (text) => {
        emit({ type: 'remark', text });
      },
      onWarning: (entry, warning) => {
        this.#warn(entry.sourceIndex, { ...warning, path: showRaw(pathOf(entry)) });
      },
      onSpecial: (entry, stat) => {
        this.#addSpecial(entry, stat);
      },
      onDone: ({ sourceIndex }, sizeBytes) => {
        this.#processedFiles += 1;
        const object = this.#objects[sourceIndex];
        if (object !== undefined) object.bytes += sizeBytes;
      },
    });
  }

  totals(): SourceTotals {
    const { readBytes, safeBytes, transferredBytes, contentBytes, newBlocks, reusedBlocks } = this.#pool.counters;
    const { cachedBytes, cachedSafeBytes, cachedBlocks, unchangedFiles, skippedFiles } = this.#files;
    const processed = cachedBytes + readBytes;
    const processedBytes = this.#total === undefined ? processed : Math.min(processed, this.#total.bytes);
    return {
      totalBytes: this.#total?.bytes,
      totalFiles: this.#total?.files,
      processedBytes,
      readBytes,
      transferredBytes,
      contentBytes,
      durableBytes: this.#durableBytes,
      safeBytes: Math.max(0, Math.min(cachedSafeBytes + safeBytes, processedBytes)),
      processedFiles: this.#processedFiles,
      skippedFiles,
      unchangedFiles,
      newBlocks,
      reusedBlocks: reusedBlocks + cachedBlocks,
    };
  }

  /** @throws source.missing, and whatever ends the session */
  async run(): Promise<BackupOutcome> {
    let sources: readonly ScanSource[] = [];
    try {
      const opened = openSources(this.#disk, this.#operation.sourcePaths, this.#folders);
      sources = opened.sources;
      for (const sourcePath of this.#operation.sourcePaths)
        this.#objects.push({ name: sourcePath, bytes: 0, warnings: 0 });
      this.#objects.forEach(({ name }) => {
        this.#emit({ type: 'object', name, state: 'running', bytes: 0 });
      });
      this.#tellMissing(opened.missing);
      this.#window.add({ treePath: '', stat: topStat(this.#disk, sources), linkTarget: undefined });
      await this.#walk(sources);
      this.phase = 'finalizing';
      const root = await this.#finishManifest();
      await this.#commit(root);
      this.#files.committed();
      this.#objects.forEach(({ name, bytes, warnings }) => {
        this.#emit({ type: 'object', name, state: warnings > 0 ? 'warning' : 'succeeded', bytes });
      });
      return { rootHash: blockIdOf(root).toString('hex'), warningCount: this.#warningCount };
    } finally {
      this.#failure ??= new FarkeepError('call.canceled');
      this.#files.close();
      for (const { folder } of sources) folder.release();
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
        this.#files.read(message.results);
        break;
      case 'files-durable':
        this.#files.durable(message.indexes);
        break;
      case 'offered':
        this.#files.offerAnswered(message.token, message.wanted);
        break;
      case 'offer-safe':
        this.#files.offerSafe(message.token);
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

  // walking the sources

  async #walk(sources: readonly ScanSource[]): Promise<void> {
    this.phase = 'transferring';
    const walked = new TreeTotal();
    using walk = new TreeWalk(this.#disk, sources, this.#operation.excludes);
    const beganMs = performance.now();
    let sliceBeganMs = beganMs;
    for (let item = walk.next(); item !== undefined; item = walk.next()) {
      if (item.type === 'entry') {
        walked.add(item.entry);
        this.#addEntry(item.entry);
      } else if (item.type === 'left') item.folder.cached?.end();
      else this.#unreadable(item.sourceIndex, item.path, `Its state could not be read: ${item.reason}`);
      if (performance.now() - sliceBeganMs > sliceMs) {
        this.#window.write();
        this.walkMs += performance.now() - sliceBeganMs;
        await new Promise<void>((resolve) => setImmediate(resolve));
        sliceBeganMs = performance.now();
      }
      if (this.#mustWait()) {
        this.walkMs += performance.now() - sliceBeganMs;
        // The run is now long enough for a second walk, which counts the total.
        if (!this.#isCounting && performance.now() - beganMs > countAfterMs) void this.#count(sources);
        await this.#until(() => !this.#mustWait());
        sliceBeganMs = performance.now();
      }
    }
    this.#total = walked;
    // If the target lacks cached blocks of a file, the file must be read. So this loop may run several times.
    while (this.#files.size > 0) {
      this.#files.flush();
      const before = this.#files.size;
      await this.#until(() => this.#files.size < before || this.#files.hasBatch);
    }
    // A name can turn out to be a pipe or a device when it is read.
    this.#tellSpecials();
    this.#window.write();
  }

  #tellSpecials(): void {
    if (this.#flaggedCount > 0) {
      const count = this.#flaggedCount === 1 ? '1 entry' : `${this.#flaggedCount} entries`;
      const text = `The flags "immutable" and "append only" (chattr) are not saved; ${count}, first ${this.#firstFlagged}`;
      this.#emit({ type: 'remark', text });
    }
    this.#specials.forEach((specials, sourceIndex) => {
      for (const news of specialFileRemarks(specials)) {
        if (news.type === 'remark') this.#emit(news);
        else this.#warn(sourceIndex, news.warning);
      }
    });
  }

  #mustWait(): boolean {
    if (this.#window.size < maxWindowEntries && this.#folders.open < this.#maxFolders) return this.#files.isFull;
    // The oldest entry may wait for an offer or a batch that is not full yet.
    this.#files.flush();
    this.#window.write();
    return this.#window.size >= maxWindowEntries || this.#folders.open >= this.#maxFolders;
  }

  #addEntry(entry: ScannedEntry): void {
    const { stat } = entry;
    if ((stat.attributes & keptFlags) !== 0) {
      this.#flaggedCount += 1;
      if (this.#flaggedCount === 1) this.#firstFlagged = showRaw(pathOf(entry));
    }
    if (!hasTimeInBounds(stat))
      this.#unreadable(entry.sourceIndex, pathOf(entry), 'Its time is out of range; it is saved with the time 0');
    if (!isFile(stat)) {
      this.#addSpecial(entry, stat);
      this.#window.add(entry);
      return;
    }
    this.#files.add(entry);
  }

  #addSpecial(entry: ScannedEntry, stat: FileStat): void {
    const special = specialKindOf(stat);
    if (special !== undefined) this.#specials[entry.sourceIndex]?.add(special, rawBytes(pathOf(entry)));
  }

  // ending the backup

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

  // work during the walk

  /** Counts the files and bytes of the sources, for the progress bar. */
  async #count(sources: readonly ScanSource[]): Promise<void> {
    this.#isCounting = true;
    const isOver = (): boolean => this.#failure !== undefined || this.#total !== undefined;
    try {
      const total = await countTree(this.#disk, sources, this.#operation.excludes, isOver);
      if (total !== undefined) this.#total ??= total;
    } catch (error) {
      this.fail(toFarkeepError(error));
    }
  }

  #tellMissing(missing: readonly MissingSource[]): void {
    for (const { sourceIndex, code, message } of missing)
      this.#warn(sourceIndex, { code, message, path: this.#operation.sourcePaths[sourceIndex] ?? '' });
  }

  #unreadable(sourceIndex: number, path: RawText, message: string): void {
    this.#warn(sourceIndex, { code: 'source.unreadable', message, path: showRaw(path) });
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

  /** Waits until messages from the lanes have made `condition` true; throws when the session fails during the wait. */
  async #until(condition: () => boolean): Promise<void> {
    while (this.#failure === undefined && !condition()) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function showRaw(path: RawText): string {
  return showPath(rawBytes(path));
}
