// Owns keys and records (docs/protocol.md, sections 4.1, 4.2 and 5). Part of the second implementation: written from docs/ alone.
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Read } from './socket-reader.ts';

export const recordTypes = { message: 1, close: 2, delivery: 16, proof: 17 } as const;
const maxRecordBytes = 1_048_576;
/** Limits for one key; smaller in the vectors. */
export interface KeyLimits {
  readonly records: number;
  readonly plaintextBytes: number;
}
const protocolLimits: KeyLimits = { records: 2 ** 24, plaintextBytes: 2 ** 36 };

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const hkdf = (ikm: Buffer, salt: Buffer, info: Buffer, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', ikm, salt, info, length));

export function keyIdentifier(key: Buffer): Buffer {
  return createHmac('sha256', key).update('farkeep/1 key id').digest().subarray(0, 8);
}

export interface Exchange {
  /** 32 hex digits. */
  readonly sessionId: string;
  readonly attempt: number;
  readonly clientNonce: Buffer;
  readonly serverNonce: Buffer;
}

/** 52 bytes of one direction. */
export function directionKeys(key: Buffer, exchange: Exchange, direction: 'c' | 's', stream?: number): Buffer {
  const info = [
    Buffer.from(stream === undefined ? 'farkeep/1 tunnel' : 'farkeep/1 data'),
    Buffer.from(exchange.sessionId, 'hex'),
    u32(exchange.attempt),
    ...(stream === undefined ? [] : [u32(stream)]),
    Buffer.from(direction),
  ];
  return hkdf(key, Buffer.concat([exchange.clientNonce, exchange.serverNonce]), Buffer.concat(info), 52);
}

export function nextDirectionKeys(material: Buffer, generation: number): Buffer {
  const info = Buffer.concat([Buffer.from('farkeep/1 rekey'), u32(generation)]);
  return hkdf(material.subarray(0, 32), Buffer.alloc(0), info, 52);
}

export function proofOf(keyB: Buffer, exchange: Exchange, delivery: Buffer): Buffer {
  const { sessionId, attempt, clientNonce, serverNonce } = exchange;
  const info = Buffer.concat([Buffer.from('farkeep/1 key proof'), Buffer.from(sessionId, 'hex'), u32(attempt)]);
  const transcript = createHash('sha256').update(clientNonce).update(serverNonce).update(delivery).digest();
  return createHmac('sha256', hkdf(keyB, Buffer.alloc(0), info, 32))
    .update(transcript)
    .digest();
}

/** Keys and counters of one direction; both ends keep the same values. */
class Direction {
  readonly #limits: KeyLimits;
  #material: Buffer;
  #generation = 0;
  #records = 0;
  #plaintextBytes = 0;
  sequence = 0;

  constructor(material: Buffer, limits: KeyLimits) {
    this.#material = material;
    this.#limits = limits;
  }

  /** Call before a record of this length: switches to the next key when this one has reached a limit. */
  take(length: number): void {
    const isFull = this.#records + 1 > this.#limits.records;
    const isTooMuch = this.#records > 0 && this.#plaintextBytes + length > this.#limits.plaintextBytes;
    if (isFull || isTooMuch) {
      this.#generation += 1;
      this.#material = nextDirectionKeys(this.#material, this.#generation);
      this.#records = 0;
      this.#plaintextBytes = 0;
    }
    this.#records += 1;
    this.#plaintextBytes += length;
  }

  check(header: Buffer): Buffer {
    const fields = Buffer.concat([header.subarray(0, 2), header.subarray(4, 16)]);
    return createHmac('sha256', this.#material.subarray(36)).update(fields).digest().subarray(0, 2);
  }

  cipher(header: Buffer): [key: Buffer, nonce: Buffer] {
    return [this.#material.subarray(0, 32), Buffer.concat([this.#material.subarray(32, 36), header.subarray(8, 16)])];
  }
}

export class RecordSealer {
  readonly #direction: Direction;

  constructor(material: Buffer, limits = protocolLimits) {
    this.#direction = new Direction(material, limits);
  }

  seal(type: number, flags: number, plaintext: Buffer): Buffer {
    const header = Buffer.alloc(16);
    header[0] = type;
    header[1] = flags;
    header.writeUInt32BE(plaintext.length, 4);
    header.writeBigUInt64BE(BigInt(this.#direction.sequence++), 8);
    this.#direction.take(plaintext.length);
    this.#direction.check(header).copy(header, 2);
    const cipher = createCipheriv('aes-256-gcm', ...this.#direction.cipher(header), { authTagLength: 16 });
    cipher.setAAD(header);
    return Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }
}

export interface OpenedRecord {
  readonly type: number;
  readonly flags: number;
  readonly plaintext: Buffer;
}

export class RecordOpener {
  readonly #direction: Direction;

  constructor(material: Buffer, limits = protocolLimits) {
    this.#direction = new Direction(material, limits);
  }

  /** Reads the next record. The header is verified before the body is awaited, so a changed length cannot block the reader. */
  async open(read: Read): Promise<OpenedRecord> {
    const header = await read(16);
    const [type = 0, flags = 0] = header;
    const length = header.readUInt32BE(4);
    if (length <= maxRecordBytes) this.#direction.take(length);
    if (
      length > maxRecordBytes ||
      !timingSafeEqual(this.#direction.check(header), header.subarray(2, 4)) ||
      header.readBigUInt64BE(8) !== BigInt(this.#direction.sequence++) ||
      !(Object.values(recordTypes) as number[]).includes(type) ||
      flags > (type === recordTypes.message ? 1 : 0) ||
      (type === recordTypes.close && length !== 0)
    )
      throw new Error('security.tampered: the header of a record');
    const [body, tag] = [await read(length), await read(16)];
    const decipher = createDecipheriv('aes-256-gcm', ...this.#direction.cipher(header), { authTagLength: 16 });
    decipher.setAAD(header);
    decipher.setAuthTag(tag);
    return { type, flags, plaintext: Buffer.concat([decipher.update(body), decipher.final()]) };
  }
}
