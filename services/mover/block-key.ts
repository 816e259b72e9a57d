// Owns the identifier of a block in the form that a lane works with: its 32 bytes as 32 latin1 characters. As a key of maps it costs nothing
// more, and unlike a buffer it has no memory of its own outside of the heap.
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

/** Views of one memory. */
export function idsOfKeys(keys: readonly BlockKey[]): Buffer[] {
  const all = Buffer.allocUnsafeSlow(keys.length * blockKeyBytes);
  return keys.map((key, index) => {
    all.write(key, index * blockKeyBytes, 'latin1');
    return all.subarray(index * blockKeyBytes, (index + 1) * blockKeyBytes);
  });
}
