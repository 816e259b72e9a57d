// Owns packing and unpacking of stored blocks as exactly one zstd frame (docs/repository-format.md, section 2; RFC 8878, section 3).
// Part of the second implementation: written from docs/ alone.
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** The frame header contains the content size. */
export function packFrame(content: Buffer): Buffer {
  return zstdCompressSync(content, { pledgedSrcSize: content.length });
}

/** @throws when `stored` is not exactly one frame, or has more content than announced */
export function unpackFrame(stored: Buffer, contentLength: number): Buffer {
  if (frameLength(stored, contentLength) !== stored.length) throw new Error('It is not exactly one zstd frame');
  return zstdDecompressSync(stored, { maxOutputLength: Math.max(1, contentLength) });
}

function frameLength(bytes: Buffer, contentLength: number): number {
  if (bytes.readUInt32LE(0) !== 0xfd2fb528) throw new Error('It does not begin with a zstd frame');
  const descriptor = bytes.readUInt8(4);
  const [sizeCode, isSingle, hasChecksum] = [descriptor >>> 6, (descriptor & 0x20) !== 0, (descriptor & 4) !== 0];
  if ((descriptor & 3) !== 0) throw new Error('It needs a dictionary');
  let at = isSingle ? 5 : 6;
  const sizeBytes = sizeCode === 0 ? (isSingle ? 1 : 0) : 2 ** sizeCode;
  if (sizeBytes > 0) {
    const size = sizeBytes === 8 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUIntLE(at, sizeBytes);
    if (size + (sizeBytes === 2 ? 256 : 0) !== contentLength) throw new Error('Another content size');
    at += sizeBytes;
  } else if (bytes.readUInt8(5) >>> 3 > 14) throw new Error('A window of more than 16 MiB');
  for (let isLast = false; !isLast;) {
    const header = bytes.readUIntLE(at, 3);
    isLast = (header & 1) === 1;
    // A block of type 1 is one byte that is repeated.
    at += 3 + (((header >>> 1) & 3) === 1 ? 1 : header >>> 3);
  }
  return at + (hasChecksum ? 4 : 0);
}
