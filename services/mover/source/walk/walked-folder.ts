// Owns the open folders of a walk. A folder stays open while the walk is in it or one of its files waits to be read, and can be reopened
// later. Main thread only; lanes use a folder's descriptor while one of their files holds the folder.
import type { CachedFolder } from './cached-folder.ts';
import { linkKey } from './file-stat.ts';
import type { RawText, SourceDisk, SourceFolder } from './source-disk.ts';

export class FolderCount {
  open = 0;
}

export class WalkedFolder implements SourceFolder {
  readonly path: RawText;
  /** The cache entries of the files in it, loaded on first use. */
  cached: CachedFolder | undefined;
  readonly #disk: SourceDisk;
  readonly #count: FolderCount;
  readonly #parent: WalkedFolder | undefined;
  readonly #name: RawText;
  #opened: SourceFolder | undefined;
  #key: string | undefined;
  #holds = 1;

  /** Takes ownership of an open folder, with one hold. @param parent undefined for a source, which stays open until the end */
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

  /** Opens the child folder `name` without following links. */
  openFolder(name: RawText): WalkedFolder {
    return new WalkedFolder(this.#disk, this.#disk.openFolder(this, name), this.#count, this, name);
  }

  /**
   * Keeps the folder open until `release`. A closed folder is reopened from the source down. Each folder on the way is opened by its name
   * in its parent, without following links.
   * @throws when the folder cannot be reached, or another folder has taken its place
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
    // The folder was open until now, so its inode number still belongs to it.
    this.#key ??= linkKey(this.#disk.statFolder(this.#opened));
    this.#disk.closeFolder(this.#opened);
    this.#opened = undefined;
    this.#count.open -= 1;
  }
}
