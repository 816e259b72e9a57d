// Owns reading packs without a catalogue: by the index at the end of the pack, or block by block if the index is missing or damaged.
import { crc32 } from 'node:zlib';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import {
  blockHeaderBytes,
  blockMagicBytes,
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
import type { Storage } from '../storage/storage.ts';

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

export interface PackScan extends PackContents {
  /** Undefined when the header is damaged. */
  readonly createdAtMs: number | undefined;
  /** The first damage in the pack; undefined if all blocks up to the end of the file are intact. */
  readonly reason: string | undefined;
}

const searchBytes = 1024 * 1024;

/**
 * Reads all blocks from the start without the index, and checks every checksum. Needed for unfinished packs of a killed writer, and for
 * packs with a damaged end. After a damaged block header, it searches for the next intact header. The pack's identifier is taken from the
 * file name, so a damaged pack header loses nothing.
 */
export async function scanPack(storage: Storage, name: string): Promise<PackScan> {
  const sizeBytes = await packSize(storage, name);
  const hex = /([0-9a-f]{32})\.(?:pack|tmp)$/.exec(name)?.[1];
  if (hex === undefined) throw new FarkeepError('storage.damaged', `${name} is not the name of a pack`);
  let createdAtMs: number | undefined;
  let reason: string | undefined;
  try {
    ({ createdAtMs } = decodePackHeader(await readExactly(storage, name, 0, Math.min(packHeaderBytes, sizeBytes))));
  } catch (error) {
    reason = damageOf(error);
  }
  const blocks: PackBlock[] = [];
  let at: number | undefined = packHeaderBytes;
  while (at !== undefined && at + blockHeaderBytes <= sizeBytes) {
    let block: PackBlock;
    try {
      block = decodeBlockHeader(await readExactly(storage, name, at, blockHeaderBytes), at);
      if (block.offset + block.storedLength > sizeBytes)
        throw new FarkeepError('storage.damaged', `the block at offset ${at} is cut`);
    } catch (error) {
      const isEnd: boolean = isPackEnd(
        await readExactly(storage, name, sizeBytes - packTrailerBytes, packTrailerBytes),
        sizeBytes,
        at,
      );
      if (isEnd) break;
      reason ??= damageOf(error);
      at = await findBlock(storage, name, at + 1, sizeBytes);
      continue;
    }
    if (crc32(await readExactly(storage, name, block.offset, block.storedLength)) === block.crc) blocks.push(block);
    else reason ??= `the block at offset ${at} has a wrong checksum`;
    at = block.offset + block.storedLength;
  }
  return { packId: Buffer.from(hex, 'hex'), createdAtMs, sizeBytes, blocks, reason };
}

function damageOf(error: unknown): string {
  if (error instanceof FarkeepError && error.code === 'storage.damaged') return error.message;
  throw error;
}

function isPackEnd(bytes: Buffer, sizeBytes: number, indexOffset: number): boolean {
  try {
    return decodePackTrailer(bytes, sizeBytes).indexOffset === indexOffset;
  } catch (error) {
    damageOf(error);
    return false;
  }
}

/** Returns the offset of the next block header with a correct checksum. */
async function findBlock(storage: Storage, name: string, from: number, sizeBytes: number): Promise<number | undefined> {
  for (let start = from; start + blockHeaderBytes <= sizeBytes; start += searchBytes) {
    const piece = await readExactly(storage, name, start, Math.min(searchBytes + blockHeaderBytes, sizeBytes - start));
    for (let at = piece.indexOf(blockMagicBytes); at !== -1; at = piece.indexOf(blockMagicBytes, at + 1)) {
      if (at + blockHeaderBytes > piece.length) break;
      try {
        decodeBlockHeader(piece.subarray(at), start + at);
        return start + at;
      } catch (error) {
        damageOf(error);
      }
    }
  }
  return undefined;
}
