// Owns the record layer (docs/protocol.md, section 5): sealing and opening with sequence, rekeying, authenticated close. Hot path: seals
// pieces without copying them, opens from one reused buffer, never joins buffers. Must not know messages or sockets.
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { DirectionKeys } from './key-schedule.ts';

export const recordHeaderBytes = 16;
export const recordTagBytes = 16;
export const maxRecordPlaintextBytes = 1024 * 1024;

export const recordTypes = { message: 1, close: 2, keyDelivery: 16, keyProof: 17 } as const;
export type RecordType = (typeof recordTypes)[keyof typeof recordTypes];

/** Flag: the message continues in the next record. */
export const moreFlag = 0x01;

/**
 * Limits for one key. A key is replaced before it seals more than these limits allow (section 5). Tests use smaller limits on both sides.
 */
export interface RekeyLimits {
  readonly records: number;
  readonly plaintextBytes: number;
}

export const defaultRekeyLimits: RekeyLimits = { records: 2 ** 24, plaintextBytes: 64 * 2 ** 30 };

const cipherName = 'aes-256-gcm';
const cipherOptions = { authTagLength: recordTagBytes };
const nonceLengthBytes = 12;

/** Counts what one key has sealed and replaces the key in time. Sender and receiver get the same result from the records alone. */
class KeyState {
  #keys: DirectionKeys;
  readonly #limits: RekeyLimits;
  #recordsUnderKey = 0;
  #bytesUnderKey = 0;
  #sequence = 0;
  readonly #nonce = Buffer.alloc(nonceLengthBytes);

  constructor(keys: DirectionKeys, limits: RekeyLimits) {
    this.#keys = keys;
    this.#limits = limits;
    keys.prefix.copy(this.#nonce);
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** Returns the two check bytes of a header: a MAC with a separate key over the other bytes of the header, which begins at `start`. */
  headerCheck(header: Buffer, start: number, plaintextBytes: number): number {
    this.#replaceWhenDue(plaintextBytes);
    const mac = createHmac('sha256', this.#keys.headerKey);
    mac.update(header.subarray(start, start + 2)).update(header.subarray(start + 4, start + recordHeaderBytes));
    return mac.digest().readUInt16BE(0);
  }

  /** Key and nonce for the next record; each call counts as one record. */
  take(plaintextBytes: number): { key: Buffer; nonce: Buffer } {
    this.#replaceWhenDue(plaintextBytes);
    writeSequence(this.#nonce, 4, this.#sequence);
    this.#sequence += 1;
    this.#recordsUnderKey += 1;
    this.#bytesUnderKey += plaintextBytes;
    return { key: this.#keys.key, nonce: this.#nonce };
  }

  #replaceWhenDue(plaintextBytes: number): void {
    const isDue =
      this.#recordsUnderKey === this.#limits.records ||
      (this.#recordsUnderKey > 0 && this.#bytesUnderKey + plaintextBytes > this.#limits.plaintextBytes);
    if (!isDue) return;
    const next = this.#keys.next();
    this.#keys.dispose();
    this.#keys = next;
    this.#keys.prefix.copy(this.#nonce);
    this.#recordsUnderKey = 0;
    this.#bytesUnderKey = 0;
  }

  dispose(): void {
    this.#keys.dispose();
  }
}

/** Seals one direction of one connection. Not re-entrant; every result must be written completely and in order. */
export class RecordSealer implements Disposable {
  readonly #state: KeyState;
  #isClosed = false;

  constructor(keys: DirectionKeys, limits: RekeyLimits = defaultRekeyLimits) {
    this.#state = new KeyState(keys, limits);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * One record over the joined `pieces` (together at most 1 MiB). Returns header, sealed pieces and tag, which the caller writes in this
   * order (cork or writev). The caller may reuse the given pieces at once.
   */
  seal(type: RecordType, flags: number, pieces: readonly Uint8Array[]): Buffer[] {
    if (this.#isClosed) throw new FarkeepError('call.internal', 'A record was sealed after the close record');
    let length = 0;
    for (const piece of pieces) length += piece.length;
    if (length > maxRecordPlaintextBytes) throw new RangeError(`A record holds at most 1 MiB, not ${length} bytes`);
    const header = Buffer.allocUnsafe(recordHeaderBytes);
    header[0] = type;
    header[1] = flags;
    header.writeUInt32BE(length, 4);
    writeSequence(header, 8, this.#state.sequence);
    header.writeUInt16BE(this.#state.headerCheck(header, 0, length), 2);
    const { key, nonce } = this.#state.take(length);
    const cipher = createCipheriv(cipherName, key, nonce, cipherOptions);
    cipher.setAAD(header);
    const sealed: Buffer[] = [header];
    for (const piece of pieces) if (piece.length > 0) sealed.push(cipher.update(piece));
    cipher.final();
    sealed.push(cipher.getAuthTag());
    return sealed;
  }

  /** A message of any length as one or more records: every record except the last is full and has the flag for more. */
  sealMessage(pieces: readonly Uint8Array[]): Buffer[] {
    const sealed: Buffer[] = [];
    let current: Uint8Array[] = [];
    let room = maxRecordPlaintextBytes;
    for (const piece of pieces) {
      let rest = piece;
      while (rest.length > room) {
        current.push(rest.subarray(0, room));
        rest = rest.subarray(room);
        sealed.push(...this.seal(recordTypes.message, moreFlag, current));
        current = [];
        room = maxRecordPlaintextBytes;
      }
      if (rest.length > 0) {
        current.push(rest);
        room -= rest.length;
      }
    }
    sealed.push(...this.seal(recordTypes.message, 0, current));
    return sealed;
  }

  /** The authenticated end of this direction; nothing can be sealed afterwards. */
  close(): Buffer[] {
    const sealed = this.seal(recordTypes.close, 0, []);
    this.#isClosed = true;
    this.#state.dispose();
    return sealed;
  }

  dispose(): void {
    this.#isClosed = true;
    this.#state.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

export interface OpenedRecord {
  readonly type: RecordType;
  /** Whether the message continues in the next record. */
  readonly hasMore: boolean;
  /** Memory that belongs to the receiver. */
  readonly plaintext: Buffer;
}

const knownTypes: ReadonlySet<number> = new Set(Object.values(recordTypes));

/** Limit of what is read beyond the current record, so that few bytes must be moved later. */
const smallReadBytes = 64 * 1024;

export interface RecordOpenerOptions {
  readonly limits?: RekeyLimits;
  /** Larger records are refused, which also limits the memory of the opener. */
  readonly maxPlaintextBytes?: number;
}

/**
 * Opens one direction of one connection. Bytes come in by `push`, or without a copy: read into `readTarget()` and pass the number of bytes
 * to `advance()`. The first failure is final: every later call throws the same `security.tampered`.
 */
export class RecordOpener implements Disposable {
  readonly #state: KeyState;
  readonly #buffer: Buffer;
  readonly #maxPlaintextBytes: number;
  readonly #smallReadBytes: number;
  #filled = 0;
  #headerChecked = false;
  #bodyBytes = 0;
  #isClosed = false;
  #failure: FarkeepError | undefined;

  constructor(keys: DirectionKeys, options: RecordOpenerOptions = {}) {
    this.#state = new KeyState(keys, options.limits ?? defaultRekeyLimits);
    this.#maxPlaintextBytes = Math.min(options.maxPlaintextBytes ?? maxRecordPlaintextBytes, maxRecordPlaintextBytes);
    this.#smallReadBytes = Math.min(smallReadBytes, this.#maxPlaintextBytes + 4 * recordHeaderBytes);
    this.#buffer = Buffer.allocUnsafeSlow(
      recordHeaderBytes + this.#maxPlaintextBytes + recordTagBytes + this.#smallReadBytes,
    );
  }

  /** Whether the other side has ended its direction with a close record. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Free memory, at least one byte, for the next bytes of the connection. Valid until the next call. */
  readTarget(): Buffer {
    const recordEnd = this.#headerChecked ? recordHeaderBytes + this.#bodyBytes + recordTagBytes : 0;
    return this.#buffer.subarray(this.#filled, Math.max(recordEnd + recordHeaderBytes, this.#smallReadBytes));
  }

  /** Takes the `count` bytes that were read into `readTarget()`; returns the records that are complete now. */
  advance(count: number): OpenedRecord[] {
    if (this.#failure !== undefined) throw this.#failure;
    if (count > 0 && this.#isClosed) this.#fail('bytes after the close record');
    this.#filled += count;
    const opened: OpenedRecord[] = [];
    let start = 0;
    for (;;) {
      const available = this.#filled - start;
      if (!this.#headerChecked) {
        if (available < recordHeaderBytes) break;
        this.#checkHeader(start);
      }
      const recordBytes = recordHeaderBytes + this.#bodyBytes + recordTagBytes;
      if (available < recordBytes) break;
      opened.push(this.#open(start));
      this.#headerChecked = false;
      start += recordBytes;
      if (this.#isClosed) {
        if (start < this.#filled) this.#fail('bytes after the close record');
        break;
      }
    }
    if (start > 0) {
      this.#buffer.copyWithin(0, start, this.#filled);
      this.#filled -= start;
    }
    return opened;
  }

  push(chunk: Uint8Array): OpenedRecord[] {
    const opened: OpenedRecord[] = [];
    let offset = 0;
    while (offset < chunk.length) {
      const target = this.readTarget();
      const count = Math.min(target.length, chunk.length - offset);
      target.set(chunk.subarray(offset, offset + count));
      offset += count;
      opened.push(...this.advance(count));
    }
    return opened;
  }

  /** Call when the connection has ended. A stream without its close record was cut (`connection.lost`). */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#isClosed) {
      throw new FarkeepError('connection.lost', 'The stream ended without its close record: it was cut on the way');
    }
  }

  dispose(): void {
    this.#failure ??= new FarkeepError('connection.lost', 'The stream was closed on this side');
    this.#state.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Checks everything in the header before the body arrives; the tag then proves the whole header. */
  #checkHeader(start: number): void {
    const buffer = this.#buffer;
    const type = buffer[start] ?? 0;
    const flags = buffer[start + 1] ?? 0;
    const length = buffer.readUInt32BE(start + 4);
    if (!knownTypes.has(type)) this.#fail('an unknown record type');
    if ((flags & ~moreFlag) !== 0 || (flags !== 0 && type !== recordTypes.message)) this.#fail('unknown record flags');
    if (length > this.#maxPlaintextBytes || (type === recordTypes.close && length !== 0))
      this.#fail('a record length out of bounds');
    const sequence = this.#state.sequence;
    if (
      buffer.readUInt32BE(start + 8) !== Math.floor(sequence / 2 ** 32) ||
      buffer.readUInt32BE(start + 12) !== sequence >>> 0
    ) {
      this.#fail('a record out of order');
    }
    // Without this check, an attacker could change the length, and the opener would wait for bytes that may never come.
    if (buffer.readUInt16BE(start + 2) !== this.#state.headerCheck(buffer, start, length)) {
      this.#fail('a record header that was not made with its key');
    }
    this.#bodyBytes = length;
    this.#headerChecked = true;
  }

  #open(start: number): OpenedRecord {
    const bodyStart = start + recordHeaderBytes;
    const tagStart = bodyStart + this.#bodyBytes;
    const { key, nonce } = this.#state.take(this.#bodyBytes);
    const decipher = createDecipheriv(cipherName, key, nonce, cipherOptions);
    decipher.setAAD(this.#buffer.subarray(start, bodyStart));
    decipher.setAuthTag(this.#buffer.subarray(tagStart, tagStart + recordTagBytes));
    const plaintext = decipher.update(this.#buffer.subarray(bodyStart, tagStart));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      this.#fail('a record whose authentication tag is wrong');
    }
    const type = this.#buffer[start] as RecordType;
    if (type === recordTypes.close) {
      this.#isClosed = true;
      this.#state.dispose();
    }
    return { type, hasMore: (this.#buffer[start + 1] ?? 0) === moreFlag, plaintext };
  }

  #fail(what: string): never {
    this.#failure = new FarkeepError(
      'security.tampered',
      `The encrypted stream contains ${what}; it was changed on the way or belongs to another stream`,
    );
    this.#state.dispose();
    throw this.#failure;
  }
}

function writeSequence(target: Buffer, offset: number, sequence: number): void {
  target.writeUInt32BE(Math.floor(sequence / 2 ** 32), offset);
  target.writeUInt32BE(sequence >>> 0, offset + 4);
}
