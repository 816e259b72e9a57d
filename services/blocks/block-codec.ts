// Owns the conversion of content to the stored form of a block and back: which content is compressed, and the check of the decoded content.
// Works for unencrypted jobs (docs/repository-format.md, section 2).
import { promisify } from 'node:util';
import { constants, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { createZstdContext, type ZstdContext } from '../kernel/native/zstd.ts';
import { releaseMemory } from '../kernel/release-memory.ts';
import { blockIdOf, blockBounds, type StoredBlock } from './block.ts';
import { whyNotOneFrame } from './zstd-frame.ts';

/**
 * The use of a block that is encoded or decoded. A plain block does not depend on it. A sealed block would be opened with a key that all
 * these fields select.
 */
export interface BlockContext {
  /**
   * The job whose chain of restore points contains the block. If the caller does not know the job, undefined: only a plain block can then
   * be read.
   */
  readonly chain: string | undefined;
  /** "data": content of a file. "metadata": a piece of a manifest. undefined if the caller does not know. */
  readonly kind: 'data' | 'metadata' | undefined;
  /**
   * "wire": the block travels between machines. The calling thread works for one stream only, so it decodes every block itself.
   * "repository": the block is in a repository. The calling thread has other work, so the thread pool decodes large blocks.
   */
  readonly purpose: 'wire' | 'repository';
}

const zstdLevel1 = { [constants.ZSTD_c_compressionLevel]: 1 };
const samplePieceBytes = 4096;

/**
 * Options for zstd level 1. If zstd knows the content's length, it uses tables of a matching size. If the output has room for the worst
 * case (ZSTD_compressBound in zstd.h), zstd compresses in one call and needs no window to copy into. With these options, compression is up
 * to 1.8 times as fast.
 */
function zstdOptions(contentLength: number): {
  params: Record<number, number>;
  pledgedSrcSize: number;
  chunkSize: number;
} {
  const bound = contentLength + (contentLength >> 8) + (contentLength < 131_072 ? (131_072 - contentLength) >> 11 : 0);
  return { params: zstdLevel1, pledgedSrcSize: contentLength, chunkSize: Math.max(bound, 64) };
}

/**
 * Whether a sample of three pieces shrinks by at least an eighth. The sample costs little compared with compressing a block that does not
 * shrink.
 */
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

/** Up to this size, creating a zstd context costs more than compressing or decompressing the block. */
const maxContextBytes = 64 * 1024;
/** From this size on, the thread pool is cheaper than blocking the calling thread. */
const minPooledBytes = 16 * 1024;
/** Smaller content is stored raw, because the zstd frame itself would cost too many bytes. */
const minCompressBytes = 64;
/** Up to this size, compressing costs no more than taking a sample. */
const unsampledBytes = 128 * 1024;

/**
 * Converts content to its stored form: zstd level 1 if a sample of the block shrinks and the whole block shrinks. If one of them does not
 * shrink, the stored form is raw. `stored` may be `content` itself. A plain block is returned without a promise, because a promise for each
 * small block would cost more than the encoding. Callers must accept a promise too.
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

/** Frees the memory that `encodeBlock` allocated for the stored form, if any. V8 would free this memory late. */
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
  // A hostile small block that unpacks to gigabytes must not use more memory than its announced length. Node requires at least 1.
  // `chunkSize` makes one output buffer of the right size. By default Node uses pieces of 128 KiB, and a small content would keep a whole
  // piece in memory.
  return { maxOutputLength: Math.max(1, block.contentLength), chunkSize: block.contentLength + 64 };
}

let sharedContext: ZstdContext | undefined;

/** The zstd context of this thread. */
function zstdContext(): ZstdContext {
  sharedContext ??= createZstdContext();
  return sharedContext;
}

/**
 * Converts the stored form to content, and checks length and identifier. Returns a buffer if no wait is needed, and a promise if a wait is
 * needed.
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
