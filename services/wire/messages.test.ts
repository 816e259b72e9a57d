import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageAssembler } from './message-assembler.ts';
import { decodeMessage, encodeMessage, maxSentContentBytes, maxMessageBytes } from './messages.ts';
import type { StoredBlock } from '../blocks/block.ts';
import type { DataMessage } from './messages.ts';

const bytes = (length: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((value) => Buffer.from(value));
const id = bytes(32);
const ids = fc.array(id, { maxLength: 20 });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u64 = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const pointId = bytes(16).map((value) => value.toString('hex'));
const root = fc.uint8Array({ maxLength: 100 }).map((value) => Buffer.from(value));
const blocks = fc.array(
  fc.record<StoredBlock>({
    id,
    encoding: fc.constantFrom('raw', 'zstd'),
    contentLength: fc.integer({ min: 1, max: maxSentContentBytes }),
    stored: fc.uint8Array({ minLength: 1, maxLength: 200 }).map((value) => Buffer.from(value)),
  }),
  { minLength: 1, maxLength: 8 },
);
const text = fc.string({ maxLength: 100, unit: 'grapheme' });

const anyMessage: fc.Arbitrary<DataMessage> = fc.oneof(
  fc.record({
    type: fc.constant('open' as const),
    protocol: fc.integer({ min: 0, max: 0xffff }),
    operation: fc.constantFrom('backup' as const, 'restore' as const, 'manifest' as const),
    streamIndex: fc.integer({ min: 0, max: 3 }),
    streamCount: fc.integer({ min: 4, max: 8 }),
    pointId,
    root,
  }),
  fc.record({ type: fc.constant('offer' as const), offerId: u32, ids }),
  fc.record({ type: fc.constant('want' as const), offerId: u32, wanted: fc.array(fc.boolean(), { maxLength: 40 }) }),
  fc.record({ type: fc.constantFrom('block' as const, 'data' as const), blocks }),
  fc.record({ type: fc.constant('durable' as const), totalBlocks: u64, totalStoredBytes: u64, ids }),
  fc.record({ type: fc.constant('commit' as const), blockCount: u64, root }),
  fc.record({ type: fc.constant('committed' as const), pointId, storedBytes: u64, newBlocks: u64 }),
  fc.record({ type: fc.constant('abort' as const), code: text, message: text }),
  fc.record({ type: fc.constant('read' as const), ids }),
  fc.record({ type: fc.constant('error' as const), code: text, message: text, ids }),
);

const join = (message: DataMessage): Buffer => Buffer.concat(encodeMessage(message));
const malformed = expect.objectContaining({ code: 'protocol.malformed' });

describe('data messages', () => {
  it('are the same after encoding and decoding', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(decodeMessage([join(message)])).toEqual(message);
      }),
      { numRuns: 300 },
    );
  });

  it('carry blocks over any number of records after the table', () => {
    fc.assert(
      fc.property(blocks, fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 4 }), (given, sizes) => {
        const all = join({ type: 'block', blocks: given });
        const table = 3 + given.length * 41;
        const parts = [all.subarray(0, table)];
        for (let offset = table, turn = 0; offset < all.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          parts.push(all.subarray(offset, offset + size));
          offset += size;
        }
        expect(decodeMessage(parts)).toEqual({ type: 'block', blocks: given });
      }),
      { numRuns: 100 },
    );
  });

  it('are read or refused as malformed, whatever bytes arrive', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        let thrown: unknown;
        try {
          decodeMessage([Buffer.from(noise)]);
        } catch (error) {
          thrown = error;
        }
        if (thrown !== undefined) expect(thrown).toEqual(malformed);
      }),
      { numRuns: 500 },
    );
  });

  it('are refused when bytes are missing or added', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), (message, where) => {
        const all = join(message);
        expect(() => decodeMessage([all.subarray(0, where % all.length)])).toThrow(malformed);
        expect(() => decodeMessage([Buffer.concat([all, Buffer.of(0)])])).toThrow(malformed);
      }),
      { numRuns: 200 },
    );
  });

  it('refuse blocks that claim more content than the limit', () => {
    const block = {
      id: Buffer.alloc(32),
      encoding: 'zstd' as const,
      contentLength: maxSentContentBytes + 1,
      stored: Buffer.of(1),
    };
    expect(() => decodeMessage([join({ type: 'data', blocks: [block] })])).toThrow(malformed);
  });

  it('cut a long error text between two characters', () => {
    const decoded = decodeMessage([join({ type: 'abort', code: 'x', message: 'ä'.repeat(3000) })]);
    expect(decoded).toEqual({ type: 'abort', code: 'x', message: 'ä'.repeat(1024) });
  });
});

describe('the assembler', () => {
  const record = (plaintext: Buffer, hasMore: boolean) => ({ type: 1 as const, hasMore, plaintext });

  it('limits the size of a message', () => {
    const assembler = new MessageAssembler();
    const part = Buffer.alloc(1024 * 1024);
    const push = (): void => {
      for (let sum = 0; sum <= maxMessageBytes; sum += part.length) assembler.push(record(part, true));
    };
    expect(push).toThrow(malformed);
  });

  it('refuses a close record inside a message, and endless empty records', () => {
    const assembler = new MessageAssembler();
    assembler.push(record(Buffer.of(4), true));
    expect(() => assembler.push({ type: 2, hasMore: false, plaintext: Buffer.alloc(0) })).toThrow(malformed);
    expect(() => new MessageAssembler().push(record(Buffer.alloc(0), true))).toThrow(malformed);
  });

  it('refuses tunnel records', () => {
    expect(() => new MessageAssembler().push({ type: 16, hasMore: false, plaintext: Buffer.alloc(40) })).toThrow(
      expect.objectContaining({ code: 'security.tampered' }),
    );
  });
});
