// Owns the bytes of a pack (docs/repository-format.md, section 3): header, block headers, index, trailer. No I/O. Checks every length
// against a limit before it uses the length.
import { crc32 } from 'node:zlib';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { blockIdBytes, blockBounds } from '../../blocks/block.ts';
import { encodingCode, encodingOf, type BlockEncoding } from '../../blocks/encodings.ts';

export const packFormatVersion = 1;
export const packIdBytes = 16;
export const packHeaderBytes = 36;
export const blockHeaderBytes = 56;
export const indexEntryBytes = 56;
export const packTrailerBytes = 40;
/** A writer closes a pack at 64 MiB. Readers accept larger packs, up to this limit. */
export const maxPackBytes = 4 * 1024 * 1024 * 1024;
export const maxPackBlocks = 4 * 1024 * 1024;

const packMagic = 0x464b504b; // "FKPK"
const blockMagic = 0x464b424c; // "FKBL"
export const blockMagicBytes = Buffer.from('FKBL');
const trailerMagic = 0x464b5054; // "FKPT"

export interface PackBlock {
  readonly id: Buffer;
  readonly encoding: BlockEncoding;
  /** Offset of the stored bytes (not of the block header) in the pack. */
  readonly offset: number;
  readonly storedLength: number;
  readonly contentLength: number;
  /** CRC-32 of the stored bytes. */
  readonly crc: number;
}

export interface PackHeader {
  readonly packId: Buffer;
  readonly createdAtMs: number;
}

function damaged(what: string): FarkeepError {
  return new FarkeepError('storage.damaged', `Pack: ${what}`);
}

export function encodePackHeader({ packId, createdAtMs }: PackHeader): Buffer {
  const bytes = Buffer.alloc(packHeaderBytes);
  bytes.writeUInt32BE(packMagic, 0);
  bytes.writeUInt8(packFormatVersion, 4);
  packId.copy(bytes, 8, 0, 16);
  bytes.writeBigUInt64BE(BigInt(createdAtMs), 24);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 32)), 32);
  return bytes;
}

export function decodePackHeader(bytes: Buffer): PackHeader {
  if (bytes.length < packHeaderBytes) throw damaged('the header is cut');
  if (bytes.readUInt32BE(0) !== packMagic) throw damaged('this is not a pack');
  if (bytes.readUInt32BE(32) !== crc32(bytes.subarray(0, 32))) throw damaged('the header has a wrong checksum');
  if (bytes.readUInt8(4) !== packFormatVersion)
    throw damaged(`format version ${bytes.readUInt8(4)} is not supported by this version`);
  return { packId: Buffer.from(bytes.subarray(8, 24)), createdAtMs: Number(bytes.readBigUInt64BE(24)) };
}

export function encodeBlockHeader(block: Omit<PackBlock, 'offset'>): Buffer {
  const bytes = Buffer.allocUnsafe(blockHeaderBytes);
  bytes.writeUInt32BE(blockMagic, 0);
  bytes.writeUInt32BE(encodingCode(block.encoding) << 24, 4);
  bytes.writeUInt32BE(block.contentLength, 8);
  bytes.writeUInt32BE(block.storedLength, 12);
  block.id.copy(bytes, 16, 0, blockIdBytes);
  bytes.writeUInt32BE(block.crc, 48);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 52)), 52);
  return bytes;
}

function checkLengths(encoding: BlockEncoding | undefined, contentLength: number, storedLength: number): BlockEncoding {
  if (encoding === undefined) throw damaged('a block has an unknown encoding');
  if (contentLength > blockBounds.repository.content) throw damaged(`a block claims ${contentLength} bytes of content`);
  if (storedLength > blockBounds.repository.stored) throw damaged(`a block claims ${storedLength} stored bytes`);
  if (encoding === 'raw' && contentLength !== storedLength) throw damaged('a raw block has two different lengths');
  return encoding;
}

/** @param offset of the header in the pack */
export function decodeBlockHeader(bytes: Buffer, offset: number): PackBlock {
  if (bytes.length < blockHeaderBytes || bytes.readUInt32BE(0) !== blockMagic)
    throw damaged(`no block starts at offset ${offset}`);
  if (bytes.readUInt32BE(52) !== crc32(bytes.subarray(0, 52)))
    throw damaged(`the block header at offset ${offset} has a wrong checksum`);
  const contentLength = bytes.readUInt32BE(8);
  const storedLength = bytes.readUInt32BE(12);
  return {
    id: Buffer.from(bytes.subarray(16, 48)),
    encoding: checkLengths(encodingOf(bytes.readUInt8(4)), contentLength, storedLength),
    offset: offset + blockHeaderBytes,
    storedLength,
    contentLength,
    crc: bytes.readUInt32BE(48),
  };
}

/** Encodes index and trailer, which follow the last block. */
export function encodePackEnd(packId: Buffer, blocks: readonly PackBlock[], indexOffset: number): Buffer {
  const indexBytes = blocks.length * indexEntryBytes;
  const bytes = Buffer.alloc(indexBytes + packTrailerBytes);
  let at = 0;
  for (const block of blocks) {
    block.id.copy(bytes, at, 0, blockIdBytes);
    bytes.writeBigUInt64BE(BigInt(block.offset), at + 32);
    bytes.writeUInt32BE(block.storedLength, at + 40);
    bytes.writeUInt32BE(block.contentLength, at + 44);
    bytes.writeUInt32BE(block.crc, at + 48);
    bytes.writeUInt8(encodingCode(block.encoding), at + 52);
    at += indexEntryBytes;
  }
  bytes.writeUInt32BE(trailerMagic, at);
  bytes.writeUInt32BE(blocks.length, at + 4);
  bytes.writeBigUInt64BE(BigInt(indexOffset), at + 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, indexBytes)), at + 16);
  packId.copy(bytes, at + 20, 0, 16);
  bytes.writeUInt32BE(crc32(bytes.subarray(at, at + 36)), at + 36);
  return bytes;
}

export interface PackTrailer {
  readonly packId: Buffer;
  readonly blockCount: number;
  readonly indexOffset: number;
  readonly indexCrc: number;
}

/** @param bytes the last 40 bytes of the pack */
export function decodePackTrailer(bytes: Buffer, packBytes: number): PackTrailer {
  if (bytes.length !== packTrailerBytes || bytes.readUInt32BE(0) !== trailerMagic) throw damaged('it has no end');
  if (bytes.readUInt32BE(36) !== crc32(bytes.subarray(0, 36))) throw damaged('its end has a wrong checksum');
  const blockCount = bytes.readUInt32BE(4);
  const indexOffset = Number(bytes.readBigUInt64BE(8));
  if (blockCount > maxPackBlocks) throw damaged(`it claims ${blockCount} blocks`);
  if (indexOffset + blockCount * indexEntryBytes + packTrailerBytes !== packBytes || indexOffset < packHeaderBytes) {
    throw damaged('its index does not fit its size');
  }
  return { packId: Buffer.from(bytes.subarray(20, 36)), blockCount, indexOffset, indexCrc: bytes.readUInt32BE(16) };
}

export function decodePackIndex(bytes: Buffer, trailer: PackTrailer): PackBlock[] {
  if (bytes.length !== trailer.blockCount * indexEntryBytes || crc32(bytes) !== trailer.indexCrc) {
    throw damaged('its index has a wrong checksum');
  }
  const blocks: PackBlock[] = [];
  let end = packHeaderBytes;
  for (let at = 0; at < bytes.length; at += indexEntryBytes) {
    const offset = Number(bytes.readBigUInt64BE(at + 32));
    const storedLength = bytes.readUInt32BE(at + 40);
    const contentLength = bytes.readUInt32BE(at + 44);
    // Blocks must not overlap. If blocks could overlap, millions of index entries could name the same bytes, and the check of all entries
    // would take very long.
    if (offset < end + blockHeaderBytes || offset + storedLength > trailer.indexOffset) {
      throw damaged('a block of its index lies outside, or in another one');
    }
    end = offset + storedLength;
    blocks.push({
      id: Buffer.from(bytes.subarray(at, at + 32)),
      encoding: checkLengths(encodingOf(bytes.readUInt8(at + 52)), contentLength, storedLength),
      offset,
      storedLength,
      contentLength,
      crc: bytes.readUInt32BE(at + 48),
    });
  }
  return blocks;
}

export function packName(packId: Buffer): string {
  const hex = packId.toString('hex');
  return `packs/${hex.slice(0, 2)}/${hex}.pack`;
}
