import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { zstdDecompressSync } from 'node:zlib';
import { nativeFunctions } from './native-library.ts';
import { createZstdContext } from './zstd.ts';

afterEach(() => {
  delete process.env['FARKEEP_NATIVE'];
});

/** Text that compresses, and random bytes that do not. */
const contents = fc.oneof(
  fc.uint8Array({ maxLength: 5000 }),
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(4000)).map(([piece, times]) => {
    return new Uint8Array(Buffer.concat(new Array<Uint8Array>(times).fill(piece)));
  }),
);

describe.each(['on', 'off'])('zstd, native calls %s', (setting) => {
  it('restores every content, and node:zlib reads its output', () => {
    process.env['FARKEEP_NATIVE'] = setting;
    const context = createZstdContext();
    fc.assert(
      fc.property(contents, (content) => {
        const frame = context.compress(content);
        expect(Buffer.compare(context.decompress(frame, content.length), content)).toBe(0);
        expect(Buffer.compare(zstdDecompressSync(frame), content)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('refuses a frame of another length, a changed frame and data that is not a frame', () => {
    process.env['FARKEEP_NATIVE'] = setting;
    const context = createZstdContext();
    const frame = context.compress(Buffer.alloc(1000, 'farkeep'));
    expect(() => context.decompress(frame, 999)).toThrow();
    expect(() => context.decompress(frame, 1001)).toThrow();
    expect(() => context.decompress(frame.subarray(0, frame.length - 1), 1000)).toThrow();
    expect(() => context.decompress(Buffer.from('no frame at all'), 1000)).toThrow();
    expect(context.decompress(frame, 1000).length).toBe(1000);
  });
});

describe('native functions', () => {
  it('are available on Linux, and undefined when a name is unknown or native calls are off', () => {
    const getpid = { getpid: { arguments: [], return: 'int32' } } as const;
    if (process.platform === 'linux') expect(nativeFunctions(getpid)?.getpid()).toBe(process.pid);
    expect(nativeFunctions({ farkeep_has_no_such_function: { arguments: [], return: 'int32' } })).toBeUndefined();
    process.env['FARKEEP_NATIVE'] = 'off';
    expect(nativeFunctions(getpid)).toBeUndefined();
  });
});
