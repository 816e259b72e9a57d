// Owns the definition of a block: its identifier, its size limits, and its stored form. Does not know packs, files or sockets.
import { hash } from 'node:crypto';
import type { BlockEncoding } from './encodings.ts';

export const blockIdBytes = 32;

/**
 * Size limits of one block, in bytes. `content` is the length after decoding, `stored` the length of the encoded form. The encoded form may
 * exceed the content only by the overhead of an encoding or a seal. There are two rows of limits. A reader of a repository must accept all
 * blocks that earlier versions and other programs may have stored (docs/repository-format.md, section 2). A block in a message must be
 * smaller, because memory holds many messages at once (docs/protocol.md, section 6). Blocks that this product writes meet the limits of
 * both rows.
 */
export const blockBounds = {
  /** Limits of a block in a repository. */
  repository: { content: 16 * 1024 * 1024, stored: 16 * 1024 * 1024 + 64 * 1024 },
  /** Limits of each block in a data message. */
  message: { content: 4 * 1024 * 1024, stored: 4 * 1024 * 1024 + 64 },
} as const;

/** A block in the form that is stored and sent: `stored` is the encoded form, `contentLength` the length after decoding, in bytes. */
export interface StoredBlock {
  /** 32 bytes. */
  readonly id: Buffer;
  readonly encoding: BlockEncoding;
  readonly contentLength: number;
  readonly stored: Buffer;
}

/** Returns the identifier of a block: the SHA-256 of its content (unencrypted jobs; docs/repository-format.md, section 2). */
export function blockIdOf(content: Uint8Array): Buffer {
  return hash('sha256', content, 'buffer');
}

/** An identifier as 32 latin1 characters: a cheap key for maps, without memory outside the heap. */
export type BlockKey = string;

/** Returns the identifier of a block as a key for maps. `blockIdOf` returns the same identifier as a buffer. */
export function blockKeyOf(content: Uint8Array): BlockKey {
  return hash('sha256', content, 'binary');
}

export function keyOfId(id: Buffer): BlockKey {
  return id.toString('latin1');
}

/** Converts keys to identifiers. All returned identifiers share one buffer. */
export function idsOfKeys(keys: readonly BlockKey[]): Buffer[] {
  const all = Buffer.allocUnsafeSlow(keys.length * blockIdBytes);
  return keys.map((key, index) => {
    all.write(key, index * blockIdBytes, 'latin1');
    return all.subarray(index * blockIdBytes, (index + 1) * blockIdBytes);
  });
}
