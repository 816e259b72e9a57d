// Owns the symbolic and hard links of a restore. A link is made under a temporary name and renamed into its place; a correct existing link
// is kept. A hard link waits until the file that it names is complete.
import { linkSync, readlinkSync, renameSync, symlinkSync, type BigIntStats } from 'node:fs';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { applyLinkMetadata } from './entry-metadata.ts';
import type { OpenFolder, OpenFolders } from './open-folders.ts';
import { mayReplace, type OverwriteRule } from './overwrite-rule.ts';
import type { RestoreProblems } from './restore-problems.ts';
import { haveSameContent } from './standing-file.ts';
import { temporaryName } from './temporary-name.ts';
import { removeQuietly, type DestinationFolder } from './tree-destination.ts';
import type { HardLinkEntry, SymlinkEntry, TreeEntry } from '../points/tree-entry.ts';
import { splitPath } from '../points/tree-position.ts';

export interface TreeLinksOptions {
  readonly folders: OpenFolders;
  readonly problems: RestoreProblems;
  readonly overwrite: OverwriteRule;
  readonly isOwnerRestored: boolean;
}

const slash = Buffer.from('/');

export class TreeLinks {
  readonly #options: TreeLinksOptions;
  /** Hard links that wait for their file, by path (latin1) of the unfinished file. */
  readonly #waiting = new Map<string, (() => void)[]>();
  readonly #running = new Set<Promise<void>>();
  /** Paths (latin1) of files that were not restored. If an old file has such a path, no hard link to the old file is made. */
  readonly #absent = new Set<string>();

  constructor(options: TreeLinksOptions) {
    this.#options = options;
  }

  symlink(parent: OpenFolder, folder: DestinationFolder, name: Buffer, entry: SymlinkEntry): void {
    const { problems, isOwnerRestored } = this.#options;
    if (entry.target.length === 0 || entry.target.includes(0))
      throw new FarkeepError('storage.damaged', 'Its target is not a valid path');
    const place = folder.child(name);
    const existing = parent.hidden === undefined ? folder.look(name) : undefined;
    if (existing?.isSymbolicLink() === true && readlinkSync(place, { encoding: 'buffer' }).equals(entry.target)) {
      problems.refused(entry.path, applyLinkMetadata(place, entry, isOwnerRestored), isOwnerRestored);
      problems.counts.skipped += 1;
      return;
    }
    if (!this.#mayPlace(existing, entry)) return;
    const made = parent.hidden === undefined ? folder.child(temporaryName()) : place;
    symlinkSync(entry.target, made);
    try {
      problems.refused(entry.path, applyLinkMetadata(made, entry, isOwnerRestored), isOwnerRestored);
      if (made !== place) renameSync(made, place);
    } catch (error) {
      removeQuietly(made);
      throw error;
    }
    problems.counts.symlinks += 1;
  }

  /** @param isUnderWay whether the file with this path (latin1) is unfinished */
  hardLink(
    parent: OpenFolder,
    name: Buffer,
    entry: HardLinkEntry,
    isUnderWay: (key: string) => boolean,
  ): Promise<void> | undefined {
    splitPath(entry.target);
    const key = entry.target.toString('latin1');
    const { folders, problems } = this.#options;
    const ownName = Buffer.from(name);
    parent.pending += 1;
    const make = (): Promise<void> =>
      this.#link(parent, ownName, entry)
        .catch((error: unknown) => {
          this.#absent.add(entry.path.toString('latin1'));
          problems.fail(entry.path, error);
        })
        .finally(() => folders.done(parent));
    if (!isUnderWay(key)) return make();
    const waiting = this.#waiting.get(key) ?? [];
    waiting.push(() => {
      const running: Promise<void> = make().finally(() => this.#running.delete(running));
      this.#running.add(running);
    });
    this.#waiting.set(key, waiting);
    return undefined;
  }

  /** Called when the file with this path is complete, or has failed. */
  fileEnded(path: Buffer, isThere: boolean): void {
    const key = path.toString('latin1');
    if (!isThere) this.#absent.add(key);
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    this.#waiting.delete(key);
    for (const link of waiting) link();
  }

  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #link(parent: OpenFolder, name: Buffer, entry: HardLinkEntry): Promise<void> {
    const { problems } = this.#options;
    const { folder } = parent;
    if (folder === undefined) {
      problems.counts.failed += 1;
      return;
    }
    using target = this.#reach(entry);
    const place = folder.child(name);
    const existing = parent.hidden === undefined ? folder.look(name) : undefined;
    if (existing !== undefined && existing.ino === target.found.ino && existing.dev === target.found.dev) {
      problems.counts.skipped += 1;
      return;
    }
    // The existing file has the same content, so the link can replace it without losing data.
    const isSame = existing?.isFile() === true && (await haveSameContent(place, target.path).catch(() => false));
    if (!isSame && !this.#mayPlace(existing, entry)) return;
    const made = parent.hidden === undefined ? folder.child(temporaryName()) : place;
    linkSync(target.path, made);
    if (made !== place) {
      try {
        renameSync(made, place);
      } finally {
        // If the temporary name and the final name belong to the same file, rename() does nothing. So the temporary name is removed after
        // rename().
        removeQuietly(made);
      }
    }
    problems.counts.hardLinks += 1;
  }

  /** Finds the file that the link names: opens folder by folder from the top, without following links. */
  #reach(entry: HardLinkEntry): { readonly path: Buffer; readonly found: BigIntStats } & Disposable {
    const { folders } = this.#options;
    const opened: DestinationFolder[] = [];
    const close = (): void => {
      for (const each of opened) each.close();
    };
    const names = splitPath(entry.target);
    let folder = folders.top.folder;
    let path: Buffer = Buffer.alloc(0);
    try {
      for (const name of names.slice(0, -1)) {
        path = path.length === 0 ? name : Buffer.concat([path, slash, name]);
        const present = folders.presentName({ path, name });
        if (folder?.look(present)?.isDirectory() !== true) break;
        folder = folder.openChild(present, false);
        opened.push(folder);
      }
      const last = names.at(-1);
      const found = last === undefined ? undefined : folder?.look(last);
      if (
        folder === undefined ||
        last === undefined ||
        opened.length !== names.length - 1 ||
        found?.isFile() !== true ||
        this.#absent.has(entry.target.toString('latin1'))
      ) {
        throw new FarkeepError(
          'restore.incomplete',
          `It is a hard link to a file that was not restored: ${entry.target.toString('utf8')}`,
        );
      }
      return { path: folder.child(last), found, [Symbol.dispose]: close };
    } catch (error) {
      close();
      throw error;
    }
  }

  /** Whether the entry may be placed where `existing` is now. If it may not, reports the reason. */
  #mayPlace(existing: BigIntStats | undefined, entry: TreeEntry): boolean {
    const { overwrite, problems } = this.#options;
    if (existing === undefined) return true;
    if (existing.isDirectory()) throw new FarkeepError('restore.exists', 'Its place is taken by a folder');
    if (mayReplace(overwrite, existing, entry)) return true;
    problems.leftAlone(entry.path, overwrite === 'older');
    return false;
  }
}
