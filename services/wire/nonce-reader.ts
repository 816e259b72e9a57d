// Owns the gathering of the 32-byte nonce that each side of a tunnel or data stream sends before its first record.
// Interprets nothing.
import { nonceBytes } from './key-schedule.ts';

export class NonceReader {
  readonly #nonce = Buffer.alloc(nonceBytes);
  #filled = 0;

  /** The nonce and what came after it, once it is whole. */
  push(chunk: Buffer): { readonly nonce: Buffer; readonly rest: Buffer } | undefined {
    const count = Math.min(nonceBytes - this.#filled, chunk.length);
    chunk.copy(this.#nonce, this.#filled, 0, count);
    this.#filled += count;
    return this.#filled < nonceBytes ? undefined : { nonce: this.#nonce, rest: chunk.subarray(count) };
  }
}
