import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DirectionKeys } from './key-schedule.ts';
import {
  maxRecordPlaintextBytes,
  moreFlag,
  recordHeaderBytes,
  RecordOpener,
  RecordSealer,
  recordTypes,
} from './records.ts';
import type { OpenedRecord, RekeyLimits } from './records.ts';

const material = Buffer.from(Array.from({ length: 52 }, (_, index) => index));
const keys = (): DirectionKeys => new DirectionKeys(Buffer.from(material), 0);

function pair(limits?: RekeyLimits): { sealer: RecordSealer; opener: RecordOpener } {
  return {
    sealer: new RecordSealer(keys(), limits),
    opener: new RecordOpener(keys(), limits === undefined ? {} : { limits }),
  };
}

function sealed(...texts: string[]): Buffer[] {
  const { sealer } = pair();
  return texts.map((text) => Buffer.concat(sealer.seal(recordTypes.message, 0, [Buffer.from(text)])));
}

/** Feeds `bytes` in pieces of the given sizes, repeatedly. */
function feed(opener: RecordOpener, bytes: Buffer, sizes: number[]): OpenedRecord[] {
  const opened: OpenedRecord[] = [];
  let offset = 0;
  for (let turn = 0; offset < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    opened.push(...opener.push(bytes.subarray(offset, offset + size)));
    offset += size;
  }
  return opened;
}

const tampered = expect.objectContaining({ code: 'security.tampered' });

describe('records', () => {
  it('have the same content after sealing and opening, in whatever pieces the bytes arrive', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }),
        (plaintexts, sizes) => {
          const { sealer, opener } = pair();
          const bytes = Buffer.concat([
            ...plaintexts.flatMap((plaintext) =>
              sealer.seal(recordTypes.message, 0, [plaintext.subarray(0, 7), plaintext.subarray(7)]),
            ),
            ...sealer.close(),
          ]);
          const opened = feed(opener, bytes, sizes);
          expect(opened.slice(0, -1).map((record) => [...record.plaintext])).toEqual(
            plaintexts.map((item) => [...item]),
          );
          expect(opened.at(-1)?.type).toBe(recordTypes.close);
          expect(() => {
            opener.end();
          }).not.toThrow();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('carry large messages in full records and mark the last one', () => {
    const { sealer, opener } = pair();
    const content = randomBytes(2 * maxRecordPlaintextBytes + 5);
    const opened = feed(opener, Buffer.concat(sealer.sealMessage([Buffer.from('head'), content])), [77_777]);
    expect(opened.map((record) => [record.plaintext.length, record.hasMore])).toEqual([
      [maxRecordPlaintextBytes, true],
      [maxRecordPlaintextBytes, true],
      [9, false],
    ]);
    expect(
      Buffer.concat(opened.map((record) => record.plaintext))
        .subarray(4)
        .equals(content),
    ).toBe(true);
  });

  it('can be read directly into the memory of the opener', () => {
    const { sealer, opener } = pair();
    const bytes = Buffer.concat(sealer.sealMessage([randomBytes(1_500_000)]));
    let offset = 0;
    let length = 0;
    while (offset < bytes.length) {
      const target = opener.readTarget();
      expect(target.length).toBeGreaterThan(0);
      const count = bytes.copy(target, 0, offset, Math.min(offset + target.length, offset + 200_000));
      offset += count;
      for (const record of opener.advance(count)) length += record.plaintext.length;
    }
    expect(length).toBe(1_500_000);
  });

  it('replace the key after the record limit and after the byte limit, at the same record on both sides', () => {
    const { sealer, opener } = pair({ records: 3, plaintextBytes: 1000 });
    const sizes = [1, 1, 1, 1, 900, 200, 1000, 0, 1];
    const bytes = Buffer.concat(
      sizes.flatMap((size) => sealer.seal(recordTypes.message, 0, [Buffer.alloc(size, size)])),
    );
    expect(feed(opener, bytes, [100]).map((record) => record.plaintext.length)).toEqual(sizes);
    const withoutRekey = new RecordOpener(keys());
    expect(() => feed(withoutRekey, bytes, [bytes.length])).toThrow(tampered);
  });

  it('are refused with any changed bit of header, body or tag, and so is everything after them', () => {
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = sealed('first', 'second');
    for (let bit = 0; bit < second.length * 8; bit += 1) {
      const changed = Buffer.from(second);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const opener = new RecordOpener(keys());
      expect(opener.push(first)).toHaveLength(1);
      // The failure must come at once, not after the wrong number of bytes has arrived.
      expect(() => opener.push(changed), `bit ${bit}`).toThrow(tampered);
      expect(() => opener.push(second)).toThrow(tampered);
      expect(() => {
        opener.end();
      }).toThrow(tampered);
    }
  });

  it('refuse replay, re-ordering and gaps', () => {
    const [first = Buffer.alloc(0), second = Buffer.alloc(0), third = Buffer.alloc(0)] = sealed('1', '2', '3');
    for (const order of [
      [first, first],
      [second, first],
      [first, third],
    ]) {
      expect(() => new RecordOpener(keys()).push(Buffer.concat(order))).toThrow(tampered);
    }
  });

  it('refuse a length over the limit when only the header has arrived', () => {
    const header = Buffer.alloc(recordHeaderBytes);
    header[0] = recordTypes.message;
    header.writeUInt32BE(maxRecordPlaintextBytes + 1, 4);
    expect(() => new RecordOpener(keys()).push(header)).toThrow(tampered);
    header.writeUInt32BE(41, 4);
    expect(() => new RecordOpener(keys(), { maxPlaintextBytes: 40 }).push(header)).toThrow(tampered);
  });

  it('refuse unknown types, flags and bytes after the close record', () => {
    const { sealer } = pair();
    const close = Buffer.concat(sealer.close());
    expect(() => new RecordOpener(keys()).push(Buffer.concat([close, Buffer.of(0)]))).toThrow(tampered);
    const opener = new RecordOpener(keys());
    opener.push(close);
    expect(() => opener.push(Buffer.of(0))).toThrow(tampered);
    const flagged = new RecordSealer(keys());
    expect(() => new RecordOpener(keys()).push(Buffer.concat(flagged.seal(recordTypes.close, moreFlag, [])))).toThrow(
      tampered,
    );
  });

  it('distinguish a cut stream from a finished one', () => {
    const [first = Buffer.alloc(0)] = sealed('whole');
    const opener = new RecordOpener(keys());
    opener.push(first.subarray(0, 9));
    expect(() => {
      opener.end();
    }).toThrow(expect.objectContaining({ code: 'connection.lost' }));
  });

  it('cannot be sealed after the end, nor with more than 1 MiB', () => {
    const { sealer } = pair();
    expect(() => sealer.seal(recordTypes.message, 0, [Buffer.alloc(maxRecordPlaintextBytes + 1)])).toThrow(RangeError);
    sealer.close();
    expect(() => sealer.seal(recordTypes.message, 0, [])).toThrow(expect.objectContaining({ code: 'call.internal' }));
  });
});
