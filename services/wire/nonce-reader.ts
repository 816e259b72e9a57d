// Owns collecting the 32-byte nonce that each side of a tunnel or data stream sends before its first record. Must not interpret other
// bytes.
import { nonceBytes } from './key-schedule.ts';

export class NonceReader {
  readonly #nonce = Buffer.alloc(nonceBytes);
  #filled = 0;

  /** Returns the nonce and the bytes after it when the nonce is complete. */
  push(chunk: Buffer): { readonly nonce: Buffer; readonly rest: Buffer } | undefined {
    const count = Math.min(nonceBytes - this.#filled, chunk.length);
    chunk.copy(this.#nonce, this.#filled, 0, count);
    this.#filled += count;
    return this.#filled < nonceBytes ? undefined : { nonce: this.#nonce, rest: chunk.subarray(count) };
  }
}
