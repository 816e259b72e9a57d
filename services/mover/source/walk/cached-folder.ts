// Owns the cache entries of the files in one folder, ordered by name and split into parts of some hundreds. The hash of a name decides
// whether a part ends there. So a new file changes only its own part, and an unchanged folder is not written.
import { crc32 } from 'node:zlib';
import { packedReferenceBytes } from './content-list.ts';
import { isState, stateBytes, writeState, type FileStat } from './file-stat.ts';
import { rawBytes, type RawText } from './source-disk.ts';

const maxPartFiles = 1024;
/** On average one name in 256 ends a part. */
const endMask = 0xff;
/** Length of a part's header: checksum of the rest of the part, and a flag for the folder's last part. */
const headBytes = 5;
const entryHeadBytes = 6 + stateBytes;

/** A part as read from the database. */
export interface CachedRow {
  readonly id: number;
  /** Name of the first file in the part, in raw bytes. */
  readonly first: Buffer;
  readonly bytes: Buffer;
}

export interface FolderPart {
  readonly folder: Buffer;
  readonly first: Buffer;
  /** True when the part holds entries that were not written yet. */
  readonly isDirty: boolean;
  /** The row with identical bytes, if one exists: the row is then only marked for this run. */
  readonly sameRow: number | undefined;
  /** The bytes to write. */
  take(): Buffer;
}

export interface PartListener {
  begun(part: FolderPart): void;
  /** Called when the part is complete. */
  full(part: FolderPart): void;
}

/** The position of one file in a part. Its entry is filled in when the outcome of the file is known. */
export interface CacheSlot {
  readonly part: OpenPart;
  readonly position: number;
}

export class CachedFolder {
  readonly #folder: Buffer;
  readonly #cursors: PartCursor[];
  readonly #listener: PartListener;
  #part: OpenPart | undefined;
  #found: { readonly entry: Buffer; readonly row: CachedRow } | undefined;

  /** @param rows newest first; each gives the parts of one run, in order */
  constructor(folder: Buffer, rows: readonly (() => CachedRow | undefined)[], listener: PartListener) {
    this.#folder = folder;
    this.#cursors = rows.map((next) => new PartCursor(next));
    this.#listener = listener;
  }

  /**
   * Returns the cached content list of the file (a view) if the file is unchanged; undefined if it must be read. Names must be passed in
   * ascending order.
   */
  find(name: RawText, stat: FileStat): Buffer | undefined {
    this.#found = undefined;
    for (const cursor of this.#cursors) {
      const entry = cursor.seek(name);
      if (entry === undefined || cursor.row === undefined || !isState(stat, entry, 6)) continue;
      const content = entry.subarray(entryHeadBytes + entry.readUInt16LE(0));
      if (contentBytes(content) !== stat.sizeBytes) continue;
      this.#found = { entry, row: cursor.row };
      return content;
    }
    return undefined;
  }

  /** Adds a place for the file of the last look-up. */
  add(name: RawText): CacheSlot {
    let part = this.#part;
    if (part === undefined) {
      part = new OpenPart(this.#folder, rawBytes(name), this.#found?.row, this.#listener);
      this.#part = part;
      this.#listener.begun(part);
    }
    const position = part.add(this.#found?.entry);
    if (position === maxPartFiles - 1 || (hashOf(name) & endMask) === 0) {
      part.end(false);
      this.#part = undefined;
    }
    return { part, position };
  }

  /** Called when the walk leaves the folder. */
  end(): void {
    this.#part?.end(true);
    this.#part = undefined;
  }
}

export class OpenPart implements FolderPart {
  readonly folder: Buffer;
  readonly first: Buffer;
  readonly #row: CachedRow | undefined;
  readonly #listener: PartListener;
  /** For each file: the old entry, or the new entry until its blocks are durable. */
  readonly #found: (Buffer | undefined)[] = [];
  readonly #entries: (Buffer | undefined)[] = [];
  #unsettled = 0;
  #isEnded = false;
  #isLast = false;
  isDirty = false;

  constructor(folder: Buffer, first: Buffer, row: CachedRow | undefined, listener: PartListener) {
    this.folder = folder;
    this.first = first;
    this.#row = row;
    this.#listener = listener;
  }

  add(found: Buffer | undefined): number {
    this.#unsettled += 1;
    this.#entries.push(undefined);
    return this.#found.push(found) - 1;
  }

  /** Keeps the old entry of an unchanged file. */
  keep(position: number): void {
    this.#settle(position, this.#found[position]);
  }

  /** Holds the new entry of a file that was read, until `save` reports that its blocks are durable. @param content packed */
  hold(position: number, name: RawText, stat: FileStat, content: Buffer): void {
    const entry = Buffer.allocUnsafe(entryHeadBytes + name.length + content.length);
    entry.writeUInt16LE(name.length, 0);
    entry.writeUInt32LE(content.length, 2);
    writeState(stat, entry, 6);
    entry.write(name, entryHeadBytes, 'latin1');
    content.copy(entry, entryHeadBytes + name.length);
    this.#found[position] = entry;
  }

  /** Called when the blocks of the held entry are durable. */
  save(position: number): void {
    this.#settle(position, this.#found[position]);
  }

  /** Drops the entry of this file. */
  forget(position: number): void {
    this.#settle(position, undefined);
  }

  end(isLast: boolean): void {
    this.#isEnded = true;
    this.#isLast = isLast;
    this.#tellFull();
  }

  get sameRow(): number | undefined {
    const row = this.#row;
    return row?.first.equals(this.first) === true && row.bytes.equals(this.#encode()) ? row.id : undefined;
  }

  take(): Buffer {
    this.isDirty = false;
    return this.#encode();
  }

  #encode(): Buffer {
    const body = Buffer.concat([noHead, ...this.#entries.filter((entry) => entry !== undefined)]);
    body[4] = this.#isLast ? 1 : 0;
    body.writeUInt32LE(crc32(body.subarray(4)), 0);
    return body;
  }

  #settle(position: number, entry: Buffer | undefined): void {
    this.#entries[position] = entry;
    this.#found[position] = undefined;
    this.#unsettled -= 1;
    this.isDirty = true;
    this.#tellFull();
  }

  #tellFull(): void {
    if (this.#isEnded && this.#unsettled === 0 && this.#entries.length > 0) this.#listener.full(this);
  }
}

/** FNV-1a of 32 bits, folded. For short names, JavaScript code is faster than a call of a native checksum. */
function hashOf(name: RawText): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return hash ^ (hash >>> 16);
}

const noHead = Buffer.alloc(headBytes);

/** Reads the parts of one folder and one run, forward only. */
class PartCursor {
  readonly #next: () => CachedRow | undefined;
  row: CachedRow | undefined;
  #at = 0;
  #isOver = false;
  #name: RawText | undefined;
  #start = 0;

  constructor(next: () => CachedRow | undefined) {
    this.#next = next;
  }

  /** Returns the entry with this name, as a view. */
  seek(name: RawText): Buffer | undefined {
    while (this.#name === undefined || this.#name < name) if (!this.#step()) return undefined;
    return this.#name === name ? this.row?.bytes.subarray(this.#start, this.#at) : undefined;
  }

  #step(): boolean {
    for (;;) {
      const bytes = this.row?.bytes;
      if (bytes !== undefined && this.#at < bytes.length) {
        const nameBytes = bytes.readUInt16LE(this.#at);
        this.#start = this.#at;
        this.#name = bytes.toString('latin1', this.#at + entryHeadBytes, this.#at + entryHeadBytes + nameBytes);
        this.#at += entryHeadBytes + nameBytes + bytes.readUInt32LE(this.#at + 2);
        return true;
      }
      if (this.#isOver) return false;
      const row = this.#next();
      if (row === undefined) {
        this.#isOver = true;
        return false;
      }
      // A part with a wrong checksum is ignored.
      if (row.bytes.length < headBytes || crc32(row.bytes.subarray(4)) !== row.bytes.readUInt32LE(0)) continue;
      this.row = row;
      this.#at = headBytes;
      this.#isOver = row.bytes[4] === 1;
    }
  }
}

function contentBytes(packed: Buffer): number {
  let sum = 0;
  for (let at = packedReferenceBytes; at <= packed.length; at += packedReferenceBytes)
    sum += packed.readUInt32BE(at - 8) * 0x1_0000_0000 + packed.readUInt32BE(at - 4);
  return sum;
}
