// Owns what a block is: its identifier, its bounds, and the form in which it is kept and sent. Does not know packs, files or sockets.
import { hash } from 'node:crypto';
import type { BlockEncoding } from './encodings.ts';

export const blockIdBytes = 32;
/** Largest content of one block in a repository. A data message holds less (wire/messages.ts). */
export const maxBlockContentBytes = 16 * 1024 * 1024;
/** Stored bytes may exceed the content only by what an encoding or seal adds to incompressible data. */
export const maxBlockStoredBytes = maxBlockContentBytes + 64 * 1024;

/** A block as it is kept and sent: `stored` is the encoded form, `contentLength` the length after decoding, in bytes. */
export interface StoredBlock {
  /** 32 bytes. */
  readonly id: Buffer;
  readonly encoding: BlockEncoding;
  readonly contentLength: number;
  readonly stored: Buffer;
}

/** SHA-256 of the content (unencrypted jobs; docs/repository-format.md, section 2). */
export function blockIdOf(content: Uint8Array): Buffer {
  return hash('sha256', content, 'buffer');
}

/** An identifier as 32 latin1 characters: a cheap key for maps that needs no memory outside the heap. */
export type BlockKey = string;

/** As `blockIdOf`. */
export function blockKeyOf(content: Uint8Array): BlockKey {
  return hash('sha256', content, 'binary');
}

export function keyOfId(id: Buffer): BlockKey {
  return id.toString('latin1');
}

/** The identifiers are views of one buffer. */
export function idsOfKeys(keys: readonly BlockKey[]): Buffer[] {
  const all = Buffer.allocUnsafeSlow(keys.length * blockIdBytes);
  return keys.map((key, index) => {
    all.write(key, index * blockIdBytes, 'latin1');
    return all.subarray(index * blockIdBytes, (index + 1) * blockIdBytes);
  });
}
