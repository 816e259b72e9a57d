// Owns bounds-checked reading of big-endian fields from a message; reading past the end is `protocol.malformed`. Copies nothing: byte
// fields are views.
import { FarkeepError } from '../kernel/farkeep-error.ts';

export class ByteReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get offset(): number {
    return this.#offset;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#advance(2));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#advance(4));
  }

  /** An unsigned 64-bit number that JavaScript can represent exactly. */
  u64(): number {
    const value = this.#bytes.readBigUInt64BE(this.#advance(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed('a number is too large');
    return Number(value);
  }

  bytes(length: number): Buffer {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Reads a length of 16 or 32 bits, checks it against `maxBytes`, then returns that many bytes. */
  sized(lengthOf: 'u16' | 'u32', maxBytes: number): Buffer {
    const length = this[lengthOf]();
    if (length > maxBytes) throw malformed(`a field of ${length} bytes is longer than its limit of ${maxBytes}`);
    return this.bytes(length);
  }

  text(maxBytes: number): string {
    const bytes = this.sized('u16', maxBytes);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw malformed('a text is not UTF-8');
    }
  }

  end(): void {
    if (this.#offset !== this.#bytes.length) throw malformed('bytes are left over at the end');
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (start + length > this.#bytes.length) throw malformed('it ends too early');
    this.#offset = start + length;
    return start;
  }
}

export function malformed(what: string): FarkeepError {
  return new FarkeepError('protocol.malformed', `A data message is malformed: ${what}`);
}
