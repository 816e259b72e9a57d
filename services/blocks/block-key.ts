// Owns the identifier of a block in the form that a lane uses: its 32 bytes as 32 latin1 characters. Such a text is a cheap key for maps
// and, unlike a buffer, needs no memory outside the heap.
import { hash } from 'node:crypto';

export type BlockKey = string;

export const blockKeyBytes = 32;

/** As blockIdOf (repository/block-content.ts). */
export function blockKeyOf(content: Uint8Array): BlockKey {
  return hash('sha256', content, 'binary');
}

export function keyOfId(id: Buffer): BlockKey {
  return id.toString('latin1');
}

/** The identifiers are views of one buffer. */
export function idsOfKeys(keys: readonly BlockKey[]): Buffer[] {
  const all = Buffer.allocUnsafeSlow(keys.length * blockKeyBytes);
  return keys.map((key, index) => {
    all.write(key, index * blockKeyBytes, 'latin1');
    return all.subarray(index * blockKeyBytes, (index + 1) * blockKeyBytes);
  });
}
