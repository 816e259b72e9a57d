import { createServer, type TlsOptions } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../kernel/clock.ts';
import { OpenSsl, type TestCertificate } from '../testing/certificates/openssl.ts';
import { checkTrust, type TrustCheckOptions } from './trust-check.ts';
import type { ServerCheck } from '../pki/trust/server-check.ts';

let openssl: OpenSsl;
let root: TestCertificate;
let server: TestCertificate;
beforeAll(async () => {
  openssl = await OpenSsl.create();
  root = await openssl.authority('Root');
  server = await openssl.server(['DNS:gw.a.test'], { issuer: root });
});
afterAll(() => openssl[Symbol.asyncDispose]());

/** A live server that counts the bytes after the handshake. */
async function serve(options: TlsOptions = {}): Promise<{ port: number; receivedBytes: () => number }> {
  let receivedBytes = 0;
  const listener = createServer({ cert: server.certPem, key: server.keyPem, ...options }, (socket) => {
    socket.on('data', (chunk: Buffer) => (receivedBytes += chunk.length));
    socket.on('error', () => undefined);
  });
  listener.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void listener.close());
  return { port: (listener.address() as AddressInfo).port, receivedBytes: () => receivedBytes };
}

const check = (port: number, options: Partial<TrustCheckOptions> = {}): Promise<ServerCheck> =>
  checkTrust({ host: '127.0.0.1', port, name: 'gw.a.test', clock: systemClock, ...options });

describe('trust check', () => {
  it('decides by chain, name and thumbprint, shows the channel, and sends nothing', async () => {
    const { port, receivedBytes } = await serve();
    const refused = await check(port);
    expect(refused.decision).toBe('refused');
    expect(refused.tls).toEqual({ version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', group: 'X25519MLKEM768' });
    expect(await check(port, { rootsPem: root.certPem })).toMatchObject({ decision: 'trusted' });
    expect(await check(port, { rootsPem: root.certPem, name: 'gw.b.test' })).toMatchObject({
      decision: 'refused',
      reasons: expect.arrayContaining(['name.not-covered']),
    });
    expect(await check(port, { fingerprint: refused.certificate.sha256 })).toMatchObject({ decision: 'pinned' });
    expect(await check(port, { fingerprint: refused.certificate.sha1.replaceAll(':', '') })).toMatchObject({
      decision: 'pinned',
      reasons: expect.arrayContaining(['fingerprint.match-sha1']),
    });
    expect(await check(port, { fingerprint: 'AB'.repeat(32) })).toMatchObject({
      decision: 'refused',
      reasons: expect.arrayContaining(['fingerprint.mismatch']),
    });
    expect(receivedBytes()).toBe(0);
  });

  it('uses revocation lists', async () => {
    const { port } = await serve();
    const rootsPem = root.certPem;
    const revoked = Buffer.from(await openssl.crl(root, [server]));
    expect(await check(port, { rootsPem, crls: [{ file: 'a.crl', bytes: revoked }] })).toMatchObject({
      decision: 'refused',
      reasons: expect.arrayContaining(['revocation.revoked']),
    });
    const clean = Buffer.from(await openssl.crl(root, []));
    expect(await check(port, { rootsPem, crls: [{ file: 'a.crl', bytes: clean }] })).toMatchObject({
      decision: 'trusted',
      reasons: expect.arrayContaining(['revocation.good']),
    });
    const foreign = Buffer.from(await openssl.crl(await openssl.authority('Other'), []));
    expect(await check(port, { rootsPem, crls: [{ file: 'a.crl', bytes: foreign }] })).toMatchObject({
      decision: 'trusted',
    });
    expect(
      await check(port, { rootsPem, crls: [{ file: 'a.crl', bytes: foreign }], requiresRevocation: true }),
    ).toMatchObject({
      decision: 'refused',
    });
    const nonsense = { file: 'second.crl', bytes: Buffer.from('nonsense') };
    await expect(check(port, { crls: [{ file: 'a.crl', bytes: clean }, nonsense] })).rejects.toMatchObject({
      code: 'certificate.malformed',
      message: expect.stringContaining('second.crl') as string,
    });
  });

  it('refuses when an answer about a revocation is required and there is no list', async () => {
    const { port } = await serve();
    const rootsPem = root.certPem;
    expect(await check(port, { rootsPem, requiresRevocation: true })).toMatchObject({
      decision: 'refused',
      reasons: expect.arrayContaining(['revocation.unknown']),
    });
    const { sha256 } = (await check(port)).certificate;
    expect(await check(port, { rootsPem, requiresRevocation: true, fingerprint: sha256 })).toMatchObject({
      decision: 'pinned',
    });
  });

  it('checks a server of another protocol too, whether or not it refuses our protocol name', async () => {
    const { port } = await serve({ ALPNProtocols: ['http/1.1'] });
    expect(await check(port, { rootsPem: root.certPem })).toMatchObject({ decision: 'trusted' });
  });

  it('does not fall back to TLS 1.2', async () => {
    const { port } = await serve({ maxVersion: 'TLSv1.2' });
    await expect(check(port)).rejects.toMatchObject({ code: 'tls.version' });
  });

  it('reports wrong input before it connects', async () => {
    await expect(check(1, { fingerprint: 'AB:CD' })).rejects.toMatchObject({ code: 'trust.thumbprint-malformed' });
    for (const host of ['', 'https://gw.a.test/', '127.0.0.1:6180']) {
      await expect(check(1, { host })).rejects.toMatchObject({ code: 'call.invalid', field: 'host' });
    }
    await expect(check(1, { rootsPem: 'nonsense' })).rejects.toMatchObject({ code: 'certificate.malformed' });
    await expect(check(1)).rejects.toMatchObject({ code: 'gateway.unreachable' });
  });
});
