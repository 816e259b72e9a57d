// Owns encoding and decoding of plain blocks for tests, with the same code as the product uses for streams and for repositories.
import { decodeBlock, encodeBlock } from '../../blocks/block-codec.ts';
import type { StoredBlock } from '../../blocks/block.ts';

const onWire = { chain: 'job', kind: 'data', purpose: 'wire' } as const;
const inRepository = { chain: 'job', kind: 'data', purpose: 'repository' } as const;

export function encodeNow(content: Buffer): StoredBlock {
  return atOnce(encodeBlock(content, onWire));
}

/** Decodes a block as the thread of a stream does. */
export function decodeNow(block: StoredBlock): Buffer {
  return atOnce(decodeBlock(block, onWire));
}

/** Decodes a block as a reader of a repository does: large blocks in the thread pool. */
export async function decodePooled(block: StoredBlock): Promise<Buffer> {
  return decodeBlock(block, inRepository);
}

function atOnce<T>(value: T | Promise<T>): T {
  if (value instanceof Promise) throw new Error('a plain block comes at once');
  return value;
}
