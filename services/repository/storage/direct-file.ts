// Owns direct reads and writes (O_DIRECT) that bypass the page cache, for large data that is written once: packs, and large files of a
// restore. Copying this data into the page cache costs more than the disk does, and evicts data that the machine still needs
// (docs/performance.md). Without direct access, the same calls use the page cache. Must not be used by two writers at once.
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { isInvalid } from '../../kernel/system-error.ts';

/**
 * Offsets, lengths and memory addresses of a direct access must be multiples of this. Works for disks with blocks of 512 and of 4,096
 * bytes.
 */
export const directBlockBytes = 4096;
const writeBufferBytes = 2 * 1024 * 1024;

/**
 * The part of the global WebAssembly object that this file uses. The complete types of this object are part of the DOM types, which
 * services do not have.
 */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};
const wasmPageBytes = 64 * 1024;

/** A bounded number of equal page-aligned buffers, created on first use. Node's own buffers are not aligned, but WebAssembly memory is. */
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

  /** Returns a free buffer; undefined if all are in use. */
  tryTake(): Buffer | undefined {
    const free = this.#free.pop();
    if (free !== undefined || this.#unmade === 0) return free;
    this.#unmade -= 1;
    const pages = this.#bufferBytes / wasmPageBytes;
    return Buffer.from(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer);
  }

  /** Waits for a free buffer. */
  async take(): Promise<Buffer> {
    return this.tryTake() ?? (await new Promise((resolve) => this.#waiters.push(resolve)));
  }

  give(buffer: Buffer): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#free.push(buffer);
    else waiter(buffer);
  }
}

/** Returns the buffers for this many writers. Each writer needs two buffers. One buffer is filled while the other buffer is written. */
export function makeWriteBuffers(writers: number): AlignedBuffers {
  return new AlignedBuffers(writeBufferBytes, 2 * writers);
}

/**
 * Opens a second handle of the same open file, for direct access; undefined if direct access is not possible. The path leads through the
 * descriptor, because the file's name may now belong to another file. The file is not created with O_DIRECT, because a failed creation
 * leaves an empty file.
 */
async function reopenDirectly(handle: FileHandle, access: number): Promise<FileHandle | undefined> {
  const flag = (constants as { readonly O_DIRECT?: number }).O_DIRECT;
  if (flag === undefined) return undefined;
  try {
    return await open(`/proc/self/fd/${handle.fd}`, access | flag);
  } catch {
    return undefined; // The file system has no direct access (EINVAL), or the system has no /proc.
  }
}

/**
 * Appends to a new file. Calls must be in order, one at a time. The caller may use `plain` while no write is running, and must close it.
 */
export class DirectWriter {
  readonly #plain: FileHandle;
  readonly #buffers: AlignedBuffers;
  #direct: FileHandle | undefined;
  /** Buffer for the bytes of the file from `#base` on. Its range [#from, #to) is not in the file yet. */
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

  /** Returns undefined if direct access is not possible or all buffers are in use. The caller then writes to `plain`. */
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

  /**
   * Appends a copy of the piece; when the promise resolves, the caller may reuse the piece. Also rejects with the error of an earlier
   * background write.
   */
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

  /** Appends a hole. */
  async hole(lengthBytes: number): Promise<void> {
    await this.#startWriting();
    this.#moveTo(this.#base + this.#from + lengthBytes);
  }

  /** Resolves when all appended bytes are in the file. More may be appended. Does not make the bytes durable. */
  async flush(): Promise<void> {
    await this.#startWriting();
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Releases the buffers and the direct handle, in any state. `plain` stays open. May be called twice. */
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

  /**
   * Writes a range. Incomplete blocks at both ends are written through the page cache. The part between the two ends is written directly,
   * and never shares a page with the ends.
   */
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
        this.#direct = undefined; // The disk has blocks larger than 4,096 bytes, or the file system refuses direct writes only now.
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

  /** Returns undefined if direct access is not possible. */
  static async open(plain: FileHandle, buffers: AlignedBuffers): Promise<DirectReader | undefined> {
    const direct = await reopenDirectly(plain, constants.O_RDONLY);
    return direct === undefined ? undefined : new DirectReader(plain, direct, buffers);
  }

  /**
   * Fills `into` from `offset`. Resolves to the number of bytes read, fewer only at the end of the file. Several reads may run at the same
   * time.
   */
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

/**
 * Writes [from, to) of the buffer that begins at `base` in the file. A nearly full disk writes only some of the bytes; the next call then
 * reports ENOSPC.
 */
async function writeWhole(handle: FileHandle, buffer: Buffer, from: number, to: number, base: number): Promise<void> {
  for (let done = from; done < to;) {
    const { bytesWritten } = await handle.write(buffer, done, to - done, base + done);
    done += bytesWritten;
  }
}
