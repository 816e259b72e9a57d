import tls from 'node:tls';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrustReason } from '../../contracts/models/trust.ts';
import { OpenSsl, type TestCertificate } from '../../testing/certificates/openssl.ts';
import { readCertificate } from '../certificate/certificate-summary.ts';
import { lookAtServer } from './peer-certificates.ts';
import { cleanThumbprint, thumbprintOf } from '../certificate/thumbprint.ts';
import { decideTrust, type TrustInput, type TrustPin, type TrustResult, trustError } from './trust.ts';

let openssl: OpenSsl;
let root: TestCertificate;
let rsaRoot: TestCertificate;
beforeAll(async () => {
  openssl = await OpenSsl.create();
  [root, rsaRoot] = await Promise.all([openssl.authority('Root'), openssl.authority('RSA root', { key: 'RSA:2048' })]);
});
afterAll(() => openssl[Symbol.asyncDispose]());

const derOf = (certificate: TestCertificate): Buffer => readCertificate(certificate.certPem).der;

/** Serves a certificate on loopback, connects over a live TLS 1.3 connection, and decides trust. */
async function decide(
  leaf: TestCertificate,
  {
    name = 'gw.a.test',
    sent = [],
    roots = [root],
    ...rest
  }: {
    name?: string;
    sent?: TestCertificate[];
    roots?: TestCertificate[];
    pins?: TrustPin[];
    now?: number;
  } & Partial<Pick<TrustInput, 'fingerprint' | 'revocation'>> = {},
): Promise<TrustResult> {
  const server = tls.createServer({
    cert: leaf.certPem + sent.map(({ certPem }) => certPem).join(''),
    key: leaf.keyPem,
    minVersion: 'TLSv1.3',
    // The test server must be able to offer weak keys.
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  server.on('tlsClientError', () => undefined);
  server.on('secureConnection', (socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const presented = await lookAtServer({
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      serverName: name,
      extraRoots: roots.map(({ certPem }) => certPem),
    });
    expect(presented.tls).toMatchObject({ version: 'TLSv1.3', group: 'X25519MLKEM768' });
    return decideTrust({ ...presented, nameDialed: name, now: Date.now(), pins: [], ...rest });
  } finally {
    server.close();
  }
}

const trusted = (...more: TrustReason[]) => ({
  decision: 'trusted',
  reasons: expect.arrayContaining(['chain.trusted', ...more]) as TrustReason[],
});
const refused = (...reasons: TrustReason[]) => ({
  decision: 'refused',
  reasons: expect.arrayContaining(reasons) as TrustReason[],
});
const refusing = ({ findings }: TrustResult): TrustReason[] =>
  findings.filter((finding) => finding.isRefusing).map((finding) => finding.reason);

describe('chain', () => {
  it('trusts an added root, directly and through one and two intermediates', async () => {
    const one = await openssl.authority('One', { issuer: root });
    const two = await openssl.authority('Two', { issuer: one });
    const names = ['DNS:gw.a.test'];
    expect(await decide(await openssl.server(names, { issuer: root }))).toMatchObject(trusted('name.covered'));
    expect(await decide(await openssl.server(names, { issuer: one }), { sent: [one] })).toMatchObject(trusted());
    const leaf = await openssl.server(names, { issuer: two });
    expect(await decide(leaf, { sent: [two, one] })).toMatchObject(trusted());
    expect(await decide(leaf, { sent: [two, one, root] })).toMatchObject(trusted());
    expect(await decide(leaf, { sent: [one, two] })).toMatchObject(trusted());
    expect(refusing(await decide(leaf, { sent: [two] }))).toEqual(['chain.incomplete']);
    expect(refusing(await decide(leaf))).toEqual(['chain.incomplete']);
  });

  it('refuses a root that was not added, and a self-signed certificate', async () => {
    const leaf = await openssl.server(['DNS:gw.a.test'], { issuer: root });
    expect(refusing(await decide(leaf, { roots: [], sent: [root] }))).toEqual(['chain.untrusted-root']);
    expect(refusing(await decide(leaf, { roots: [rsaRoot] }))).toEqual(['chain.incomplete']);
    expect(refusing(await decide(await openssl.server(['DNS:gw.a.test'])))).toEqual(['chain.self-signed']);
  });

  it('refuses an intermediate that is not an authority, and a path that is too long', async () => {
    const server = await openssl.server(['DNS:x.test'], { issuer: root });
    const leaf = await openssl.server(['DNS:gw.a.test'], { issuer: server });
    expect(await decide(leaf, { sent: [server] })).toMatchObject(refused('chain.invalid'));
    const short = await openssl.issue({
      subject: '/CN=Short',
      issuer: root,
      extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign'],
    });
    const below = await openssl.authority('Below', { issuer: short });
    const deep = await openssl.server(['DNS:gw.a.test'], { issuer: below });
    expect(await decide(deep, { sent: [below, short] })).toMatchObject(refused('chain.invalid'));
  });

  it('refuses a false root with the name of the trusted root', async () => {
    const impostor = await openssl.authority('Root');
    const leaf = await openssl.server(['DNS:gw.a.test'], { issuer: impostor });
    expect((await decide(leaf, { sent: [impostor] })).decision).toBe('refused');
    expect((await decide(leaf)).decision).toBe('refused');
  });

  it('enforces name constraints and gives the reason', async () => {
    const constrained = await openssl.authority('Only b.test', {
      issuer: root,
      extensions: ['nameConstraints=critical,permitted;DNS:b.test,excluded;IP:10.0.0.0/255.0.0.0'],
    });
    const sent = [constrained];
    const leaf = (...names: string[]): Promise<TestCertificate> => openssl.server(names, { issuer: constrained });
    expect(await decide(await leaf('DNS:gw.b.test'), { sent, name: 'gw.b.test' })).toMatchObject(trusted());
    expect(refusing(await decide(await leaf('DNS:gw.a.test'), { sent }))).toEqual(['chain.name-constraint']);
    expect(refusing(await decide(await leaf('DNS:gw.b.test', 'IP:10.1.2.3'), { sent, name: 'gw.b.test' }))).toEqual([
      'chain.name-constraint',
    ]);
  });
});

describe('names', () => {
  it('matches wildcards, several names, addresses and internationalized names', async () => {
    const leaf = await openssl.server(
      ['DNS:*.a.test', 'DNS:gw.b.test', 'IP:127.0.0.1', 'IP:2001:db8::1', 'DNS:xn--bcher-kva.test'],
      {
        issuer: root,
      },
    );
    for (const name of ['gw.a.test', 'gw.b.test', '127.0.0.1', '2001:db8::1', 'bücher.test']) {
      expect(await decide(leaf, { name }), name).toMatchObject(trusted('name.covered'));
    }
    for (const name of ['a.test', 'x.gw.a.test', 'gw2.b.test', '127.0.0.2', '2001:db8::2']) {
      expect(refusing(await decide(leaf, { name })), name).toEqual(['name.not-covered']);
    }
    const partial = await openssl.server(['DNS:gw*.a.test'], { issuer: root });
    expect(refusing(await decide(partial, { name: 'gw1.a.test' }))).toEqual(['name.not-covered']);
  });

  it('uses the subject only when there are no alternative names, with a warning', async () => {
    const several = await openssl.server([], { issuer: root, subject: '/CN=other.test/CN=gw.a.test' });
    expect(await decide(several)).toMatchObject(trusted('name.common-name-only'));
    const withSan = await openssl.server(['DNS:other.test'], { issuer: root, subject: '/CN=gw.a.test' });
    expect(refusing(await decide(withSan))).toEqual(['name.not-covered']);
  });
});

describe('dates and usage', () => {
  it.each<[string, TrustReason, (names: string[]) => Promise<TestCertificate>]>([
    [
      'expired',
      'date.expired',
      (names) => openssl.server(names, { issuer: root, notBeforeDays: -9, notAfterDays: -1 }),
    ],
    ['not yet valid', 'date.not-yet-valid', (names) => openssl.server(names, { issuer: root, notBeforeDays: 2 })],
    [
      'for clients only',
      'usage.no-server-auth',
      (names) =>
        openssl.issue({
          subject: '/CN=x',
          issuer: root,
          extensions: ['extendedKeyUsage=clientAuth', `subjectAltName=${names.join(',')}`],
        }),
    ],
    [
      'for an authority and not for a server',
      'usage.authority',
      (names) => openssl.authority('x', { issuer: root, extensions: [`subjectAltName=${names.join(',')}`] }),
    ],
  ])('refuses a certificate that is %s', async (_, reason, make) => {
    expect(refusing(await decide(await make(['DNS:gw.a.test'])))).toEqual([reason]);
  });

  it('refuses an expired intermediate', async () => {
    const old = await openssl.authority('Old', { issuer: root, notBeforeDays: -9, notAfterDays: -1 });
    const leaf = await openssl.server(['DNS:gw.a.test'], { issuer: old });
    expect(refusing(await decide(leaf, { sent: [old] }))).toEqual(['date.expired']);
  });
});

describe('strength', () => {
  it('refuses weak keys anywhere in the chain', async () => {
    const names = ['DNS:gw.a.test'];
    expect(refusing(await decide(await openssl.server(names, { issuer: root, key: 'RSA:1024' })))).toEqual([
      'strength.weak-key',
    ]);
    for (const key of ['RSA:1024', 'EC:P-192', 'EC:P-224', 'EC:secp256k1', 'EC:brainpoolP256r1']) {
      const weak = await openssl.authority(`Weak ${key}`, { issuer: root, key });
      const leaf = await openssl.server(names, { issuer: weak });
      expect(await decide(leaf, { sent: [weak] }), key).toMatchObject(refused('strength.weak-key'));
      const above = await openssl.authority(`Above ${key}`, { issuer: weak });
      const deep = await openssl.server(names, { issuer: above });
      expect(await decide(deep, { sent: [above, weak] }), key).toMatchObject(refused('strength.weak-key'));
      expect(await decide(deep, { sent: [weak, above] }), `${key}, sent in the wrong order`).toMatchObject(
        refused('strength.weak-key'),
      );
    }
    const weakRoot = await openssl.authority('Weak root', { key: 'RSA:1024' });
    const belowWeakRoot = await openssl.server(names, { issuer: weakRoot });
    expect(await decide(belowWeakRoot, { roots: [weakRoot] })).toMatchObject(refused('strength.weak-key'));
  });

  it.each(['sha1', 'md5'] as const)(
    'refuses a %s signature below the root, but accepts one on the root',
    async (digest) => {
      const names = ['DNS:gw.a.test'];
      expect(
        refusing(await decide(await openssl.server(names, { issuer: rsaRoot, digest }), { roots: [rsaRoot] })),
      ).toEqual(['strength.weak-signature']);
      const weak = await openssl.authority('Weak', { issuer: rsaRoot, digest });
      const leaf = await openssl.server(names, { issuer: weak });
      expect(refusing(await decide(leaf, { roots: [rsaRoot], sent: [weak] }))).toEqual(['strength.weak-signature']);
      const oldRoot = await openssl.authority('Old root', { key: 'RSA:2048', digest });
      expect(await decide(await openssl.server(names, { issuer: oldRoot }), { roots: [oldRoot] })).toMatchObject(
        trusted(),
      );
    },
  );

  it.each(['RSA:2048', 'RSA:3072', 'EC:P-256', 'EC:P-384', 'EC:P-521', 'ED25519'])('accepts %s', async (key) => {
    expect(await decide(await openssl.server(['DNS:gw.a.test'], { issuer: root, key }))).toMatchObject(trusted());
  });
});

describe('pins', () => {
  const pin = (certificate: TestCertificate, state: TrustPin['state'] = 'current'): TrustPin => ({
    certificateDer: derOf(certificate),
    state,
  });

  it('trusts the pinned certificate, whatever its issuer, dates and usage are', async () => {
    const plain = await openssl.issue({ subject: '/CN=Northwind' });
    expect(await decide(plain, { pins: [pin(plain)] })).toEqual(
      expect.objectContaining({ decision: 'pinned', isChanged: false, reasons: ['pin.match'] }),
    );
    const expired = await openssl.issue({ subject: '/CN=Old', notBeforeDays: -9, notAfterDays: -1 });
    const result = await decide(expired, { pins: [pin(expired)] });
    expect(result).toMatchObject({ decision: 'pinned', reasons: ['pin.match', 'date.expired', 'pin.dates-ignored'] });
    const later = await decide(plain, { pins: [pin(plain)], now: Date.now() + 400 * 86_400_000 });
    expect(later).toMatchObject({
      decision: 'pinned',
      reasons: expect.arrayContaining(['date.expired']) as TrustReason[],
    });
    const authority = await openssl.authority('openssl req -x509');
    expect(await decide(authority, { pins: [pin(authority)] })).toMatchObject({ decision: 'pinned' });
  });

  it('asks the user to compare a changed certificate and does not treat it as a first contact', async () => {
    const before = await openssl.issue({ subject: '/CN=Northwind' });
    const after = await openssl.issue({ subject: '/CN=Northwind' });
    const result = await decide(after, { pins: [pin(before)] });
    expect(result).toMatchObject({
      decision: 'refused',
      isChanged: true,
      reasons: ['chain.self-signed', 'pin.changed'],
    });
    expect(trustError(result, 'Northwind')).toMatchObject({
      code: 'trust.changed',
      message: 'Northwind: The certificate has changed: another one is pinned for this provider',
    });
    const first = await decide(after);
    expect(first.isChanged).toBe(false);
    expect(trustError(first, 'Northwind')).toMatchObject({
      code: 'trust.untrusted',
      message: 'Northwind: The certificate is self-signed and not pinned',
    });
    const elsewhere = await decide(await openssl.server(['DNS:elsewhere.test']), { pins: [pin(before)] });
    expect(trustError(elsewhere, 'Northwind').message).toMatch(/has changed: [^;]*; The certificate does not cover/);
  });

  it('accepts a changed certificate when its chain is trusted and covers the name', async () => {
    const before = await openssl.issue({ subject: '/CN=Northwind' });
    const after = await openssl.server(['DNS:gw.a.test'], { issuer: root });
    expect(await decide(after, { pins: [pin(before)] })).toMatchObject({ decision: 'trusted', isChanged: true });
    expect(await decide(after, { pins: [pin(before)], name: 'gw.b.test' })).toMatchObject({
      decision: 'refused',
      isChanged: true,
    });
  });

  it('accepts an announced certificate from its date on', async () => {
    const before = await openssl.issue({ subject: '/CN=Northwind' });
    const after = await openssl.issue({ subject: '/CN=Northwind' });
    const next = { ...pin(after, 'next'), usableFrom: Date.now() - 1000 };
    expect(await decide(after, { pins: [pin(before), next] })).toMatchObject({
      decision: 'pinned',
      reasons: ['pin.next'],
      isChanged: false,
    });
    const early = { ...next, usableFrom: Date.now() + 3_600_000 };
    expect(await decide(after, { pins: [pin(before), early] })).toMatchObject({ decision: 'refused', isChanged: true });
  });

  it('refuses a revoked pin also when the chain is trusted', async () => {
    const leaf = await openssl.server(['DNS:gw.a.test'], { issuer: root });
    const result = await decide(leaf, { pins: [pin(leaf, 'revoked')] });
    expect(refusing(result)).toEqual(['pin.revoked']);
    expect(trustError(result, 'Northwind').code).toBe('trust.refused');
  });

  it('refuses a weak key also when the certificate is pinned', async () => {
    const weak = await openssl.issue({ subject: '/CN=Weak', key: 'RSA:1024' });
    expect(refusing(await decide(weak, { pins: [pin(weak)] }))).toEqual(['strength.weak-key']);
  });

  it('allows only gateways that a pinned certificate with names covers', async () => {
    const wildcard = await openssl.server(['DNS:*.a.test']);
    const pins = [pin(wildcard)];
    expect(await decide(wildcard, { pins, name: 'gw1.a.test' })).toMatchObject({ decision: 'pinned' });
    for (const name of ['gw.b.test', 'x.gw.a.test']) {
      expect(refusing(await decide(wildcard, { pins, name })), name).toEqual(['name.not-covered']);
    }
    // The gateway has only an address. A certificate with DNS names cannot exclude an address.
    expect(await decide(wildcard, { pins, name: '127.0.0.1' })).toMatchObject({ decision: 'pinned' });
  });
});

describe('fingerprint that a person has typed', () => {
  it('accepts a matching SHA-1 or SHA-256 fingerprint and refuses everything else', async () => {
    const leaf = await openssl.issue({ subject: '/CN=Northwind' });
    const other = await openssl.server(['DNS:gw.a.test'], { issuer: root });
    const sha256 = cleanThumbprint(thumbprintOf(derOf(leaf)));
    expect(await decide(leaf, { fingerprint: sha256 })).toMatchObject({
      decision: 'pinned',
      reasons: ['fingerprint.match'],
    });
    const sha1 = cleanThumbprint(thumbprintOf(derOf(leaf), 'SHA-1'));
    expect(await decide(leaf, { fingerprint: sha1 })).toMatchObject({
      decision: 'pinned',
      reasons: ['fingerprint.match-sha1'],
    });
    const wrong = await decide(other, { fingerprint: sha256 });
    expect(refusing(wrong)).toEqual(['fingerprint.mismatch']);
    expect(trustError(wrong, 'Northwind').code).toBe('trust.thumbprint-mismatch');
  });
});

describe('revocation', () => {
  it('follows the revocation answer and the policy', async () => {
    const leaf = await openssl.server(['DNS:gw.a.test'], { issuer: root });
    const revocation = (status: 'good' | 'revoked' | 'unknown', isRequired: boolean) => ({
      status,
      isRequired,
      detail: 'test',
    });
    expect(await decide(leaf, { revocation: revocation('good', true) })).toMatchObject(trusted('revocation.good'));
    expect(await decide(leaf, { revocation: revocation('unknown', false) })).toMatchObject(
      trusted('revocation.unknown'),
    );
    expect(refusing(await decide(leaf, { revocation: revocation('unknown', true) }))).toEqual(['revocation.unknown']);
    expect(refusing(await decide(leaf, { revocation: revocation('revoked', false) }))).toEqual(['revocation.revoked']);
    const pins: TrustPin[] = [{ certificateDer: derOf(leaf), state: 'current' }];
    expect(await decide(leaf, { pins, revocation: revocation('unknown', true) })).toMatchObject({ decision: 'pinned' });
    expect(refusing(await decide(leaf, { pins, revocation: revocation('revoked', false) }))).toEqual([
      'revocation.revoked',
    ]);
  });
});

describe("reading a server's certificate", () => {
  it('refuses TLS 1.2, and distinguishes a server that does not answer from one that refuses', async () => {
    const leaf = await openssl.server(['DNS:gw.a.test']);
    const old = tls.createServer({ cert: leaf.certPem, key: leaf.keyPem, maxVersion: 'TLSv1.2' });
    old.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
    const { port } = old.address() as AddressInfo;
    await expect(lookAtServer({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'tls.version' });
    old.close();
    await expect(lookAtServer({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'gateway.unreachable',
      hint: expect.stringContaining(`TCP ${port} `) as string,
    });
    await expect(lookAtServer({ host: '127.0.0.1', port, signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});
