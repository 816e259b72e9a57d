// Owns repeated hashing (the hash of a hash, up to millions of times) for the key derivations of old files. One node:crypto call for each
// round costs 8 to 15 times as much as the hash. Must not know of files and passwords.
import { hash } from 'node:crypto';
import { nativeFunctions } from './native-library.ts';

/** Hashes `input`, then hashes the result again; `times` hashes in all, at least 1. */
export type IteratedHash = (input: Uint8Array, times: number) => Buffer;

/** Ciphers whose key and initialization vector together are exactly as long as a hash; `nativeIteratedHash` explains the use. */
const cipherByHashBytes: Readonly<Record<number, string>> = {
  16: 'AES-128-ECB',
  20: 'id-aes128-wrap-pad',
  28: 'AES-128-GCM',
  32: 'AES-256-ECB',
  48: 'AES-256-CBC',
  64: 'AES-256-SIV',
};

/**
 * Uses EVP_BytesToKey of OpenSSL without a salt. Its first output block is the data hashed `times` times. OpenSSL returns the block as key
 * and initialization vector of a cipher; the cipher only sets the number of bytes and encrypts nothing.
 */
function nativeIteratedHash(algorithm: string): IteratedHash | undefined {
  const openssl = nativeFunctions({
    // (library context, name, properties)
    EVP_MD_fetch: { arguments: ['pointer', 'string', 'pointer'], return: 'pointer' },
    EVP_CIPHER_fetch: { arguments: ['pointer', 'string', 'pointer'], return: 'pointer' },
    EVP_MD_free: { arguments: ['pointer'], return: 'void' },
    EVP_CIPHER_free: { arguments: ['pointer'], return: 'void' },
    EVP_CIPHER_get_key_length: { arguments: ['pointer'], return: 'int32' },
    EVP_CIPHER_get_iv_length: { arguments: ['pointer'], return: 'int32' },
    // (cipher, hash, salt, data, length of the data, times, key, initialization vector); returns the length of the key, or 0 after a
    // failure
    EVP_BytesToKey: {
      arguments: ['pointer', 'pointer', 'pointer', 'buffer', 'int32', 'int32', 'buffer', 'buffer'],
      return: 'int32',
    },
  });
  const hashBytes = hash(algorithm, '', 'buffer').length;
  const cipherName = cipherByHashBytes[hashBytes];
  if (openssl === undefined || cipherName === undefined) return undefined;
  return (input, times) => {
    const digest = openssl.EVP_MD_fetch(0n, algorithm, 0n);
    const cipher = openssl.EVP_CIPHER_fetch(0n, cipherName, 0n);
    try {
      if (digest === 0n || cipher === 0n) throw new Error(`OpenSSL has no ${algorithm} or no ${cipherName}`);
      const keyBytes = openssl.EVP_CIPHER_get_key_length(cipher);
      if (keyBytes + openssl.EVP_CIPHER_get_iv_length(cipher) !== hashBytes) throw new Error('the lengths do not fit');
      // Large enough for the key and initialization vector of every cipher.
      const room = Buffer.alloc(64 + 16);
      const vector = room.subarray(keyBytes);
      // An empty buffer has no address, and without an address OpenSSL hashes nothing.
      const data = input.length === 0 ? Buffer.alloc(1) : input;
      if (openssl.EVP_BytesToKey(cipher, digest, 0n, data, input.length, times, room, vector) !== keyBytes)
        throw new Error(`OpenSSL could not hash by ${algorithm}`);
      return room.subarray(0, hashBytes);
    } finally {
      openssl.EVP_MD_free(digest);
      openssl.EVP_CIPHER_free(cipher);
    }
  };
}

function nodeIteratedHash(algorithm: string): IteratedHash {
  return (input, times) => {
    let block = hash(algorithm, input, 'buffer');
    for (let time = 1; time < times; time += 1) block = hash(algorithm, block, 'buffer');
    return block;
  };
}

/** @param algorithm OpenSSL's name of the hash. @throws when this OpenSSL does not have it */
export function createIteratedHash(algorithm: string): IteratedHash {
  return nativeIteratedHash(algorithm) ?? nodeIteratedHash(algorithm);
}
