// `farkeep trust check` against servers with invalid or hostile certificates: correct reason, useful advice, little computing time.
import { createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../kernel/clock.ts';
import {
  der,
  distinguishedName,
  extension,
  generalName,
  keyUsage,
  mint,
  type Minted,
  mintList,
  newKey,
  oid,
  sequence,
  usage,
  wideKey,
} from '../testing/certificates/minted-certificates.ts';
import { checkTrust, type TrustCheckOptions } from '../offline/trust-check.ts';
import type { ServerCheck } from '../pki/trust/server-check.ts';

const root = mint({ subject: 'Root', isAuthority: true });

async function serve(leaf: Minted, sent: readonly Minted[] = []): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer(
    {
      cert: [leaf, ...sent].map(({ certPem }) => certPem).join(''),
      key: leaf.keyPem,
      minVersion: 'TLSv1.3',
      ciphers: 'DEFAULT@SECLEVEL=0',
      // Called only when the client asks for a name.
      SNICallback: (name, done) => {
        asked.push(name);
        done(null);
      },
    },
    (socket) => socket.on('error', () => undefined),
  );
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, asked };
}

const check = (port: number, more: Partial<TrustCheckOptions> = {}): Promise<ServerCheck> =>
  checkTrust({ host: '127.0.0.1', port, name: 'gw.a.test', rootsPem: root.certPem, clock: systemClock, ...more });

const refusals = ({ findings }: ServerCheck): string[] =>
  findings.filter(({ isRefusing }) => isRefusing).map(({ reason, message }) => `${reason}: ${message}`);

describe('the name that the client sends to a server', () => {
  it.each([
    ['gw.a.test', 'gw.a.test'],
    ['GW.A.TEST.', 'gw.a.test'],
    ['bücher.a.test', 'xn--bcher-kva.a.test'],
    ['BÜCHER.a.test.', 'xn--bcher-kva.a.test'],
    ['127.0.0.1', null],
    ['127.1', null],
    ['[::1]', null],
    ['::1', null],
    ['*.a.test', null],
  ])('%s: %s', async (name, expected) => {
    const { port, asked } = await serve(mint({ names: ['gw.a.test'], issuer: root }));
    await check(port, { name });
    expect(asked).toEqual(expected === null ? [] : [expected]);
  });
});

describe('constraints on names', () => {
  const limit = (permitted: Buffer[], excluded: Buffer[]): Buffer =>
    extension(
      '2.5.29.30',
      sequence(
        ...(permitted.length > 0 ? [der(0xa0, ...permitted.map((name) => sequence(name)))] : []),
        ...(excluded.length > 0 ? [der(0xa1, ...excluded.map((name) => sequence(name)))] : []),
      ),
      true,
    );
  const { dns, ip } = generalName;
  const cases: [string, Buffer, string[], string, 'trusted' | 'refused'][] = [
    ['excluded, under a wildcard', limit([], [dns('secret.a.test')]), ['*.a.test'], 'secret.a.test', 'refused'],
    ['excluded, dialed in capitals', limit([], [dns('secret.a.test')]), ['*.a.test'], 'SECRET.a.test.', 'refused'],
    ['excluded in capitals', limit([], [dns('SECRET.A.TEST')]), ['*.a.test'], 'secret.a.test', 'refused'],
    [
      'excluded with a leading dot',
      limit([], [dns('.secret.a.test')]),
      ['*.secret.a.test'],
      'x.secret.a.test',
      'refused',
    ],
    ['excluded with a final dot', limit([], [dns('secret.a.test.')]), ['*.a.test'], 'secret.a.test', 'refused'],
    ['excluded, international', limit([], [dns('xn--bcher-kva.a.test')]), ['*.a.test'], 'bücher.a.test', 'refused'],
    [
      'excluded by a base that is not a valid name',
      limit([], [dns('b\u00fccher\u0000')]),
      ['*.a.test'],
      'gw.a.test',
      'refused',
    ],
    ['another one is excluded', limit([], [dns('secret.a.test')]), ['*.a.test'], 'other.a.test', 'trusted'],
    [
      'a name that only ends with the excluded name',
      limit([], [dns('cret.a.test')]),
      ['*.a.test'],
      'secret.a.test',
      'trusted',
    ],
    ['permitted', limit([dns('a.test')], []), ['*.a.test'], 'gw.a.test', 'trusted'],
    ['permitted with a leading dot', limit([dns('.a.test')], []), ['gw.a.test'], 'gw.a.test', 'trusted'],
    ['permitted and excluded', limit([dns('a.test')], [dns('gw.a.test')]), ['*.a.test'], 'gw.a.test', 'refused'],
    ['only an address is permitted', limit([ip('7f000000ff000000')], []), ['*.a.test'], 'gw.a.test', 'trusted'],
    ['the address is permitted', limit([ip('7f000000ff000000')], []), ['127.0.0.1'], '127.0.0.1', 'trusted'],
    ['the address is excluded', limit([], [ip('7f000000ff000000')]), ['127.0.0.1'], '127.0.0.1', 'refused'],
    ['another network is excluded', limit([], [ip('0a000000ff000000')]), ['127.0.0.1'], '127.0.0.1', 'trusted'],
  ];
  it.each(cases)('%s', async (_, constraints, names, name, expected) => {
    const authority = mint({ subject: 'Limited', isAuthority: true, issuer: root, extensions: [constraints] });
    const { port } = await serve(mint({ names, issuer: authority }), [authority]);
    const result = await check(port, { name });
    expect(result.decision).toBe(expected);
    if (expected === 'refused') expect(refusals(result).join()).toMatch(/^chain.name-constraint: .*"CN=Limited"/);
  });

  it('also apply when a root contains them', async () => {
    const limited = mint({ subject: 'R', isAuthority: true, extensions: [limit([], [dns('secret.a.test')])] });
    const { port } = await serve(mint({ names: ['*.a.test'], issuer: limited }));
    expect((await check(port, { rootsPem: limited.certPem, name: 'secret.a.test' })).decision).toBe('refused');
    expect((await check(port, { rootsPem: limited.certPem })).decision).toBe('trusted');
  });

  it.each([true, false])('need little time in any number (authority trusted: %s)', async (isTrusted) => {
    // Only letters, so that OpenSSL and this program consider the constraint valid.
    const short = (index: number): string =>
      [676, 26, 1].map((step) => String.fromCharCode(97 + (Math.floor(index / step) % 26))).join('');
    const numbers = Array.from({ length: 9000 }, (_, index) => index);
    const authority = mint({
      subject: 'Limited',
      isAuthority: true,
      issuer: isTrusted ? root : mint({ subject: 'Root', isAuthority: true }),
      extensions: [
        limit(
          [],
          numbers.slice(0, 4500).map((index) => dns(`z${short(index)}`)),
        ),
      ],
    });
    const { port } = await serve(mint({ names: numbers.map(short), issuer: authority }), [authority]);
    // The first handshake loads the system's authorities, which must not count in the measurement.
    await check((await serve(mint({ issuer: root }))).port);
    const before = process.cpuUsage();
    const result = await check(port);
    const { user, system } = process.cpuUsage(before);
    expect(result.decision).toBe('refused');
    expect(refusals(result).join().length).toBeLessThan(600);
    // 40 million comparisons took more than five seconds.
    expect((user + system) / 1000).toBeLessThan(1500);
  });
});

describe('the reason of a refusal, and the advice', () => {
  const authority = mint({ subject: 'Issuing', isAuthority: true, issuer: root });
  const below = (more: object = {}, issuer = authority): Minted => mint({ names: ['gw.a.test'], issuer, ...more });
  const twice = (id: string, value: Buffer): Buffer[] => [extension(id, value), extension(id, value)];
  const servers = sequence(oid('1.3.6.1.5.5.7.3.1'));

  it.each<[string, () => [Minted, Minted], RegExp]>([
    [
      'an extension twice, in the certificate',
      () => [below({ extensions: twice('2.5.29.37', servers) }), authority],
      /^chain.invalid: The certificate has the extension 2.5.29.37 twice/,
    ],
    [
      'an extension twice, in the authority',
      () => {
        const odd = mint({ subject: 'Odd', isAuthority: true, issuer: root, extensions: twice('2.5.29.37', servers) });
        return [below({}, odd), odd];
      },
      /^chain.invalid: The authority "CN=Odd" has the extension 2.5.29.37 twice/,
    ],
    [
      'an unknown critical extension',
      () => [below({ extensions: [extension('1.2.3.4', der(0x05), true)] }), authority],
      /^chain.invalid: OpenSSL refused the chain: unhandled critical extension$/,
    ],
    [
      'an authority that may not sign certificates',
      () => {
        const odd = mint({ subject: 'Odd', isAuthority: true, issuer: root, extensions: [keyUsage(usage.crlSign)] });
        return [below({}, odd), odd];
      },
      /^chain.invalid: OpenSSL refused the chain: key usage does not include certificate signing$/,
    ],
    [
      'an authority for clients only',
      () => {
        const clients = extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.2')));
        const odd = mint({ subject: 'Odd', isAuthority: true, issuer: root, extensions: [clients] });
        return [below({}, odd), odd];
      },
      /^usage.no-server-auth: An authority of the chain may not issue certificates for servers$/,
    ],
    [
      'the purpose "any" alone',
      () => [below({ extensions: [extension('2.5.29.37', sequence(oid('2.5.29.37.0')))] }), authority],
      /^usage.no-server-auth: The certificate is not made for servers/,
    ],
    [
      'the signature of another key',
      () => [below({}, { ...authority, key: root.key }), authority],
      /^chain.incomplete|^chain.invalid: OpenSSL refused the chain: certificate signature failure$/,
    ],
  ])('%s', async (_, make, expected) => {
    const [leaf, issuer] = make();
    const { port } = await serve(leaf, [issuer]);
    const result = await check(port);
    const reasons = refusals(result);
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toMatch(expected);
    expect(reasons[0]).not.toContain('UNSPECIFIED');
    // A pin overrides each of these reasons, so the advice names the thumbprint, and the thumbprint works.
    expect(result.advice).toContain('--fingerprint');
    expect((await check(port, { fingerprint: result.certificate.sha256 })).decision).toBe('pinned');
  });

  it('does not advise a thumbprint where a pin does not help', async () => {
    const leaf = below();
    const crls = [{ file: 'a.crl', bytes: mintList({ issuer: authority, revoked: [leaf.serial] }) }];
    const { port } = await serve(leaf, [authority]);
    const revoked = await check(port, { crls });
    expect(revoked.advice).toMatch(/cannot be overridden, not even with a thumbprint/);
    expect((await check(port, { crls, fingerprint: revoked.certificate.sha256 })).decision).toBe('refused');

    const weak = await check((await serve(mint({ names: ['gw.a.test'], issuer: root, key: newKey(1024) }))).port);
    expect(weak.advice).toMatch(/stronger key/);
    const elsewhere = await check((await serve(below({ names: ['gw.b.test'] }), [authority])).port);
    expect(elsewhere.advice).toMatch(/^Use a name that the certificate covers/);
    const mistaken = await check(port, { fingerprint: 'AB'.repeat(32) });
    expect(mistaken.advice).toMatch(/^Do not accept/);
    expect((await check(port)).advice).toBeUndefined();
  });
});

describe('certificates that are expensive to check', () => {
  const many = (count: number, make: (index: number) => Buffer): Buffer =>
    sequence(...Array.from({ length: count }, (_, index) => make(index)));
  const numberOf = (index: number): Buffer => Buffer.from(index.toString(36).padStart(3, 'a'));

  it.each<[string, () => Minted]>([
    [
      '11,000 names',
      () =>
        mint({
          issuer: root,
          extensions: [
            extension(
              '2.5.29.17',
              many(11_000, (index) => der(0x82, numberOf(index))),
            ),
          ],
        }),
    ],
    [
      '9,000 addresses',
      () =>
        mint({
          issuer: root,
          extensions: [
            extension(
              '2.5.29.17',
              many(9000, (index) => der(0x87, Buffer.from([10, 0, index >> 8, index & 255]))),
            ),
          ],
        }),
    ],
    [
      '5,000 distribution points',
      () =>
        mint({
          issuer: root,
          extensions: [
            extension(
              '2.5.29.31',
              many(5000, (index) => sequence(der(0xa0, der(0xa0, der(0x86, numberOf(index)))))),
            ),
          ],
        }),
    ],
    [
      '8,000 purposes',
      () =>
        mint({
          issuer: root,
          extensions: [
            extension(
              '2.5.29.37',
              many(8000, (index) => der(0x06, Buffer.from([42, 3, index & 127]))),
            ),
          ],
        }),
    ],
    [
      '8,000 policies',
      () =>
        mint({
          issuer: root,
          extensions: [
            extension(
              '2.5.29.32',
              many(8000, (index) => sequence(der(0x06, Buffer.from([42, index >> 7, index & 127])))),
            ),
          ],
        }),
    ],
    [
      '3,000 parts of a name',
      () =>
        mint({ issuer: root, subject: distinguishedName(...Array.from({ length: 3000 }, () => ['CN', 'a'] as const)) }),
    ],
    [
      '2,000 extensions',
      () =>
        mint({
          issuer: root,
          extensions: Array.from({ length: 2000 }, (_, index) => extension(`1.2.3.${index}`, der(0x05))),
        }),
    ],
  ])('%s are accepted or refused in little time', async (_, make) => {
    const leaf = make();
    const { port } = await serve(leaf);
    const before = process.cpuUsage();
    await check(port).catch((error: unknown) => {
      expect(error).toMatchObject({ code: expect.stringMatching(/^(certificate\.malformed|tls\.failed)$/) as string });
    });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(1500);
  });

  it.each([
    [16_384, 17],
    [16_384, 16_000],
    [3072, 3072],
    [100_000, 17],
    [300_000, 300_000],
  ])('authorities with an RSA key of %i bits and an exponent of %i are also fast', async (bits, exponentBits) => {
    const signer = newKey(2048);
    const wide = (index: number): Minted =>
      mint({ subject: 'Wide', isAuthority: true, issuer: root, key: wideKey(bits + 8 * index, exponentBits) });
    const sent = Array.from({ length: bits > 20_000 ? 1 : 8 }, (_, index) => wide(index));
    const leaf = mint({ names: ['gw.a.test'], issuer: { ...wide(0), key: signer } });
    const { port } = await serve(leaf, sent);
    const before = process.cpuUsage();
    const result = await check(port).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'tls.failed' });
    });
    expect(result?.decision ?? 'refused').toBe('refused');
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(1500);
  });
});
