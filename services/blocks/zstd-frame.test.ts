import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createZstdContext } from '../kernel/native/zstd.ts';
import { decodeNow, decodePooled, encodeNow } from '../testing/repository/plain-blocks.ts';
import { blockIdOf } from './block.ts';
import { whyNotOneFrame } from './zstd-frame.ts';

const content = Buffer.from('what is stored once is stored in one form '.repeat(40));
const id = blockIdOf(content);

/** A frame as a zstd stream writes it: the header has no content size. */
async function streamed(bytes: Buffer): Promise<Buffer> {
  const stream = createZstdCompress();
  stream.write(bytes);
  stream.end();
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

describe('one zstd frame', () => {
  it('accepts every frame that zstd writes, with or without content size, with or without checksum', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.nat(400_000).map((length) => new Uint8Array(length).fill(7)),
        ),
        fc.integer({ min: -5, max: 19 }),
        fc.boolean(),
        async (bytes, level, hasChecksum) => {
          const plain = Buffer.from(bytes);
          const params = {
            [constants.ZSTD_c_compressionLevel]: level,
            [constants.ZSTD_c_checksumFlag]: Number(hasChecksum),
          };
          const frames = [
            zstdCompressSync(plain, { params, pledgedSrcSize: plain.length }),
            createZstdContext().compress(plain),
            await streamed(plain),
          ];
          for (const frame of frames) expect(whyNotOneFrame(frame, plain.length)).toBeUndefined();
        },
      ),
      { numRuns: 60 },
    );
    const block = encodeNow(content);
    expect(block.encoding).toBe('zstd');
    expect(await decodePooled(block)).toEqual(content);
  });

  it.each<[string, (frame: Buffer) => Buffer]>([
    ['a skippable frame before it', (frame) => Buffer.concat([skippable, frame])],
    ['a skippable frame after it', (frame) => Buffer.concat([frame, skippable])],
    ['an empty frame after it', (frame) => Buffer.concat([frame, zstdCompressSync(Buffer.alloc(0))])],
    ['an extra byte after it', (frame) => Buffer.concat([frame, Buffer.alloc(1)])],
    ['its end cut off', (frame) => frame.subarray(0, frame.length - 1)],
    ['no bytes at all', () => Buffer.alloc(0)],
    [
      'two frames instead of one',
      () =>
        Buffer.concat(
          [content.subarray(0, 100), content.subarray(100)].map((part) =>
            zstdCompressSync(part, { pledgedSrcSize: part.length }),
          ),
        ),
    ],
  ])('is refused with %s, by this check and by every reader', async (_, change) => {
    const stored = change(zstdCompressSync(content, { pledgedSrcSize: content.length }));
    const block = { id, encoding: 'zstd', contentLength: content.length, stored } as const;
    await expect(decodePooled(block)).rejects.toMatchObject({ code: 'restore.mismatch' });
    expect(() => decodeNow(block)).toThrow(expect.objectContaining({ code: 'restore.mismatch' }));
  });

  it('must have the content size of its block, no dictionary and no window larger than a block', async () => {
    const frame = zstdCompressSync(content, { pledgedSrcSize: content.length });
    expect(whyNotOneFrame(frame, content.length + 1)).toMatch('content size');
    const window = await streamed(content);
    window[5] = 0xa0; // 1 GiB
    expect(whyNotOneFrame(window, content.length)).toMatch('window');
    const named = Buffer.concat([frame.subarray(0, 5), Buffer.from([9]), frame.subarray(5)]);
    named[4] = (named[4] ?? 0) | 1;
    expect(whyNotOneFrame(named, content.length)).toMatch('dictionary');
  });

  it('the check never crashes and never reads past the end, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(5000), (bytes, length) => {
        const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
        const reason = whyNotOneFrame(Buffer.concat([head, bytes]), length);
        expect(reason === undefined || reason.length > 0).toBe(true);
      }),
    );
  });
});
