// Tests reading real ClientHellos, whole and in pieces, and changed ones.
import fc from 'fast-check';
import { createServer, type AddressInfo } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';

import { namedGroups, parseClientHello } from './client-hello.ts';

/** A ClientHello as this Node.js sends it. */
async function recordHello(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const recorded = new Promise<Buffer>((resolve) => {
    server.once('connection', (socket) => {
      let bytes = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk]);
        if (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt16BE(3)) resolve(bytes);
      });
    });
  });
  const client = connect({ ...options, host: '127.0.0.1', port });
  client.on('error', () => undefined);
  const bytes = await recorded;
  client.destroy();
  server.close();
  return bytes;
}

let hello: Buffer;
beforeAll(async () => {
  hello = await recordHello({ ecdhCurve: 'X25519MLKEM768:X25519:P-256', minVersion: 'TLSv1.3' });
});

describe('ClientHello', () => {
  it("gives groups and versions in the client's order", () => {
    expect(parseClientHello(hello)).toMatchObject({
      type: 'client-hello',
      versions: [0x0304],
      groups: [namedGroups.x25519MlKem768, namedGroups.x25519, namedGroups.p256],
    });
  });

  it('gives the old version of a client without TLS 1.3', async () => {
    const old = await recordHello({ maxVersion: 'TLSv1.2' });
    const parsed = parseClientHello(old);
    expect(parsed.type === 'client-hello' && parsed.versions.includes(0x0304)).toBe(false);
    expect(parsed.type).toBe('client-hello');
  });

  it('needs more bytes until the last one has arrived', () => {
    for (let length = 0; length < hello.length; length += 1) {
      expect(parseClientHello(hello.subarray(0, length)).type).toBe('need-more');
    }
  });

  it('is joined when it was cut into several records', () => {
    const body = hello.subarray(5);
    const records: Buffer[] = [];
    for (let offset = 0; offset < body.length; offset += 50) {
      const part = body.subarray(offset, offset + 50);
      records.push(Buffer.from([0x16, 0x03, 0x01, 0, part.length]), part);
    }
    expect(parseClientHello(Buffer.concat(records))).toEqual(parseClientHello(hello));
  });

  it('with any changed byte causes no exception and no request for bytes beyond its limit', () => {
    fc.assert(
      fc.property(fc.nat(hello.length - 1), fc.nat(255), (index, value) => {
        const changed = Buffer.from(hello);
        changed.writeUInt8(value, index);
        expect(['need-more', 'invalid', 'client-hello']).toContain(parseClientHello(changed).type);
      }),
      { numRuns: 500 },
    );
    const endless = Buffer.concat(Array.from({ length: 20_000 }, () => Buffer.from([0x16, 0x03, 0x01, 0, 1, 1])));
    expect(parseClientHello(endless).type).toBe('invalid');
  });

  it('with false lengths is refused', () => {
    const lying = Buffer.from(hello);
    lying.writeUIntBE(0xffffff, 6, 3);
    expect(parseClientHello(lying).type).toBe('invalid');
    const longSession = Buffer.from(hello);
    longSession.writeUInt8(255, 5 + 4 + 2 + 32);
    expect(['invalid', 'client-hello']).toContain(parseClientHello(longSession).type);
  });
});
