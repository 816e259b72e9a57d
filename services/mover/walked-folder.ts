// Owns the open folders of a walk: each stays open while the walk is in it or a file in it waits to be read, and can be opened again later.
// Main thread only; lanes use the descriptors while a file of theirs holds them.
import type { CachedFolder } from './cached-folder.ts';
import { linkKey } from './file-stat.ts';
import type { RawText, SourceDisk, SourceFolder } from './source-disk.ts';

export class FolderCount {
  open = 0;
}

export class WalkedFolder implements SourceFolder {
  readonly path: RawText;
  /** What the job remembers of the files in it, once that was asked for. */
  cached: CachedFolder | undefined;
  readonly #disk: SourceDisk;
  readonly #count: FolderCount;
  readonly #parent: WalkedFolder | undefined;
  readonly #name: RawText;
  #opened: SourceFolder | undefined;
  #key: string | undefined;
  #holds = 1;

  /** Takes over what was opened, with one hold. @param parent undefined for a source, which is never closed before the end */
  constructor(disk: SourceDisk, opened: SourceFolder, count: FolderCount, parent?: WalkedFolder, name: RawText = '') {
    this.#disk = disk;
    this.#opened = opened;
    this.path = opened.path;
    this.#count = count;
    this.#parent = parent;
    this.#name = name;
    count.open += 1;
  }

  get descriptor(): number {
    return this.#opened?.descriptor ?? -1;
  }

  /** Opens `name` in it, no link followed. */
  openFolder(name: RawText): WalkedFolder {
    return new WalkedFolder(this.#disk, this.#disk.openFolder(this, name), this.#count, this, name);
  }

  /**
   * Keeps it open until `release`. When it was closed it is opened again: from the source down, each by its name in the one above, no link followed.
   * @throws when it cannot be reached any more, or another folder has taken its place
   */
  hold(): void {
    if (this.#opened === undefined) {
      const parent = this.#parent;
      if (parent === undefined) throw new Error('the source has been closed');
      parent.hold();
      try {
        const opened = this.#disk.openFolder(parent, this.#name);
        if (linkKey(this.#disk.statFolder(opened)) !== this.#key) {
          this.#disk.closeFolder(opened);
          throw new Error('another folder has taken its place');
        }
        this.#opened = opened;
        this.#count.open += 1;
      } finally {
        parent.release();
      }
    }
    this.#holds += 1;
  }

  release(): void {
    this.#holds -= 1;
    if (this.#holds > 0 || this.#opened === undefined) return;
    // Held open until now, so the number cannot have gone to another folder.
    this.#key ??= linkKey(this.#disk.statFolder(this.#opened));
    this.#disk.closeFolder(this.#opened);
    this.#opened = undefined;
    this.#count.open -= 1;
  }
}
