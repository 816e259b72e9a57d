// Tests that direct reads and writes transfer every byte unchanged, for all pieces, holes and ranges, and use only the given memory.
import { randomBytes } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canGoDirect } from '../../testing/repository/direct-access.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { AlignedBuffers, DirectReader, DirectWriter, makeWriteBuffers } from './direct-file.ts';

const noise = randomBytes(9 * 1024 * 1024);

const isDirect = await canGoDirect();

async function openNew(): Promise<{ file: string; plain: Awaited<ReturnType<typeof open>> }> {
  const file = path.join(await makeTemporaryFolder(), 'file');
  return { file, plain: await open(file, 'wx+') };
}

describe.skipIf(!isDirect)('a direct writer', () => {
  it('writes pieces and holes of any length unchanged', { timeout: 60_000 }, async () => {
    const step = fc.record({
      kind: fc.constantFrom('append', 'append', 'hole', 'flush'),
      length: fc.oneof(
        fc.integer({ min: 0, max: 9000 }),
        fc.constantFrom(4096, 65_536, 2 * 1024 * 1024, 2 * 1024 * 1024 + 1),
        fc.integer({ min: 0, max: 5_000_000 }),
      ),
      from: fc.integer({ min: 0, max: 4_000_000 }),
    });
    const buffers = makeWriteBuffers(1);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const { file, plain } = await openNew();
        const writer = await DirectWriter.open(plain, buffers);
        expect(writer).toBeDefined();
        if (writer === undefined) return;
        const expected: Buffer[] = [];
        for (const { kind, length, from } of steps) {
          if (kind === 'flush') await writer.flush();
          else if (kind === 'hole') {
            await writer.hole(length);
            expected.push(Buffer.alloc(length));
          } else {
            const piece = Buffer.from(noise.subarray(from, from + length));
            await writer.append(piece);
            expected.push(Buffer.from(piece));
            piece.fill(0); // The buffer belongs to the caller again.
          }
        }
        await writer.flush();
        await writer.close();
        const whole = Buffer.concat(expected);
        await plain.truncate(whole.length); // A hole at the end writes no bytes, so the length is set here.
        await plain.close();
        expect((await readFile(file)).equals(whole)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('leaves a hole unallocated', async () => {
    const { file, plain } = await openNew();
    const writer = await DirectWriter.open(plain, makeWriteBuffers(1));
    await writer?.append(noise.subarray(0, 1_000_000));
    await writer?.hole(50_000_000);
    await writer?.append(noise.subarray(0, 1_000_000));
    await writer?.flush();
    await writer?.close();
    await plain.close();
    const { size, blocks } = await stat(file);
    expect(size).toBe(52_000_000);
    expect(blocks * 512).toBeLessThan(3_000_000);
  });

  it('cannot be opened while all memory is in use, and can be opened after memory is released', async () => {
    const buffers = makeWriteBuffers(1);
    const [one, other] = [await openNew(), await openNew()];
    const first = await DirectWriter.open(one.plain, buffers);
    expect(first).toBeDefined();
    expect(await DirectWriter.open(other.plain, buffers)).toBeUndefined();
    await first?.close();
    await first?.close();
    const second = await DirectWriter.open(other.plain, buffers);
    expect(second).toBeDefined();
    await second?.close();
    await one.plain.close();
    await other.plain.close();
  });

  it('reports the error of a write at the next call', async () => {
    const { plain } = await openNew();
    const writer = await DirectWriter.open(plain, makeWriteBuffers(1));
    // No file may be that long (EFBIG). The background write fails, not the append that only copied the bytes.
    await writer?.hole(2 ** 52);
    await writer?.append(noise.subarray(0, 4096));
    await expect(writer?.flush()).rejects.toThrow(/EFBIG|EINVAL/);
    await expect(writer?.append(noise)).rejects.toThrow(/EFBIG|EINVAL/);
    await writer?.close();
    await plain.close();
  });
});

describe.skipIf(!isDirect)('a direct reader', () => {
  it('fills any range, several at a time, and stops at the end of the file', async () => {
    const { plain } = await openNew();
    const content = noise.subarray(0, 5_000_001);
    await plain.writeFile(content);
    const reader = await DirectReader.open(plain, new AlignedBuffers(1024 * 1024, 2));
    expect(reader).toBeDefined();
    const range = fc.record({ offset: fc.nat(5_100_000), length: fc.integer({ min: 1, max: 2_500_000 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 5 }), async (ranges) => {
        const answers = await Promise.all(
          ranges.map(async ({ offset, length }) => {
            const into = Buffer.alloc(length);
            return into.subarray(0, await reader?.read(offset, into));
          }),
        );
        ranges.forEach(({ offset, length }, index) =>
          expect(answers[index]?.equals(content.subarray(offset, offset + length))).toBe(true),
        );
      }),
      { numRuns: 40 },
    );
    await reader?.close();
    await plain.close();
  });
});
