// Owns packing files for messages between the main thread and the lanes: one buffer for many files, instead of an object or a message for
// each.
import { packedStatBytes, packStat, unpackStat, type FileStat } from '../walk/file-stat.ts';
import type { RawText, SourceFolder } from '../walk/source-disk.ts';

/** A file to read: `name` in a folder that stays open until the answer. `index` identifies the file in the answer. */
export interface FileTask {
  readonly index: number;
  readonly folder: SourceFolder;
  readonly name: RawText;
}

/** The outcome of reading the file. */
export type FileOutcome =
  | 'read'
  /** The file no longer exists. */
  | 'gone'
  /** The name now belongs to something other than a file. */
  | 'other'
  /** The file could not be read; `problem` gives the reason. */
  | 'unreadable';

export interface FileResult {
  readonly index: number;
  readonly outcome: FileOutcome;
  /** State of the descriptor after reading; only with `read`. */
  readonly stat: FileStat | undefined;
  readonly sizeBytes: number;
  /** The file changed during both reads. */
  readonly isChanged: boolean;
  /** True if any later change must show in the file's times. */
  readonly isSettled: boolean;
  readonly problem: string;
  /** Packed (content-list.ts). */
  readonly content: Buffer;
}

const outcomes: readonly FileOutcome[] = ['read', 'gone', 'other', 'unreadable'];
const taskHeadBytes = 12;
const resultHeadBytes = 20;

export class FileBatchWriter {
  #bytes: Buffer;
  #length = 0;
  #count = 0;

  constructor(roomBytes = 16 * 1024) {
    this.#bytes = Buffer.alloc(roomBytes);
  }

  get count(): number {
    return this.#count;
  }

  addTask({ index, folder, name }: FileTask): void {
    // The path can be very long and is not needed when there is a descriptor.
    const path = folder.descriptor === -1 ? folder.path : '';
    const at = this.#room(taskHeadBytes + 4 + name.length + path.length);
    this.#bytes.writeUInt32LE(index, at);
    this.#bytes.writeInt32LE(folder.descriptor, at + 4);
    this.#bytes.writeUInt32LE(name.length, at + 8);
    this.#bytes.writeUInt32LE(path.length, at + taskHeadBytes);
    this.#bytes.write(name, at + taskHeadBytes + 4, 'latin1');
    this.#bytes.write(path, at + taskHeadBytes + 4 + name.length, 'latin1');
  }

  addResult({ index, outcome, stat, sizeBytes, isChanged, isSettled, problem, content }: FileResult): void {
    const reason = problem === '' ? 0 : Buffer.byteLength(problem);
    const statBytes = stat === undefined ? 0 : packedStatBytes;
    const at = this.#room(resultHeadBytes + statBytes + reason + content.length);
    const bytes = this.#bytes;
    bytes.writeUInt32LE(index, at);
    bytes[at + 4] = outcomes.indexOf(outcome);
    bytes[at + 5] = (isChanged ? 1 : 0) | (isSettled ? 2 : 0) | (stat === undefined ? 0 : 4);
    bytes.writeUInt16LE(reason, at + 6);
    bytes.writeUInt32LE(content.length, at + 8);
    bytes.writeDoubleLE(sizeBytes, at + 12);
    let next = at + resultHeadBytes;
    if (stat !== undefined) packStat(stat, bytes, next);
    next += statBytes;
    if (reason > 0) bytes.write(problem, next, 'utf8');
    next += reason;
    content.copy(bytes, next);
    this.#length = next + content.length;
  }

  /** Returns the gathered files as a buffer for transfer, and starts an empty batch. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#length);
    taken.set(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    this.#count = 0;
    return taken;
  }

  #room(more: number): number {
    const at = this.#length;
    if (at + more > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, at + more));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#length = at + more;
    this.#count += 1;
    return at;
  }
}

export function* readTasks(packed: Uint8Array): Generator<FileTask, void, undefined> {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let at = 0; at < bytes.length;) {
    const nameBytes = bytes.readUInt32LE(at + 8);
    const pathBytes = bytes.readUInt32LE(at + taskHeadBytes);
    const nameAt = at + taskHeadBytes + 4;
    const end = nameAt + nameBytes + pathBytes;
    const path = bytes.toString('latin1', nameAt + nameBytes, end);
    yield {
      index: bytes.readUInt32LE(at),
      folder: { descriptor: bytes.readInt32LE(at + 4), path },
      name: bytes.toString('latin1', nameAt, nameAt + nameBytes),
    };
    at = end;
  }
}

/** Yields the packed results. `content` of each is a view. */
export function* readResults(packed: Uint8Array): Generator<FileResult, void, undefined> {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let at = 0; at < bytes.length;) {
    const flags = bytes[at + 5] ?? 0;
    const reasonAt = at + resultHeadBytes + ((flags & 4) === 0 ? 0 : packedStatBytes);
    const contentAt = reasonAt + bytes.readUInt16LE(at + 6);
    const end = contentAt + bytes.readUInt32LE(at + 8);
    yield {
      index: bytes.readUInt32LE(at),
      outcome: outcomes[bytes[at + 4] ?? 0] ?? 'unreadable',
      stat: (flags & 4) === 0 ? undefined : unpackStat(bytes, at + resultHeadBytes),
      sizeBytes: bytes.readDoubleLE(at + 12),
      isChanged: (flags & 1) !== 0,
      isSettled: (flags & 2) !== 0,
      problem: bytes.toString('utf8', reasonAt, contentAt),
      content: bytes.subarray(contentAt, end),
    };
    at = end;
  }
}
