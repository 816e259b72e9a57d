// Owns reads and writes past the page cache (O_DIRECT) for data that is written once and in large pieces: packs, and large files of a restore.
// Filling the page cache with them costs more than the disk does and pushes out what the machine still needs (docs/performance.md).
// Where the system or the file system has no direct access, the same calls go the usual way. Must not be used by two writers at once.
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { isInvalid } from '../../kernel/system-error.ts';

/** Offsets, lengths and memory of a direct access are multiples of this; covers disks with blocks of 512 and of 4,096 bytes. */
export const directBlockBytes = 4096;
const writeBufferBytes = 2 * 1024 * 1024;

/** The part of the global that is used here; its types come with the DOM's otherwise, which services do not have. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};
const wasmPageBytes = 64 * 1024;

/** A bounded number of equal page-aligned buffers, made when they are first needed. Node's own buffers are not aligned; WebAssembly's memory is. */
export class AlignedBuffers {
  readonly #bufferBytes: number;
  readonly #free: Buffer[] = [];
  readonly #waiters: ((buffer: Buffer) => void)[] = [];
  #unmade: number;

  /** @param bufferBytes a multiple of 64 KiB */
  constructor(bufferBytes: number, count: number) {
    this.#bufferBytes = bufferBytes;
    this.#unmade = count;
  }

  /** Undefined when all are in use. */
  tryTake(): Buffer | undefined {
    const free = this.#free.pop();
    if (free !== undefined || this.#unmade === 0) return free;
    this.#unmade -= 1;
    const pages = this.#bufferBytes / wasmPageBytes;
    return Buffer.from(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer);
  }

  /** Waits until one is free. */
  async take(): Promise<Buffer> {
    return this.tryTake() ?? (await new Promise((resolve) => this.#waiters.push(resolve)));
  }

  give(buffer: Buffer): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#free.push(buffer);
    else waiter(buffer);
  }
}

/** For so many writers at a time: each owns two, one that is filled and one that is written. */
export function makeWriteBuffers(writers: number): AlignedBuffers {
  return new AlignedBuffers(writeBufferBytes, 2 * writers);
}

/**
 * A second handle of the same open file, for direct access. Undefined where there is none.
 * By way of the descriptor: the name may stand for another file by now, and creating with O_DIRECT leaves an empty file behind where it fails.
 */
async function reopenDirectly(handle: FileHandle, access: number): Promise<FileHandle | undefined> {
  const flag = (constants as { readonly O_DIRECT?: number }).O_DIRECT;
  if (flag === undefined) return undefined;
  try {
    return await open(`/proc/self/fd/${handle.fd}`, access | flag);
  } catch {
    return undefined; // EINVAL on file systems without it; no /proc
  }
}

/** Appends to a new file. Calls in order, one at a time; `plain` stays the caller's to use when nothing is being written, and to close. */
export class DirectWriter {
  readonly #plain: FileHandle;
  readonly #buffers: AlignedBuffers;
  #direct: FileHandle | undefined;
  /** Holds the bytes from `#base` on; [#from, #to) of it are not in the file yet. */
  #filling: Buffer;
  #spare: Buffer;
  #base = 0;
  #from = 0;
  #to = 0;
  #writing: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #isClosed = false;

  private constructor(plain: FileHandle, direct: FileHandle, buffers: AlignedBuffers, pair: readonly [Buffer, Buffer]) {
    this.#plain = plain;
    this.#direct = direct;
    this.#buffers = buffers;
    [this.#filling, this.#spare] = pair;
  }

  /** Undefined where direct access is not possible, or when all buffers are in use: the caller writes to `plain` as usual. */
  static async open(plain: FileHandle, buffers: AlignedBuffers): Promise<DirectWriter | undefined> {
    const one = buffers.tryTake();
    const other = buffers.tryTake();
    if (one !== undefined && other !== undefined) {
      const direct = await reopenDirectly(plain, constants.O_WRONLY);
      if (direct !== undefined) return new DirectWriter(plain, direct, buffers, [one, other]);
    }
    for (const buffer of [one, other]) if (buffer !== undefined) buffers.give(buffer);
    return undefined;
  }

  /** Copies the piece; it belongs to the caller again when this resolves. Rejects with what an earlier write met, too. */
  async append(piece: Uint8Array): Promise<void> {
    for (let done = 0; done < piece.length;) {
      if (this.#failure !== undefined) throw this.#failure;
      const count = Math.min(piece.length - done, this.#filling.length - this.#to);
      this.#filling.set(count === piece.length ? piece : piece.subarray(done, done + count), this.#to);
      this.#to += count;
      done += count;
      if (this.#to === this.#filling.length) await this.#startWriting();
    }
  }

  /** Leaves a hole. */
  async hole(lengthBytes: number): Promise<void> {
    await this.#startWriting();
    this.#moveTo(this.#base + this.#from + lengthBytes);
  }

  /** Everything that was appended is in the file; more may be appended. Says nothing about durability. */
  async flush(): Promise<void> {
    await this.#startWriting();
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Gives memory and its handle back, whatever was appended. `plain` stays open. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#writing;
    this.#buffers.give(this.#filling);
    this.#buffers.give(this.#spare);
    await this.#direct?.close();
  }

  async #startWriting(): Promise<void> {
    const [base, from, to] = [this.#base, this.#from, this.#to];
    if (from === to) return;
    await this.#writing;
    const buffer = this.#filling;
    this.#filling = this.#spare;
    this.#spare = buffer;
    this.#moveTo(base + to);
    this.#writing = this.#write(buffer, base, from, to).catch((error: unknown) => {
      this.#failure ??= error instanceof Error ? error : new Error(String(error));
    });
  }

  #moveTo(position: number): void {
    this.#from = position % directBlockBytes;
    this.#to = this.#from;
    this.#base = position - this.#from;
  }

  /** What does not fill a block at either end goes through the page cache; the direct part in between never shares a page with it. */
  async #write(buffer: Buffer, base: number, from: number, to: number): Promise<void> {
    const first = Math.min(Math.ceil(from / directBlockBytes) * directBlockBytes, to);
    const last = Math.max(Math.floor(to / directBlockBytes) * directBlockBytes, first);
    await writeWhole(this.#plain, buffer, from, first, base);
    await this.#writeDirect(buffer, first, last, base);
    await writeWhole(this.#plain, buffer, last, to, base);
  }

  async #writeDirect(buffer: Buffer, from: number, to: number, base: number): Promise<void> {
    let done = from;
    while (this.#direct !== undefined && done < to && done % directBlockBytes === 0) {
      try {
        const { bytesWritten } = await this.#direct.write(buffer, done, to - done, base + done);
        done += bytesWritten;
      } catch (error) {
        if (!isInvalid(error)) throw error;
        const direct = this.#direct;
        this.#direct = undefined; // blocks larger than 4,096 bytes, or a file system that refuses late
        await direct.close();
      }
    }
    await writeWhole(this.#plain, buffer, done, to, base);
  }
}

/** Reads ranges of a file that does not change. */
export class DirectReader {
  readonly #plain: FileHandle;
  readonly #buffers: AlignedBuffers;
  #direct: FileHandle | undefined;

  private constructor(plain: FileHandle, direct: FileHandle, buffers: AlignedBuffers) {
    this.#plain = plain;
    this.#direct = direct;
    this.#buffers = buffers;
  }

  /** Undefined where direct access is not possible. */
  static async open(plain: FileHandle, buffers: AlignedBuffers): Promise<DirectReader | undefined> {
    const direct = await reopenDirectly(plain, constants.O_RDONLY);
    return direct === undefined ? undefined : new DirectReader(plain, direct, buffers);
  }

  /** Fills `into` from `offset`; resolves to the bytes read, fewer only at the end of the file. Several at a time may be under way. */
  async read(offset: number, into: Buffer): Promise<number> {
    const aligned = await this.#buffers.take();
    try {
      let filled = 0;
      while (filled < into.length) {
        const lead = (offset + filled) % directBlockBytes;
        const wanted = Math.min(lead + into.length - filled, aligned.length);
        const got = await this.#readBlocks(aligned, offset + filled - lead, wanted);
        const count = Math.min(got - lead, into.length - filled);
        if (count <= 0) break;
        aligned.copy(into, filled, lead, lead + count);
        filled += count;
      }
      return filled;
    } finally {
      this.#buffers.give(aligned);
    }
  }

  async close(): Promise<void> {
    const direct = this.#direct;
    this.#direct = undefined;
    await direct?.close();
  }

  async #readBlocks(into: Buffer, offset: number, wanted: number): Promise<number> {
    const length = Math.min(Math.ceil(wanted / directBlockBytes) * directBlockBytes, into.length);
    const direct = this.#direct;
    if (direct !== undefined) {
      try {
        return (await direct.read(into, 0, length, offset)).bytesRead;
      } catch (error) {
        if (!isInvalid(error)) throw error;
        if (this.#direct === direct) await this.close();
      }
    }
    return (await this.#plain.read(into, 0, length, offset)).bytesRead;
  }
}

/** Writes [from, to) of the buffer behind `base`. A nearly full disk takes part of it; the next call then reports ENOSPC. */
async function writeWhole(handle: FileHandle, buffer: Buffer, from: number, to: number, base: number): Promise<void> {
  for (let done = from; done < to;) {
    const { bytesWritten } = await handle.write(buffer, done, to - done, base + done);
    done += bytesWritten;
  }
}
