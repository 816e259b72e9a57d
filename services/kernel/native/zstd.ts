// Owns zstd compression of many small pieces with one shared context. node:zlib makes a new context for each call, which costs several
// times as much as compressing a kilobyte. Must not know of blocks.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { nativeFunctions } from './native-library.ts';

/** One context for each thread. Must not be used by two callers at once. */
export interface ZstdContext {
  /** Returns `content` as one frame of level 1 (RFC 8878) that states the content size; at most compressBound(content.length) bytes. */
  compress(content: Uint8Array): Buffer;
  /** Returns the content of one frame. @throws when the data is not a frame or its content is not exactly `contentLength` bytes */
  decompress(frame: Uint8Array, contentLength: number): Buffer;
}

/** Limit of the frame length for this content length: ZSTD_compressBound of zstd.h. */
function compressBound(contentLength: number): number {
  return contentLength + (contentLength >> 8) + (contentLength < 131_072 ? (131_072 - contentLength) >> 11 : 0);
}

/** Lowest result of a zstd function that means an error: `(size_t)-code`, code at most ZSTD_error_maxCode (120). */
const lowestErrorResult = 2n ** 64n - 120n;

function nativeContext(): ZstdContext | undefined {
  const zstd = nativeFunctions({
    ZSTD_createCCtx: { arguments: [], return: 'pointer' },
    ZSTD_createDCtx: { arguments: [], return: 'pointer' },
    // (context, destination, capacity of the destination, source, length of the source, level)
    ZSTD_compressCCtx: { arguments: ['pointer', 'buffer', 'uint64', 'buffer', 'uint64', 'int32'], return: 'uint64' },
    ZSTD_decompressDCtx: { arguments: ['pointer', 'buffer', 'uint64', 'buffer', 'uint64'], return: 'uint64' },
  });
  if (zstd === undefined) return undefined;
  const compressing = zstd.ZSTD_createCCtx();
  const decompressing = zstd.ZSTD_createDCtx();
  if (compressing === 0n || decompressing === 0n) return undefined;
  let room = Buffer.allocUnsafe(16 * 1024);
  return {
    compress(content) {
      const bound = compressBound(content.length);
      if (room.length < bound) room = Buffer.allocUnsafe(bound);
      const length = zstd.ZSTD_compressCCtx(compressing, room, BigInt(room.length), content, BigInt(content.length), 1);
      if (length >= lowestErrorResult) throw new Error(`zstd could not compress (${length - 2n ** 64n})`);
      return Buffer.from(room.subarray(0, Number(length)));
    },
    decompress(frame, contentLength) {
      const content = Buffer.allocUnsafe(contentLength);
      const length = zstd.ZSTD_decompressDCtx(
        decompressing,
        content,
        BigInt(contentLength),
        frame,
        BigInt(frame.length),
      );
      if (length !== BigInt(contentLength)) throw new Error('not a zstd frame of this content length');
      return content;
    },
  };
}

function nodeContext(): ZstdContext {
  return {
    compress: (content) =>
      zstdCompressSync(content, {
        params: { [constants.ZSTD_c_compressionLevel]: 1 },
        pledgedSrcSize: content.length,
        chunkSize: Math.max(64, compressBound(content.length)),
      }),
    decompress(frame, contentLength) {
      const content = zstdDecompressSync(frame, {
        maxOutputLength: Math.max(1, contentLength),
        chunkSize: contentLength + 64,
      });
      if (content.length !== contentLength) throw new Error('not a zstd frame of this content length');
      return content;
    },
  };
}

export function createZstdContext(): ZstdContext {
  return nativeContext() ?? nodeContext();
}
