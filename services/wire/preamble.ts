// Owns the first bytes on the single port: the FKD1 data preamble, and distinguishing it from a TLS ClientHello (docs/protocol.md, section
// 1). Must not know sockets, the meaning of tickets, or time.

import { createHash } from 'node:crypto';

export const preambleLengthBytes = 40;
export const ticketLengthBytes = 32;

const magic = Buffer.from('FKD1', 'latin1');
const version = 1;
const ticketOffset = 8;

export type PreambleKind = 'tunnel' | 'data';
const kindToByte: Record<PreambleKind, number> = { tunnel: 1, data: 2 };

export interface Preamble {
  readonly kind: PreambleKind;
  /** 32 random bytes that the provider made for one connection. */
  readonly ticket: Buffer;
}

export type FirstBytes =
  | { readonly type: 'need-more' }
  | { readonly type: 'tls' }
  | { readonly type: 'preamble'; readonly preamble: Preamble }
  | { readonly type: 'unknown' };

/** magic(4) version(1) kind(1) flags(2) ticket(32), big-endian. Throws RangeError when the ticket is not 32 bytes. */
export function encodePreamble({ kind, ticket }: Preamble): Buffer {
  if (ticket.length !== ticketLengthBytes) {
    throw new RangeError(`A ticket has ${ticketLengthBytes} bytes, not ${ticket.length}`);
  }
  const bytes = Buffer.alloc(preambleLengthBytes);
  magic.copy(bytes);
  bytes.writeUInt8(version, 4);
  bytes.writeUInt8(kindToByte[kind], 5);
  ticket.copy(bytes, ticketOffset);
  return bytes;
}

/**
 * Decides from the bytes that have arrived so far, in any split; 40 bytes are always enough. A wrong byte gives `unknown` at once, so that
 * a connection with garbage does not stay open until the time limit.
 */
export function classifyFirstBytes(bytes: Uint8Array): FirstBytes {
  const first = bytes[0];
  if (first === undefined) return { type: 'need-more' };
  if (first === 0x16) {
    if (bytes.length < 2) return { type: 'need-more' };
    return bytes[1] === 0x03 ? { type: 'tls' } : { type: 'unknown' };
  }
  for (let index = 0; index < Math.min(bytes.length, magic.length); index += 1) {
    if (bytes[index] !== magic[index]) return { type: 'unknown' };
  }
  if (bytes.length > 4 && bytes[4] !== version) return { type: 'unknown' };
  const kindByte = bytes[5];
  if (kindByte !== undefined && kindByte !== kindToByte.tunnel && kindByte !== kindToByte.data)
    return { type: 'unknown' };
  // Version 1 has no flags; a flag that is set requests something that this version does not support.
  for (const flagByte of bytes.subarray(6, 8)) if (flagByte !== 0) return { type: 'unknown' };
  if (bytes.length < preambleLengthBytes) return { type: 'need-more' };
  return {
    type: 'preamble',
    preamble: {
      kind: kindByte === kindToByte.tunnel ? 'tunnel' : 'data',
      ticket: Buffer.from(bytes.subarray(ticketOffset, preambleLengthBytes)),
    },
  };
}

/** What a gateway stores of a ticket: SHA-256 of its 32 bytes, lower-case hex. */
export function hashTicket(ticket: Uint8Array): string {
  return createHash('sha256').update(ticket).digest('hex');
}
