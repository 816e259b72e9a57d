// Owns decrypting with a password by an algorithm identifier from a file: PBES2 (RFC 8018), PKCS#12 PBE (RFC 7292), PBES1.
// Reads only; Farkeep itself encrypts keys with PBES2 by node:crypto.
import { createDecipheriv, hash, pbkdf2Sync, scryptSync } from 'node:crypto';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { BerError, type BerNode } from './ber-reader.ts';
import { type PasswordForm } from './file-password.ts';
import { decryptDes, decryptRc2 } from './forge.ts';
import { derivePkcs12 } from './pkcs12-kdf.ts';
import type { WorkBudget } from './work-budget.ts';

const pbes2 = '1.2.840.113549.1.5.13';
const pbkdf2 = '1.2.840.113549.1.5.12';
const scrypt = '1.3.6.1.4.1.11591.4.11';
const maxScryptBytes = 128 * 1024 * 1024;

/** hmacWith..., RFC 8018 appendix B.1. */
export const hmacHashes: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

interface Cipher {
  readonly keyBytes: number;
  readonly ivBytes: number;
  readonly decrypt: (key: Buffer, iv: Buffer, data: Buffer) => Buffer | undefined;
}

function opensslCipher(name: string, keyBytes: number, ivBytes: number): Cipher {
  return {
    keyBytes,
    ivBytes,
    decrypt: (key, iv, data) => {
      const decipher = createDecipheriv(name, key, iv);
      try {
        return Buffer.concat([decipher.update(data), decipher.final()]);
      } catch {
        // Bad padding is how a wrong password looks; the caller says so.
        return undefined;
      }
    },
  };
}

const tripleDes = opensslCipher('des-ede3-cbc', 24, 8);
/** Two-key 3DES: the third key is the first one again. */
const tripleDesTwoKeys: Cipher = {
  keyBytes: 16,
  ivBytes: 8,
  decrypt: (key, iv, data) => tripleDes.decrypt(Buffer.concat([key, key.subarray(0, 8)]), iv, data),
};
const des: Cipher = { keyBytes: 8, ivBytes: 8, decrypt: decryptDes };
const rc2 = (bits: number): Cipher => ({
  keyBytes: bits / 8,
  ivBytes: 8,
  decrypt: (key, iv, data) => decryptRc2(key, bits, iv, data),
});
const rc4 = (bits: number): Cipher => ({
  keyBytes: bits / 8,
  ivBytes: 0,
  decrypt: (key, _, data) => applyRc4(key, data),
});

/** PKCS#12 PBE (RFC 7292, appendix C): all derive with SHA-1. */
const pkcs12Ciphers: Readonly<Record<string, Cipher>> = {
  '1.2.840.113549.1.12.1.1': rc4(128),
  '1.2.840.113549.1.12.1.2': rc4(40),
  '1.2.840.113549.1.12.1.3': tripleDes,
  '1.2.840.113549.1.12.1.4': tripleDesTwoKeys,
  '1.2.840.113549.1.12.1.5': rc2(128),
  '1.2.840.113549.1.12.1.6': rc2(40),
};

/** PBES1 (RFC 8018, 6.1). */
const pbes1Schemes: Readonly<Record<string, readonly [hash: 'md5' | 'sha1', cipher: Cipher]>> = {
  '1.2.840.113549.1.5.3': ['md5', des],
  '1.2.840.113549.1.5.6': ['md5', rc2(64)],
  '1.2.840.113549.1.5.10': ['sha1', des],
  '1.2.840.113549.1.5.11': ['sha1', rc2(64)],
};

const pbes2Ciphers: Readonly<Record<string, Cipher>> = {
  '2.16.840.1.101.3.4.1.2': opensslCipher('aes-128-cbc', 16, 16),
  '2.16.840.1.101.3.4.1.22': opensslCipher('aes-192-cbc', 24, 16),
  '2.16.840.1.101.3.4.1.42': opensslCipher('aes-256-cbc', 32, 16),
  '1.2.840.113549.3.7': tripleDes,
  '1.3.14.3.2.7': des,
};
const rc2Cbc = '1.2.840.113549.3.2';
/** RFC 8018, B.2.3: the version stands for the effective key bits. */
const rc2Versions: Readonly<Record<number, number>> = { 160: 40, 120: 64, 58: 128 };

/**
 * Decrypts with one form of the password.
 * @param algorithm AlgorithmIdentifier as it stands in the file
 * @returns undefined when the padding does not fit: most likely the password is wrong. A wrong password passes here once in 256 times, so
 *   look at the result's structure too.
 * @throws BerError | FarkeepError 'certificate.malformed' (unknown algorithm) | 'certificate.too-costly'
 */
export function decryptWithPassword(
  algorithm: BerNode,
  data: Buffer,
  form: PasswordForm,
  budget: WorkBudget,
): Buffer | undefined {
  const oid = algorithm.child(0).oid();
  if (oid === pbes2) return decryptPbes2(algorithm.child(1), data, form, budget);
  const salt = algorithm.child(1).child(0).octets();
  const rounds = positive(algorithm.child(1).child(1).smallInteger());
  const pkcs12Cipher = pkcs12Ciphers[oid];
  if (pkcs12Cipher !== undefined) {
    const derivation = { password: form.pkcs12, salt, rounds, algorithm: 'sha1' };
    const key = derivePkcs12('key', derivation, pkcs12Cipher.keyBytes, budget);
    const iv =
      pkcs12Cipher.ivBytes === 0 ? Buffer.alloc(0) : derivePkcs12('iv', derivation, pkcs12Cipher.ivBytes, budget);
    return pkcs12Cipher.decrypt(key, iv, data);
  }
  const scheme = pbes1Schemes[oid];
  if (scheme !== undefined) {
    budget.spendRounds(rounds);
    let derived = hash(scheme[0], Buffer.concat([form.plain, salt]), 'buffer');
    for (let round = 1; round < rounds; round += 1) derived = hash(scheme[0], derived, 'buffer');
    return scheme[1].decrypt(derived.subarray(0, 8), derived.subarray(8, 16), data);
  }
  throw new FarkeepError(
    'certificate.malformed',
    `The file is encrypted by an algorithm that this program does not know (${oid})`,
  );
}

function decryptPbes2(parameters: BerNode, data: Buffer, form: PasswordForm, budget: WorkBudget): Buffer | undefined {
  const scheme = parameters.child(1);
  const schemeOid = scheme.child(0).oid();
  let cipher = pbes2Ciphers[schemeOid];
  let iv: Buffer;
  if (schemeOid === rc2Cbc) {
    const bits = rc2Versions[scheme.child(1).child(0).smallInteger()];
    if (bits === undefined) throw new BerError('unknown RC2 version');
    cipher = rc2(bits);
    iv = scheme.child(1).child(1).octets();
  } else {
    iv = scheme.child(1).octets();
  }
  if (cipher === undefined) {
    throw new FarkeepError(
      'certificate.malformed',
      `The file is encrypted by a cipher that this program does not know (${schemeOid})`,
    );
  }
  if (iv.length !== cipher.ivBytes) throw new BerError('the initialization vector has a wrong length');
  const key = derivePbes2Key(parameters.child(0), cipher.keyBytes, form, budget);
  return cipher.decrypt(key, iv, data);
}

/** PBKDF2 or scrypt, as named by a keyDerivationFunc. Also used by PBMAC1 (RFC 9579). */
export function derivePbes2Key(
  keyDerivation: BerNode,
  keyBytes: number,
  form: PasswordForm,
  budget: WorkBudget,
): Buffer {
  const oid = keyDerivation.child(0).oid();
  const parameters = keyDerivation.child(1).children();
  const [saltNode, costNode] = parameters;
  if (saltNode === undefined || costNode === undefined) throw new BerError('key derivation parameters are missing');
  const salt = saltNode.octets();
  const cost = positive(costNode.smallInteger());
  if (oid === pbkdf2) {
    budget.spendRounds(cost);
    const prf = parameters.slice(2).find((node) => node.isSequence());
    const hashName = prf === undefined ? 'sha1' : hmacHashes[prf.child(0).oid()];
    if (hashName === undefined)
      throw new FarkeepError('certificate.malformed', 'The file uses a key derivation that this program does not know');
    return pbkdf2Sync(form.plain, salt, cost, keyBytes, hashName);
  }
  if (oid === scrypt) {
    const blockSize = positive(parameters[2]?.smallInteger() ?? 0);
    const parallelization = positive(parameters[3]?.smallInteger() ?? 0);
    if (cost * blockSize * 128 > maxScryptBytes / 2 || parallelization > 16 || (cost & (cost - 1)) !== 0 || cost < 2) {
      throw new FarkeepError('certificate.too-costly', 'The file asks for too much memory to derive its key');
    }
    budget.checkTime();
    return scryptSync(form.plain, salt, keyBytes, {
      N: cost,
      r: blockSize,
      p: parallelization,
      maxmem: maxScryptBytes,
    });
  }
  throw new FarkeepError(
    'certificate.malformed',
    `The file uses a key derivation that this program does not know (${oid})`,
  );
}

function positive(value: number): number {
  if (value < 1) throw new BerError('expected a positive number');
  return value;
}

/** RC4, which OpenSSL 3 no longer has by default. */
function applyRc4(key: Buffer, data: Buffer): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index);
  const at = (index: number): number => state[index] ?? 0;
  const swap = (a: number, b: number): void => {
    const value = at(a);
    state[a] = at(b);
    state[b] = value;
  };
  for (let index = 0, other = 0; index < 256; index += 1) {
    other = (other + at(index) + (key[index % key.length] ?? 0)) & 0xff;
    swap(index, other);
  }
  let first = 0;
  let second = 0;
  return Buffer.from(
    data.map((byte) => {
      first = (first + 1) & 0xff;
      second = (second + at(first)) & 0xff;
      swap(first, second);
      return byte ^ at((at(first) + at(second)) & 0xff);
    }),
  );
}
