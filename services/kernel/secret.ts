// Owns key material in memory: a buffer that is zeroed on dispose and is never shown in logs, JSON or inspect output.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

const keyIdentifierLabel = 'farkeep/1 key id';

/** A secret of fixed length. `bytes` is the live buffer: never copy it into an object that outlives the secret. */
export class Secret implements Disposable {
  #bytes: Buffer;
  #isDisposed = false;

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  static random(lengthBytes = 32): Secret {
    return new Secret(randomBytes(lengthBytes));
  }

  /** Takes over the content and zeroes the given buffer. */
  static take(bytes: Buffer): Secret {
    const own = Buffer.alloc(bytes.length);
    bytes.copy(own);
    bytes.fill(0);
    return new Secret(own);
  }

  get bytes(): Buffer {
    if (this.#isDisposed) throw new Error('The secret was zeroed already');
    return this.#bytes;
  }

  get lengthBytes(): number {
    return this.#bytes.length;
  }

  /**
   * The identifier of a key that people see: hex of the first 8 bytes of HMAC-SHA256(key, "farkeep/1 key id") (docs/protocol.md, section
   * 4).
   */
  identifier(): string {
    return createHmac('sha256', this.bytes).update(keyIdentifierLabel).digest('hex').slice(0, 16);
  }

  equals(other: Secret): boolean {
    return this.lengthBytes === other.lengthBytes && timingSafeEqual(this.bytes, other.bytes);
  }

  dispose(): void {
    this.#bytes.fill(0);
    this.#isDisposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toJSON(): string {
    return '[secret]';
  }

  toString(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
