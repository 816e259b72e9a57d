// Owns the packed list of a file's content: 40 bytes for each piece, identifier (zeros for a hole) and length. The list needs little space
// in memory, cache and messages.
import type { ContentReference } from '../../../repository/points/tree-entry.ts';
import type { BlockKey } from '../../../blocks/block.ts';

const idBytes = 32;
export const packedReferenceBytes = idBytes + 8;
const noId = Buffer.alloc(idBytes);

/** Collects pieces in order. Neighboring holes are joined. */
export class ContentList {
  #bytes = Buffer.allocUnsafe(packedReferenceBytes);
  #length = 0;

  addBlock(id: Buffer | BlockKey, lengthBytes: number): void {
    this.#room();
    if (typeof id === 'string') this.#bytes.write(id, this.#length, 'latin1');
    else id.copy(this.#bytes, this.#length);
    this.#bytes.writeUInt32BE(Math.floor(lengthBytes / 0x1_0000_0000), this.#length + idBytes);
    this.#bytes.writeUInt32BE(lengthBytes % 0x1_0000_0000, this.#length + idBytes + 4);
    this.#length += packedReferenceBytes;
  }

  addHole(lengthBytes: number): void {
    const last = this.#length - packedReferenceBytes;
    if (last >= 0 && this.#bytes.compare(noId, 0, idBytes, last, last + idBytes) === 0) {
      const sum = this.#bytes.readBigUInt64BE(last + idBytes) + BigInt(lengthBytes);
      this.#bytes.writeBigUInt64BE(sum, last + idBytes);
      return;
    }
    this.addBlock(noId, lengthBytes);
  }

  /** Returns a copy of the list, with its own memory. */
  packed(): Buffer {
    const copy = Buffer.allocUnsafe(this.#length);
    this.#bytes.copy(copy, 0, 0, this.#length);
    return copy;
  }

  clear(): void {
    this.#length = 0;
  }

  #room(): void {
    if (this.#length + packedReferenceBytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(this.#bytes.length * 2);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Returns the pieces in order. `id` is a view. */
export function unpackContent(packed: Buffer): ContentReference[] {
  const content: ContentReference[] = [];
  for (let at = 0; at + packedReferenceBytes <= packed.length; at += packedReferenceBytes) {
    const id = packed.subarray(at, at + idBytes);
    const lengthBytes = packed.readUInt32BE(at + idBytes) * 0x1_0000_0000 + packed.readUInt32BE(at + idBytes + 4);
    content.push({ id: id.equals(noId) ? null : id, lengthBytes });
  }
  return content;
}
