// Owns the mapping from algorithm identifiers in files to ciphers, and decryption. Must not encrypt.
import { createDecipheriv, getCipherInfo } from 'node:crypto';
import { BerError, type BerNode } from '../certificate/ber-reader.ts';
import { unknownAlgorithm, withLegacyProvider } from './file-hashes.ts';
import { decryptDes, decryptRc2 } from '../certificate/forge.ts';
import { applyRc4 } from './rc4.ts';

export interface FileCipher {
  readonly keyBytes: number;
  readonly ivBytes: number;
  /** @returns undefined when the padding is wrong, as with a wrong key */
  readonly decrypt: (key: Buffer, iv: Buffer, data: Buffer) => Buffer | undefined;
}

/** Key and block size of the ciphers that only OpenSSL's legacy provider has. */
const legacyCiphers: Readonly<Record<string, readonly [keyBytes: number, ivBytes: number]>> = {
  bf: [16, 8],
  cast5: [16, 8],
  idea: [16, 8],
  seed: [16, 16],
  des: [8, 8],
};

/** @param name OpenSSL's, in lower case. @throws RangeError when OpenSSL does not have it */
export function cipherOf(name: string): FileCipher {
  const forged = forgedCiphers[name];
  if (forged !== undefined) return forged;
  const legacy = legacyCiphers[name.slice(0, name.lastIndexOf('-'))];
  if (legacy !== undefined) {
    const [keyBytes, ivBytes] = legacy;
    return {
      keyBytes,
      ivBytes: name.endsWith('-ecb') ? 0 : ivBytes,
      decrypt: (key, iv, data) =>
        withLegacyProvider(`the cipher ${name.toUpperCase()}`, () => decryptBy(name, key, iv, data)),
    };
  }
  const info = getCipherInfo(name);
  if (info === undefined) throw new RangeError(`Unknown cipher ${name}`);
  return {
    keyBytes: info.keyLength,
    ivBytes: info.ivLength ?? 0,
    decrypt: (key, iv, data) => decryptBy(name, key, iv, data),
  };
}

function decryptBy(name: string, key: Buffer, iv: Buffer, data: Buffer): Buffer | undefined {
  const decipher = createDecipheriv(name, key, iv.length === 0 ? null : iv);
  try {
    return Buffer.concat([decipher.update(data), decipher.final()]);
  } catch {
    // A wrong password gives wrong padding; the caller reports the wrong password.
    return undefined;
  }
}

function rc2(bits: number): FileCipher {
  return { keyBytes: Math.ceil(bits / 8), ivBytes: 8, decrypt: (key, iv, data) => decryptRc2(key, bits, iv, data) };
}

function rc4(bits: number): FileCipher {
  return { keyBytes: bits / 8, ivBytes: 0, decrypt: (key, _iv, data) => applyRc4(key, data) };
}

/** Legacy ciphers in real files. They are decrypted without OpenSSL's legacy provider, so that every computer can read them. */
const forgedCiphers: Readonly<Record<string, FileCipher>> = {
  'des-cbc': { keyBytes: 8, ivBytes: 8, decrypt: decryptDes },
  'rc2-cbc': rc2(128),
  'rc2-64-cbc': rc2(64),
  'rc2-40-cbc': rc2(40),
  rc4: rc4(128),
  'rc4-40': rc4(40),
};

/** The ciphers of PKCS#12 PBE (RFC 7292, appendix C). All of them derive the key with SHA-1. */
export const pkcs12Ciphers: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.12.1.1': 'rc4',
  '1.2.840.113549.1.12.1.2': 'rc4-40',
  '1.2.840.113549.1.12.1.3': 'des-ede3-cbc',
  // Two-key 3DES: the third key equals the first.
  '1.2.840.113549.1.12.1.4': 'des-ede-cbc',
  '1.2.840.113549.1.12.1.5': 'rc2-cbc',
  '1.2.840.113549.1.12.1.6': 'rc2-40-cbc',
};

/** The modes of one cipher, keyed by the last part of the identifier (after `prefix`). */
function modesOf(cipher: string, prefix: string, arcs: Readonly<Record<string, number>>): Array<[string, string]> {
  return Object.entries(arcs).map(([mode, arc]) => [`${prefix}.${arc}`, `${cipher}-${mode}`]);
}

function threeKeyLengths(bits: number, index: number): Array<[string, string]> {
  const at = (step: number, first: number): number => step * index + first;
  return [
    ...modesOf(`aes-${bits}`, '2.16.840.1.101.3.4.1', {
      ecb: at(20, 1),
      cbc: at(20, 2),
      ofb: at(20, 3),
      cfb: at(20, 4),
    }),
    ...modesOf(`aria-${bits}`, '1.2.410.200046.1.1', { ecb: at(5, 1), cbc: at(5, 2), cfb: at(5, 3), ofb: at(5, 4) }),
    ...modesOf(`camellia-${bits}`, '1.2.392.200011.61.1.1.1', { cbc: at(1, 2) }),
    ...modesOf(`camellia-${bits}`, '0.3.4401.5.3.1.9', { ecb: at(20, 1), ofb: at(20, 3), cfb: at(20, 4) }),
  ];
}

/** Every cipher that OpenSSL can use for PBES2, except authenticated ones. */
const pbes2Ciphers: Readonly<Record<string, string>> = Object.fromEntries([
  ...[128, 192, 256].flatMap(threeKeyLengths),
  ...modesOf('sm4', '1.2.156.10197.1.104', { ecb: 1, cbc: 2, ofb: 3, cfb: 4 }),
  ...modesOf('seed', '1.2.410.200004.1', { ecb: 3, cbc: 4, cfb: 5, ofb: 6 }),
  ...modesOf('des', '1.3.14.3.2', { ecb: 6, cbc: 7, ofb: 8, cfb: 9 }),
  ['1.2.840.113549.3.7', 'des-ede3-cbc'],
  ['1.3.14.3.2.17', 'des-ede-ecb'],
  ['1.2.840.113549.3.4', 'rc4'],
  ['1.3.6.1.4.1.3029.1.2', 'bf-cbc'],
  ['1.2.840.113533.7.66.10', 'cast5-cbc'],
]);
const rc2Cbc = '1.2.840.113549.3.2';
/** RFC 8018, B.2.3: version numbers encode the effective key bits; numbers from 256 on are the bit count itself. */
const rc2Versions: Readonly<Record<number, number>> = { 160: 40, 120: 64, 58: 128 };

export interface Pbes2Scheme {
  readonly cipher: FileCipher;
  readonly iv: Buffer;
  /** Whether the key may have a length other than the cipher's usual one. */
  readonly hasVariableKey: boolean;
}

/**
 * The encryption scheme of PBES2.
 *
 * @param statedKeyBytes the key length that the key derivation states, if any
 * @throws BerError | FarkeepError 'certificate.malformed' (unknown cipher)
 */
export function readScheme(scheme: BerNode, statedKeyBytes: number | undefined): Pbes2Scheme {
  const oid = scheme.child(0).oid();
  const parameters = scheme.children()[1];
  if (oid === rc2Cbc) {
    const [version, iv] = parameters?.children() ?? [];
    if (version === undefined || iv === undefined) throw new BerError('RC2 without its parameters');
    const number = version.smallInteger();
    const bits = number >= 256 && number <= 1024 ? number : rc2Versions[number];
    if (bits === undefined) throw new BerError('unknown RC2 version');
    return { cipher: rc2(bits), iv: checkedIv(iv.octets(), 8), hasVariableKey: true };
  }
  const name = withStatedKey(pbes2Ciphers[oid] ?? unknownAlgorithm('the cipher', oid), statedKeyBytes);
  const cipher = cipherOf(name);
  const hasVariableKey = /^(bf|cast5|rc4)/.test(name);
  if (cipher.ivBytes === 0) return { cipher, iv: Buffer.alloc(0), hasVariableKey };
  if (parameters === undefined) throw new BerError('no initialization vector');
  // RFC 2984 puts the IV of CAST5 into a SEQUENCE with the key length. OpenSSL writes the IV alone.
  const iv = parameters.isSequence() ? parameters.child(0) : parameters;
  return { cipher, iv: checkedIv(iv.octets(), cipher.ivBytes), hasVariableKey };
}

/** NSS up to 3.29 writes the identifier of AES-128 but encrypts with AES-256. The length of the derived key is correct. */
function withStatedKey(cipher: string, keyBytes: number | undefined): string {
  const mode = /^aes-(?:128|192|256)-(\w+)$/.exec(cipher)?.[1];
  const isKeyOfAes = keyBytes === 16 || keyBytes === 24 || keyBytes === 32;
  return mode !== undefined && isKeyOfAes ? `aes-${keyBytes * 8}-${mode}` : cipher;
}

function checkedIv(iv: Buffer, ivBytes: number): Buffer {
  if (iv.length !== ivBytes) throw new BerError('the initialization vector has a wrong length');
  return iv;
}
