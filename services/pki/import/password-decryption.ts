// Owns decrypting with a password by an algorithm identifier from a file: PBES2 (RFC 8018), PKCS#12 PBE (RFC 7292), PBES1. Must not
// encrypt; Farkeep encrypts its own keys with PBES2 by node:crypto.
import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { BerError, type BerNode } from '../certificate/ber-reader.ts';
import { cipherOf, type FileCipher, pkcs12Ciphers, readScheme } from './file-ciphers.ts';
import { type FileHash, hmacOf, md5, sha1, unknownAlgorithm } from './file-hashes.ts';
import type { PasswordForm } from './file-password.ts';
import { derivePkcs12, hashRepeatedly, pkcs12Units } from './pkcs12-kdf.ts';
import { roundsWithin, type WorkBudget } from './work-budget.ts';

const pbes2 = '1.2.840.113549.1.5.13';
const pbkdf2 = '1.2.840.113549.1.5.12';
const scrypt = '1.3.6.1.4.1.11591.4.11';
const maxScryptBytes = 128 * 1024 * 1024;

/** PBES1 (RFC 8018, 6.1). */
const pbes1Schemes: Readonly<Record<string, readonly [hash: FileHash, cipher: string]>> = {
  '1.2.840.113549.1.5.3': [md5, 'des-cbc'],
  '1.2.840.113549.1.5.6': [md5, 'rc2-64-cbc'],
  '1.2.840.113549.1.5.10': [sha1, 'des-cbc'],
  '1.2.840.113549.1.5.11': [sha1, 'rc2-64-cbc'],
};

/** One encryption scheme of the file, parsed before any key derivation. */
export interface Encryption {
  /** Cost of one attempt, in units of the budget. */
  readonly units: number;
  /** Which encoding of the password is used for the key. */
  readonly uses: keyof PasswordForm;
  /**
   * Decrypts with one encoding of the password.
   * @returns undefined when the padding is wrong: most likely the password is wrong. One wrong password in 256 has valid padding by chance,
   * so also check the structure of the result.
   * @throws FarkeepError 'certificate.too-costly'
   */
  readonly decrypt: (data: Buffer, form: PasswordForm, budget: WorkBudget) => Buffer | undefined;
}

/** @throws BerError | FarkeepError 'certificate.malformed' (names the unknown algorithm) | 'certificate.too-costly' */
export function readEncryption(algorithm: BerNode): Encryption {
  const oid = algorithm.child(0).oid();
  if (oid === pbes2) return readPbes2(algorithm.child(1));
  const pkcs12Cipher = pkcs12Ciphers[oid];
  const pbes1Scheme = pbes1Schemes[oid];
  if (pkcs12Cipher === undefined && pbes1Scheme === undefined) unknownAlgorithm('the encryption', oid);
  const salt = algorithm.child(1).child(0).octets();
  const rounds = readRounds(algorithm.child(1).child(1));
  return pkcs12Cipher === undefined
    ? pbes1(salt, rounds, ...(pbes1Scheme ?? [md5, 'des-cbc']))
    : pkcs12Encryption(salt, rounds, cipherOf(pkcs12Cipher));
}

function pkcs12Encryption(salt: Buffer, rounds: number, { keyBytes, ivBytes, decrypt }: FileCipher): Encryption {
  const unitsOf = (bytes: number): number => pkcs12Units({ rounds, hash: sha1 }, bytes);
  return {
    units: unitsOf(keyBytes) + unitsOf(ivBytes),
    uses: 'pkcs12',
    decrypt: (data, form, budget) => {
      const derivation = { password: form.pkcs12, salt, rounds, hash: sha1 };
      const key = derivePkcs12('key', derivation, keyBytes, budget);
      return decrypt(key, derivePkcs12('iv', derivation, ivBytes, budget), data);
    },
  };
}

function pbes1(salt: Buffer, rounds: number, hash: FileHash, cipher: string): Encryption {
  const units = rounds * hash.units;
  return {
    units,
    uses: 'plain',
    decrypt: (data, form, budget) => {
      budget.admit(units);
      const derived = hashRepeatedly(hash, Buffer.concat([form.plain, salt]), rounds, budget);
      return cipherOf(cipher).decrypt(derived.subarray(0, 8), derived.subarray(8, 16), data);
    },
  };
}

function readPbes2(parameters: BerNode): Encryption {
  const stated = keyLengthOf(parameters.child(0));
  const { cipher, iv, hasVariableKey } = readScheme(parameters.child(1), stated);
  const given = hasVariableKey ? stated : undefined;
  const { units, derive } = readKeyDerivation(parameters.child(0), given ?? cipher.keyBytes);
  return { units, uses: 'plain', decrypt: (data, form, budget) => cipher.decrypt(derive(form, budget), iv, data) };
}

export interface KeyDerivation {
  readonly units: number;
  readonly derive: (form: PasswordForm, budget: WorkBudget) => Buffer;
}

/** Reads PBKDF2 or scrypt from a keyDerivationFunc. Also used by PBMAC1 (RFC 9579). @throws as `readEncryption` */
export function readKeyDerivation(keyDerivation: BerNode, keyBytes: number): KeyDerivation {
  const isScrypt = usesScrypt(keyDerivation);
  const parameters = keyDerivation.child(1).children();
  const [saltNode, costNode] = parameters;
  if (saltNode === undefined || costNode === undefined) throw new BerError('key derivation parameters are missing');
  const salt = saltNode.octets();
  if (isScrypt) return readScrypt(salt, costNode, parameters.slice(2), keyBytes);
  const rounds = readRounds(costNode);
  const prf = parameters.slice(2).find((node) => node.isSequence());
  const hash = prf === undefined ? sha1 : hmacOf(prf.child(0).oid());
  // An HMAC costs two hashes of a short text.
  const units = rounds * 2 * hash.units * Math.ceil(keyBytes / hash.hashBytes);
  return {
    units,
    derive: (form, budget) => {
      budget.admit(units);
      const key = pbkdf2Sync(form.plain, salt, rounds, keyBytes, hash.name);
      budget.spend(units);
      return key;
    },
  };
}

function readScrypt(
  salt: Buffer,
  costNode: BerNode,
  [blockNode, lanesNode]: BerNode[],
  keyBytes: number,
): KeyDerivation {
  const N = costNode.smallInteger();
  const r = blockNode?.smallInteger() ?? 0;
  const p = lanesNode?.smallInteger() ?? 0;
  if (r < 1 || p < 1) throw new BerError('expected a positive number');
  if (N * r * 128 > maxScryptBytes / 2 || p > 16 || (N & (N - 1)) !== 0 || N < 2) {
    throw new FarkeepError('certificate.too-costly', 'The key derivation of the file needs too much memory');
  }
  // Unit: one SHA-1 hash. One scrypt block of 128 bytes costs as much as three hashes of short texts.
  const units = 3 * N * r * p;
  return {
    units,
    derive: (form, budget) => {
      budget.admit(units);
      const key = scryptSync(form.plain, salt, keyBytes, { N, r, p, maxmem: maxScryptBytes });
      budget.spend(units);
      return key;
    },
  };
}

/** @throws FarkeepError 'certificate.malformed' that names a key derivation other than PBKDF2 and scrypt */
function usesScrypt(keyDerivation: BerNode): boolean {
  const oid = keyDerivation.child(0).oid();
  if (oid !== pbkdf2 && oid !== scrypt) unknownAlgorithm('the key derivation', oid);
  return oid === scrypt;
}

/** The key length in bytes that the file states for PBKDF2 or scrypt; the field is optional. */
export function keyLengthOf(keyDerivation: BerNode): number | undefined {
  const isScrypt = usesScrypt(keyDerivation);
  const length = keyDerivation
    .child(1)
    .children()
    .slice(isScrypt ? 4 : 2)
    .find((node) => node.isInteger())
    ?.smallInteger();
  if (length !== undefined && (length < 1 || length > 64)) throw new BerError('the key has an impossible length');
  return length;
}

/** @throws BerError unless the number is positive; FarkeepError 'certificate.too-costly' */
export function readRounds(node: BerNode): number {
  const rounds = roundsWithin(node.integer());
  if (rounds === undefined) throw new BerError('expected a positive number');
  return rounds;
}
