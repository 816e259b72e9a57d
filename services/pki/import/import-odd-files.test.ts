// Tests unusual and hostile PFX files and keys: accepted files, refused files, and the exact messages.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OpenSsl, type TestCertificate } from '../../testing/certificates/openssl.ts';
import {
  algorithm,
  certificateBag,
  crlBag,
  element,
  encryptedContent,
  encryptedKey,
  integer,
  keyBag,
  nestedBag,
  octets,
  pkcs12,
  plainContent,
  bag,
  secretBag,
  sequence,
  shroudedKeyBag,
} from '../../testing/certificates/pkcs12-writer.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { parseImport } from './import-parser.ts';
import type { ReadCertificate } from '../certificate/certificate-summary.ts';
import { linkChain, selectImport } from './import-selection.ts';
import { WorkBudget } from './work-budget.ts';

let openssl: OpenSsl;
let certificate: TestCertificate;
let other: TestCertificate;
let der: Buffer;
let key: Buffer;
let otherKey: Buffer;
beforeAll(async () => {
  openssl = await OpenSsl.create();
  [certificate, other] = await Promise.all([openssl.server(['DNS:gw.a.test']), openssl.server(['DNS:gw.a.test'])]);
  der = new X509Certificate(certificate.certPem).raw;
  key = createPrivateKey(certificate.keyPem).export({ type: 'pkcs8', format: 'der' });
  otherKey = createPrivateKey(other.keyPem).export({ type: 'pkcs8', format: 'der' });
});
afterAll(() => openssl[Symbol.asyncDispose]());

const password = 'secret';
const protection = { password };

function read(
  file: Buffer,
  options: { keyFile?: Buffer; password?: string; onProgress?: (share: number) => void } = {},
): string {
  try {
    const content = parseImport({ password, ...options, file }, new WorkBudget(options.onProgress));
    return selectImport(content, Date.now()).leaf.x509.fingerprint256;
  } catch (error) {
    if (!(error instanceof FarkeepError)) throw error;
    return `${error.code}: ${error.message} | ${error.hint}`;
  }
}
const fingerprint = (): string => new X509Certificate(certificate.certPem).fingerprint256;
/** Certificate and key under one password, with a correct MAC. */
const usual = (): Buffer =>
  pkcs12(
    [encryptedContent(protection, certificateBag(der)), plainContent(shroudedKeyBag(key, protection))],
    protection,
  );

describe('valid but unusual PFX files', () => {
  it.each<[string, () => Buffer]>([
    ['a MAC by PBMAC1 (RFC 9579)', usual],
    ['bags in bags', () => pkcs12([plainContent(nestedBag(nestedBag(certificateBag(der)), nestedBag(keyBag(key))))])],
    [
      'lists, secrets and bags of kinds that nobody knows beside it',
      () =>
        pkcs12([
          plainContent(crlBag(octets(Buffer.alloc(40))), secretBag(Buffer.from('x')), bag('1.2.3.4.5', integer(1))),
          plainContent(certificateBag(der), keyBag(key)),
        ]),
    ],
    [
      'the key before the certificate, both encrypted',
      () => pkcs12([encryptedContent(protection, keyBag(key), certificateBag(der))]),
    ],
    [
      'a key that is encrypted twice, by its bag and with all of the content',
      () => pkcs12([encryptedContent(protection, shroudedKeyBag(key, protection), certificateBag(der))], protection),
    ],
    [
      'the same key and certificate twice',
      () => pkcs12([plainContent(keyBag(key), certificateBag(der), certificateBag(der), keyBag(key))]),
    ],
    ['bytes behind the end', () => Buffer.concat([usual(), Buffer.alloc(100)])],
    ['an empty content beside it', () => pkcs12([plainContent(), plainContent(certificateBag(der), keyBag(key))])],
  ])('%s', (_, make) => {
    expect(read(make())).toBe(fingerprint());
  });

  it('accepts both an empty and an absent password of the file when no password was typed', () => {
    expect(read(pkcs12([encryptedContent({ password: '' }, certificateBag(der), keyBag(key))]), { password: '' })).toBe(
      fingerprint(),
    );
  });

  it.each<[string, BufferEncoding | 'utf16be']>([
    ['UTF-8', 'utf8'],
    ['Latin-1', 'latin1'],
    ['UTF-16 (NSS)', 'utf16be'],
  ])('a password with umlauts, written as %s', (_, encoding) => {
    const typed = 'pässwörd';
    const bytes = encoding === 'utf16be' ? Buffer.from(`${typed}\0`, 'utf16le').swap16() : Buffer.from(typed, encoding);
    const file = pkcs12(
      [
        encryptedContent({ password: bytes }, certificateBag(der)),
        plainContent(shroudedKeyBag(key, { password: bytes })),
      ],
      { password: bytes },
    );
    expect(read(file, { password: typed })).toBe(fingerprint());
    expect(read(file, { password: 'passwort' })).toMatch(/^certificate\.wrong-password/);
  });
});

describe('keyed hashes of PBKDF2', () => {
  it.each<readonly [oid: string, hash: string]>([
    ['1.2.840.113549.2.6', 'md5'],
    ['1.2.840.113549.2.7', 'sha1'],
    ['1.2.840.113549.2.8', 'sha224'],
    ['1.2.840.113549.2.10', 'sha384'],
    ['1.2.840.113549.2.11', 'sha512'],
    ['1.2.840.113549.2.12', 'sha512-224'],
    ['1.2.840.113549.2.13', 'sha512-256'],
    ['2.16.840.1.101.3.4.2.13', 'sha3-224'],
    ['2.16.840.1.101.3.4.2.14', 'sha3-256'],
    ['2.16.840.1.101.3.4.2.15', 'sha3-384'],
    ['2.16.840.1.101.3.4.2.16', 'sha3-512'],
    ['1.2.156.10197.1.401.2', 'sm3'],
  ])('%s is HMAC with %s', (...prf) => {
    const keyFile = encryptedKey(key, { password, prf });
    expect(read(Buffer.from(certificate.certPem), { keyFile })).toBe(fingerprint());
  });
});

describe('a part of the file that the right password does not open', () => {
  const words = /^certificate\.malformed: The password is correct, but it does not open one part of the file/;
  const otherPassword = { password: 'another' };

  it('is reported as such when the MAC has proved the password', () => {
    const keyWithOtherPassword = pkcs12(
      [encryptedContent(protection, certificateBag(der)), plainContent(shroudedKeyBag(key, otherPassword))],
      protection,
    );
    const allWithOtherPassword = pkcs12(
      [encryptedContent(otherPassword, certificateBag(der), keyBag(key))],
      protection,
    );
    for (const file of [keyWithOtherPassword, allWithOtherPassword]) expect(read(file)).toMatch(words);
    expect(read(keyWithOtherPassword)).toContain('Export the file again, with one password for all parts.');
  });

  it('is reported as such when another part has proved the password', () => {
    expect(
      read(
        pkcs12([encryptedContent(protection, certificateBag(der)), plainContent(shroudedKeyBag(key, otherPassword))]),
      ),
    ).toMatch(words);
  });

  it('is reported as a wrong password when nothing has proved the password', () => {
    const file = pkcs12([
      encryptedContent(otherPassword, certificateBag(der)),
      plainContent(shroudedKeyBag(key, otherPassword)),
    ]);
    expect(read(file)).toMatch(/^certificate\.wrong-password/);
  });
});

describe('unknown algorithms', () => {
  const null_ = Buffer.of(0x05, 0x00);
  const pbes2 = (
    scheme: Buffer,
    derivation = algorithm('1.2.840.113549.1.5.12', sequence(octets(Buffer.alloc(8)), integer(1))),
  ): Buffer => algorithm('1.2.840.113549.1.5.13', sequence(derivation, scheme));
  const prf = (oid: string): Buffer =>
    algorithm('1.2.840.113549.1.5.12', sequence(octets(Buffer.alloc(8)), integer(1), algorithm(oid, null_)));
  const aes = algorithm('2.16.840.1.101.3.4.1.42', octets(Buffer.alloc(16)));

  it.each<[string, Buffer, string]>([
    [
      'the encryption',
      algorithm('1.2.840.113549.1.5.1', sequence(octets(Buffer.alloc(8)), integer(1))),
      'the encryption PBES1 with MD2 and DES (1.2.840.113549.1.5.1)',
    ],
    [
      'the cipher',
      pbes2(algorithm('1.2.643.2.2.21', octets(Buffer.alloc(8)))),
      'the cipher GOST 28147-89 (1.2.643.2.2.21)',
    ],
    ['a cipher without a name', pbes2(algorithm('1.2.3.4.5.6')), 'the cipher 1.2.3.4.5.6,'],
    [
      'an authenticated cipher',
      pbes2(algorithm('2.16.840.1.101.3.4.1.46', null_)),
      'the cipher AES-256-GCM (2.16.840.1.101.3.4.1.46)',
    ],
    [
      'the keyed hash',
      pbes2(aes, prf('1.2.643.7.1.1.4.2')),
      'the keyed hash HMAC with Streebog-512 (1.2.643.7.1.1.4.2)',
    ],
    ['the key derivation', pbes2(aes, algorithm('1.2.3.4', null_)), 'the key derivation 1.2.3.4,'],
  ])('are named: %s', (_, claimed, words) => {
    for (const answer of [
      read(pkcs12([encryptedContent({ password, claimed }, certificateBag(der))], protection)),
      read(pkcs12([plainContent(certificateBag(der), shroudedKeyBag(key, { password, claimed }))], protection)),
      read(Buffer.from(certificate.certPem), { keyFile: encryptedKey(key, { password, claimed }) }),
    ]) {
      expect(answer).toContain(`certificate.malformed: The file uses ${words}`);
      expect(answer).toContain('which this program does not know | Export it again with AES-256 and SHA-256');
      expect(answer).not.toContain('PFX/P12, PEM or DER');
    }
  });

  it('are named when the MAC uses them', () => {
    const answer = read(
      pkcs12([plainContent(certificateBag(der), keyBag(key))], {
        password,
        claimed: algorithm('1.2.840.113549.2.2', null_),
      }),
    );
    expect(answer).toContain('The file uses the hash MD2 (1.2.840.113549.2.2), which this program does not know');
    expect(answer).not.toContain('PFX/P12, PEM or DER');
  });

  it('are told apart from a part that is encrypted for another certificate, and from a signed file', () => {
    const enveloped = sequence(Buffer.from('06092a864886f70d010703', 'hex'), element(0xa0, sequence(integer(0))));
    expect(read(pkcs12([enveloped]))).toContain('encrypted for another certificate | Export it with a password.');
  });

  it('include Blowfish where the legacy provider cannot be loaded', () => {
    process.env['FARKEEP_NATIVE'] = 'off';
    try {
      const claimed = pbes2(algorithm('1.3.6.1.4.1.3029.1.2', octets(Buffer.alloc(8))));
      expect(read(pkcs12([encryptedContent({ password, claimed }, certificateBag(der))]))).toContain(
        "The file uses the cipher BF-CBC, which only OpenSSL's legacy provider supports, and this computer cannot load that provider",
      );
    } finally {
      delete process.env['FARKEEP_NATIVE'];
    }
  });
});

describe('rounds of key derivation', () => {
  const parts = (rounds: bigint | number): Array<() => string> => [
    () => read(pkcs12([encryptedContent({ password, rounds }, certificateBag(der), keyBag(key))])),
    () => read(pkcs12([plainContent(certificateBag(der), shroudedKeyBag(key, { password, rounds }))])),
    () => read(pkcs12([plainContent(certificateBag(der), keyBag(key))], { password, rounds })),
    () => read(Buffer.from(certificate.certPem), { keyFile: encryptedKey(key, { password, rounds }) }),
  ];

  it.each([10_000_001n, 2n ** 31n, 2n ** 32n + 1n, 2n ** 63n])(
    '%s are refused as too many, without delay',
    (rounds) => {
      for (const part of parts(rounds)) {
        const before = process.threadCpuUsage();
        expect(part()).toMatch(
          /^certificate\.too-costly: The file asks for .+ rounds of key derivation; at most 10,000,000 are allowed \| .*600,000 are usual/,
        );
        expect(process.threadCpuUsage(before).user).toBeLessThan(500_000);
      }
    },
  );

  it.each([0, -1, -600_000])('%s are refused as invalid', (rounds) => {
    for (const part of parts(rounds)) expect(part()).toMatch(/^certificate\.malformed/);
  });

  it.each([1, 127, 128, 255, 256, 32_768])('%s are accepted', (rounds) => {
    for (const part of parts(rounds)) expect(part()).toBe(fingerprint());
  });

  it('of all parts of a file count together against the limit', () => {
    // Tests the budget alone, because a real derivation of this size takes too long.
    const budget = new WorkBudget();
    expect(() => {
      for (let part = 0; part < 40; part += 1) budget.admit(20_000_000);
    }).toThrow('more key derivations than this program allows');
  });
});

describe('progress of reading', () => {
  it('is reported for a file that takes long, never decreases, and ends at 1', () => {
    const shares: number[] = [];
    const costly = { password, rounds: 100_000 };
    const weight = Array.from({ length: 9 }, () => shroudedKeyBag(key, costly));
    const file = pkcs12([plainContent(certificateBag(der), ...weight)], costly);
    expect(read(file, { onProgress: (share) => shares.push(share) })).toBe(fingerprint());
    expect(shares.length).toBeGreaterThanOrEqual(10);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  });

  it('is not reported for a usual file', () => {
    expect(read(usual(), { onProgress: () => expect.fail('nobody can see that') })).toBe(fingerprint());
  });
});

describe('several keys, and files that are not certificate files', () => {
  it('an OpenSSH key is refused with the command that converts it', () => {
    const block = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE=\n-----END OPENSSH PRIVATE KEY-----\n';
    expect(read(Buffer.from(certificate.certPem + block))).toMatch(
      /format of OpenSSH \| Convert .+ssh-keygen -p -m PKCS8/,
    );
  });

  it('a PFX in PEM text, as certtool writes it, is read', () => {
    const text = usual().toString('base64').replace(/.{64}/g, '$&\n');
    expect(read(Buffer.from(`-----BEGIN PKCS12-----\n${text}\n-----END PKCS12-----\n`))).toBe(fingerprint());
  });

  it('a hundred certificates with one name do not cause a signature check for each pair', () => {
    let checks = 0;
    const fake = (): ReadCertificate =>
      ({
        x509: {
          checkIssued: () => true,
          verify: () => {
            checks += 1;
            return false;
          },
        },
        structure: { issuerDer: sequence(), subjectDer: sequence(element(0x31)) },
      }) as unknown as ReadCertificate;
    expect(linkChain(fake(), Array.from({ length: 1000 }, fake))).toEqual([]);
    expect(checks).toBeLessThanOrEqual(200);
  });

  it('several keys have their own message, also in a PFX', () => {
    const file = pkcs12([plainContent(certificateBag(der), keyBag(key), shroudedKeyBag(otherKey, protection))]);
    expect(read(file)).toMatch(/^certificate\.several-keys: The file contains 2 different private keys/);
  });
});
