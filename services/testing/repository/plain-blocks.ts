// Owns plain blocks for tests: made and opened as the product does both on the wire and in a repository.
import { decodeBlock, encodeBlock } from '../../blocks/block-codec.ts';
import type { StoredBlock } from '../../blocks/block.ts';

const onWire = { chain: 'job', kind: 'data', purpose: 'wire' } as const;
const inRepository = { chain: 'job', kind: 'data', purpose: 'repository' } as const;

export function encodeNow(content: Buffer): StoredBlock {
  return atOnce(encodeBlock(content, onWire));
}

/** As the thread of a stream decodes. */
export function decodeNow(block: StoredBlock): Buffer {
  return atOnce(decodeBlock(block, onWire));
}

/** As a reader of a repository decodes: large blocks in the thread pool. */
export async function decodePooled(block: StoredBlock): Promise<Buffer> {
  return decodeBlock(block, inRepository);
}

function atOnce<T>(value: T | Promise<T>): T {
  if (value instanceof Promise) throw new Error('a plain block comes at once');
  return value;
}
