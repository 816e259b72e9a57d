// Owns reading exact lengths from a socket. Part of the second implementation: written from docs/ alone, uses node: modules only.
import type { Duplex } from 'node:stream';

/** Gives the next `length` bytes; rejects when the stream ends before. */
export type Read = (length: number) => Promise<Buffer>;

export class SocketReader {
  #chunks: Buffer[] = [];
  #available = 0;
  #end: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Duplex) {
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#available += chunk.length;
      this.#wake?.();
    });
    const end = (error?: Error): void => {
      this.#end ??= error ?? new Error('The other side closed the connection');
      this.#wake?.();
    };
    socket.on('end', () => end());
    socket.on('close', () => end());
    socket.on('error', end);
  }

  readonly read: Read = async (length) => {
    while (this.#available < length) {
      if (this.#end !== undefined) throw this.#end;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const joined = this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
    this.#chunks = joined.length > length ? [joined.subarray(length)] : [];
    this.#available -= length;
    return joined.subarray(0, length);
  };

  /** Whether the other side has ended its direction, with nothing left to read. */
  async ended(): Promise<boolean> {
    while (this.#available === 0 && this.#end === undefined)
      await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#available === 0;
  }
}

/** Reads from the given bytes. */
export function readerOf(bytes: Buffer): Read {
  let at = 0;
  return async (length) => {
    if (at + length > bytes.length) throw new Error('The bytes end too early');
    at += length;
    return bytes.subarray(at - length, at);
  };
}
