// Owns the mapping from algorithm identifiers in files to hashes and HMACs, and the error for an unknown algorithm.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { loadLegacyProvider } from '../../kernel/native/legacy-provider.ts';

export interface FileHash {
  /** OpenSSL's name. */
  readonly name: string;
  readonly hashBytes: number;
  /** The block size, called v in appendix B of RFC 7292. */
  readonly blockBytes: number;
  /** Cost of hashing a short text, in units of WorkBudget. */
  readonly units: number;
  /** True when only OpenSSL's legacy provider has the hash. */
  readonly isLegacy: boolean;
}

function fileHash(name: string, hashBytes: number, blockBytes: number, units: number, isLegacy = false): FileHash {
  return { name, hashBytes, blockBytes, units, isLegacy };
}

export const sha1 = fileHash('sha1', 20, 64, 1);
export const md5 = fileHash('md5', 16, 64, 1);
const sha224 = fileHash('sha224', 28, 64, 1);
const sha256 = fileHash('sha256', 32, 64, 1);
const sha384 = fileHash('sha384', 48, 128, 3);
const sha512 = fileHash('sha512', 64, 128, 3);
const sha512Of224 = fileHash('sha512-224', 28, 128, 3);
const sha512Of256 = fileHash('sha512-256', 32, 128, 3);
const sha3Of224 = fileHash('sha3-224', 28, 144, 5);
const sha3Of256 = fileHash('sha3-256', 32, 136, 5);
const sha3Of384 = fileHash('sha3-384', 48, 104, 5);
const sha3Of512 = fileHash('sha3-512', 64, 72, 5);
const sm3 = fileHash('sm3', 32, 64, 3);

/** MD2 (1.2.840.113549.2.2) is missing: no current OpenSSL has it. */
const hashes: Readonly<Record<string, FileHash>> = {
  '1.2.840.113549.2.4': fileHash('md4', 16, 64, 2, true),
  '1.2.840.113549.2.5': md5,
  '1.3.14.3.2.26': sha1,
  '2.16.840.1.101.3.4.2.4': sha224,
  '2.16.840.1.101.3.4.2.1': sha256,
  '2.16.840.1.101.3.4.2.2': sha384,
  '2.16.840.1.101.3.4.2.3': sha512,
  '2.16.840.1.101.3.4.2.5': sha512Of224,
  '2.16.840.1.101.3.4.2.6': sha512Of256,
  '2.16.840.1.101.3.4.2.7': sha3Of224,
  '2.16.840.1.101.3.4.2.8': sha3Of256,
  '2.16.840.1.101.3.4.2.9': sha3Of384,
  '2.16.840.1.101.3.4.2.10': sha3Of512,
  '1.3.36.3.2.1': fileHash('ripemd160', 20, 64, 3),
  '1.0.10118.3.0.55': fileHash('whirlpool', 64, 64, 10, true),
  '1.2.156.10197.1.401': sm3,
  '1.3.6.1.4.1.1722.12.2.1.16': fileHash('blake2b512', 64, 128, 3),
  '1.3.6.1.4.1.1722.12.2.2.8': fileHash('blake2s256', 32, 64, 3),
};

/** hmacWith... (RFC 8018 appendix B.1, RFC 9688 for SHA-3), for PBKDF2 and PBMAC1. */
const hmacs: Readonly<Record<string, FileHash>> = {
  '1.2.840.113549.2.6': md5,
  '1.3.6.1.5.5.8.1.1': md5,
  '1.2.840.113549.2.7': sha1,
  '1.3.6.1.5.5.8.1.2': sha1,
  '1.2.840.113549.2.8': sha224,
  '1.2.840.113549.2.9': sha256,
  '1.2.840.113549.2.10': sha384,
  '1.2.840.113549.2.11': sha512,
  '1.2.840.113549.2.12': sha512Of224,
  '1.2.840.113549.2.13': sha512Of256,
  '2.16.840.1.101.3.4.2.13': sha3Of224,
  '2.16.840.1.101.3.4.2.14': sha3Of256,
  '2.16.840.1.101.3.4.2.15': sha3Of384,
  '2.16.840.1.101.3.4.2.16': sha3Of512,
  '1.2.156.10197.1.401.2': sm3,
};

/** Names of unsupported algorithms that occur in files, for the error message. */
const namesOfUnknown: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.2': 'MD2',
  '1.2.840.113549.1.5.1': 'PBES1 with MD2 and DES',
  '1.2.840.113549.1.5.4': 'PBES1 with MD2 and RC2',
  '1.2.840.113549.3.8': 'RC5',
  '1.2.840.113549.3.9': 'RC5',
  '1.2.643.2.2.9': 'GOST R 34.11-94',
  '1.2.643.7.1.1.2.2': 'Streebog-256 (GOST R 34.11-2012)',
  '1.2.643.7.1.1.2.3': 'Streebog-512 (GOST R 34.11-2012)',
  '1.2.643.2.2.10': 'HMAC with GOST R 34.11-94',
  '1.2.643.7.1.1.4.1': 'HMAC with Streebog-256',
  '1.2.643.7.1.1.4.2': 'HMAC with Streebog-512',
  '1.2.643.2.2.21': 'GOST 28147-89',
  '1.2.643.7.1.1.5.1.1': 'Magma (GOST R 34.12-2015)',
  '1.2.643.7.1.1.5.1.2': 'Magma (GOST R 34.12-2015)',
  '1.2.643.7.1.1.5.2.1': 'Kuznyechik (GOST R 34.12-2015)',
  '1.2.643.7.1.1.5.2.2': 'Kuznyechik (GOST R 34.12-2015)',
  '2.16.840.1.101.3.4.1.6': 'AES-128-GCM',
  '2.16.840.1.101.3.4.1.26': 'AES-192-GCM',
  '2.16.840.1.101.3.4.1.46': 'AES-256-GCM',
  '2.16.840.1.101.3.4.1.7': 'AES-128-CCM',
  '2.16.840.1.101.3.4.1.27': 'AES-192-CCM',
  '2.16.840.1.101.3.4.1.47': 'AES-256-CCM',
  '1.2.840.113549.1.9.16.3.18': 'ChaCha20-Poly1305',
  '2.16.840.1.101.3.4.2.11': 'SHAKE128',
  '2.16.840.1.101.3.4.2.12': 'SHAKE256',
  '2.16.840.1.113730.3.1.216': 'an SDR key of Netscape',
};

const exportHint = 'Export it again with AES-256 and SHA-256, or convert it with the program that wrote it.';

/** @throws FarkeepError 'certificate.malformed' that names an unknown hash */
export function hashOf(oid: string): FileHash {
  return hashes[oid] ?? unknownAlgorithm('the hash', oid);
}

/** @throws FarkeepError 'certificate.malformed' that names an unknown HMAC */
export function hmacOf(oid: string): FileHash {
  return hmacs[oid] ?? unknownAlgorithm('the keyed hash', oid);
}

/** @param role such as "the cipher" */
export function unknownAlgorithm(role: string, oid: string): never {
  const name = namesOfUnknown[oid];
  throw new FarkeepError(
    'certificate.malformed',
    `The file uses ${role} ${name === undefined ? oid : `${name} (${oid})`}, which this program does not know`,
    { hint: exportHint },
  );
}

/** Runs `act` while OpenSSL's legacy provider is loaded. @throws FarkeepError 'certificate.malformed' when it cannot be loaded */
export function withLegacyProvider<T>(name: string, act: () => T): T {
  using provider = loadLegacyProvider();
  if (provider !== undefined) return act();
  throw new FarkeepError(
    'certificate.malformed',
    `The file uses ${name}, which only OpenSSL's legacy provider supports, and this computer cannot load that provider`,
    { hint: exportHint },
  );
}
