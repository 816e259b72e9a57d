// Owns a corpus of valid PFX files of other software: openssl, certtool (GnuTLS), pk12util (NSS, Firefox), keytool (Java), and unusual ones
// from pkcs12-writer.ts. For the import test and for `npm run pfx-corpus`.
import { execFile, spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { OpenSsl, TestCertificate } from './openssl.ts';
import {
  certificateBag,
  crlBag,
  encryptedContent,
  keyBag,
  nestedBag,
  pkcs12,
  plainContent,
  secretBag,
  shroudedKeyBag,
} from './pkcs12-writer.ts';

const run = promisify(execFile);

export type CorpusTool = 'openssl' | 'certtool' | 'pk12util' | 'keytool' | 'crafted';

export interface CorpusFile {
  readonly tool: CorpusTool;
  readonly name: string;
  /** undefined: the file has no password. */
  readonly password: string | undefined;
  /** @returns the bytes; rejects when this version of the tool cannot write them */
  readonly write: () => Promise<Buffer>;
}

export const unusualPasswords: Readonly<Record<string, string>> = {
  'one character': 'x',
  '120 characters': 'Passwort '.repeat(14).slice(0, 120),
  'Latin-1': 'pässwörd ß',
  Cyrillic: 'пароль',
  'Czech and emoji': 'žluťoučký kůň 🔐',
  Japanese: 'パスワード',
  'blanks and quotes': ' "a\'b" \\ ',
};

export interface CorpusCertificates {
  readonly rsa: TestCertificate;
  readonly p256: TestCertificate;
  readonly p384: TestCertificate;
  readonly ed25519: TestCertificate;
  readonly issuers: readonly TestCertificate[];
}

export async function corpusCertificates(openssl: OpenSsl): Promise<CorpusCertificates> {
  const root = await openssl.authority('Corpus Root');
  const intermediate = await openssl.authority('Corpus Intermediate', { issuer: root });
  const server = (key: string): Promise<TestCertificate> =>
    openssl.server(['DNS:gw.a.test'], { issuer: intermediate, key, subject: '/CN=Northwind' });
  const [rsa, p256, p384, ed25519] = await Promise.all(['RSA:2048', 'EC:P-256', 'EC:P-384', 'ED25519'].map(server));
  if (rsa === undefined || p256 === undefined || p384 === undefined || ed25519 === undefined) throw new Error('none');
  return { rsa, p256, p384, ed25519, issuers: [intermediate, root] };
}

export const hasProgram = (program: string): boolean =>
  spawnSync(program, ['--help'], { timeout: 30_000 }).error === undefined;

const modes = (cipher: string): string[] => ['cbc', 'ecb', 'ofb', 'cfb'].map((mode) => `${cipher}-${mode}`);
const opensslCiphers = [
  ...['aes', 'aria', 'camellia'].flatMap((family) => [128, 192, 256].flatMap((bits) => modes(`${family}-${bits}`))),
  ...['sm4', 'seed', 'des'].flatMap(modes),
  ...['des-ede3-cbc', 'rc2-cbc', 'rc2-64-cbc', 'rc2-40-cbc', 'bf-cbc', 'cast5-cbc'],
];
const opensslPbes = [
  ...['PBE-SHA1-3DES', 'PBE-SHA1-2DES', 'PBE-SHA1-RC2-128', 'PBE-SHA1-RC2-40', 'PBE-SHA1-RC4-128', 'PBE-SHA1-RC4-40'],
  ...['PBE-MD5-DES', 'PBE-MD5-RC2-64', 'PBE-SHA1-DES', 'PBE-SHA1-RC2-64'],
];
const opensslHashes = [
  ...['md4', 'md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha512-224', 'sha512-256'],
  ...['sha3-224', 'sha3-256', 'sha3-384', 'sha3-512', 'ripemd160', 'whirlpool', 'sm3', 'blake2b512', 'blake2s256'],
];

/** `openssl pkcs12 -export` with all of its options. */
export function opensslFiles(openssl: OpenSsl, { issuers, ...certificates }: CorpusCertificates): CorpusFile[] {
  const file = (
    name: string,
    args: readonly string[],
    options: { password?: string; certificate?: TestCertificate; chain?: readonly TestCertificate[] } = {},
  ): CorpusFile => {
    const { password = 'secret', certificate = certificates.p256, chain = issuers } = options;
    return {
      tool: 'openssl',
      name,
      password,
      write: async () => {
        const out = openssl.path(`${name.replace(/[^A-Za-z0-9]+/g, '-')}.p12`);
        const chainFile = await openssl.write('chain.pem', chain.map(({ certPem }) => certPem).join(''));
        await openssl.run(
          'pkcs12',
          ...['-export', '-in', certificate.certFile, '-inkey', certificate.keyFile, '-out', out],
          ...['-passout', `file:${await openssl.write('password', `${password}\n`)}`],
          ...(chain.length > 0 ? ['-certfile', chainFile] : []),
          ...args,
        );
        return readFile(out);
      },
    };
  };
  const legacy = '-legacy';
  const pbe = (name: string): string[] => ['-keypbe', name, '-certpbe', name];
  return [
    ...Object.entries(certificates).flatMap(([kind, certificate]) => [
      file(`default, ${kind}`, [], { certificate }),
      file(`legacy, ${kind}`, [legacy], { certificate }),
    ]),
    ...opensslCiphers.map((cipher) => file(`PBES2 ${cipher}`, [legacy, ...pbe(cipher), '-macalg', 'sha256'])),
    ...opensslPbes.map((name) => file(name, [legacy, ...pbe(name)])),
    ...opensslHashes.map((hash) => file(`MAC ${hash}`, [legacy, ...pbe('aes-256-cbc'), '-macalg', hash])),
    ...[1, 2, 127, 128, 255, 256, 2048, 65_535, 100_000, 600_000, 1_000_000].flatMap((rounds) => [
      file(`default, ${rounds} rounds`, ['-iter', String(rounds)]),
      file(`legacy, ${rounds} rounds`, [legacy, '-iter', String(rounds)]),
    ]),
    file('SHA-512 MAC, 600000 rounds', ['-macalg', 'sha512', '-iter', '600000']),
    file('1 round without -iter', ['-noiter', '-nomaciter']),
    file('legacy, 1 round', [legacy, '-noiter', '-nomaciter']),
    ...[[], [legacy]].flatMap((old) => {
      const kind = old.length === 0 ? 'default' : 'legacy';
      return [
        file(`${kind}, without MAC`, [...old, '-nomac']),
        file(`${kind}, key not encrypted`, [...old, '-keypbe', 'NONE']),
        file(`${kind}, certificates not encrypted`, [...old, '-certpbe', 'NONE']),
        file(`${kind}, not encrypted`, [...old, ...pbe('NONE')]),
        file(`${kind}, neither encrypted nor MAC`, [...old, ...pbe('NONE'), '-nomac']),
        file(`${kind}, no chain`, old, { chain: [] }),
        file(`${kind}, names`, [...old, '-name', 'Zertifikat für 日本', '-caname', 'eins', '-caname', 'zwei']),
        file(`${kind}, CSP, LMK, keyex`, [...old, '-CSP', 'Microsoft Enhanced RSA', '-LMK', '-keyex']),
        file(`${kind}, keysig`, [...old, '-keysig']),
        file(`${kind}, empty password`, old, { password: '' }),
        file(`${kind}, empty password, without MAC`, [...old, '-nomac'], { password: '' }),
        ...Object.entries(unusualPasswords).flatMap(([what, password]) => [
          file(`${kind}, password: ${what}`, old, { password }),
          file(`${kind}, without MAC, password: ${what}`, [...old, '-nomac'], { password }),
        ]),
      ];
    }),
  ];
}

/** `certtool --to-p12`: 600,000 rounds are its default for the MAC and, by the PBES of PKCS #12, for the content. */
export function certtoolFiles(
  openssl: OpenSsl,
  { issuers, rsa, p256, p384, ed25519 }: CorpusCertificates,
): CorpusFile[] {
  const file = (
    name: string,
    certificate: TestCertificate,
    cipher: string,
    password: string | undefined,
    more: readonly string[] = [],
  ): CorpusFile => ({
    tool: 'certtool',
    name,
    password,
    write: async () => {
      const out = openssl.path(`certtool-${name.replace(/[^A-Za-z0-9]+/g, '-')}.p12`);
      const chain = await openssl.write('chain.pem', [certificate, ...issuers].map(({ certPem }) => certPem).join(''));
      await run('certtool', [
        ...[
          '--to-p12',
          '--outder',
          '--outfile',
          out,
          '--load-certificate',
          chain,
          '--load-privkey',
          certificate.keyFile,
        ],
        ...['--p12-name', 'Northwind', '--pkcs-cipher', cipher],
        ...(password === undefined
          ? ['--null-password']
          : password === ''
            ? ['--empty-password']
            : ['--password', password]),
        ...more,
      ]);
      return readFile(out);
    },
  });
  return [
    ...['3des', '3des-pkcs12', 'aes-128', 'aes-192', 'aes-256', 'rc2-40', 'arcfour'].flatMap((cipher) => [
      file(`${cipher}, RSA`, rsa, cipher, 'secret'),
      file(`${cipher}, P-256`, p256, cipher, 'secret'),
      file(`${cipher}, no password`, p256, cipher, undefined),
      file(`${cipher}, empty password`, p256, cipher, ''),
    ]),
    file('aes-256, P-384', p384, 'aes-256', 'secret'),
    file('aes-256, Ed25519', ed25519, 'aes-256', 'secret'),
    ...['SHA1', 'SHA384', 'SHA512'].map((hash) =>
      file(`aes-256, --hash ${hash}`, p256, 'aes-256', 'secret', ['--hash', hash]),
    ),
    ...Object.entries(unusualPasswords).map(([what, password]) =>
      file(`aes-256, password: ${what}`, p256, 'aes-256', password),
    ),
    ...Object.entries(unusualPasswords).map(([what, password]) =>
      file(`3des-pkcs12, password: ${what}`, p256, '3des-pkcs12', password),
    ),
  ];
}

/** `pk12util -o` from a database of NSS, as Firefox and Thunderbird export. */
export function nssFiles(openssl: OpenSsl, { issuers, rsa, p256, p384 }: CorpusCertificates): CorpusFile[] {
  const file = (
    name: string,
    certificate: TestCertificate,
    args: readonly string[],
    password = 'secret',
  ): CorpusFile => ({
    tool: 'pk12util',
    name,
    password,
    write: async () => {
      const database = openssl.path(`nss-${name.replace(/[^A-Za-z0-9]+/g, '-')}`);
      await mkdir(database, { recursive: true });
      const source = path.join(database, 'source.p12');
      const chain = await openssl.write('chain.pem', issuers.map(({ certPem }) => certPem).join(''));
      await openssl.run(
        ...['pkcs12', '-export', '-in', certificate.certFile, '-inkey', certificate.keyFile, '-certfile', chain],
        ...['-name', 'northwind', '-passout', 'pass:source', '-out', source],
      );
      const nss = (program: string, ...rest: string[]): Promise<unknown> =>
        run(program, [...rest, '-d', `sql:${database}`]);
      await nss('certutil', '-N', '--empty-password');
      await nss('pk12util', '-i', source, '-W', 'source');
      const out = path.join(database, 'out.p12');
      await nss('pk12util', '-o', out, '-n', 'northwind', '-W', password, ...args);
      return readFile(out);
    },
  });
  const old = (name: string): string => `PKCS #12 V2 PBE With SHA-1 And ${name}`;
  const ciphers = [
    ...[128, 192, 256].flatMap((bits) => [`AES-${bits}-CBC`, `CAMELLIA-${bits}-CBC`]),
    ...['SEED-CBC', 'DES-EDE3-CBC', 'RC2-CBC'],
    ...[
      old('3KEY Triple DES-CBC'),
      old('2KEY Triple DES-CBC'),
      old('128 Bit RC2 CBC'),
      old('40 Bit RC2 CBC'),
      old('128 Bit RC4'),
      old('40 Bit RC4'),
    ],
  ];
  return [
    file('default, RSA', rsa, []),
    file('default, P-256', p256, []),
    file('default, P-384', p384, []),
    ...ciphers.map((cipher) => file(cipher, p256, ['-c', cipher, '-C', cipher])),
    file('certificates not encrypted', p256, ['-C', 'none']),
    ...['SHA-1', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512'].map((hash) => file(`MAC ${hash}`, p256, ['-M', hash])),
    ...Object.entries(unusualPasswords).map(([what, password]) =>
      file(`default, password: ${what}`, p256, [], password),
    ),
    ...Object.entries(unusualPasswords).map(([what, password]) =>
      file(
        `${old('3KEY Triple DES-CBC')}, password: ${what}`,
        p256,
        ['-c', old('3KEY Triple DES-CBC'), '-C', old('40 Bit RC2 CBC')],
        password,
      ),
    ),
  ];
}

/** `keytool -genkeypair`; its properties select the algorithms. */
export function keytoolFiles(openssl: OpenSsl): CorpusFile[] {
  const file = (
    name: string,
    key: 'RSA' | 'EC' | 'Ed25519',
    properties: Readonly<Record<string, string>> = {},
    password = 'changeit',
  ): CorpusFile => ({
    tool: 'keytool',
    name,
    password,
    write: async () => {
      const out = openssl.path(`keytool-${name.replace(/[^A-Za-z0-9]+/g, '-')}.p12`);
      await run(
        'keytool',
        [
          ...Object.entries(properties).map(
            ([property, value]) => `-J-Dkeystore.pkcs12.${property}${value === '' ? '' : `=${value}`}`,
          ),
          ...[
            '-genkeypair',
            '-alias',
            'Provider Key',
            '-storetype',
            'PKCS12',
            '-keystore',
            out,
            '-storepass',
            password,
          ],
          ...['-dname', 'CN=keytool, O=Northwind', '-validity', '90', '-ext', 'SAN=dns:gw.a.test', '-keyalg', key],
          ...(key === 'RSA' ? ['-keysize', '2048'] : key === 'EC' ? ['-groupname', 'secp256r1'] : []),
        ],
        { timeout: 60_000, env: { ...process.env, LC_ALL: 'C.UTF-8' } },
      );
      return readFile(out);
    },
  });
  const both = (name: string): Record<string, string> => ({
    keyProtectionAlgorithm: name,
    certProtectionAlgorithm: name,
  });
  return [
    file('default, RSA', 'RSA'),
    file('default, EC', 'EC'),
    file('default, Ed25519', 'Ed25519'),
    file('legacy, RSA', 'RSA', { legacy: '' }),
    file('legacy, EC', 'EC', { legacy: '' }),
    ...[
      'PBEWithHmacSHA1AndAES_128',
      'PBEWithHmacSHA224AndAES_256',
      'PBEWithHmacSHA384AndAES_256',
      'PBEWithHmacSHA512AndAES_128',
      'PBEWithSHA1AndDESede',
      'PBEWithSHA1AndRC2_128',
      'PBEWithSHA1AndRC4_40',
    ].map((name) => file(name, 'EC', both(name))),
    ...['HmacPBESHA1', 'HmacPBESHA224', 'HmacPBESHA384', 'HmacPBESHA512', 'HmacPBESHA512/224', 'HmacPBESHA512/256'].map(
      (name) => file(`MAC ${name}`, 'EC', { macAlgorithm: name }),
    ),
    file('certificates not encrypted, no MAC', 'EC', { certProtectionAlgorithm: 'NONE', macAlgorithm: 'NONE' }),
    file('1000000 rounds', 'EC', {
      keyPbeIterationCount: '1000000',
      certPbeIterationCount: '1000000',
      macIterationCount: '1000000',
    }),
  ];
}

/** Files that no installed program writes. */
export function craftedFiles({ p256, issuers }: CorpusCertificates): CorpusFile[] {
  const der = new X509Certificate(p256.certPem).raw;
  const chain = issuers.map(({ certPem }) => certificateBag(new X509Certificate(certPem).raw));
  const key = createPrivateKey(p256.keyPem).export({ type: 'pkcs8', format: 'der' });
  const password = 'secret';
  const protection = { password };
  const file = (name: string, write: () => Buffer): CorpusFile => ({
    tool: 'crafted',
    name,
    password,
    write: () => Promise.resolve(write()),
  });
  const usual = (): Buffer[] => [
    encryptedContent(protection, certificateBag(der), ...chain),
    plainContent(shroudedKeyBag(key, protection)),
  ];
  return [
    file('PBMAC1', () => pkcs12(usual(), protection)),
    file('PBMAC1, 100,000 rounds', () => pkcs12(usual(), { password, rounds: 100_000 })),
    file('bags in bags', () =>
      pkcs12([encryptedContent(protection, nestedBag(certificateBag(der), nestedBag(keyBag(key))), ...chain)]),
    ),
    file('lists and secrets beside it', () =>
      pkcs12([plainContent(crlBag(Buffer.from([4, 1, 0])), secretBag(Buffer.from('x'))), ...usual()]),
    ),
    file('the key first', () => pkcs12([...usual()].reverse())),
    file('bytes after the end', () => Buffer.concat([pkcs12(usual()), Buffer.alloc(16)])),
  ];
}
