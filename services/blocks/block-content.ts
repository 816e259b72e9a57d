// Owns what a block is: its identifier, its encodings, its bounds, and how stored bytes become checked content again.
// Must not know packs, files or sockets.
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { createZstdContext, type ZstdContext } from '../kernel/native/zstd.ts';
import { whyNotOneFrame } from './zstd-frame.ts';

export const blockIdLengthBytes = 32;
/** Largest content of one block. The default cutter stays at 4 MiB; the format leaves room for four times that. */
export const maxBlockContentBytes = 16 * 1024 * 1024;
/** Stored bytes may exceed the content only by what an encoding or seal adds to incompressible data. */
export const maxBlockStoredBytes = maxBlockContentBytes + 64 * 1024;

export type BlockEncoding = 'raw' | 'zstd';

/** A block as it is kept and sent: `stored` is the encoded form, `contentLength` the length after decoding, in bytes. */
export interface StoredBlock {
  readonly id: Buffer;
  readonly encoding: BlockEncoding;
  readonly contentLength: number;
  readonly stored: Buffer;
}

/** SHA-256 of the content (unencrypted jobs; docs/repository-format.md, section 2). */
export function blockIdOf(content: Uint8Array): Buffer {
  return hash('sha256', content, 'buffer');
}

const zstdLevel1 = { [constants.ZSTD_c_compressionLevel]: 1 };
const samplePieceBytes = 4096;

/**
 * Level 1 for a content of this length. Told the size, zstd takes tables that fit it; with room for the worst result (ZSTD_compressBound
 * in zstd.h) it compresses in one go, without a window of its own to copy into, which is up to 1.8 times as fast.
 */
export function zstdOptions(contentLength: number): {
  params: Record<number, number>;
  pledgedSrcSize: number;
  chunkSize: number;
} {
  const bound = contentLength + (contentLength >> 8) + (contentLength < 131_072 ? (131_072 - contentLength) >> 11 : 0);
  return { params: zstdLevel1, pledgedSrcSize: contentLength, chunkSize: Math.max(bound, 64) };
}

/** Whether a compressed sample of three pieces shrinks by at least an eighth; costs little beside compressing for nothing. */
export function isCompressible(content: Buffer): boolean {
  if (content.length < 256) return false;
  const sample =
    content.length <= 3 * samplePieceBytes
      ? content
      : Buffer.concat([
          content.subarray(0, samplePieceBytes),
          content.subarray((content.length - samplePieceBytes) >> 1, (content.length + samplePieceBytes) >> 1),
          content.subarray(content.length - samplePieceBytes),
        ]);
  return zstdCompressSync(sample, zstdOptions(sample.length)).length < sample.length * 0.875;
}

const zstdDecompressAsync = promisify(zstdDecompress) as (stored: Buffer, options: object) => Promise<Buffer>;

function mismatch(id: Buffer, reason: string): FarkeepError {
  return new FarkeepError(
    'restore.mismatch',
    `Block ${id.toString('hex').slice(0, 16)} is not what was saved: ${reason}`,
  );
}

function checkContent(block: StoredBlock, content: Buffer): Buffer {
  if (content.length !== block.contentLength)
    throw mismatch(block.id, `${content.length} bytes instead of ${block.contentLength}`);
  if (!blockIdOf(content).equals(block.id)) throw mismatch(block.id, 'its content has another SHA-256');
  return content;
}

function decodingOptions(block: StoredBlock): { maxOutputLength: number; chunkSize: number } {
  if (block.contentLength > maxBlockContentBytes) throw mismatch(block.id, `it claims ${block.contentLength} bytes`);
  const reason = block.encoding === 'zstd' ? whyNotOneFrame(block.stored, block.contentLength) : undefined;
  if (reason !== undefined) throw mismatch(block.id, reason);
  // A small block that unpacks to gigabytes must not take more memory than it announced. Node wants at least 1.
  // One output buffer of the right size instead of pieces of 128 KiB, which a small content would keep alive whole.
  return { maxOutputLength: Math.max(1, block.contentLength), chunkSize: block.contentLength + 64 };
}

/** Up to this size, making a zstd context costs more than compressing or decompressing the block. */
const maxContextBytes = 64 * 1024;
let sharedContext: ZstdContext | undefined;

/** The zstd context of this thread. */
function zstdContext(): ZstdContext {
  sharedContext ??= createZstdContext();
  return sharedContext;
}

/** Stored form to content, checked against length and identifier. Throws restore.mismatch. Large blocks unpack in the thread pool. */
export async function decodeBlock(block: StoredBlock): Promise<Buffer> {
  const options = decodingOptions(block);
  if (block.encoding === 'raw') return checkContent(block, block.stored);
  let content: Buffer;
  try {
    content =
      block.contentLength < 16 * 1024
        ? zstdContext().decompress(block.stored, block.contentLength)
        : await zstdDecompressAsync(block.stored, options);
  } catch (cause) {
    throw new FarkeepError('restore.mismatch', mismatch(block.id, 'it cannot be unpacked').message, { cause });
  }
  return checkContent(block, content);
}

/** As decodeBlock, at once on the calling thread (for workers). */
export function decodeBlockSync(block: StoredBlock): Buffer {
  const options = decodingOptions(block);
  if (block.encoding === 'raw') return checkContent(block, block.stored);
  let content: Buffer;
  try {
    content =
      block.contentLength < maxContextBytes
        ? zstdContext().decompress(block.stored, block.contentLength)
        : zstdDecompressSync(block.stored, options);
  } catch (cause) {
    throw new FarkeepError('restore.mismatch', mismatch(block.id, 'it cannot be unpacked').message, { cause });
  }
  return checkContent(block, content);
}
