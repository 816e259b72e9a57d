import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgePkcs12, hasKeytool, keytoolPkcs12, opensslPkcs12 } from '../../testing/certificates/certificate-files.ts';
import { OpenSsl, type TestCertificate } from '../../testing/certificates/openssl.ts';
import { Secret } from '../../kernel/secret.ts';
import { readCertificate, summarize, toPem } from '../certificate/certificate-summary.ts';
import { importCertificate, type ImportInput, type ImportedCertificate } from './import.ts';
import { parseImport } from './import-parser.ts';
import { selectImport } from './import-selection.ts';
import { lookAtServer } from '../trust/peer-certificates.ts';
import { WorkBudget } from './work-budget.ts';

let openssl: OpenSsl;
let root: TestCertificate;
let intermediate: TestCertificate;
let rsa: TestCertificate;
let ec: TestCertificate;
let ec384: TestCertificate;
beforeAll(async () => {
  openssl = await OpenSsl.create();
  root = await openssl.authority('Test Root');
  intermediate = await openssl.authority('Test Intermediate', { issuer: root });
  const server = (key: string): Promise<TestCertificate> =>
    openssl.server(['DNS:gw.a.test'], { issuer: intermediate, key, subject: '/CN=Northwind/O=Northwind Hosting' });
  [rsa, ec, ec384] = await Promise.all([server('RSA:2048'), server('EC:P-256'), server('EC:P-384')]);
});
afterAll(() => openssl[Symbol.asyncDispose]());

const issuers = (): TestCertificate[] => [intermediate, root];

type Imported = Omit<ImportedCertificate, 'warnings' | typeof Symbol.dispose>;

/** Imports in this thread. Starting a worker thread for each of a hundred files would take most of the test time. */
function importHere(input: ImportInput): Imported {
  const content = parseImport(input, new WorkBudget());
  const { leaf, chain, privateKey } = selectImport(content, Date.now());
  return {
    summary: summarize(leaf),
    format: content.format,
    certificatePem: toPem(leaf.der),
    chainPem: chain.map(({ der }) => toPem(der)).join(''),
    chainLength: chain.length,
    privateKey: Secret.take(privateKey.export({ type: 'pkcs8', format: 'der' })),
    friendlyName: content.friendlyName,
  };
}

/** Imports, compares the summary with OpenSSL's output for the certificate, and serves a live TLS 1.3 connection with the result. */
async function importAndServe(input: ImportInput, expected?: TestCertificate): Promise<Imported> {
  const imported = importHere(input);
  if (expected !== undefined) {
    const text = await openssl.run('x509', '-in', expected.certFile, '-noout', '-fingerprint', '-sha256', '-serial');
    expect(text).toContain(imported.summary.sha256);
    expect(text).toContain(imported.summary.serialNumber.replaceAll(':', ''));
    expect(imported.summary).toMatchObject({
      subject: 'CN=Northwind, O=Northwind Hosting',
      issuer: 'CN=Test Intermediate',
      dnsNames: ['gw.a.test'],
    });
  }
  const server = tls.createServer({
    cert: imported.certificatePem + imported.chainPem,
    key: `-----BEGIN PRIVATE KEY-----\n${imported.privateKey.bytes.toString('base64')}\n-----END PRIVATE KEY-----\n`,
    minVersion: 'TLSv1.3',
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const presented = await lookAtServer({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    extraRoots: [root.certPem],
  });
  server.close();
  expect(presented.tls.version).toBe('TLSv1.3');
  expect(presented.leafDer).toEqual(readCertificate(imported.certificatePem).der);
  if (imported.chainLength > 0) expect(presented.isAuthorizedByOpenSsl).toBe(true);
  return imported;
}

const legacy = '-legacy';
const unusual = 'žluťoučký kůň 🔐';

describe('PFX/P12 by openssl', () => {
  it.each<[string, () => TestCertificate, string, string[]]>([
    ['PBES2, AES-256, SHA-256 MAC, RSA', () => rsa, 'secret', []],
    ['PBES2, AES-256, SHA-256 MAC, P-256', () => ec, 'secret', []],
    ['PBES2, AES-256, SHA-256 MAC, P-384', () => ec384, 'secret', []],
    [
      'PBES2, AES-128, SHA-512 MAC',
      () => ec,
      'secret',
      ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC', '-macalg', 'sha512'],
    ],
    ['PBES2, 3DES', () => ec, 'secret', ['-keypbe', 'DES-EDE3-CBC', '-certpbe', 'DES-EDE3-CBC']],
    [
      '3DES, SHA-1 MAC, RSA',
      () => rsa,
      'secret',
      [legacy, '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'],
    ],
    [
      '3DES, SHA-1 MAC, P-256',
      () => ec,
      'secret',
      [legacy, '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'],
    ],
    ['RC2-40 certificates, 3DES key (old Windows), RSA', () => rsa, 'secret', [legacy]],
    ['RC2-40 certificates, 3DES key (old Windows), P-256', () => ec, 'secret', [legacy]],
    ['RC2-40 for both', () => rsa, 'secret', [legacy, '-keypbe', 'PBE-SHA1-RC2-40', '-certpbe', 'PBE-SHA1-RC2-40']],
    ['RC2-128', () => ec, 'secret', [legacy, '-keypbe', 'PBE-SHA1-RC2-128', '-certpbe', 'PBE-SHA1-RC2-128']],
    ['RC4-128', () => ec, 'secret', [legacy, '-keypbe', 'PBE-SHA1-RC4-128', '-certpbe', 'PBE-SHA1-RC4-128']],
    ['RC4-40', () => ec, 'secret', [legacy, '-keypbe', 'PBE-SHA1-RC4-40', '-certpbe', 'PBE-SHA1-RC4-40']],
    ['two-key 3DES', () => ec, 'secret', [legacy, '-keypbe', 'PBE-SHA1-2DES', '-certpbe', 'PBE-SHA1-2DES']],
    ['PBES1 MD5 DES', () => ec, 'secret', [legacy, '-keypbe', 'PBE-MD5-DES', '-certpbe', 'PBE-MD5-DES']],
    ['PBES1 SHA1 RC2-64', () => ec, 'secret', [legacy, '-keypbe', 'PBE-SHA1-RC2-64', '-certpbe', 'PBE-SHA1-RC2-64']],
    ['without MAC', () => ec, 'secret', ['-nomac']],
    ['not encrypted, with MAC', () => ec, 'secret', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
    ['neither encrypted nor MAC', () => ec, '', ['-keypbe', 'NONE', '-certpbe', 'NONE', '-nomac']],
    ['empty password, PBES2', () => rsa, '', []],
    [
      'empty password, 3DES',
      () => rsa,
      '',
      [legacy, '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'],
    ],
    ['empty password, RC2-40', () => rsa, '', [legacy]],
    ['non-ASCII password, PBES2', () => ec, unusual, []],
    ['non-ASCII password, 3DES', () => rsa, unusual, [legacy, '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES']],
    ['non-ASCII password, RC2-40', () => rsa, unusual, [legacy]],
    ['100,000 rounds', () => ec, 'secret', ['-iter', '100000']],
    ['1 round', () => ec, 'secret', ['-noiter', '-nomaciter']],
  ])('%s', async (_, certificate, password, args) => {
    const withChain = await opensslPkcs12(openssl, certificate(), {
      password,
      args,
      chain: issuers(),
      name: 'My name',
    });
    const imported = await importAndServe({ file: withChain, password }, certificate());
    expect(imported).toMatchObject({ format: 'PFX/P12', chainLength: 1, friendlyName: 'My name' });
  });

  it('reads a file without a chain', async () => {
    const file = await opensslPkcs12(openssl, rsa, { password: 'secret' });
    expect(await importAndServe({ file, password: 'secret' }, rsa)).toMatchObject({
      chainLength: 0,
      friendlyName: undefined,
    });
  });

  it('reads a P12 that is BER with indefinite lengths', async () => {
    // Rewrites DER as BER with indefinite lengths, as "openssl cms" writes streams.
    const der = await opensslPkcs12(openssl, ec, { password: 'secret' });
    expect((await importAndServe({ file: toIndefiniteLength(der), password: 'secret' }, ec)).format).toBe('PFX/P12');
  });

  it('treats no password and an empty password alike', async () => {
    const file = await opensslPkcs12(openssl, ec, { password: '' });
    await importAndServe({ file }, ec);
  });
});

describe.skipIf(!hasKeytool)('PFX/P12 by keytool', () => {
  it.each<[string, 'RSA' | 'EC', string, string[]]>([
    ['PBES2, RSA', 'RSA', 'changeit', []],
    ['PBES2, EC', 'EC', 'changeit', []],
    ['legacy algorithms, RSA', 'RSA', 'changeit', ['-J-Dkeystore.pkcs12.legacy']],
    // No case for a non-ASCII password, because keytool cannot write one.
    ['legacy algorithms, EC', 'EC', 'changeit', ['-J-Dkeystore.pkcs12.legacy']],
  ])('%s', async (_, keyAlgorithm, password, javaArgs) => {
    const file = await keytoolPkcs12(openssl, { password, keyAlgorithm, javaArgs });
    const imported = await importAndServe({ file, password });
    expect(imported.summary).toMatchObject({
      subject: 'O=Northwind, CN=keytool',
      isSelfSigned: true,
      dnsNames: ['gw.a.test'],
    });
    expect(imported.friendlyName).toBe('provider key');
  });
});

describe('PFX/P12 by node-forge', () => {
  it.each<[string, '3des' | 'aes256', string | null]>([
    ['3DES', '3des', 'secret'],
    ['AES-256', 'aes256', 'secret'],
    ['3DES without password', '3des', null],
    ['AES-256 without password', 'aes256', null],
    ['3DES with empty password', '3des', ''],
    ['3DES with non-ASCII password', '3des', 'pässwörd'],
  ])('%s', async (_, algorithm, password) => {
    const selfSigned = await openssl.server(['DNS:gw.a.test'], { key: 'RSA:2048' });
    const file = forgePkcs12(selfSigned, { password, algorithm });
    const imported = await importAndServe({ file, ...(password === null ? {} : { password }) });
    expect(imported.friendlyName).toBe('From forge');
  });
});

describe('the worker', () => {
  it('gives the same result as reading in this thread, and runs the trial handshake', async () => {
    const file = await opensslPkcs12(openssl, rsa, {
      password: unusual,
      args: [legacy],
      chain: issuers(),
      name: 'My name',
    });
    using imported = await importCertificate({ file, password: unusual }, { extraRoots: [root.certPem] });
    const here = importHere({ file, password: unusual });
    expect(imported).toMatchObject({
      summary: here.summary,
      format: 'PFX/P12',
      certificatePem: here.certificatePem,
      chainPem: here.chainPem,
      chainLength: 1,
      friendlyName: 'My name',
      warnings: ['The certificate expires in 29 days'],
    });
    expect(imported.privateKey.equals(here.privateKey)).toBe(true);
  });

  it('does not change the input file', async () => {
    const file = await opensslPkcs12(openssl, ec, { password: 'secret' });
    const before = Buffer.from(file);
    using imported = await importCertificate({ file, password: 'secret' });
    expect(imported.summary.keyType).toBe('EC-P-256');
    expect(file).toEqual(before);
  });
});

describe('PEM', () => {
  const traditional = async (certificate: TestCertificate, cipher?: string, ...args: string[]): Promise<string> => {
    const out = await openssl.write('key.pem', '');
    const command = certificate === rsa ? 'rsa' : 'ec';
    await openssl.run(
      command,
      ...['-in', certificate.keyFile, '-out', out],
      ...(command === 'rsa' ? ['-traditional'] : []),
      ...(cipher === undefined ? [] : [`-${cipher}`, '-passout', 'pass:secret', ...args]),
    );
    return readFile(out, 'utf8');
  };
  const pkcs8 = async (certificate: TestCertificate, ...args: string[]): Promise<string> => {
    const out = await openssl.write('key.pem', '');
    await openssl.run(
      'pkcs8',
      '-topk8',
      '-in',
      certificate.keyFile,
      '-out',
      out,
      ...(args[0] === '-nocrypt' ? args : ['-passout', 'pass:secret', ...args]),
    );
    return readFile(out, 'utf8');
  };

  it.each<[string, () => Promise<[TestCertificate, string]>]>([
    ['PKCS#8, RSA', async () => [rsa, await pkcs8(rsa, '-nocrypt')]],
    ['PKCS#8, EC', async () => [ec, await pkcs8(ec, '-nocrypt')]],
    ['PKCS#1', async () => [rsa, await traditional(rsa)]],
    ['SEC1', async () => [ec, await traditional(ec)]],
    ['SEC1, P-384', async () => [ec384, await traditional(ec384)]],
    ['PKCS#8 encrypted, PBES2 AES-256', async () => [rsa, await pkcs8(rsa)]],
    ['PKCS#8 encrypted, scrypt', async () => [ec, await pkcs8(ec, '-scrypt')]],
    [
      'PKCS#8 encrypted, PBES2 with RC2',
      async () => [ec, await pkcs8(ec, '-provider', 'legacy', '-provider', 'default', '-v2', 'rc2')],
    ],
    [
      'PKCS#8 encrypted, PBES2 with DES',
      async () => [ec, await pkcs8(ec, '-provider', 'legacy', '-provider', 'default', '-v2', 'des')],
    ],
    ['PKCS#8 encrypted, 3DES', async () => [rsa, await pkcs8(rsa, '-v1', 'PBE-SHA1-3DES')]],
    [
      'PKCS#8 encrypted, MD5 DES',
      async () => [rsa, await pkcs8(rsa, '-provider', 'legacy', '-provider', 'default', '-v1', 'PBE-MD5-DES')],
    ],
    ['PKCS#1 encrypted, AES-256', async () => [rsa, await traditional(rsa, 'aes256')]],
    ['PKCS#1 encrypted, 3DES', async () => [rsa, await traditional(rsa, 'des3')]],
    ['PKCS#1 encrypted, Camellia-256', async () => [rsa, await traditional(rsa, 'camellia256')]],
    ['SEC1 encrypted, ARIA-192', async () => [ec, await traditional(ec, 'aria192')]],
    [
      'SEC1 encrypted, SEED',
      async () => [ec, await traditional(ec, 'seed', '-provider', 'legacy', '-provider', 'default')],
    ],
    [
      'PKCS#1 encrypted, Blowfish',
      async () => [rsa, await traditional(rsa, 'bf', '-provider', 'legacy', '-provider', 'default')],
    ],
    ['SEC1 encrypted, AES-128', async () => [ec, await traditional(ec, 'aes128')]],
  ])('%s', async (_, make) => {
    const [certificate, key] = await make();
    const file = Buffer.from(certificate.certPem + intermediate.certPem + key);
    expect(await importAndServe({ file, password: 'secret' }, certificate)).toMatchObject({
      format: 'PEM',
      chainLength: 1,
    });
  });

  it('reads the parts in any order', async () => {
    const [leaf, one, top, key] = [ec.certPem, intermediate.certPem, root.certPem, ec.keyPem];
    for (const parts of [
      [key, leaf, one],
      [top, key, one, leaf],
      [one, leaf, key, top],
    ]) {
      expect((await importAndServe({ file: Buffer.from(parts.join('')) }, ec)).chainLength).toBe(1);
    }
  });

  it('accepts CRLF, CR, BOM, UTF-16, other text, indentation, and SEC1 parameters', async () => {
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    const text = `Bag Attributes\n    friendlyName: x\n${ec.certPem}${parameters}subject=CN = y\n${await traditional(ec)}`;
    for (const file of [
      Buffer.from(text),
      Buffer.from(text.replaceAll('\n', '\r\n')),
      Buffer.from(text.replaceAll('\n', '\r')),
      Buffer.from(`\uFEFF${text}`),
      Buffer.from(`\uFEFF${text}`, 'utf16le'),
      Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(),
      Buffer.from(text.replaceAll('\n', '\n  ')),
      Buffer.from(text.trimEnd()),
    ]) {
      await importAndServe({ file }, ec);
    }
  });

  it('keeps one copy of a repeated key and certificate', async () => {
    const file = Buffer.from(ec.certPem + ec.keyPem + ec.certPem + (await pkcs8(ec)) + intermediate.certPem);
    expect((await importAndServe({ file, password: 'secret' }, ec)).chainLength).toBe(1);
  });
});

describe('DER with a key file', () => {
  const convert = async (command: string, file: string, ...args: string[]): Promise<Buffer> => {
    const out = await openssl.write('out.der', '');
    await openssl.run(command, '-in', file, '-outform', 'DER', '-out', out, ...args);
    return readFile(out);
  };

  it('reads every format of private key', async () => {
    const file = await convert('x509', rsa.certFile);
    const keys = [
      await readFile(rsa.keyFile),
      await convert('rsa', rsa.keyFile, '-traditional'),
      await convert('pkcs8', rsa.keyFile, '-topk8', '-nocrypt'),
      await convert('pkcs8', rsa.keyFile, '-topk8', '-passout', 'pass:secret'),
    ];
    for (const keyFile of keys)
      expect((await importAndServe({ file, keyFile, password: 'secret' }, rsa)).format).toBe('DER');
    await importAndServe({ file: await convert('x509', ec.certFile), keyFile: await convert('ec', ec.keyFile) }, ec);
  });

  it('reads a PKCS#7 bundle in DER and PEM', async () => {
    for (const form of ['DER', 'PEM']) {
      const out = await openssl.write('out.p7b', '');
      await openssl.run(
        'crl2pkcs7',
        '-nocrl',
        '-certfile',
        ec.certFile,
        '-certfile',
        intermediate.certFile,
        '-outform',
        form,
        '-out',
        out,
      );
      const imported = await importAndServe({ file: await readFile(out), keyFile: Buffer.from(ec.keyPem) }, ec);
      expect(imported.chainLength).toBe(1);
    }
  });
});

/** Rewrites the outermost elements of a PFX as BER with indefinite lengths; the content's OCTET STRING gets two pieces. */
function toIndefiniteLength(der: Buffer): Buffer {
  const read = (bytes: Buffer): { tag: number; header: number; length: number } => {
    const first = bytes[1] ?? 0;
    if (first < 0x80) return { tag: bytes[0] ?? 0, header: 2, length: first };
    const count = first & 0x7f;
    return { tag: bytes[0] ?? 0, header: 2 + count, length: bytes.readUIntBE(2, count) };
  };
  const split = (bytes: Buffer): Buffer[] => {
    const parts: Buffer[] = [];
    for (let rest = bytes; rest.length > 0;) {
      const { header, length } = read(rest);
      parts.push(rest.subarray(0, header + length));
      rest = rest.subarray(header + length);
    }
    return parts;
  };
  const content = (element: Buffer): Buffer => element.subarray(read(element).header);
  const indefinite = (tag: number, ...parts: Buffer[]): Buffer =>
    Buffer.concat([Buffer.of(tag, 0x80), ...parts, Buffer.of(0, 0)]);
  const octets = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    return Buffer.concat([Buffer.of(0x04, 0x82), length, bytes]);
  };
  const [version, authSafe, mac] = split(content(der));
  if (version === undefined || authSafe === undefined || mac === undefined) throw new Error('not a PFX');
  const [oid, explicit] = split(content(authSafe));
  if (oid === undefined || explicit === undefined) throw new Error('not a PFX');
  const data = content(content(explicit));
  const pieces = [octets(data.subarray(0, 100)), octets(data.subarray(100))];
  return indefinite(0x30, version, indefinite(0x30, oid, indefinite(0xa0, indefinite(0x24, ...pieces))), mac);
}
