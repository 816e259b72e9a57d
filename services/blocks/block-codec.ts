// Owns how content becomes the stored form of a block and back: which content is compressed, and the check of what comes back.
// Works for unencrypted jobs; docs/repository-format.md, section 2.
import { promisify } from 'node:util';
import { constants, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { createZstdContext, type ZstdContext } from '../kernel/native/zstd.ts';
import { releaseMemory } from '../kernel/release-memory.ts';
import { blockIdOf, blockBounds, type StoredBlock } from './block.ts';
import { whyNotOneFrame } from './zstd-frame.ts';

/** For what a block is encoded or decoded. Plain blocks depend on none of it; a sealed block would be opened with a key that all of it selects. */
export interface BlockContext {
  /** The job to whose chain of restore points the block belongs; undefined when the caller does not know it: then only a plain block can be read. */
  readonly chain: string | undefined;
  /** Content of a file, or a piece of a manifest; undefined as above. */
  readonly kind: 'data' | 'metadata' | undefined;
  /**
   * "wire": the block goes to another machine or comes from there, and this thread works for one stream alone, so it may compute at once.
   * "repository": the block lies in a repository, and the thread has other work, so large blocks are unpacked in the thread pool.
   */
  readonly purpose: 'wire' | 'repository';
}

const zstdLevel1 = { [constants.ZSTD_c_compressionLevel]: 1 };
const samplePieceBytes = 4096;

/**
 * Level 1 for a content of this length. Told the size, zstd takes tables that fit it; with room for the worst result (ZSTD_compressBound
 * in zstd.h) it compresses in one go, without a window of its own to copy into, which is up to 1.8 times as fast.
 */
function zstdOptions(contentLength: number): {
  params: Record<number, number>;
  pledgedSrcSize: number;
  chunkSize: number;
} {
  const bound = contentLength + (contentLength >> 8) + (contentLength < 131_072 ? (131_072 - contentLength) >> 11 : 0);
  return { params: zstdLevel1, pledgedSrcSize: contentLength, chunkSize: Math.max(bound, 64) };
}

/** Whether a compressed sample of three pieces shrinks by at least an eighth; costs little beside compressing for nothing. */
function isCompressible(content: Buffer): boolean {
  const middle = (content.length - samplePieceBytes) >> 1;
  const sample = Buffer.concat([
    content.subarray(0, samplePieceBytes),
    content.subarray(middle, middle + samplePieceBytes),
    content.subarray(content.length - samplePieceBytes),
  ]);
  return zstdCompressSync(sample, zstdOptions(sample.length)).length < sample.length * 0.875;
}

const zstdDecompressAsync = promisify(zstdDecompress) as (stored: Buffer, options: object) => Promise<Buffer>;

/** Up to this size, making a zstd context costs more than compressing or decompressing the block. */
const maxContextBytes = 64 * 1024;
/** From this size on the thread pool costs less than the time in which the calling thread would do nothing else. */
const minPooledBytes = 16 * 1024;
/** Not worth a frame of its own. */
const minCompressBytes = 64;
/** Up to this size compressing costs no more than sampling. */
const unsampledBytes = 128 * 1024;

/**
 * Content to stored form: zstd level 1 if both a sample and the whole block shrink, raw otherwise. `stored` may be `content` itself.
 * A plain block comes at once, because a promise for each small block would cost more than most of its encoding. Callers wait for a promise.
 */
export function encodeBlock(
  content: Buffer,
  _context: BlockContext,
  id: Buffer = blockIdOf(content),
): StoredBlock | Promise<StoredBlock> {
  const contentLength = content.length;
  const raw: StoredBlock = { id, encoding: 'raw', contentLength, stored: content };
  if (contentLength < minCompressBytes) return raw;
  if (contentLength <= maxContextBytes) {
    const stored = zstdContext().compress(content);
    return stored.length < contentLength ? { id, encoding: 'zstd', contentLength, stored } : raw;
  }
  if (contentLength > unsampledBytes && !isCompressible(content)) return raw;
  const stored = zstdCompressSync(content, zstdOptions(contentLength));
  if (stored.length < contentLength) return { id, encoding: 'zstd', contentLength, stored };
  releaseMemory(stored);
  return raw;
}

/** Frees the memory of the stored form at once, if `encodeBlock` made memory for it that V8 would free late. */
export function releaseStored({ encoding, contentLength, stored }: StoredBlock): void {
  if (encoding === 'zstd' && contentLength > maxContextBytes) releaseMemory(stored);
}

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
  if (block.contentLength > blockBounds.repository.content)
    throw mismatch(block.id, `it claims ${block.contentLength} bytes`);
  const reason = block.encoding === 'zstd' ? whyNotOneFrame(block.stored, block.contentLength) : undefined;
  if (reason !== undefined) throw mismatch(block.id, reason);
  // A small block that unpacks to gigabytes must not take more memory than it announced. Node wants at least 1.
  // One output buffer of the right size instead of pieces of 128 KiB, which a small content would keep alive whole.
  return { maxOutputLength: Math.max(1, block.contentLength), chunkSize: block.contentLength + 64 };
}

let sharedContext: ZstdContext | undefined;

/** The zstd context of this thread. */
function zstdContext(): ZstdContext {
  sharedContext ??= createZstdContext();
  return sharedContext;
}

/**
 * Stored form to content, checked against length and identifier. The content comes at once where no wait is needed, as with `encodeBlock`.
 *
 * @throws restore.mismatch, at once or by the promise
 */
export function decodeBlock(block: StoredBlock, { purpose }: BlockContext): Buffer | Promise<Buffer> {
  const options = decodingOptions(block);
  if (block.encoding === 'raw') return checkContent(block, block.stored);
  if (purpose === 'repository' && block.contentLength >= minPooledBytes)
    return zstdDecompressAsync(block.stored, options).then(
      (content) => checkContent(block, content),
      (cause: unknown) => {
        throw notUnpacked(block.id, cause);
      },
    );
  let content: Buffer;
  try {
    content =
      block.contentLength < maxContextBytes
        ? zstdContext().decompress(block.stored, block.contentLength)
        : zstdDecompressSync(block.stored, options);
  } catch (cause) {
    throw notUnpacked(block.id, cause);
  }
  return checkContent(block, content);
}

function notUnpacked(id: Buffer, cause: unknown): FarkeepError {
  return new FarkeepError('restore.mismatch', mismatch(id, 'it cannot be unpacked').message, { cause });
}
