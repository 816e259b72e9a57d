// Owns what is remembered of the files in one folder: entries in the order of their names, in parts of some hundreds. A part ends behind a
// name that says so by itself, so that a new file changes the part it is in and no other, and a folder where nothing changed is not written.
import { crc32 } from 'node:zlib';
import { packedReferenceBytes } from './content-list.ts';
import { isState, stateBytes, writeState, type FileStat } from './file-stat.ts';
import { rawBytes, type RawText } from './source-disk.ts';

const maxPartFiles = 1024;
/** One name in 256 ends a part. */
const endMask = 0xff;
/** Checksum of what follows, and whether it is the folder's last part. */
const headBytes = 5;
const entryHeadBytes = 6 + stateBytes;

/** A part as it was read. */
export interface CachedRow {
  readonly id: number;
  /** Name of its first file, raw. */
  readonly first: Buffer;
  readonly bytes: Buffer;
}

export interface FolderPart {
  readonly folder: Buffer;
  readonly first: Buffer;
  /** Something is known that was not written yet. */
  readonly isDirty: boolean;
  /** The row that holds the very same bytes, if there is one: it need only be marked. */
  readonly sameRow: number | undefined;
  /** As it is to be written. */
  take(): Buffer;
}

export interface PartListener {
  begun(part: FolderPart): void;
  /** Nothing more will come. */
  full(part: FolderPart): void;
}

/** The place of one file; its entry comes when the file is settled. */
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

  /** The content of the file (a view) when it is as it was; undefined when it must be read. Names must ascend. */
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

  /** A place for the file that was looked up last. */
  add(name: RawText): CacheSlot {
    let part = this.#part;
    if (part === undefined) {
      part = new OpenPart(this.#folder, rawBytes(name), this.#found?.row, this.#listener);
      this.#part = part;
      this.#listener.begun(part);
    }
    const position = part.add(this.#found?.entry);
    if (position === maxPartFiles - 1 || (crc32(name) & endMask) === 0) {
      part.end(false);
      this.#part = undefined;
    }
    return { part, position };
  }

  /** The walk has left the folder. */
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
  /** What was found of each file, or is held, until it is settled. */
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

  /** The file is as it was. */
  keep(position: number): void {
    this.#settle(position, this.#found[position]);
  }

  /** Read; remembered when `save` says that its blocks are durable. @param content packed */
  hold(position: number, name: RawText, stat: FileStat, content: Buffer): void {
    const entry = Buffer.allocUnsafe(entryHeadBytes + name.length + content.length);
    entry.writeUInt16LE(name.length, 0);
    entry.writeUInt32LE(content.length, 2);
    writeState(stat, entry, 6);
    entry.write(name, entryHeadBytes, 'latin1');
    content.copy(entry, entryHeadBytes + name.length);
    this.#found[position] = entry;
  }

  /** The blocks of what is held are durable. */
  save(position: number): void {
    this.#settle(position, this.#found[position]);
  }

  /** Nothing is to be remembered of it. */
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

const noHead = Buffer.alloc(headBytes);

/** Goes through the parts of one folder and one run, forward only. */
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

  /** The entry of that name, a view. */
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
      // A part that decayed is as good as none.
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
