// Owns the disk side of a restore: entries in tree order become files below one destination. A hostile manifest or disk must not lead a
// write outside it. Reads no blocks and knows no keys: content arrives through FileSink and is checked by the caller.
//
// Each entry is either restored correctly (content, owner, mode and time) or reported by name. A correct existing entry is kept; if only
// owner, mode or time differ, these are corrected.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { makeWriteBuffers } from '../storage/direct-file.ts';
import { DiskFile, isSmallFile, type PlaceableFile } from './file-sink.ts';
import { OpenFolders, type OpenFolder } from './open-folders.ts';
import { mayReplace, type OverwriteRule } from './overwrite-rule.ts';
import type { RestoreCounts } from './restore-failure.ts';
import { RestoreProblems, type RestoreProblem, type RestoreRemark } from './restore-problems.ts';
import { isMissed, SpecialFiles, type SpecialGroup } from '../points/special-files.ts';
import { StandingFile } from './standing-file.ts';
import { DestinationFolder, removeQuietly, usualFolderMode } from './tree-destination.ts';
import { TreeLinks } from './tree-links.ts';
import { splitPath } from '../points/tree-position.ts';
import type { ContentReference, FileEntry, FolderEntry, TreeEntry } from '../points/tree-entry.ts';

export type { OverwriteRule } from './overwrite-rule.ts';

export interface RestoreResult {
  readonly counts: RestoreCounts;
  /** The first thousand problems. */
  readonly problems: readonly RestoreProblem[];
  readonly problemCount: number;
  readonly remarks: readonly RestoreRemark[];
  /** Requested pipes, sockets and devices; a restore does not make these. */
  readonly specials: readonly SpecialGroup[];
}

export interface TreeWriterOptions {
  /** Path of the destination folder; made if missing. */
  readonly destination: string;
  readonly overwrite: OverwriteRule;
  /** undefined: sets owner, mode and time of the top folder if a restore made it; true: always; false: never. */
  readonly restoresTopFolder?: boolean;
  /** Default: when run as root. */
  readonly restoresOwners?: boolean;
  readonly onProblem?: (problem: RestoreProblem) => void;
}

/** An existing file that must not be replaced. Its content is compared with the parts that arrive. */
export interface ComparedFile {
  readonly entry: FileEntry;
  compare(content: readonly ContentReference[]): Promise<void>;
  /** @param end the end record of the file; without it the content is incomplete */
  finish(end?: { readonly isUnreadable: boolean }): void;
}

export type BegunFile = { readonly sink: PlaceableFile } | { readonly compared: ComparedFile } | undefined;

/** Number of large files that are written past the page cache at the same time. */
const directWriters = 4;

export class TreeWriter {
  readonly #overwrite: OverwriteRule;
  readonly #isOwnerRestored: boolean;
  readonly #restoresTopFolder: boolean | undefined;
  readonly #top: DestinationFolder;
  readonly #topMark: Buffer | undefined;
  readonly #folders: OpenFolders;
  readonly #links: TreeLinks;
  readonly #problems: RestoreProblems;
  readonly #writeBuffers = makeWriteBuffers(directWriters);
  readonly #sinks = new Map<string, DiskFile>();
  readonly #compared = new Set<ComparedFile>();
  readonly #specials = new SpecialFiles();

  private constructor(options: TreeWriterOptions, top: DestinationFolder) {
    this.#overwrite = options.overwrite;
    this.#isOwnerRestored = options.restoresOwners ?? process.getuid?.() === 0;
    this.#restoresTopFolder = options.restoresTopFolder;
    this.#top = top;
    const problems = new RestoreProblems(options.onProblem ?? ((): void => undefined));
    this.#problems = problems;
    const isOwnerRestored = this.#isOwnerRestored;
    const isReplacing = options.overwrite === 'always';
    this.#folders = new OpenFolders({ top, isOwnerRestored, mayReplace: isReplacing, problems });
    this.#links = new TreeLinks({ folders: this.#folders, problems, overwrite: options.overwrite, isOwnerRestored });
    // Sets the mark of this restore before it removes old marks. So a crash at any moment leaves a mark of an unfinished restore.
    const ownMark = top.isCreated ? top.markTop() : undefined;
    this.#topMark = ownMark ?? (top.isMarked() ? top.markTop() : undefined);
    top.removeLeftBehind();
  }

  /** Throws restore.target when the destination cannot be used. */
  static open(options: TreeWriterOptions): TreeWriter {
    try {
      return new TreeWriter(options, DestinationFolder.openTop(options.destination));
    } catch (error) {
      throw new FarkeepError(
        'restore.target',
        `${options.destination} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  }

  get counts(): RestoreCounts {
    return this.#problems.counts;
  }

  /**
   * Begins the next entry, in tree order. Makes missing parent folders. Returns a sink if the content of a file is needed; several sinks
   * may be open. Returns undefined if no content is needed. If the result is a promise, wait for it before the next entry.
   *
   * @throws storage.damaged for an impossible path; other errors become problems of the entry
   * @param isOnTheWay true for a parent folder of the requested entries
   */
  begin(entry: TreeEntry, isOnTheWay = false): BegunFile | Promise<BegunFile> {
    const names = splitPath(entry.path);
    const name = names.at(-1);
    if (name === undefined) {
      this.#beginTop(entry);
      return undefined;
    }
    const parent = this.#folders.enter(names.slice(0, -1));
    if (parent.folder === undefined) {
      this.counts.failed += 1;
      return undefined;
    }
    try {
      if (entry.extendedAttributes.length > 0) this.#problems.attributesIgnored(entry.path);
      switch (entry.kind) {
        case 'folder':
          this.#folders.begin(parent, name, entry, isOnTheWay);
          return undefined;
        case 'file':
          return this.#beginFile(parent, parent.folder, Buffer.from(name), entry);
        case 'symlink':
          this.#links.symlink(parent, parent.folder, name, entry);
          return undefined;
        case 'hardlink':
          return this.#links.hardLink(parent, name, entry, (key) => this.#sinks.has(key))?.then(() => undefined);
        case 'special':
          this.#specials.add(entry.special, entry.path);
          return undefined;
      }
    } catch (error) {
      if (entry.kind === 'file') this.#links.fileEnded(entry.path, false);
      this.#problems.fail(entry.path, error);
      return undefined;
    }
  }

  /**
   * Ends the restore. No write may be in progress. Sets the remaining owners, modes and times of folders.
   *
   * @param isComplete false: the restore was interrupted and a later one will continue it
   */
  async finish(isComplete = true): Promise<RestoreResult> {
    const lost = new FarkeepError('restore.incomplete', 'Its content did not arrive');
    for (const sink of [...this.#sinks.values()]) await sink.abandon(lost);
    for (const compared of [...this.#compared]) compared.finish();
    await this.#links.ended();
    this.#folders.leaveTo(1);
    const mark = this.#topMark;
    if (mark !== undefined && isComplete) {
      if (this.#folders.top.entry === undefined) this.#top.setMode(usualFolderMode());
      removeQuietly(this.#top.child(mark));
    }
    this.#folders.leaveTo(0);
    const specials = this.#specials.groups();
    for (const group of specials.filter(({ kind }) => isMissed(kind))) this.#problems.failGroup(group);
    const remarks = this.#problems.finish();
    const { counts, list: problems, count: problemCount } = this.#problems;
    return { counts, problems, problemCount, remarks, specials };
  }

  #beginTop(entry: TreeEntry): void {
    const { top } = this.#folders;
    if (entry.kind !== 'folder') throw new FarkeepError('storage.damaged', 'Manifest: the top is not a folder');
    if (this.#restoresTopFolder ?? (this.#topMark !== undefined || this.#wasRestored(entry))) top.entry = entry;
  }

  /**
   * Whether the existing folder already has the metadata of the restore point. If it has, an earlier restore made this folder. This restore
   * then sets the modification time of the folder again after its changes.
   */
  #wasRestored(entry: FolderEntry): boolean {
    return this.#top.isRightAtFirst(entry, this.#isOwnerRestored);
  }

  #beginFile(
    parent: OpenFolder,
    folder: DestinationFolder,
    name: Buffer,
    entry: FileEntry,
  ): BegunFile | Promise<BegunFile> {
    if (entry.isUnreadable) throw new FarkeepError('source.unreadable', 'It could not be read when it was backed up');
    const existing = parent.hidden === undefined ? folder.look(name) : undefined;
    if (existing === undefined) return this.#write(parent, folder, name, entry, false);
    if (existing.isDirectory()) throw new FarkeepError('restore.exists', 'Its place is taken by a folder');
    const isReplaceable = mayReplace(this.#overwrite, existing, entry);
    if (!existing.isFile() || (entry.isContinued && isReplaceable)) {
      if (isReplaceable) return this.#write(parent, folder, name, entry, true);
      this.#leaveAlone(entry);
      return undefined;
    }
    return this.#meet(parent, folder, name, entry, isReplaceable).catch((error: unknown) => {
      this.#links.fileEnded(entry.path, false);
      this.#problems.fail(entry.path, error);
      return undefined;
    });
  }

  /** Compares an existing file with the restore point, and decides whether to keep, correct or replace it. */
  async #meet(
    parent: OpenFolder,
    folder: DestinationFolder,
    name: Buffer,
    entry: FileEntry,
    isReplaceable: boolean,
  ): Promise<BegunFile> {
    let standing: StandingFile;
    try {
      standing = StandingFile.open(folder.child(name), entry);
    } catch (error) {
      if (isReplaceable) return this.#write(parent, folder, name, entry, true);
      throw error;
    }
    if (entry.isContinued) return { compared: this.#compare(parent, standing) };
    try {
      await standing.compare(entry.content);
      if (standing.isSame) {
        // The file has other hard links that may belong to other users, so its owner and mode are not changed: the entry gets a new file.
        if (standing.isMetadataRight(this.#isOwnerRestored) || standing.linkCount === 1) {
          this.#pass(standing);
          return undefined;
        }
      } else if (!isReplaceable) {
        this.#leaveAlone(entry);
        return undefined;
      }
    } finally {
      standing.close();
    }
    return this.#write(parent, folder, name, entry, true);
  }

  #compare(parent: OpenFolder, standing: StandingFile): ComparedFile {
    const { entry } = standing;
    let failure: unknown;
    parent.pending += 1;
    const compared: ComparedFile = {
      entry,
      compare: async (content) => {
        if (failure !== undefined) return;
        try {
          await standing.compare(content);
        } catch (error) {
          failure = error;
        }
      },
      finish: (end) => {
        if (!this.#compared.delete(compared)) return;
        if (end === undefined) failure ??= new FarkeepError('restore.incomplete', 'Its content did not arrive');
        if (end?.isUnreadable === true)
          failure = new FarkeepError('source.unreadable', 'It could not be read to its end when it was backed up');
        if (failure !== undefined) this.#problems.fail(entry.path, failure);
        else if (standing.isSame) this.#pass(standing);
        else this.#leaveAlone(entry);
        this.#links.fileEnded(entry.path, failure === undefined && standing.isSame);
        standing.close();
        this.#folders.done(parent);
      },
    };
    this.#compared.add(compared);
    return compared;
  }

  #pass(standing: StandingFile): void {
    const { path } = standing.entry;
    this.#problems.refused(path, standing.mend(this.#isOwnerRestored), this.#isOwnerRestored);
    this.counts.skipped += 1;
  }

  #leaveAlone({ path }: FileEntry): void {
    this.#links.fileEnded(path, false);
    this.#problems.leftAlone(path, this.#overwrite === 'older');
  }

  #write(
    parent: OpenFolder,
    folder: DestinationFolder,
    name: Buffer,
    entry: FileEntry,
    isReplacing: boolean,
  ): { readonly sink: PlaceableFile } {
    const key = entry.path.toString('latin1');
    const hidden = isSmallFile(entry) ? this.#folders.hideFile(parent, entry.sizeBytes) : undefined;
    parent.pending += 1;
    const sink = new DiskFile({
      entry,
      folder,
      name,
      lane: parent.lane,
      isHidden: hidden !== undefined,
      isOwnerRestored: this.#isOwnerRestored,
      isReplacing,
      writeBuffers: this.#writeBuffers,
      onNote: (error) => this.#problems.note(entry.path, error),
      onRefused: (steps) => this.#problems.refused(entry.path, steps, this.#isOwnerRestored),
      onEnd: (error, contentBytes, isPerhapsHalf) => {
        this.#sinks.delete(key);
        if (error === undefined) {
          this.counts.files += 1;
          this.counts.contentBytes += contentBytes;
        } else this.#problems.fail(entry.path, error);
        this.#links.fileEnded(entry.path, error === undefined);
        this.#folders.endFile(parent, hidden, isPerhapsHalf ? folder.child(name) : undefined);
      },
    });
    this.#sinks.set(key, sink);
    return { sink };
  }
}
