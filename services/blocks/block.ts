// Owns what a block is: its identifier, its bounds, and the form in which it is kept and sent. Does not know packs, files or sockets.
import { hash } from 'node:crypto';
import type { BlockEncoding } from './encodings.ts';

export const blockIdBytes = 32;

/**
 * Bounds of one block, in bytes. `content` is the length after decoding, `stored` that of the encoded form, which may exceed the content only by
 * what an encoding or a seal adds. There are two rows, since a reader must take what earlier and other writers of a repository may have stored
 * (docs/repository-format.md, section 2), while a message must fit into memory many times over (docs/protocol.md, section 6). What the product
 * writes keeps both.
 */
export const blockBounds = {
  /** What lies in a repository. */
  repository: { content: 16 * 1024 * 1024, stored: 16 * 1024 * 1024 + 64 * 1024 },
  /** What one data message carries. */
  message: { content: 4 * 1024 * 1024, stored: 4 * 1024 * 1024 + 64 },
} as const;

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
