import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { opensslPkcs12 } from '../../testing/certificates/certificate-files.ts';
import { OpenSsl, type TestCertificate } from '../../testing/certificates/openssl.ts';
import {
  algorithm,
  encryptedContent,
  integer,
  octets,
  pkcs12,
  secretBag,
  sequence,
} from '../../testing/certificates/pkcs12-writer.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { importCertificate, importCertificateFile, type ImportInput, maxImportBytes } from './import.ts';
import { parseImport } from './import-parser.ts';
import { selectImport } from './import-selection.ts';
import { WorkBudget } from './work-budget.ts';

let openssl: OpenSsl;
let root: TestCertificate;
let good: TestCertificate;
let other: TestCertificate;
let p12: Buffer;
beforeAll(async () => {
  openssl = await OpenSsl.create();
  root = await openssl.authority('Root');
  [good, other] = await Promise.all([server({ issuer: root }), server({ issuer: root })]);
  p12 = await opensslPkcs12(openssl, good, { password: 'secret', chain: [root], args: ['-iter', '20'] });
});
afterAll(() => openssl[Symbol.asyncDispose]());

const server = (options: Parameters<OpenSsl['server']>[1] = {}): Promise<TestCertificate> =>
  openssl.server(['DNS:gw.a.test'], options);
const pem = (...parts: string[]): ImportInput => ({ file: Buffer.from(parts.join('')) });
const both = ({ certPem, keyPem }: TestCertificate): ImportInput => pem(certPem, keyPem);

async function codeOf(input: ImportInput): Promise<string> {
  const before = process.cpuUsage();
  try {
    const { summary } = await importCertificate(input);
    return `imported ${summary.subject}`;
  } catch (error) {
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(5_000_000);
    if (!(error instanceof FarkeepError)) throw error;
    expect(error.message).not.toContain('secret');
    return error.code;
  }
}

describe('each kind of failure has its own code', () => {
  it('wrong password', async () => {
    expect(parse({ file: p12, password: 'Secret' })).toBe('certificate.wrong-password');
    expect(parse({ file: p12 })).toBe('certificate.wrong-password');
    await expect(importCertificate({ file: p12, password: '' })).rejects.toThrow('which is needed');
    const noMac = await opensslPkcs12(openssl, good, { password: 'secret', args: ['-nomac'] });
    expect(parse({ file: noMac, password: 'wrong' })).toBe('certificate.wrong-password');
    const old = await opensslPkcs12(openssl, good, { password: 'secret', args: ['-legacy', '-nomac'] });
    expect(parse({ file: old, password: 'wrong' })).toBe('certificate.wrong-password');
    const key = openssl.path('encrypted.key');
    await openssl.run('pkcs8', '-topk8', '-in', good.keyFile, '-out', key, '-passout', 'pass:secret');
    const input = { ...pem(good.certPem), keyFile: await readFile(key) };
    expect(parse({ ...input, password: 'wrong' })).toBe('certificate.wrong-password');
    expect(parse(input)).toBe('certificate.wrong-password');
  });

  it('no private key, key of another certificate, several keys, no certificate', async () => {
    expect(parse(pem(good.certPem))).toBe('certificate.no-private-key');
    expect(parse(pem(good.certPem, root.certPem))).toBe('certificate.no-private-key');
    expect(parse(pem(good.certPem, other.keyPem))).toBe('certificate.key-mismatch');
    expect(parse({ ...pem(good.certPem), keyFile: Buffer.from(other.keyPem) })).toBe('certificate.key-mismatch');
    expect(parse(pem(good.certPem, good.keyPem, other.keyPem))).toBe('certificate.several-keys');
    expect(parse(pem(good.keyPem))).toBe('certificate.malformed');
    expect(
      parse({
        file: await opensslPkcs12(openssl, good, { password: 'secret', args: ['-nokeys'] }),
        password: 'secret',
      }),
    ).toBe('certificate.no-private-key');
  });

  it.each([
    ['JKS', Buffer.from('feedfeed00000002', 'hex')],
    ['JCEKS', Buffer.from('cececece00000002', 'hex')],
    ['BKS', Buffer.concat([Buffer.from('0000000200000014', 'hex'), randomBytes(40)])],
  ])('a Java KeyStore (%s), with the command that converts it', async (_name, file) => {
    await expect(importCertificate({ file, password: 'secret' })).rejects.toMatchObject({
      code: 'certificate.malformed',
      message: expect.stringMatching(/^This is a (Java KeyStore|KeyStore of Bouncy Castle \(BKS\))$/) as string,
      hint: expect.stringContaining('keytool -importkeystore') as string,
    });
  });

  it('only the certificate of an authority', async () => {
    expect(parse(pem(root.certPem))).toBe('certificate.ca-only');
    expect(parse(both(root))).toBe('certificate.ca-only');
    expect(parse(pem(root.certPem, good.keyPem))).toBe('certificate.ca-only');
    expect(parse({ file: await opensslPkcs12(openssl, root, { password: 'secret' }), password: 'secret' })).toBe(
      'certificate.ca-only',
    );
  });

  it('a self-signed certificate that "openssl req -x509" marked as an authority is accepted', async () => {
    const selfSigned = await openssl.issue({
      subject: '/CN=Northwind',
      extensions: ['basicConstraints=critical,CA:TRUE'],
    });
    const imported = await importCertificate(both(selfSigned));
    expect(imported.warnings.join()).toMatch(/marked as an authority/);
  });

  it.each<[string, string, () => Promise<TestCertificate>]>([
    ['RSA-1024', 'certificate.weak', () => server({ key: 'RSA:1024' })],
    ['P-192', 'certificate.weak', () => server({ key: 'EC:P-192' })],
    ['secp256k1', 'certificate.weak', () => server({ key: 'EC:secp256k1' })],
    ['SHA-1', 'certificate.weak', () => server({ issuer: root, digest: 'sha1' })],
    ['SHA-1, self-signed', 'certificate.weak', () => server({ digest: 'sha1' })],
    ['expired', 'certificate.expired', () => server({ notBeforeDays: -9, notAfterDays: -1 })],
    ['not yet valid', 'certificate.not-yet-valid', () => server({ notBeforeDays: 3 })],
    [
      'for clients',
      'certificate.not-for-servers',
      () => openssl.issue({ subject: '/CN=x', extensions: ['extendedKeyUsage=clientAuth'] }),
    ],
  ])('%s: %s', async (_, code, make) => {
    expect(parse(both(await make()))).toBe(code);
  });

  it('a weak intermediate', async () => {
    const weak = await openssl.authority('Weak', { issuer: root, key: 'RSA:1024' });
    const leaf = await server({ issuer: weak });
    expect(parse(pem(leaf.certPem, leaf.keyPem, weak.certPem))).toBe('certificate.weak');
  });

  it('an untrusted chain and an early expiry are warnings', async () => {
    const short = await server({ issuer: root, notAfterDays: 5 });
    const { warnings } = await importCertificate(both(short));
    expect(warnings).toEqual([
      'The certificate expires in 4 days',
      'The chain does not lead to an authority that this computer trusts',
    ]);
    expect((await importCertificate(both(short), { extraRoots: [root.certPem] })).warnings).toHaveLength(1);
    const unrelated = await server();
    expect((await importCertificate(pem(unrelated.certPem, unrelated.keyPem, other.certPem))).warnings.join()).toMatch(
      /not imported/,
    );
  });

  it('files that cannot be read', async () => {
    await expect(importCertificateFile({ file: openssl.path('missing') })).rejects.toMatchObject({
      code: 'source.missing',
    });
    await expect(importCertificateFile({ file: openssl.folder })).rejects.toMatchObject({
      code: 'certificate.malformed',
    });
    expect(parse({ file: Buffer.alloc(maxImportBytes + 1) })).toBe('certificate.malformed');
  });
});

describe('hostile files', () => {
  it('have the same code when the worker reads them', async () => {
    expect(await codeOf({ file: p12, password: 'Secret' })).toBe('certificate.wrong-password');
    expect(await codeOf(pem(good.certPem))).toBe('certificate.no-private-key');
  });

  const nested = (depth: number, tag = 0x30): Buffer => {
    let bytes = Buffer.of(0x05, 0x00);
    for (let level = 0; level < depth; level += 1) {
      const length = bytes.length < 0x80 ? Buffer.of(bytes.length) : Buffer.from([0x84, ...int32(bytes.length)]);
      bytes = Buffer.concat([Buffer.of(tag), length, bytes]);
    }
    return bytes;
  };
  const int32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };

  it.each<[string, () => Buffer]>([
    ['empty', () => Buffer.alloc(0)],
    ['one byte', () => Buffer.of(0x30)],
    ['text', () => Buffer.from('this is no certificate')],
    ['a picture', () => Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')],
    ['zeros', () => Buffer.alloc(100_000)],
    ['a length of 4 GiB', () => Buffer.from('3084ffffffff02010330', 'hex')],
    ['a length of 126 bytes', () => Buffer.concat([Buffer.of(0x30, 0xfe), Buffer.alloc(200, 0xff)])],
    ['an OCTET STRING of 2 GiB', () => Buffer.from('300f020103300a06092a864886f70d010701a0847fffffff', 'hex')],
    ['1,000 levels', () => nested(1000)],
    ['20,000 levels', () => nested(20_000)],
    ['300,000 levels of indefinite length', () => Buffer.alloc(600_000, Buffer.of(0x30, 0x80))],
    [
      '500,000 empty elements',
      () =>
        Buffer.concat([
          Buffer.from('3083' + (1_000_000).toString(16).padStart(6, '0'), 'hex'),
          Buffer.alloc(1_000_000, Buffer.of(0x05, 0x00)),
        ]),
    ],
    ['PEM without end', () => Buffer.from('-----BEGIN CERTIFICATE-----\nMIIB')],
    ['PEM of nothing', () => Buffer.from('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n')],
    ['PEM of garbage', () => Buffer.from('-----BEGIN PRIVATE KEY-----\nAAAA????\n-----END PRIVATE KEY-----\n')],
    [
      '20,000 empty PEM blocks',
      () => Buffer.from('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'.repeat(19_000)),
    ],
    ['a PEM line of 1 MiB', () => Buffer.from(`-----BEGIN ${'A'.repeat(1_000_000)}`)],
    ['20,000 PEM begins', () => Buffer.from('-----BEGIN CERTIFICATE-----\n'.repeat(37_000))],
  ])('%s', async (_, make) => {
    expect(['certificate.malformed', 'certificate.too-costly']).toContain(
      await codeOf({ file: make(), password: 'secret' }),
    );
  });

  it('a scrypt key that needs 254 MiB of memory is refused', async () => {
    const key = openssl.path('scrypt.key');
    await openssl.run(
      'pkcs8',
      '-topk8',
      '-in',
      good.keyFile,
      '-outform',
      'DER',
      '-out',
      key,
      '-passout',
      'pass:secret',
      '-scrypt',
    );
    const keyFile = await readFile(key);
    // Changes the block size from 8 to 127, so the memory need grows from 16 MiB to 254 MiB.
    const blockSize = keyFile.indexOf(Buffer.from('020108020101', 'hex'));
    expect(blockSize).toBeGreaterThan(0);
    keyFile[blockSize + 2] = 0x7f;
    expect(await codeOf({ ...pem(good.certPem), keyFile, password: 'secret' })).toBe('certificate.too-costly');
  });

  it('every truncation of a P12 is refused', () => {
    const results = new Set<string>();
    for (let length = 0; length < p12.length; length += 1)
      results.add(parse({ file: p12.subarray(0, length), password: 'secret' }));
    expect([...results]).toEqual(['certificate.malformed']);
  });

  it('every flipped byte of a P12 is refused or does not change the imported content', () => {
    const intact = parse({ file: p12, password: 'secret' });
    expect(intact).toMatch(/^imported /);
    for (let index = 0; index < p12.length; index += 1) {
      const changed = Buffer.from(p12);
      changed[index] = (changed[index] ?? 0) ^ (1 << (index % 8));
      const result = parse({ file: changed, password: 'secret' });
      if (result !== intact) expect(result).toMatch(/^certificate\.(malformed|wrong-password|too-costly)$/);
    }
  });

  it('can be canceled, before and during the work', async () => {
    await expect(
      importCertificate({ file: p12, password: 'secret' }, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ name: 'AbortError' });
    const controller = new AbortController();
    const running = importCertificate({ file: p12, password: 'secret' }, { signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('does no more work after it was canceled', async () => {
    // This file takes several seconds of work.
    const claimed = algorithm('1.2.840.113549.1.12.1.3', sequence(octets(randomBytes(8)), integer(10_000_000)));
    const file = pkcs12([encryptedContent({ password: 'x', claimed }, secretBag(randomBytes(64)))]);
    const controller = new AbortController();
    const onProgress = (): void => controller.abort();
    const running = importCertificate({ file, password: 'x' }, { signal: controller.signal, onProgress });
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    let [at, used] = [performance.now(), process.cpuUsage()];
    await vi.waitFor(
      () => {
        const passedMs = performance.now() - at;
        expect(passedMs).toBeGreaterThan(100);
        const { user, system } = process.cpuUsage(used);
        [at, used] = [performance.now(), process.cpuUsage()];
        expect((user + system) / 1000 / passedMs, 'share of a processor').toBeLessThan(0.2);
      },
      { timeout: 1500, interval: 150 },
    );
  });

  it('reads a million rounds in another thread within a few seconds of work, and reports progress', async () => {
    for (const args of [[], ['-legacy']]) {
      const file = await opensslPkcs12(openssl, good, { password: 'secret', args: [...args, '-iter', '1000000'] });
      const shares: number[] = [];
      const wholeBefore = process.cpuUsage();
      const ownBefore = process.threadCpuUsage();
      using imported = await importCertificate(
        { file, password: 'secret' },
        { onProgress: (share) => shares.push(share) },
      );
      const own = process.threadCpuUsage(ownBefore);
      const whole = process.cpuUsage(wholeBefore);
      expect(imported.summary.commonName).toBe('Server');
      // Measures CPU time, because elapsed time depends on other load of the machine. The main thread only does the final trial handshake.
      expect(own.user + own.system).toBeLessThan(1_000_000);
      expect(whole.user + whole.system).toBeLessThan(10_000_000);
      expect(shares.length).toBeGreaterThan(1);
    }
  }, 120_000);

  it('does not block the event loop while a costly file is read', async () => {
    const file = await opensslPkcs12(openssl, good, { password: 'secret', args: ['-legacy', '-iter', '500000'] });
    const state = { isDone: false };
    const running = codeOf({ file, password: 'secret' }).finally(() => (state.isDone = true));
    let longestMs = 0;
    // CPU time of this thread, without waiting times on a busy machine.
    const ownMs = (): number => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    };
    for (let last = ownMs(); !state.isDone;) {
      await turn();
      const now = ownMs();
      longestMs = Math.max(longestMs, now - last);
      last = now;
    }
    expect(await running).toMatch(/^imported/);
    expect(longestMs).toBeLessThan(400);
  }, 120_000);

  it('leaves no open handle and no port behind', async () => {
    await codeOf({ file: randomBytes(1000) });
    const probe = createServer().listen(0);
    await new Promise((resolve) => probe.close(resolve));
  });
});

/** Reads the file in this thread, which is faster than starting a worker. */
function parse(input: ImportInput): string {
  try {
    const { leaf, privateKey } = selectImport(parseImport(input, new WorkBudget()), Date.now());
    const key = createHash('sha256')
      .update(privateKey.export({ type: 'pkcs8', format: 'der' }))
      .digest('hex');
    return `imported ${leaf.x509.fingerprint256} ${key}`;
  } catch (error) {
    if (!(error instanceof FarkeepError) || !error.code.startsWith('certificate.')) throw error;
    expect(error.message).not.toContain('secret');
    return error.code;
  }
}

describe('random damage', () => {
  const runs = Number(process.env['FARKEEP_FUZZ_RUNS'] ?? 400);

  /** Cuts, repeats, overwrites and flips parts of a real file. */
  const mutation = fc.record({
    kind: fc.constantFrom('flip', 'overwrite', 'cut', 'double', 'insert', 'length'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
  });
  type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

  function mutate(input: Buffer, mutations: readonly Mutation[]): Buffer {
    let bytes: Buffer = Buffer.from(input);
    for (const { kind, at, bytes: given } of mutations) {
      const index = Math.floor(at * bytes.length);
      const before = bytes.subarray(0, index);
      if (kind === 'flip') bytes[index] = (bytes[index] ?? 0) ^ (given[0] ?? 1);
      else if (kind === 'overwrite') bytes = Buffer.concat([before, given, bytes.subarray(index + given.length)]);
      else if (kind === 'cut') bytes = Buffer.concat([before, bytes.subarray(index + given.length)]);
      else if (kind === 'double')
        bytes = Buffer.concat([before, bytes.subarray(index, index + given.length * 8), bytes.subarray(index)]);
      else if (kind === 'insert') bytes = Buffer.concat([before, given, bytes.subarray(index)]);
      else bytes[index] = 0x80 | ((given[0] ?? 0) & 0x0f);
    }
    return bytes;
  }

  it(`refuses ${runs} damaged files of each kind with a code, or reads the same key`, async () => {
    const files: ReadonlyArray<readonly [string, Buffer, Buffer | undefined]> = [
      ['P12', p12, undefined],
      [
        'P12 without MAC',
        await opensslPkcs12(openssl, good, { password: 'secret', args: ['-nomac', '-noiter'] }),
        undefined,
      ],
      [
        'P12 not encrypted',
        await opensslPkcs12(openssl, good, {
          password: 'secret',
          args: ['-keypbe', 'NONE', '-certpbe', 'NONE', '-nomac'],
        }),
        undefined,
      ],
      [
        'old P12',
        await opensslPkcs12(openssl, good, { password: 'secret', args: ['-legacy', '-noiter', '-nomac'] }),
        undefined,
      ],
      ['PEM', Buffer.from(good.certPem + good.keyPem + root.certPem), undefined],
      ['DER', Buffer.from(good.certPem.split('\n').slice(1, -2).join(''), 'base64'), Buffer.from(good.keyPem)],
    ];
    for (const [, file, keyFile] of files) {
      fc.assert(
        fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), (mutations) => {
          expect(parse({ file: mutate(file, mutations), keyFile, password: 'secret' })).toMatch(
            /^(imported|certificate\.)/,
          );
        }),
        { numRuns: runs },
      );
    }
  }, 120_000);

  it(`refuses ${runs} random inputs with a code`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (bytes, startsLikeDer) => {
        const file = startsLikeDer
          ? Buffer.concat([Buffer.from('3082020002010330', 'hex'), bytes])
          : Buffer.from(bytes);
        expect(parse({ file, password: 'secret' })).toMatch(/^certificate\./);
      }),
      { numRuns: runs },
    );
  }, 60_000);
});
