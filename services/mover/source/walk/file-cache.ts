// Owns a job's file cache: state and blocks of each file, kept between sessions and attempts. The cache is only a hint: the target confirms
// every block before it is used, and a cache error never ends a run.
//
// the files of a folder are cached in parts of some hundreds (cached-folder.ts); each part belongs to a run
// look-up, newest run first: the entry is valid if size, mtime, ctime, inode and device are equal
// unchanged file: keep the old entry read file: make a new entry, save it when its blocks are durable
// when all files of a part have an outcome: write the part for this run; an unchanged part only gets the new run number
// every 5 s, and at the end of a failed run: also write unfinished parts
// after a complete run: delete the parts of all other runs
import { CachedFolder, type CachedRow, type FolderPart } from './cached-folder.ts';
import { CacheFile, type CacheTrouble } from './cache-file.ts';
import { rawBytes, type RawText } from './source-disk.ts';

const batchParts = 64;
/** Interval for writing parts with files that are not all durable yet. After a crash, at most the files of this interval are read again. */
const openPartsIntervalMs = 5_000;
const noPart = Buffer.alloc(0);

export interface FileCacheOptions {
  /** Reads every file and remembers the results. */
  readonly isFullRead?: boolean;
  /** Called once with the reason why the job continues without the cache. */
  readonly onTrouble?: (text: string) => void;
  readonly now?: () => number;
}

export class FileCache implements Disposable {
  readonly #file: CacheFile;
  readonly #isFullRead: boolean;
  readonly #onTrouble: (text: string) => void;
  readonly #now: () => number;
  #hasTrouble = false;
  #full: FolderPart[] = [];
  readonly #open = new Set<FolderPart>();
  #lastOpenMs: number;

  constructor(
    file: string,
    { isFullRead = false, onTrouble = () => undefined, now = Date.now }: FileCacheOptions = {},
  ) {
    this.#isFullRead = isFullRead;
    this.#onTrouble = onTrouble;
    this.#now = now;
    this.#lastOpenMs = now();
    this.#file = new CacheFile(file, (trouble) => {
      this.#tell(file, trouble);
    });
  }

  /** Returns the cache entries of one folder. Files must be looked up in the order of their names. */
  folder(path: RawText): CachedFolder {
    const key = rawBytes(path);
    const cursors = this.#isFullRead
      ? []
      : this.#file.runs.map((run) => {
          let last: Buffer = noPart;
          return (): CachedRow | undefined => {
            const row = this.#file.nextPart(run, key, last);
            if (row !== undefined) last = row.first;
            return row;
          };
        });
    return new CachedFolder(key, cursors, {
      begun: (part) => {
        this.#open.add(part);
      },
      full: (part) => {
        this.#open.delete(part);
        this.#full.push(part);
        if (this.#full.length >= batchParts) this.#write([]);
      },
    });
  }

  /** Writes, at intervals, entries that became durable in folders that are not complete yet. */
  writeOpen(): void {
    if (this.#now() - this.#lastOpenMs < openPartsIntervalMs) return;
    this.#lastOpenMs = this.#now();
    this.#write([...this.#open]);
  }

  /** Must be called after a complete run: removes all entries of earlier runs that this run did not keep or save. */
  finish(): void {
    this.#write([...this.#open]);
    this.#file.finish();
  }

  /** Keeps the entries gathered so far, even after a failed run. */
  close(): void {
    this.#write([...this.#open]);
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #write(open: readonly FolderPart[]): void {
    const parts = [...this.#full, ...open.filter((part) => part.isDirty)];
    this.#full = [];
    if (parts.length > 0) this.#file.write(parts);
  }

  #tell(file: string, { kind, reason }: CacheTrouble): void {
    if (this.#hasTrouble) return;
    this.#hasTrouble = true;
    const what = `The file cache of this job (${file})`;
    this.#onTrouble(
      kind === 'damaged'
        ? `${what} was damaged and has been renamed: ${reason}. All files are read again`
        : `${what} could not be used: ${reason}. The job continues without it; all files are read again`,
    );
  }
}
