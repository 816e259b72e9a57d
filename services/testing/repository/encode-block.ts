// Owns the blocks of tests: content to stored form, by the rules that a source data mover follows.
import { zstdCompressSync } from 'node:zlib';
import { blockIdOf, isCompressible, zstdOptions, type StoredBlock } from '../../blocks/block-content.ts';

/** Content to stored form: zstd level 1 when a sample shrinks, raw otherwise. `stored` may be `content` itself. */
export function encodeBlock(content: Buffer): StoredBlock {
  const plain = { id: blockIdOf(content), contentLength: content.length };
  if (isCompressible(content)) {
    const stored = zstdCompressSync(content, zstdOptions(content.length));
    if (stored.length < content.length) return { ...plain, encoding: 'zstd', stored };
  }
  return { ...plain, encoding: 'raw', stored: content };
}
