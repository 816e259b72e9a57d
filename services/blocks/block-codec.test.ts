// Tests which content the product compresses, and that every decoded block is checked.
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockIdOf, blockKeyOf, idsOfKeys, keyOfId } from './block.ts';
import { decodeNow, decodePooled, encodeNow } from '../testing/repository/plain-blocks.ts';
import { encodingCode, encodingOf } from './encodings.ts';

const text = (length: number): Buffer => Buffer.alloc(length, 'compressible text, again and again; ');

describe('the codec of blocks', () => {
  it.each([1, 63, 64, 65, 1024, 64 * 1024, 64 * 1024 + 1, 128 * 1024, 128 * 1024 + 1, 1024 * 1024, 4 * 1024 * 1024])(
    'keeps random and repeated content of %i bytes',
    async (length) => {
      for (const content of [randomBytes(length), text(length)]) {
        const block = encodeNow(content);
        expect(block).toMatchObject({ id: blockIdOf(content), contentLength: length });
        expect(block.stored.length).toBeLessThanOrEqual(length);
        expect((await decodePooled(block)).equals(content)).toBe(true);
        expect(decodeNow(block).equals(content)).toBe(true);
      }
    },
  );

  it.each([
    ['repeated', 63, 'raw'],
    ['repeated', 64, 'zstd'],
    ['repeated', 200 * 1024, 'zstd'],
    ['random', 1024, 'raw'],
    ['random', 200 * 1024, 'raw'],
  ])('keeps %s content of %i bytes as %s', (kind, length, encoding) => {
    const content = kind === 'random' ? randomBytes(length) : text(length);
    expect(encodeNow(content).encoding).toBe(encoding);
  });

  it('stores a large block raw when a sample of it does not shrink', () => {
    // The sample consists of three pieces. In this content, only the parts between the three pieces would shrink.
    const content = text(1024 * 1024);
    for (const at of [0, (content.length - 4096) >> 1, content.length - 4096]) randomBytes(4096).copy(content, at);
    expect(encodeNow(content).encoding).toBe('raw');
  });

  it.each(['id', 'contentLength', 'stored'] as const)('refuses a block with another %s', async (field) => {
    const block = encodeNow(text(5000));
    const wrong = {
      ...block,
      ...{
        id: { id: blockIdOf(Buffer.from('another')) },
        contentLength: { contentLength: 4999 },
        stored: { stored: encodeNow(text(5000).fill('x')).stored },
      }[field],
    };
    await expect(decodePooled(wrong)).rejects.toMatchObject({ code: 'restore.mismatch' });
    expect(() => decodeNow(wrong)).toThrow();
  });
});

describe('an identifier', () => {
  it('has the same identifier when it is used as a key of a map', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (content) => {
        const id = blockIdOf(content);
        expect(blockKeyOf(content)).toBe(keyOfId(id));
        expect(idsOfKeys([keyOfId(id), keyOfId(id)])).toEqual([id, id]);
      }),
    );
  });
});

describe('the table of encodings', () => {
  it('has the codes of the format document', () => {
    expect([0, 1, 2].map(encodingOf)).toEqual(['raw', 'zstd', undefined]);
    expect((['raw', 'zstd'] as const).map(encodingCode)).toEqual([0, 1]);
  });
});
