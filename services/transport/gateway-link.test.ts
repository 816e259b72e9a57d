// Tests the infrastructure port against peers that are not gateways, and the parts of the link.
import fc from 'fast-check';
import { generateKeyPairSync } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';

import type { FarkeepError } from '../kernel/farkeep-error.ts';
import {
  makeAuthority,
  makeSelfSigned,
  type FixtureAuthority,
  type FixtureIdentity,
} from '../testing/certificates/certificate-fixture.ts';
import { startProviderFixture, type ProviderFixture } from '../testing/site/gateway-fixture.ts';
import { countingKey, normalizeAddress } from './client-address.ts';
import { ControlPeer } from './control-peer.ts';
import { createEnrollmentToken, hashEnrollmentSecret, parseEnrollmentToken } from './enrollment-token.ts';
import { callLink, type LinkInput } from './link-calls.ts';
import { ReplayWindow } from './replay-window.ts';
import { linkPath, linkProtocol } from './tls-settings.ts';

let authority: FixtureAuthority;
let infrastructure: FixtureIdentity;
let identity: FixtureIdentity;
beforeAll(async () => {
  authority = await makeAuthority('infrastructure');
  infrastructure = await authority.issueServer('provider infrastructure');
  identity = await makeSelfSigned('provider');
});

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startProvider(): Promise<ProviderFixture> {
  const provider = await startProviderFixture({ authority, infrastructure, identity });
  cleanUps.push(() => provider.close());
  return provider;
}

const publicKeyPem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
  type: 'spki',
  format: 'pem',
});
const hello: LinkInput<'link-hello'> = { protocol: 1, name: 'nobody', version: '0', listeners: [] };

async function dial(port: number, options: ConnectionOptions = {}): Promise<{ socket: TLSSocket; peer: ControlPeer }> {
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    ALPNProtocols: [linkProtocol],
    ...options,
  });
  socket.on('error', () => undefined);
  cleanUps.push(() => socket.destroy());
  const webSocket = new WebSocket(`ws://provider${linkPath}`, {
    createConnection: () => socket,
    perMessageDeflate: false,
  });
  const peer = new ControlPeer(webSocket);
  await new Promise((resolve, reject) => {
    webSocket.once('open', resolve);
    peer.onClose(() => reject(new Error('closed')));
  });
  return { socket, peer };
}

function untilClosed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  socket.resume();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

describe('infrastructure port', () => {
  it('refuses a peer without a certificate, with a self-signed one, or with one that the provider does not know', async () => {
    const provider = await startProvider();
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const forgotten = {
      cert: await authority.authority.issueClientCertificate({
        publicKeyPem: stranger.publicKey.export({ type: 'spki', format: 'pem' }),
        commonName: 'forgotten',
      }),
      key: stranger.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    };
    for (const material of [{}, { cert: identity.certificatePem, key: identity.privateKeyPem }, forgotten]) {
      const { peer } = await dial(provider.links.port, material);
      await expect(callLink(peer, 'link-hello', hello)).rejects.toMatchObject({ code: 'gateway.not-enrolled' });
    }
    expect(provider.links.gateways()).toHaveLength(0);
  });

  it('refuses a wrong secret, and requests of the other direction', async () => {
    const provider = await startProvider();
    provider.makeToken();
    const { peer } = await dial(provider.links.port);
    await expect(
      callLink(peer, 'enroll', { secret: 'x'.repeat(43), name: 'evil', publicKeyPem }),
    ).rejects.toMatchObject({ code: 'gateway.token-invalid' });
    await expect(callLink(peer, 'configure', { controlPort: 1 })).rejects.toMatchObject({ code: 'call.unknown' });
    await expect(peer.request('__proto__', {})).rejects.toMatchObject({ code: 'call.unknown' });
    await expect(peer.request('enroll', { secret: 5 })).rejects.toMatchObject({ code: 'call.invalid' });
    expect(provider.known.size).toBe(0);
  });

  it('closes connections with TLS 1.2, garbage or another protocol, and continues to serve', async () => {
    const provider = await startProvider();
    const { port } = provider.links;
    await untilClosed(connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' }));
    await untilClosed(connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }));
    const garbage = connectTcp(port, '127.0.0.1');
    garbage.write('GET / HTTP/1.0\r\n\r\n');
    await untilClosed(garbage);
    const { peer } = await dial(port);
    await expect(callLink(peer, 'link-hello', hello)).rejects.toMatchObject({ code: 'gateway.not-enrolled' });
  });

  it('accepts a gateway while unknown clients of the same address take every place, and disconnects silent clients', async () => {
    const provider = await startProvider();
    const { port } = provider.links;
    const silent = Array.from({ length: 70 }, () => connectTcp(port, '127.0.0.1'));
    cleanUps.push(() => silent.forEach((socket) => socket.destroy()));
    const ends = silent.map(untilClosed);
    await Promise.all(
      silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve).once('close', resolve))),
    );
    const { peer } = await dial(port);
    await expect(callLink(peer, 'link-hello', hello)).rejects.toMatchObject({ code: 'gateway.not-enrolled' });
    // All of them are closed well before the time limit of a whole handshake (10 s).
    const startedAt = performance.now();
    await Promise.all(ends);
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  }, 20_000);

  it('gives one address eight places: clients that stop during the handshake do not block other addresses', async () => {
    const provider = await startProvider();
    const { port } = provider.links;
    // Sends one byte of a handshake and then stops.
    const stuck = Array.from({ length: 70 }, () => connectTcp(port, '127.0.0.1').on('error', () => undefined));
    cleanUps.push(() => stuck.forEach((socket) => socket.destroy()));
    const closed = { count: 0 };
    for (const socket of stuck) {
      socket.once('close', () => (closed.count += 1)).resume();
      socket.write(Buffer.of(0x16));
    }
    await vi.waitFor(() => expect(closed.count).toBe(62));
    const { peer } = await dial(port, { localAddress: '127.0.0.2' } as ConnectionOptions);
    await expect(callLink(peer, 'link-hello', hello)).rejects.toMatchObject({ code: 'gateway.not-enrolled' });
  });

  it('reports an unreachable gateway', async () => {
    const provider = await startProvider();
    await expect(
      provider.links.pushRoutes('nobody', [{ ticket: Buffer.alloc(32), kind: 'data', port: 1 }]),
    ).rejects.toMatchObject({ code: 'gateway.link-down' });
  });

  it('ends the former link when a gateway connects again, and ends a link that sends garbage', async () => {
    const provider = await startProvider();
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' });
    const enrolling = await dial(provider.links.port);
    const { secret } = parseEnrollmentToken(provider.makeToken());
    const { certificatePem: cert, gatewayId } = await callLink(enrolling.peer, 'enroll', {
      secret,
      name: 'gw',
      publicKeyPem: keys.publicKey.export({ type: 'spki', format: 'pem' }),
    });
    const first = await dial(provider.links.port, { cert, key });
    const firstClosed = new Promise((resolve) => first.peer.onClose(resolve));
    const one = await callLink(first.peer, 'link-hello', hello);
    const second = await dial(provider.links.port, { cert, key });
    const two = await callLink(second.peer, 'link-hello', hello);
    await firstClosed;
    expect(one.gatewayId).toBe(gatewayId);
    expect(two.linkId).not.toBe(one.linkId);
    await vi.waitFor(() => expect(provider.links.gateways()).toHaveLength(1));
    const closed = new Promise<FarkeepError | undefined>((resolve) => second.peer.onClose(resolve));
    second.peer.notify('gateway-report', { controlConnections: -1 });
    expect((await closed)?.code).toBe('protocol.malformed');
    await vi.waitFor(() => expect(provider.links.gateways()).toHaveLength(0));
  });

  async function enrolledGateway(provider: ProviderFixture): Promise<{ cert: string; key: string | Buffer }> {
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const enrolling = await dial(provider.links.port);
    const { secret } = parseEnrollmentToken(provider.makeToken());
    const { certificatePem } = await callLink(enrolling.peer, 'enroll', {
      secret,
      name: 'gw',
      publicKeyPem: keys.publicKey.export({ type: 'spki', format: 'pem' }),
    });
    return { cert: certificatePem, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) };
  }

  it('refuses a gateway that was removed between its handshake and its first message', async () => {
    const provider = await startProvider();
    const waiting = await dial(provider.links.port, await enrolledGateway(provider));
    provider.known.clear();
    await expect(callLink(waiting.peer, 'link-hello', hello)).rejects.toMatchObject({ code: 'gateway.not-enrolled' });
    expect(provider.links.gateways()).toEqual([]);
  });

  // Each renewal is an entry in the provider's audit, which is never shortened, so an attacker could fill the disk.
  it('limits the renewals of one gateway over all of its links to what a correct gateway needs', async () => {
    const provider = await startProvider();
    const gateway = await enrolledGateway(provider);
    const first = await dial(provider.links.port, gateway);
    await callLink(first.peer, 'link-hello', hello);
    const renewals = [1, 2, 3].map(() => callLink(first.peer, 'renew', { publicKeyPem }));
    const outcomes = (await Promise.allSettled(renewals)).map(({ status }) => status);
    expect(outcomes).toEqual(['fulfilled', 'rejected', 'rejected']);
    const second = await dial(provider.links.port, gateway);
    await callLink(second.peer, 'link-hello', hello);
    await expect(callLink(second.peer, 'renew', { publicKeyPem })).rejects.toMatchObject({ code: 'call.refused' });
    expect(provider.renewed.size).toBe(1);
  });
});

describe('enrollment token', () => {
  const content = {
    host: 'backup.example',
    port: 6169,
    fingerprint: `AB:${'CD:'.repeat(30)}EF`,
    expiresAtMs: 1_800_000_000_000,
  };

  it('contains all that is needed, and can be read in spite of line breaks from a mail', () => {
    const { token, secretHash } = createEnrollmentToken(content);
    const wrapped = (token.match(/.{1,40}/g) ?? []).join('\r\n ');
    const parsed = parseEnrollmentToken(wrapped);
    expect(parsed).toMatchObject({
      host: 'backup.example',
      port: 6169,
      fingerprint: `ab${'cd'.repeat(30)}ef`,
      expiresAtMs: 1_800_000_000_000,
    });
    expect(hashEnrollmentSecret(parsed.secret)).toBe(secretHash);
    expect(secretHash).not.toContain(parsed.secret);
  });

  it('is different each time', () => {
    expect(createEnrollmentToken(content).token).not.toBe(createEnrollmentToken(content).token);
  });

  it('is refused with a reason for any other text, and the message never repeats the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `farkeep-gateway-1.${text}`),
          fc.json().map((json) => `farkeep-gateway-1.${Buffer.from(json).toString('base64url')}`),
        ),
        (text) => {
          try {
            parseEnrollmentToken(text);
          } catch (error) {
            expect(error).toMatchObject({ code: 'gateway.token-invalid' });
            if (text.length > 24) expect((error as Error).message).not.toContain(text);
            return;
          }
          throw new Error('made from nothing');
        },
      ),
    );
  });
});

describe('replay window', () => {
  it('accepts every value once, in any order within the window', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2_000), { maxLength: 300 }), (values) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        for (const value of values) {
          expect(window.accept(BigInt(value))).toBe(!seen.has(value));
          seen.add(value);
        }
      }),
    );
  });

  it('refuses values far behind, remembers every value inside the window, and does not grow', () => {
    const window = new ReplayWindow();
    for (let value = 0n; value < 50_000n; value += 1n) expect(window.accept(value)).toBe(true);
    for (let value = 0n; value < 50_000n; value += 7n) expect(window.accept(value)).toBe(false);
    expect(window.accept(2n ** 64n - 1n)).toBe(true);
    expect(window.accept(50_001n)).toBe(false);
  });
});

describe('client addresses', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [undefined, ''],
  ])('counts %s under %s', (address, key) => {
    expect(countingKey(address)).toBe(key);
  });

  it('writes an IPv4 address in one form only', () => {
    expect(normalizeAddress('::FFFF:10.0.0.1')).toBe('10.0.0.1');
    expect(normalizeAddress('2001:db8::1')).toBe('2001:db8::1');
  });
});
