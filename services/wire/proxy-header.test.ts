// Tests the authenticated PROXY v2 header: a vector, any split, every changed bit, garbage.
import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { encodeProxyHeader, parseProxyHeader, type ProxyHeader } from './proxy-header.ts';

interface ProxyVector extends Omit<ProxyHeader, 'linkId' | 'counter'> {
  readonly key: string;
  readonly linkId: string;
  readonly counter: string;
  readonly bytes: string;
}
const { headers: vectors } = JSON.parse(
  readFileSync(new URL('./vectors/proxy-header.json', import.meta.url), 'utf8'),
) as { headers: readonly ProxyVector[] };

const key = Buffer.alloc(32, 3);
const header: ProxyHeader = {
  sourceAddress: '198.51.100.20',
  sourcePort: 51_000,
  destinationAddress: '203.0.113.9',
  destinationPort: 6180,
  linkId: Buffer.alloc(16, 0xab),
  counter: 7n,
};

const ipv6 = fc.ipV6().filter((address) => !address.includes('.'));
const anyHeader = fc.record({
  sourceAddress: fc.oneof(fc.ipV4(), ipv6),
  sourcePort: fc.integer({ min: 0, max: 65_535 }),
  destinationAddress: fc.oneof(fc.ipV4(), ipv6),
  destinationPort: fc.integer({ min: 0, max: 65_535 }),
  linkId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
  counter: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
});

describe('PROXY header', () => {
  it.each(vectors)(
    'encodes and reads the vector $sourceAddress',
    ({ key: keyHex, linkId, counter, bytes, ...rest }) => {
      const expected = { ...rest, linkId: Buffer.from(linkId, 'hex'), counter: BigInt(counter) };
      expect(encodeProxyHeader(expected, Buffer.from(keyHex, 'hex')).toString('hex')).toBe(bytes);
      const parsed = parseProxyHeader(Buffer.from(bytes, 'hex'));
      expect(parsed).toMatchObject({ type: 'header', lengthBytes: bytes.length / 2, header: expected });
      expect(parsed.type === 'header' && parsed.isAuthentic(Buffer.from(keyHex, 'hex'))).toBe(true);
    },
  );

  it('has the MAC that the document describes (computed here again)', () => {
    for (const { key: keyHex, bytes } of vectors) {
      const header = Buffer.from(bytes, 'hex');
      const mac = createHmac('sha256', Buffer.from(keyHex, 'hex'))
        .update(Buffer.concat([Buffer.from('farkeep/1 proxy header'), header.subarray(0, -32)]))
        .digest();
      expect(header.subarray(-32).equals(mac)).toBe(true);
      expect(header.readUInt16BE(14)).toBe(header.length - 16);
    }
  });

  it('is read as it was written, with any addresses, and bytes after it are not read', () => {
    fc.assert(
      fc.property(anyHeader, fc.uint8Array({ maxLength: 40 }), (value, following) => {
        const bytes = encodeProxyHeader(value, key);
        const parsed = parseProxyHeader(Buffer.concat([bytes, following]));
        if (parsed.type !== 'header') throw new Error(JSON.stringify(parsed));
        expect(parsed.lengthBytes).toBe(bytes.length);
        expect(parsed.header.counter).toBe(value.counter);
        expect(parsed.header.sourcePort).toBe(value.sourcePort);
        // The shortest form of an address.
        const plain = (address: string): string =>
          address.includes(':') ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
        expect(plain(parsed.header.sourceAddress)).toBe(plain(value.sourceAddress));
        expect(plain(parsed.header.destinationAddress)).toBe(plain(value.destinationAddress));
        expect(parsed.isAuthentic(key)).toBe(true);
        expect(parsed.isAuthentic(Buffer.alloc(32, 4))).toBe(false);
      }),
    );
  });

  it('needs more bytes until the last one has arrived', () => {
    const bytes = encodeProxyHeader(header, key);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(parseProxyHeader(bytes.subarray(0, length)).type).toBe('need-more');
    }
  });

  it('is refused when any bit was changed', () => {
    const bytes = encodeProxyHeader(header, key);
    for (let index = 0; index < bytes.length * 8; index += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(index >> 3) ^ (1 << (index & 7)), index >> 3);
      const parsed = parseProxyHeader(changed);
      expect(parsed.type === 'header' && parsed.isAuthentic(key)).toBe(false);
    }
  });

  it('is refused when it is garbage, without waiting for more bytes than a header can have', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 528, maxLength: 600 }), fc.boolean(), (random, hasSignature) => {
        const bytes = Buffer.from(random);
        if (hasSignature) encodeProxyHeader(header, key).copy(bytes, 0, 0, 12);
        const parsed = parseProxyHeader(bytes);
        expect(parsed.type === 'header' ? parsed.isAuthentic(key) : parsed.type).not.toBe(true);
        expect(parsed.type).not.toBe('need-more');
      }),
    );
  });

  it('keeps its content when the read buffer is used again', () => {
    const bytes = encodeProxyHeader(header, key);
    const parsed = parseProxyHeader(bytes);
    bytes.fill(0);
    expect(parsed).toMatchObject({ header: { linkId: header.linkId, sourceAddress: '198.51.100.20' } });
    expect(parsed.type === 'header' && parsed.isAuthentic(key)).toBe(true);
  });
});
