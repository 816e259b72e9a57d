// Owns reading packs without a catalogue: by the index at the end, or, when the end is missing or damaged, block by block.
import { crc32 } from 'node:zlib';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import {
  blockHeaderBytes,
  decodeBlockHeader,
  decodePackHeader,
  decodePackIndex,
  decodePackTrailer,
  indexEntryBytes,
  maxPackBytes,
  packHeaderBytes,
  packTrailerBytes,
  type PackBlock,
} from './pack-format.ts';
import type { Storage } from './storage.ts';

async function readExactly(storage: Storage, name: string, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  const got = await storage.readRange(name, offset, bytes);
  if (got !== length)
    throw new FarkeepError('storage.damaged', `${name} ends at ${offset + got}, before ${offset + length}`);
  return bytes;
}

async function packSize(storage: Storage, name: string): Promise<number> {
  const sizeBytes = await storage.sizeBytes(name);
  if (sizeBytes === undefined) throw new FarkeepError('storage.damaged', `${name} is missing`);
  if (sizeBytes > maxPackBytes)
    throw new FarkeepError('storage.damaged', `${name} has ${sizeBytes} bytes, more than a pack may have`);
  return sizeBytes;
}

export interface PackContents {
  readonly packId: Buffer;
  readonly sizeBytes: number;
  readonly blocks: PackBlock[];
}

/** Reads header, trailer and index, not the blocks. Throws storage.damaged. */
export async function readPackIndex(storage: Storage, name: string): Promise<PackContents> {
  const sizeBytes = await packSize(storage, name);
  if (sizeBytes < packHeaderBytes + packTrailerBytes)
    throw new FarkeepError('storage.damaged', `${name} is cut to ${sizeBytes} bytes`);
  const { packId } = decodePackHeader(await readExactly(storage, name, 0, packHeaderBytes));
  const trailer = decodePackTrailer(
    await readExactly(storage, name, sizeBytes - packTrailerBytes, packTrailerBytes),
    sizeBytes,
  );
  if (!trailer.packId.equals(packId))
    throw new FarkeepError('storage.damaged', `${name} begins as one pack and ends as another`);
  const index = await readExactly(storage, name, trailer.indexOffset, trailer.blockCount * indexEntryBytes);
  return { packId, sizeBytes, blocks: decodePackIndex(index, trailer) };
}

/**
 * Walks the blocks from the start, checking every checksum, and stops at the first that is not whole: what a writer that was
 * killed, or a disk that lost the end, leaves behind. `endOffset` is where the good part ends.
 */
export async function scanPack(
  storage: Storage,
  name: string,
): Promise<PackContents & { readonly endOffset: number; readonly reason: string | undefined }> {
  const sizeBytes = await packSize(storage, name);
  const { packId } = decodePackHeader(await readExactly(storage, name, 0, Math.min(packHeaderBytes, sizeBytes)));
  const blocks: PackBlock[] = [];
  let endOffset = packHeaderBytes;
  let reason: string | undefined;
  while (endOffset + blockHeaderBytes <= sizeBytes) {
    try {
      const block = decodeBlockHeader(await readExactly(storage, name, endOffset, blockHeaderBytes), endOffset);
      const stored = await readExactly(storage, name, block.offset, block.storedLength);
      if (crc32(stored) !== block.crc)
        throw new FarkeepError('storage.damaged', `the block at offset ${endOffset} has a wrong checksum`);
      blocks.push(block);
      endOffset = block.offset + block.storedLength;
    } catch (error) {
      if (!(error instanceof FarkeepError) || error.code !== 'storage.damaged') throw error;
      reason = error.message;
      break;
    }
  }
  return { packId, sizeBytes, blocks, endOffset, reason };
}
