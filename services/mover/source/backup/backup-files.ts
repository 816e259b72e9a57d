// Owns the files of a backup: decides which files are unchanged and which are read, handles names that are no longer files, and updates the
// file cache. Main thread only.
//
// for each file of the walk:
//   the file cache has its state (size, times, inode): offer the cached block identifiers to the target
//     target has all blocks: use the cached content list otherwise: give the file to a lane
//   not in the cache: give the file to a lane
// result of a lane:
//   read: complete its manifest entry; save its cache entry when all its blocks are durable
//   gone: leave it out unreadable: save it without content, warn
//   the name is no longer a file: look again; save the new link or device, or read again (at most 3 times)
import type { CacheSlot } from '../walk/cached-folder.ts';
import { packedReferenceBytes } from '../walk/content-list.ts';
import { readResults, type FileResult } from '../streams/file-batch.ts';
import { FileCache } from '../walk/file-cache.ts';
import { isSettled as isSettledAt, type FileStat } from '../walk/file-stat.ts';
import { LinkedFiles, type PlacedName, type ReadFile } from './linked-files.ts';
import type { BackupOperation } from '../../link/local-link.ts';
import { lookAgain } from './look-again.ts';
import type { ManifestWindow } from './manifest-window.ts';
import { PendingFiles, type PendingFile } from './pending-files.ts';
import type { RawText, SourceDisk } from '../walk/source-disk.ts';
import type { PipelineStreams } from '../streams/stream-pool.ts';
import type { ScannedEntry } from '../walk/tree-scanner.ts';
import { UncommittedOffers } from './uncommitted-offers.ts';

/**
 * Limit of reads of one name. Without this limit, a name that changes again and again between a file and another kind of entry would be
 * read forever.
 */
const maxReadings = 3;
const noContent = Buffer.alloc(0);

export interface BackupFilesOptions {
  readonly operation: BackupOperation;
  readonly streams: PipelineStreams;
  readonly disk: SourceDisk;
  readonly window: ManifestWindow;
  readonly now: () => number;
  readonly onRemark: (text: string) => void;
  readonly onWarning: (
    entry: ScannedEntry,
    warning: { readonly code: 'source.changed' | 'source.unreadable'; readonly message: string },
  ) => void;
  /** Called when the name now belongs to a pipe, a socket or a device. */
  readonly onSpecial: (entry: ScannedEntry, stat: FileStat) => void;
  /** Called when an entry is finished, with any outcome. The bytes count for the source of the entry. */
  readonly onDone: (entry: ScannedEntry, sizeBytes: number) => void;
}

export class BackupFiles {
  readonly #options: BackupFilesOptions;
  readonly #cache: FileCache;
  readonly #pending: PendingFiles;
  readonly #links: LinkedFiles;
  /** Files that were read, but have blocks that are not durable yet. */
  readonly #unsaved = new Map<number, CacheSlot>();
  readonly #uncommittedOffers = new UncommittedOffers();
  /** Bytes of files that need not be read. */
  cachedBytes = 0;
  cachedBlocks = 0;
  unchangedFiles = 0;
  skippedFiles = 0;

  constructor(options: BackupFilesOptions) {
    this.#options = options;
    const { operation, streams, onRemark } = options;
    this.#cache = new FileCache(operation.fileCachePath, {
      isFullRead: operation.isFullRead === true,
      onTrouble: onRemark,
    });
    this.#links = new LinkedFiles({
      onRead: (name) => {
        this.#readLaterName(name);
      },
      onLink: (name, target) => {
        this.#fileIsLink(name, target);
      },
    });
    this.#pending = new PendingFiles({
      streams,
      onUnchanged: (file, content) => {
        this.#fileUnchanged(file, content);
      },
      onLost: (file, reason) => {
        this.#fileUnreadable(file, reason);
      },
    });
  }

  /** Number of files without an outcome. */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether the lanes have enough files to stay busy. */
  get isFull(): boolean {
    return this.#pending.isFull;
  }

  get hasBatch(): boolean {
    return this.#pending.hasBatch;
  }

  /** The part of `cachedBytes` that survives a crash of the target. */
  get cachedSafeBytes(): number {
    return this.cachedBytes - this.#uncommittedOffers.bytes;
  }

  add(entry: ScannedEntry): void {
    const { stat } = entry;
    const name = { index: this.#options.window.expect(), entry };
    if (stat.nlink > 1 && !this.#links.meet(name)) return;
    if (stat.sizeBytes === 0) {
      this.#fileIsEmpty(name);
      return;
    }
    const folder = (entry.folder.cached ??= this.#cache.folder(entry.folder.path));
    const cached = folder.find(entry.name, stat);
    this.#pending.add(name.index, entry, cached, folder.add(entry.name));
  }

  /** Sends all waiting files to the lanes, even in an incomplete batch. */
  flush(): void {
    this.#pending.flush();
  }

  /** Handles results of the lanes. @param results packed (file-batch.ts) */
  read(results: Uint8Array): void {
    for (const result of readResults(results)) this.#fileRead(result);
  }

  /** Handles the target's answer to an offer of remembered blocks. */
  offerAnswered(token: number, wanted: readonly boolean[]): void {
    const before = this.cachedBytes;
    this.#pending.answered(token, wanted);
    this.#uncommittedOffers.answered(token, this.cachedBytes - before);
  }

  offerSafe(token: number): void {
    this.#uncommittedOffers.safe(token);
  }

  /** Called when every block of these files survives a crash of the target. */
  durable(indexes: Iterable<number>): void {
    for (const index of indexes) {
      const slot = this.#unsaved.get(index);
      if (slot === undefined) continue;
      this.#unsaved.delete(index);
      slot.part.save(slot.position);
    }
    this.#cache.writeOpen();
  }

  /** Called after the commit: all read files are durable, and cached files that the walk did not find no longer exist. */
  committed(): void {
    this.durable([...this.#unsaved.keys()]);
    this.#cache.finish();
  }

  close(): void {
    this.#cache.close();
  }

  #fileIsEmpty(name: PlacedName): void {
    const { stat } = name.entry;
    const isSettled = isSettledAt(stat, this.#options.now());
    this.#fileDone(name, { stat, content: noContent, sizeBytes: 0, isChanged: false, isSettled });
  }

  #fileUnchanged(file: PendingFile, content: Buffer): void {
    const { stat } = file.entry;
    this.unchangedFiles += 1;
    this.cachedBytes += stat.sizeBytes;
    this.cachedBlocks += content.length / packedReferenceBytes;
    file.slot?.part.keep(file.slot.position);
    this.#fileDone(file, { stat, content, sizeBytes: stat.sizeBytes, isChanged: false, isSettled: true });
  }

  #fileRead({ index, outcome, stat, sizeBytes, isChanged, isSettled, problem, content }: FileResult): void {
    const file = this.#pending.take(index);
    if (file === undefined) return;
    const { entry, slot } = file;
    if (outcome !== 'read' || stat === undefined) {
      if (outcome === 'other' || outcome === 'read') this.#fileIsOther(file);
      else if (outcome === 'gone') this.#fileGone(file);
      else this.#fileUnreadable(file, problem);
      entry.folder.release();
      return;
    }
    entry.folder.release();
    if (isChanged) {
      const message = 'It changed during both reads; the last content that was read is saved';
      this.#options.onWarning(entry, { code: 'source.changed', message });
    }
    if (isSettled && slot !== undefined) {
      slot.part.hold(slot.position, entry.name, stat, content);
      this.#unsaved.set(index, slot);
    } else slot?.part.forget(slot.position);
    this.#fileDone(file, { stat, content, sizeBytes, isChanged, isSettled });
  }

  #fileDone(name: PlacedName, read: ReadFile): void {
    const { index, entry } = name;
    const { stat, content, sizeBytes, isChanged } = read;
    const target = stat.nlink > 1 || entry.stat.nlink > 1 ? this.#links.read(name, read) : undefined;
    if (target !== undefined) {
      this.#fileIsLink({ index, entry: { ...entry, stat } }, target);
      return;
    }
    const facts = { treePath: entry.treePath, stat, linkTarget: undefined };
    this.#options.window.complete(index, facts, { content, sizeBytes, isChanged, isUnreadable: false });
    this.#options.onDone(entry, sizeBytes);
  }

  #fileIsLink({ index, entry }: PlacedName, linkTarget: RawText): void {
    this.#options.window.complete(index, { treePath: entry.treePath, stat: entry.stat, linkTarget });
    this.#options.onDone(entry, 0);
  }

  /** Reads a further name of a hard-linked file, when that name has to be read itself. */
  #readLaterName({ index, entry }: PlacedName): void {
    if (entry.stat.sizeBytes === 0) this.#fileIsEmpty({ index, entry });
    else this.#pending.add(index, entry, undefined, undefined);
  }

  #fileGone({ index, entry, slot }: PendingFile): void {
    // The file was deleted before the read: treated like a file that disappears during the walk.
    slot?.part.forget(slot.position);
    this.#options.window.complete(index, undefined);
    this.#links.failed({ index, entry });
  }

  #fileUnreadable({ index, entry, slot }: PendingFile, problem: string): void {
    slot?.part.forget(slot.position);
    this.skippedFiles += 1;
    this.#options.onWarning(entry, { code: 'source.unreadable', message: `It could not be read: ${problem}` });
    this.#options.window.complete(index, entry, {
      content: noContent,
      sizeBytes: 0,
      isChanged: false,
      isUnreadable: true,
    });
    this.#options.onDone(entry, 0);
    this.#links.failed({ index, entry });
  }

  /** Called when the name belonged to a link, a pipe or a folder at the time of the read. The file's folder is still open. */
  #fileIsOther(file: PendingFile): void {
    const { index, entry, slot } = file;
    const look = lookAgain(this.#options.disk, entry);
    if (look.type === 'file') {
      if (file.readings < maxReadings) this.#pending.readAgain(file);
      else this.#fileUnreadable(file, 'it changed each time it was looked at');
      return;
    }
    if (look.type === 'unreadable') {
      this.#fileUnreadable(file, look.reason);
      return;
    }
    if (look.type === 'gone') {
      this.#fileGone(file);
      return;
    }
    slot?.part.forget(slot.position);
    const { stat } = look;
    const linkTarget = look.type === 'other' ? look.linkTarget : undefined;
    if (look.type === 'other') this.#options.onSpecial(entry, stat);
    else {
      const message = 'It was a file and became a folder; its content is saved by the next run';
      this.#options.onWarning(entry, { code: 'source.changed', message });
    }
    this.#options.window.complete(index, { treePath: entry.treePath, stat, linkTarget });
    this.#links.failed({ index, entry });
  }
}
