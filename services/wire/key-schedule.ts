// Owns the derivation of record keys from Key A and Key B (docs/protocol.md, section 4) and their replacement inside a stream. Must not
// know sockets, records or messages, and must not keep a Key A or Key B after a call.
import { hkdfSync } from 'node:crypto';
import type { Secret } from '../kernel/secret.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';

export const nonceBytes = 32;
export const sessionIdBytes = 16;
const keyBytes = 32;
const prefixBytes = 4;
const headerKeyBytes = 16;
const materialBytes = keyBytes + prefixBytes + headerKeyBytes;

export const tunnelLabel = 'farkeep/1 tunnel';
export const dataLabel = 'farkeep/1 data';
export const rekeyLabel = 'farkeep/1 rekey';
export const proofLabel = 'farkeep/1 key proof';

/** `c` = records written by the side that connected, `s` = records written by the side that accepted. */
export type Direction = 'c' | 's';

/** The keys of one direction of one connection. `dispose` zeroes them. */
export class DirectionKeys implements Disposable {
  readonly key: Buffer;
  readonly prefix: Buffer;
  /** Key for the check field in record headers. */
  readonly headerKey: Buffer;
  /** 0 for the keys of the handshake, 1 more after each replacement. */
  readonly generation: number;

  /** @param material 52 bytes: key, nonce prefix, header key */
  constructor(material: Buffer, generation: number) {
    if (material.length !== materialBytes) throw new RangeError(`Keys of a direction take ${materialBytes} bytes`);
    this.key = material.subarray(0, keyBytes);
    this.prefix = material.subarray(keyBytes, keyBytes + prefixBytes);
    this.headerKey = material.subarray(keyBytes + prefixBytes, materialBytes);
    this.generation = generation;
  }

  /**
   * The keys that replace these (section 5). They are derived from the current key by HKDF, so an attacker who learns a new key cannot
   * decrypt older records.
   */
  next(): DirectionKeys {
    const info = Buffer.concat([Buffer.from(rekeyLabel, 'ascii'), u32(this.generation + 1)]);
    return new DirectionKeys(hkdf(this.key, Buffer.alloc(0), info, materialBytes), this.generation + 1);
  }

  dispose(): void {
    this.key.fill(0);
    this.prefix.fill(0);
    this.headerKey.fill(0);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The nonces of a connection and the session it belongs to. Nonces are 32 bytes, `sessionId` is 16 bytes. */
export interface ConnectionContext {
  readonly clientNonce: Buffer;
  readonly serverNonce: Buffer;
  readonly sessionId: Buffer;
  /** 1 for the first attempt of a session. */
  readonly attempt: number;
}

/** Keys of one direction of the tunnel that delivers Key B (section 4). */
export function deriveTunnelKeys(keyA: Secret, context: ConnectionContext, direction: Direction): DirectionKeys {
  return derive(keyA, context, [Buffer.from(tunnelLabel, 'ascii'), context.sessionId, u32(context.attempt)], direction);
}

/** Keys of one direction of data stream `streamIndex` (section 4). */
export function deriveDataKeys(
  keyB: Secret,
  context: ConnectionContext,
  streamIndex: number,
  direction: Direction,
): DirectionKeys {
  const label = Buffer.from(dataLabel, 'ascii');
  return derive(keyB, context, [label, context.sessionId, u32(context.attempt), u32(streamIndex)], direction);
}

/** The key with which the target proves that it holds Key B (section 4). 32 bytes; the caller zeroes it. */
export function deriveProofKey(keyB: Secret, sessionId: Buffer, attempt: number): Buffer {
  const info = Buffer.concat([Buffer.from(proofLabel, 'ascii'), sessionId, u32(attempt)]);
  return hkdf(keyB.bytes, Buffer.alloc(0), info, keyBytes);
}

/** Session identifiers are 32 hex digits everywhere except on the wire. */
export function parseSessionId(text: string): Buffer {
  if (!/^[0-9a-f]{32}$/.test(text)) {
    throw new FarkeepError('call.invalid', 'A session identifier is 32 lower-case hex digits', { field: 'sessionId' });
  }
  return Buffer.from(text, 'hex');
}

function derive(ikm: Secret, context: ConnectionContext, info: Buffer[], direction: Direction): DirectionKeys {
  if (context.clientNonce.length !== nonceBytes || context.serverNonce.length !== nonceBytes) {
    throw new RangeError('A connection nonce has 32 bytes');
  }
  if (context.sessionId.length !== sessionIdBytes) throw new RangeError('A session identifier has 16 bytes');
  const salt = Buffer.concat([context.clientNonce, context.serverNonce]);
  const wholeInfo = Buffer.concat([...info, Buffer.from(direction, 'ascii')]);
  return new DirectionKeys(hkdf(ikm.bytes, salt, wholeInfo, materialBytes), 0);
}

function hkdf(ikm: Buffer, salt: Buffer, info: Buffer, lengthBytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', ikm, salt, info, lengthBytes));
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
