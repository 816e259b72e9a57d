// Owns the packed form of files on their way between the main thread and the lanes: one buffer for many, no object and no message for each.
import { packedStatBytes, packStat, unpackStat, type FileStat } from './file-stat.ts';
import type { RawText, SourceFolder } from './source-disk.ts';

/** A file to be read: `name` in a folder that stays open until the answer. `index` names it there. */
export interface FileTask {
  readonly index: number;
  readonly folder: SourceFolder;
  readonly name: RawText;
}

/** What became of it. */
export type FileOutcome =
  | 'read'
  /** It does not exist any more. */
  | 'gone'
  /** The name stands for something that is no file now. */
  | 'other'
  /** It could not be read; `problem` says why. */
  | 'unreadable';

export interface FileResult {
  readonly index: number;
  readonly outcome: FileOutcome;
  /** Of the descriptor that was read, after reading; only with `read`. */
  readonly stat: FileStat | undefined;
  readonly sizeBytes: number;
  /** It changed during both readings. */
  readonly isChanged: boolean;
  /** A later change would show in its times. */
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
    // Where there is a descriptor nobody needs the path, which may be very long.
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

  /** A copy of its own memory, to be transferred; starts anew. */
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

/** `content` of each is a view. */
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
