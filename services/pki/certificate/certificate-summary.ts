// Owns the summary of a certificate that people see, and reading one certificate from DER or PEM. Must not touch private keys.
import { type KeyObject, X509Certificate } from 'node:crypto';
import type { CertificateSummary } from '../../contracts/models/certificate.ts';
import { formatThumbprint } from '../../contracts/models/thumbprint.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { nameKey } from './distinguished-names.ts';
import { signatureAlgorithmName } from './strength.ts';
import { thumbprintOf, thumbprintWords } from './thumbprint.ts';
import { type CertificateStructure, readStructure } from './x509-structure.ts';

const serverAuth = '1.3.6.1.5.5.7.3.1';
const curveNames: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
  prime192v1: 'P-192',
  secp224r1: 'P-224',
};

/** A certificate as parsed by OpenSSL (for verification) and as an ASN.1 structure (for names and extensions). */
export interface ReadCertificate {
  readonly der: Buffer;
  readonly x509: X509Certificate;
  readonly structure: CertificateStructure;
}

/** @throws FarkeepError 'certificate.malformed' */
export function readCertificate(input: Uint8Array | string): ReadCertificate {
  try {
    const x509 = new X509Certificate(input);
    const der = Buffer.from(x509.raw);
    // Parses the key here. Otherwise a damaged or unknown key would throw an OpenSSL error later, at its first use.
    if (x509.publicKey.asymmetricKeyType === undefined) throw new TypeError('unknown kind of key');
    return { der, x509, structure: readStructure(der) };
  } catch (error) {
    throw new FarkeepError('certificate.malformed', 'The data is not a certificate (X.509 in DER or PEM)', {
      cause: error,
    });
  }
}

/** Short text of a public key: "RSA-3072", "EC-P-256", "Ed25519". */
export function describeKey(key: KeyObject): string {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return `RSA-${details?.modulusLength ?? 0}`;
    case 'ec':
      return `EC-${curveNames[details?.namedCurve ?? ''] ?? details?.namedCurve ?? 'unknown'}`;
    case 'ed25519':
      return 'Ed25519';
    case 'ed448':
      return 'Ed448';
    default:
      return (key.asymmetricKeyType ?? 'unknown').toUpperCase();
  }
}

/**
 * RFC 5280, 4.2.1.12: without the extension every purpose is allowed. The purpose "any" alone does not count: this section lets a program
 * require the purpose by name, and OpenSSL does, so clients built on OpenSSL would refuse the certificate.
 */
export function hasServerAuth({ extendedKeyUsages }: CertificateStructure): boolean {
  return extendedKeyUsages?.includes(serverAuth) ?? true;
}

/** Same name in issuer and subject (RFC 5280, 7.1). */
function isSelfIssued({ issuerDer, subjectDer }: CertificateStructure): boolean {
  return issuerDer.equals(subjectDer) || nameKey(issuerDer) === nameKey(subjectDer);
}

/** Same name in issuer and subject, and signed by its own key. */
export function isSelfSigned({ x509, structure }: ReadCertificate): boolean {
  return isSelfIssued(structure) && x509.verify(x509.publicKey);
}

export function summarize(input: Uint8Array | string | ReadCertificate): CertificateSummary {
  const certificate = typeof input === 'string' || input instanceof Uint8Array ? readCertificate(input) : input;
  const { der, x509, structure } = certificate;
  const sha256 = thumbprintOf(der, 'SHA-256');
  return {
    subject: structure.subject,
    issuer: structure.issuer,
    commonName: visible(
      structure.commonNames[0] ?? structure.organization ?? structure.dnsNames[0] ?? structure.subject,
    ),
    isSelfSigned: isSelfSigned(certificate),
    notBefore: toInstant(x509.validFromDate),
    notAfter: toInstant(x509.validToDate),
    serialNumber: formatThumbprint(structure.serialHex),
    dnsNames: structure.dnsNames.map(visible),
    ipAddresses: [...structure.ipAddresses],
    keyType: describeKey(x509.publicKey),
    signatureAlgorithm: signatureAlgorithmName(structure),
    sha256,
    sha1: thumbprintOf(der, 'SHA-1'),
    sha256Words: thumbprintWords(sha256),
    isAuthority: structure.isAuthority,
    hasServerAuth: hasServerAuth(structure),
    pem: toPem(der),
  };
}

export function toPem(der: Uint8Array, label = 'CERTIFICATE'): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** A trust prompt shows names that an attacker chose. Control characters that hide or reverse text are shown escaped. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD');
}

function toInstant(date: Date): string {
  if (Number.isNaN(date.getTime()))
    throw new FarkeepError('certificate.malformed', 'The certificate has an invalid date');
  return date.toISOString();
}
