// Owns which key types and signature algorithms are strong enough (docs/protocol.md, section 3).
import { constants, type KeyObject, verify } from 'node:crypto';
import { type CertificateStructure } from './x509-structure.ts';

export const minimumRsaBits = 2048;

/** OID to name, and whether a signature with this algorithm is accepted below the root. RFC 8017, 5758, 8410, 9688, FIPS 204. */
const signatureAlgorithms: Readonly<Record<string, readonly [name: string, isStrong: boolean]>> = {
  '1.2.840.113549.1.1.2': ['RSA-MD2', false],
  '1.2.840.113549.1.1.3': ['RSA-MD4', false],
  '1.2.840.113549.1.1.4': ['RSA-MD5', false],
  '1.2.840.113549.1.1.5': ['RSA-SHA1', false],
  '1.3.14.3.2.29': ['RSA-SHA1', false],
  '1.2.840.113549.1.1.14': ['RSA-SHA224', true],
  '1.2.840.113549.1.1.11': ['RSA-SHA256', true],
  '1.2.840.113549.1.1.12': ['RSA-SHA384', true],
  '1.2.840.113549.1.1.13': ['RSA-SHA512', true],
  '1.2.840.10040.4.3': ['DSA-SHA1', false],
  '2.16.840.1.101.3.4.3.2': ['DSA-SHA256', false],
  '1.2.840.10045.4.1': ['ECDSA-SHA1', false],
  '1.2.840.10045.4.3.1': ['ECDSA-SHA224', true],
  '1.2.840.10045.4.3.2': ['ECDSA-SHA256', true],
  '1.2.840.10045.4.3.3': ['ECDSA-SHA384', true],
  '1.2.840.10045.4.3.4': ['ECDSA-SHA512', true],
  '2.16.840.1.101.3.4.3.10': ['ECDSA-SHA3-256', true],
  '2.16.840.1.101.3.4.3.11': ['ECDSA-SHA3-384', true],
  '2.16.840.1.101.3.4.3.12': ['ECDSA-SHA3-512', true],
  '2.16.840.1.101.3.4.3.14': ['RSA-SHA3-256', true],
  '2.16.840.1.101.3.4.3.15': ['RSA-SHA3-384', true],
  '2.16.840.1.101.3.4.3.16': ['RSA-SHA3-512', true],
  '1.3.101.112': ['Ed25519', true],
  '1.3.101.113': ['Ed448', true],
  '2.16.840.1.101.3.4.3.17': ['ML-DSA-44', true],
  '2.16.840.1.101.3.4.3.18': ['ML-DSA-65', true],
  '2.16.840.1.101.3.4.3.19': ['ML-DSA-87', true],
};

const rsaPss = '1.2.840.113549.1.1.10';
/** DER of the hash OIDs in RSASSA-PSS parameters. An absent hash means SHA-1 (RFC 4055, 3.1). */
const pssHashes: ReadonlyArray<readonly [der: Buffer, name: string]> = [
  [Buffer.from('0609608648016503040201', 'hex'), 'SHA256'],
  [Buffer.from('0609608648016503040202', 'hex'), 'SHA384'],
  [Buffer.from('0609608648016503040203', 'hex'), 'SHA512'],
];

function pssHash(parameters: Uint8Array | undefined): string | undefined {
  if (parameters === undefined) return undefined;
  // The hash algorithm is the first element, tagged [0]. The mask function names the same OID, which must not be read instead.
  const content = Buffer.from(parameters);
  const start = content.indexOf(0xa0);
  if (start < 0 || start > 4) return undefined;
  const first = content.subarray(start, start + 2 + (content[start + 1] ?? 0));
  return pssHashes.find(([der]) => first.includes(der))?.[1];
}

export function signatureAlgorithmName({
  signatureOid,
  signatureParameters,
}: Pick<CertificateStructure, 'signatureOid' | 'signatureParameters'>): string {
  if (signatureOid === rsaPss) return `RSA-PSS-${pssHash(signatureParameters) ?? 'SHA1'}`;
  return signatureAlgorithms[signatureOid]?.[0] ?? signatureOid;
}

/**
 * Whether `signature` over `data` is a strong signature by `key`. For CRLs and other signed structures that OpenSSL does not verify.
 * @returns false also for unknown or weak algorithms
 */
export function verifyStrongSignature(
  algorithm: Pick<CertificateStructure, 'signatureOid' | 'signatureParameters'>,
  { data, signature, key }: { data: Uint8Array; signature: Uint8Array; key: KeyObject },
): boolean {
  if (!isStrongSignature(algorithm) || !isStrongKey(key)) return false;
  const name = signatureAlgorithmName(algorithm);
  const hash = /SHA(224|256|384|512)$/.exec(name)?.[0].toLowerCase();
  const keyType = key.asymmetricKeyType;
  if (name === 'Ed25519') return keyType === 'ed25519' && verify(null, data, key, signature);
  if (hash === undefined) return false;
  if (name.startsWith('RSA-PSS-')) {
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    // A key for RSASSA-PSS alone has its own key type.
    const isRsa = keyType === 'rsa' || keyType === 'rsa-pss';
    return isRsa && verify(hash, data, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_AUTO }, signature);
  }
  const isFitting = name.startsWith('RSA-') ? keyType === 'rsa' : name.startsWith('ECDSA-') && keyType === 'ec';
  return isFitting && verify(hash, data, key, signature);
}

/** MD5, SHA-1, DSA and all unknown algorithms are weak. */
export function isStrongSignature({
  signatureOid,
  signatureParameters,
}: Pick<CertificateStructure, 'signatureOid' | 'signatureParameters'>): boolean {
  if (signatureOid === rsaPss) return pssHash(signatureParameters) !== undefined;
  return signatureAlgorithms[signatureOid]?.[1] ?? false;
}

/** RSA of at least 2048 bits, P-256, P-384, P-521, Ed25519. Node alone would accept RSA-1024 and P-192. */
export function isStrongKey(key: KeyObject): boolean {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return (details?.modulusLength ?? 0) >= minimumRsaBits;
    case 'ec':
      return ['prime256v1', 'secp384r1', 'secp521r1'].includes(details?.namedCurve ?? '');
    case 'ed25519':
      return true;
    default:
      return false;
  }
}
