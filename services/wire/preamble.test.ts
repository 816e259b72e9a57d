// Tests the first bytes of the single port: vectors, every split, every wrong byte.
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { classifyFirstBytes, encodePreamble, hashTicket, preambleLengthBytes, type PreambleKind } from './preamble.ts';

interface PreambleVectors {
  readonly preambles: readonly { kind: PreambleKind; ticket: string; bytes: string; ticketHash: string }[];
  readonly firstBytes: readonly { bytes: string; verdict: string; why: string }[];
}
const vectors = JSON.parse(
  readFileSync(new URL('./vectors/preamble.json', import.meta.url), 'utf8'),
) as PreambleVectors;

describe('preamble', () => {
  it.each(vectors.preambles)('encodes and reads the vector of kind $kind', ({ kind, ticket, bytes, ticketHash }) => {
    const preamble = { kind, ticket: Buffer.from(ticket, 'hex') };
    expect(encodePreamble(preamble).toString('hex')).toBe(bytes);
    expect(classifyFirstBytes(Buffer.from(bytes, 'hex'))).toEqual({ type: 'preamble', preamble });
    expect(hashTicket(preamble.ticket)).toBe(ticketHash);
  });

  it.each(vectors.firstBytes)('$why: $verdict', ({ bytes, verdict }) => {
    expect(classifyFirstBytes(Buffer.from(bytes, 'hex')).type).toBe(verdict);
  });

  it('needs more bytes until the last one has arrived, and ignores later bytes', () => {
    const ticket = Buffer.alloc(32, 0x5a);
    const bytes = Buffer.concat([encodePreamble({ kind: 'data', ticket }), Buffer.from('payload')]);
    for (let length = 0; length < preambleLengthBytes; length += 1) {
      expect(classifyFirstBytes(bytes.subarray(0, length)).type).toBe('need-more');
    }
    for (let length = preambleLengthBytes; length <= bytes.length; length += 1) {
      expect(classifyFirstBytes(bytes.subarray(0, length)).type).toBe('preamble');
    }
  });

  it('keeps the ticket when the read buffer is used again', () => {
    const bytes = encodePreamble({ kind: 'data', ticket: Buffer.alloc(32, 1) });
    const first = classifyFirstBytes(bytes);
    bytes.fill(0);
    expect(first.type === 'preamble' && first.preamble.ticket.equals(Buffer.alloc(32, 1))).toBe(true);
  });

  it('is refused when any byte before the ticket was changed', () => {
    const bytes = encodePreamble({ kind: 'tunnel', ticket: Buffer.alloc(32) });
    for (let index = 0; index < 8; index += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(index) ^ (1 << bit), index);
        // This change turns kind 1 into kind 2, which is valid.
        if (index === 5 && changed[5] === 2) continue;
        expect(classifyFirstBytes(changed).type).toBe('unknown');
      }
    }
  });

  it('gives the same verdict for any bytes in any pieces, and never changes a final verdict', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (random, isTls) => {
        const bytes = isTls ? Buffer.concat([Buffer.from([0x16, 0x03]), random]) : Buffer.from(random);
        let final: string | undefined;
        for (let length = 0; length <= bytes.length; length += 1) {
          const { type } = classifyFirstBytes(bytes.subarray(0, length));
          if (final !== undefined) expect(type).toBe(final);
          else if (type !== 'need-more') final = type;
        }
        if (bytes.length >= preambleLengthBytes) expect(final).toBeDefined();
      }),
    );
  });

  it('refuses a ticket of another length', () => {
    expect(() => encodePreamble({ kind: 'data', ticket: Buffer.alloc(31) })).toThrow(RangeError);
  });
});
