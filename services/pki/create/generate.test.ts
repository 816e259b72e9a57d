import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OpenSsl } from '../../testing/certificates/openssl.ts';
import { readCertificate, summarize } from '../certificate/certificate-summary.ts';
import { generateSelfSigned } from './generate.ts';
import { createInfrastructureAuthority, InfrastructureAuthority } from './issue.ts';
import type { Secret } from '../../kernel/secret.ts';

let openssl: OpenSsl;
beforeAll(async () => {
  openssl = await OpenSsl.create();
});
afterAll(() => openssl[Symbol.asyncDispose]());

const pkcs8Pem = (key: Secret): string =>
  createPrivateKey({ key: key.bytes, format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' });

describe('generateSelfSigned', () => {
  it('makes a certificate that OpenSSL accepts for servers and that is valid for ten years', async () => {
    const { certificatePem, privateKey } = await generateSelfSigned({
      subject: { commonName: 'Northwind Hosting', organization: 'Northwind' },
    });
    const text = await openssl.run('x509', '-in', await openssl.write('c.pem', certificatePem), '-noout', '-text');
    for (const part of [
      'Signature Algorithm: sha256WithRSAEncryption',
      'Public-Key: (3072 bit)',
      'Subject: CN = Northwind Hosting, O = Northwind',
      'CA:FALSE',
      'Digital Signature, Key Encipherment',
      'TLS Web Server Authentication',
    ]) {
      expect(text).toContain(part);
    }
    const summary = summarize(certificatePem);
    expect(summary).toMatchObject({
      isSelfSigned: true,
      isAuthority: false,
      hasServerAuth: true,
      keyType: 'RSA-3072',
      dnsNames: [],
      commonName: 'Northwind Hosting',
    });
    expect(new Date(summary.notAfter).getUTCFullYear() - new Date(summary.notBefore).getUTCFullYear()).toBe(10);
    expect(Date.parse(summary.notBefore)).toBeLessThanOrEqual(Date.now());
    expect(summary.serialNumber.split(':')).toHaveLength(20);
    expect(new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(pkcs8Pem(privateKey)))).toBe(true);
  });

  it('never repeats a serial number', async () => {
    const serials = await Promise.all(
      [1, 2, 3].map(() => generateSelfSigned({ subject: { commonName: 'x' }, keyBits: 2048 })),
    );
    expect(new Set(serials.map(({ certificatePem }) => summarize(certificatePem).serialNumber)).size).toBe(3);
  });

  it('writes dates from 2050 on as GeneralizedTime', async () => {
    const clock = { now: () => Date.parse('2045-06-01T00:00:00.123Z'), sleep: () => Promise.resolve() };
    const { certificatePem } = await generateSelfSigned({ subject: { commonName: 'x' }, keyBits: 2048, clock });
    expect(summarize(certificatePem)).toMatchObject({
      notBefore: '2045-05-31T23:55:00.000Z',
      notAfter: '2055-05-31T23:55:00.000Z',
    });
  });

  it('keeps names in any script and never cuts a character in two', async () => {
    const commonName = 'Žluťoučký kůň 馬 👍, "Inc." + <co>';
    const { certificatePem } = await generateSelfSigned({ subject: { commonName }, keyBits: 2048 });
    const { structure } = readCertificate(certificatePem);
    expect(structure.commonNames).toEqual([commonName]);
    const long = await generateSelfSigned({ subject: { commonName: `${'x'.repeat(63)}👍y` }, keyBits: 2048 });
    expect(readCertificate(long.certificatePem).structure.commonNames).toEqual([`${'x'.repeat(63)}👍`]);
  });

  it('ends at once when it is canceled, and does not block the event loop', async () => {
    const controller = new AbortController();
    const running = generateSelfSigned({ subject: { commonName: 'x' }, keyBits: 4096, signal: controller.signal });
    let turns = 0;
    const ticker = setInterval(() => (turns += 1) === 3 && controller.abort(), 1);
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    clearInterval(ticker);
    expect(turns).toBeGreaterThanOrEqual(3);
    await expect(
      generateSelfSigned({ subject: { commonName: 'x' }, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('certificates of the infrastructure authority', () => {
  it('are accepted in a mutual TLS 1.3 connection, and other certificates are not', async () => {
    const made = await createInfrastructureAuthority({ commonName: 'Northwind infrastructure' });
    const authority = new InfrastructureAuthority(made);
    const server = await authority.issueServerCertificate({
      commonName: 'provider',
      names: ['provider.test', '127.0.0.1'],
    });
    const client = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const clientCertificate = await authority.issueClientCertificate({
      publicKeyPem: client.publicKey.export({ type: 'spki', format: 'pem' }),
      commonName: 'gateway-1',
    });
    expect(summarize(clientCertificate)).toMatchObject({
      commonName: 'gateway-1',
      issuer: expect.stringContaining('Northwind infrastructure') as string,
      keyType: 'EC-P-256',
      hasServerAuth: false,
    });

    const listener = tls.createServer(
      {
        cert: server.certificatePem,
        key: pkcs8Pem(server.privateKey),
        ca: [made.certificatePem],
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.3',
      },
      (socket) => socket.end(socket.getPeerX509Certificate()?.subject ?? 'nobody'),
    );
    listener.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const dial = (cert: string, key: string): Promise<string> =>
      new Promise((resolve) => {
        let text = '';
        const socket = tls.connect({
          host: '127.0.0.1',
          port: (listener.address() as AddressInfo).port,
          ca: [made.certificatePem],
          cert,
          key,
        });
        socket.on('data', (part) => (text += part.toString()));
        socket.on('close', () => resolve(text));
        // In TLS 1.3 a server can refuse a client certificate after the client has finished its handshake.
        socket.on('error', () => resolve('refused'));
      });
    expect(await dial(clientCertificate, client.privateKey.export({ type: 'pkcs8', format: 'pem' }))).toContain(
      'CN=gateway-1',
    );
    const stranger = new InfrastructureAuthority(
      await createInfrastructureAuthority({ commonName: 'Northwind infrastructure' }),
    );
    const forged = await stranger.issueClientCertificate({
      publicKeyPem: client.publicKey.export({ type: 'spki', format: 'pem' }),
      commonName: 'gateway-1',
    });
    expect(await dial(forged, client.privateKey.export({ type: 'pkcs8', format: 'pem' }))).toMatch(/^(refused)?$/);
    // A server certificate must not be accepted as a gateway's client certificate.
    expect(await dial(server.certificatePem, pkcs8Pem(server.privateKey))).toMatch(/^(refused)?$/);
    listener.close();
  });

  it('are not issued for weak and unreadable keys', async () => {
    const authority = new InfrastructureAuthority(await createInfrastructureAuthority({ commonName: 'x' }));
    const weak = await openssl.run('pkey', '-in', await openssl.key('RSA:1024'), '-pubout');
    await expect(authority.issueClientCertificate({ publicKeyPem: weak, commonName: 'x' })).rejects.toMatchObject({
      code: 'certificate.weak',
    });
    for (const publicKeyPem of ['', 'hello', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n']) {
      await expect(authority.issueClientCertificate({ publicKeyPem, commonName: 'x' })).rejects.toMatchObject({
        code: 'certificate.malformed',
      });
    }
  });

  it('may sign servers but no further authorities, says OpenSSL', async () => {
    const { certificatePem } = await createInfrastructureAuthority({ commonName: 'x' });
    const text = await openssl.run('x509', '-in', await openssl.write('ca.pem', certificatePem), '-noout', '-text');
    expect(text).toContain('CA:TRUE, pathlen:0');
    expect(text).toContain('Certificate Sign, CRL Sign');
  });
});

describe('summarize', () => {
  it('escapes characters with which an attacker could hide part of a name', async () => {
    const { certificatePem } = await generateSelfSigned({
      subject: { commonName: 'good\u202Elive\u0000\n, O=Bank' },
      keyBits: 2048,
    });
    const { subject, commonName } = summarize(certificatePem);
    expect(subject).toBe('CN=good\\E2\\80\\AElive\\00\\0A\\, O=Bank');
    expect(commonName).toBe('good\uFFFDlive\uFFFD\uFFFD, O=Bank');
  });

  it.each(['', 'hello', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])('refuses %j', (text) => {
    expect(() => summarize(text)).toThrow(expect.objectContaining({ code: 'certificate.malformed' }));
  });
});
