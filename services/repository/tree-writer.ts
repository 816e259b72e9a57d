// Owns the disk side of a restore: entries in tree order become files below one destination, whatever the manifest or the disk holds.
// It never reads blocks and knows no keys: content comes in through FileSink, checked by the caller.
import { lchownSync, linkSync, lutimesSync, renameSync, symlinkSync } from 'node:fs';
import type { ErrorCode } from '../contracts/errors.ts';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { isDamage } from './restore-failure.ts';
import { countOfKind, isMissed, SpecialFiles, type SpecialGroup } from './special-files.ts';
import { splitPath } from './tree-position.ts';
import { makeWriteBuffers } from './direct-file.ts';
import { DiskFile, type PlaceableFile } from './file-sink.ts';
import { accessTime, DestinationFolder, removeQuietly, secondsOf, temporaryName } from './tree-destination.ts';
import type { FileEntry, FolderEntry, HardLinkEntry, SymlinkEntry, TreeEntry } from './tree-entry.ts';

export type OverwriteRule = 'never' | 'older' | 'always';

export interface RestoreProblem {
  /** Raw bytes, as in the restore point. */
  readonly path: Buffer;
  readonly code: ErrorCode;
  readonly message: string;
  /** Whether the entry is there all the same (for example without its owner). */
  readonly isRestored: boolean;
}

export interface RestoreCounts {
  files: number;
  folders: number;
  symlinks: number;
  hardLinks: number;
  /** Bytes of content written, holes not counted. */
  contentBytes: number;
  /** Left alone because of the overwrite rule. */
  skipped: number;
  /** Not restored; each has a problem. */
  failed: number;
  /** Those of the failed that the point cannot give back. */
  damaged: number;
  /** Those of the failed for which the disk of the destination has no room. */
  noRoom: number;
}

export interface RestoreResult {
  readonly counts: RestoreCounts;
  /** The first thousand. */
  readonly problems: readonly RestoreProblem[];
  readonly problemCount: number;
  /** Pipes, sockets and devices of what was asked for; none of them was made. */
  readonly specials: readonly SpecialGroup[];
}

export interface TreeWriterOptions {
  /** Made when missing. */
  readonly destination: string;
  readonly overwrite: OverwriteRule;
  /** Mode, owner and times of the top folder are set when this writer made it; true sets them always, false never. */
  readonly restoresTopFolder?: boolean;
  /** Default: when run as root. */
  readonly restoresOwners?: boolean;
  readonly onProblem?: (problem: RestoreProblem) => void;
}

interface OpenFolder {
  readonly path: Buffer;
  readonly name: Buffer;
  readonly parent: OpenFolder | undefined;
  /** Undefined when it could not be opened: everything below fails without further problems. */
  readonly folder: DestinationFolder | undefined;
  entry: FolderEntry | undefined;
  /** Files and folders in it that are not finished. */
  pending: number;
  isLeft: boolean;
}

const maxProblems = 1000;
/** Large files that are written past the page cache at the same time. */
const directWriters = 4;
/** What utimes may have lost when the existing file was restored (tree-destination.ts). */
const timeToleranceNs = 1000n;

export class TreeWriter {
  readonly #overwrite: OverwriteRule;
  readonly #isOwnerRestored: boolean;
  readonly #restoresTopFolder: boolean | undefined;
  readonly #onProblem: (problem: RestoreProblem) => void;
  readonly #stack: OpenFolder[] = [];
  readonly #writeBuffers = makeWriteBuffers(directWriters);
  readonly #sinks = new Map<string, DiskFile>();
  readonly #waitingLinks = new Map<string, (() => void)[]>();
  readonly #problems: RestoreProblem[] = [];
  readonly #specials = new SpecialFiles();
  #problemCount = 0;
  readonly counts: RestoreCounts = {
    files: 0,
    folders: 0,
    symlinks: 0,
    hardLinks: 0,
    contentBytes: 0,
    skipped: 0,
    failed: 0,
    damaged: 0,
    noRoom: 0,
  };

  private constructor(options: TreeWriterOptions, top: DestinationFolder) {
    this.#overwrite = options.overwrite;
    this.#isOwnerRestored = options.restoresOwners ?? process.getuid?.() === 0;
    this.#restoresTopFolder = options.restoresTopFolder;
    this.#onProblem = options.onProblem ?? ((): void => undefined);
    const empty = Buffer.alloc(0);
    this.#stack.push({
      path: empty,
      name: empty,
      parent: undefined,
      folder: top,
      entry: undefined,
      pending: 0,
      isLeft: false,
    });
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

  /**
   * Takes the next entry, in tree order; folders on the way to it may be missing. Gives a sink when the content of a file is
   * wanted (several may be open at once), undefined when nothing more is needed. Throws storage.damaged for a path that cannot
   * be; all else is recorded as a problem of the entry.
   */
  begin(entry: TreeEntry): PlaceableFile | undefined {
    const names = splitPath(entry.path);
    const name = names.at(-1);
    if (name === undefined) {
      this.#beginTop(entry);
      return undefined;
    }
    const parent = this.#enterFolder(names.slice(0, -1));
    if (parent.folder === undefined) {
      this.counts.failed += 1;
      return undefined;
    }
    try {
      switch (entry.kind) {
        case 'folder':
          this.#push(parent, name, entry);
          return undefined;
        case 'file':
          return this.#beginFile(parent, parent.folder, name, entry);
        case 'symlink':
          this.#makeSymlink(parent.folder, name, entry);
          return undefined;
        case 'hardlink':
          this.#makeHardLink(parent, name, entry);
          return undefined;
        case 'special':
          this.#specials.add(entry.special, entry.path);
          return undefined;
      }
    } catch (error) {
      this.#fail(entry.path, error);
      return undefined;
    }
  }

  /** Ends the restore: every sink must be finished or failed. Sets what is left of folders' modes and times. */
  async finish(): Promise<RestoreResult> {
    for (const sink of [...this.#sinks.values()])
      await sink.fail(new FarkeepError('restore.incomplete', 'Its content did not arrive'));
    this.#leaveTo(0);
    const specials = this.#specials.groups();
    for (const group of specials.filter(({ kind }) => isMissed(kind))) this.#failGroup(group);
    return { counts: this.counts, problems: this.#problems, problemCount: this.#problemCount, specials };
  }

  /** The path of the manifest in plain text, for messages. */
  static textOf(path: Buffer): string {
    return path.length === 0 ? '/' : path.toString('utf8');
  }

  // folders

  #beginTop(entry: TreeEntry): void {
    const top = this.#stack[0];
    if (top === undefined || entry.kind !== 'folder')
      throw new FarkeepError('storage.damaged', 'Manifest: the top is no folder');
    if (this.#restoresTopFolder ?? top.folder?.isCreated ?? false) top.entry = entry;
  }

  #enterFolder(names: readonly Buffer[]): OpenFolder {
    let depth = 0;
    while (depth < names.length && this.#stack[depth + 1]?.name.equals(names[depth] ?? Buffer.alloc(0)) === true)
      depth += 1;
    this.#leaveTo(depth + 1);
    for (; depth < names.length; depth += 1) {
      const parent = this.#stack[depth];
      const name = names[depth];
      if (parent === undefined || name === undefined) break;
      this.#push(parent, name, undefined);
    }
    const last = this.#stack.at(-1);
    if (last === undefined) throw new FarkeepError('call.internal', 'The restore was finished already');
    return last;
  }

  #push(parent: OpenFolder, name: Buffer, entry: FolderEntry | undefined): void {
    this.#leaveTo(this.#stack.indexOf(parent) + 1);
    const path = parent.path.length === 0 ? name : Buffer.concat([parent.path, Buffer.from('/'), name]);
    let folder: DestinationFolder | undefined;
    if (parent.folder !== undefined) {
      try {
        // A folder with an entry is closed to others until that entry's mode is set; one that is only on the way is made as usual.
        folder = parent.folder.openChild(name, this.#overwrite === 'always', entry === undefined ? 0o777 : 0o700);
        if (entry !== undefined) this.counts.folders += 1;
      } catch (error) {
        this.#fail(path, error);
      }
    }
    const isKept = folder !== undefined && !folder.isCreated && this.#overwrite === 'never';
    parent.pending += 1;
    this.#stack.push({
      path,
      name: Buffer.from(name),
      parent,
      folder,
      entry: isKept ? undefined : entry,
      pending: 0,
      isLeft: false,
    });
  }

  #leaveTo(length: number): void {
    while (this.#stack.length > length) {
      const left = this.#stack.pop();
      if (left === undefined) break;
      left.isLeft = true;
      this.#settle(left);
    }
  }

  /** Sets mode and times of a folder once nothing in it will change any more. */
  #settle(left: OpenFolder): void {
    if (!left.isLeft || left.pending > 0) return;
    if (left.folder !== undefined) {
      try {
        if (left.entry !== undefined) left.folder.apply(left.entry, this.#isOwnerRestored);
      } catch (error) {
        this.#note(left.path, error, true);
      }
      left.folder.close();
    }
    if (left.parent !== undefined) {
      left.parent.pending -= 1;
      this.#settle(left.parent);
    }
  }

  // entries

  /** Whether something may be put at this name; records why not. */
  #mayPlace(folder: DestinationFolder, name: Buffer, entry: TreeEntry, existing = folder.look(name)): boolean {
    if (existing === undefined) return true;
    if (existing.isDirectory()) {
      this.#fail(entry.path, new FarkeepError('restore.exists', 'A folder stands in its place'));
      return false;
    }
    if (
      this.#overwrite === 'always' ||
      (this.#overwrite === 'older' && existing.mtimeNs + timeToleranceNs < entry.mtimeNs)
    )
      return true;
    this.counts.skipped += 1;
    return false;
  }

  #beginFile(parent: OpenFolder, folder: DestinationFolder, name: Buffer, entry: FileEntry): PlaceableFile | undefined {
    if (entry.isUnreadable) {
      this.#fail(entry.path, new FarkeepError('source.unreadable', 'It could not be read when it was backed up'));
      return undefined;
    }
    const existing = folder.look(name);
    if (!this.#mayPlace(folder, name, entry, existing)) return undefined;
    const key = entry.path.toString('latin1');
    parent.pending += 1;
    const sink = new DiskFile({
      entry,
      folder,
      name: Buffer.from(name),
      isOwnerRestored: this.#isOwnerRestored,
      isReplacing: existing !== undefined,
      writeBuffers: this.#writeBuffers,
      onNote: (error) => this.#note(entry.path, error, true),
      onEnd: (error, contentBytes) => {
        this.#sinks.delete(key);
        if (error === undefined) {
          this.counts.files += 1;
          this.counts.contentBytes += contentBytes;
        } else {
          this.#fail(entry.path, error);
        }
        for (const link of this.#waitingLinks.get(key) ?? []) link();
        this.#waitingLinks.delete(key);
        parent.pending -= 1;
        this.#settle(parent);
      },
    });
    this.#sinks.set(key, sink);
    return sink;
  }

  #makeSymlink(folder: DestinationFolder, name: Buffer, entry: SymlinkEntry): void {
    if (!this.#mayPlace(folder, name, entry)) return;
    if (entry.target.length === 0 || entry.target.includes(0))
      throw new FarkeepError('storage.damaged', 'Its target cannot be');
    const temporary = folder.child(temporaryName());
    symlinkSync(entry.target, temporary);
    try {
      if (this.#isOwnerRestored) lchownSync(temporary, entry.owner.uid, entry.owner.gid);
      lutimesSync(temporary, accessTime(), secondsOf(entry.mtimeNs));
      renameSync(temporary, folder.child(name));
    } catch (error) {
      removeQuietly(temporary);
      throw error;
    }
    this.counts.symlinks += 1;
  }

  #makeHardLink(parent: OpenFolder, name: Buffer, entry: HardLinkEntry): void {
    splitPath(entry.target);
    const key = entry.target.toString('latin1');
    const ownName = Buffer.from(name);
    const make = (): void => {
      try {
        this.#linkNow(parent, ownName, entry);
      } catch (error) {
        this.#fail(entry.path, error);
      }
    };
    if (!this.#sinks.has(key)) {
      make();
      return;
    }
    // The file it names is still being written.
    parent.pending += 1;
    const waiting = this.#waitingLinks.get(key) ?? [];
    waiting.push(() => {
      make();
      parent.pending -= 1;
      this.#settle(parent);
    });
    this.#waitingLinks.set(key, waiting);
  }

  #linkNow(parent: OpenFolder, name: Buffer, entry: HardLinkEntry): void {
    if (parent.folder === undefined || !this.#mayPlace(parent.folder, name, entry)) return;
    // The target is reached from the top, folder by folder, each without following links.
    const opened: DestinationFolder[] = [];
    let folder = this.#stack[0]?.folder;
    const names = splitPath(entry.target);
    try {
      for (const part of names.slice(0, -1)) {
        if (folder?.look(part)?.isDirectory() !== true) break;
        folder = folder.openChild(part, false);
        opened.push(folder);
      }
      const last = names.at(-1);
      if (folder === undefined || last === undefined || folder.look(last)?.isFile() !== true) {
        throw new FarkeepError(
          'restore.incomplete',
          `The file it is another name of was not restored: ${TreeWriter.textOf(entry.target)}`,
        );
      }
      const temporary = parent.folder.child(temporaryName());
      linkSync(folder.child(last), temporary);
      try {
        renameSync(temporary, parent.folder.child(name));
      } finally {
        removeQuietly(temporary); // rename() between two names of one file does nothing and leaves both
      }
    } finally {
      for (const each of opened) each.close();
    }
    this.counts.hardLinks += 1;
  }

  // problems

  #failGroup(group: SpecialGroup): void {
    this.counts.failed += group.count;
    const text =
      group.count === 1
        ? `A ${countOfKind(group).slice(2)} is recorded but cannot be made`
        : `${countOfKind(group)} are recorded but cannot be made; this is the first`;
    this.#note(group.firstPaths[0] ?? Buffer.alloc(0), new FarkeepError('restore.incomplete', text), false);
  }

  #fail(path: Buffer, error: unknown): void {
    this.counts.failed += 1;
    const { code } = this.#note(path, error, false);
    if (isDamage(code)) this.counts.damaged += 1;
    if (code === 'storage.disk-full') this.counts.noRoom += 1;
  }

  #note(path: Buffer, error: unknown, isRestored: boolean): RestoreProblem {
    const { code, message } = toFarkeepError(error, 'storage.io');
    const problem = { path, code, message, isRestored };
    this.#problemCount += 1;
    if (this.#problems.length < maxProblems) this.#problems.push(problem);
    this.#onProblem(problem);
    return problem;
  }
}
