// Owns building and signing X.509 certificates: structure by @peculiar/asn1-x509, signature by node:crypto. The only place that does. Must
// not decide what a certificate contains; generate.ts and issue.ts do.
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Time,
  Validity,
  Version,
} from '@peculiar/asn1-x509';
import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';

const signAsync = promisify(
  (
    algorithm: string | null,
    data: Buffer,
    key: KeyObject,
    callback: (error: Error | null, signature: Buffer) => void,
  ) => sign(algorithm, data, key, callback),
);

export interface SubjectName {
  readonly commonName: string;
  readonly organization?: string;
  readonly organizationalUnit?: string;
}

export interface CertificateContent {
  readonly subject: SubjectName;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly isAuthority: boolean;
  readonly usages: ReadonlyArray<'serverAuth' | 'clientAuth'>;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

export interface Issuer {
  readonly privateKey: KeyObject;
  /** DER of the issuing certificate; absent for a self-signed certificate. */
  readonly certificateDer?: Uint8Array;
}

const usageIds = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const;
const derNull = Uint8Array.of(5, 0).buffer;

/** Builds and signs one certificate. The serial number has 159 random bits (CA/B BR 7.1 requires at least 64). @returns DER */
export async function buildCertificate(content: CertificateContent, issuer: Issuer): Promise<Buffer> {
  const subjectName = toName(content.subject);
  const signer = issuer.certificateDer === undefined ? undefined : AsnConvert.parse(issuer.certificateDer, Certificate);
  const keyInfo = AsnConvert.parse(content.publicKey.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo);
  const algorithm = signatureAlgorithm(issuer.privateKey);
  const isRsa = content.publicKey.asymmetricKeyType === 'rsa';

  const extensions: Extension[] = [
    extension('2.5.29.19', new BasicConstraints(content.isAuthority ? { cA: true, pathLenConstraint: 0 } : {}), true),
    extension(
      '2.5.29.15',
      new KeyUsage(
        content.isAuthority
          ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign
          : isRsa
            ? KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment
            : KeyUsageFlags.digitalSignature,
      ),
      true,
    ),
    extension('2.5.29.14', new SubjectKeyIdentifier(keyIdentifier(keyInfo))),
  ];
  if (content.usages.length > 0) {
    extensions.push(extension('2.5.29.37', new ExtendedKeyUsage(content.usages.map((usage) => usageIds[usage]))));
  }
  if (signer !== undefined) {
    extensions.push(
      extension(
        '2.5.29.35',
        new AuthorityKeyIdentifier({
          keyIdentifier: new KeyIdentifier(keyIdentifier(signer.tbsCertificate.subjectPublicKeyInfo)),
        }),
      ),
    );
  }
  const alternativeNames = [
    ...(content.dnsNames ?? []).map((dNSName) => new GeneralName({ dNSName })),
    ...(content.ipAddresses ?? [])
      .filter((address) => isIP(address) !== 0)
      .map((iPAddress) => new GeneralName({ iPAddress })),
  ];
  if (alternativeNames.length > 0) {
    extensions.push(extension('2.5.29.17', new SubjectAlternativeName(alternativeNames)));
  }

  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: randomSerial(),
    signature: algorithm.identifier,
    issuer: signer?.tbsCertificate.subject ?? subjectName,
    validity: new Validity({ notBefore: content.notBefore, notAfter: content.notAfter }),
    subject: subjectName,
    subjectPublicKeyInfo: keyInfo,
    extensions: new Extensions(extensions),
  });
  tbsCertificate.validity.notBefore = toTime(content.notBefore);
  tbsCertificate.validity.notAfter = toTime(content.notAfter);
  const signature = await signAsync(
    algorithm.hash,
    Buffer.from(AsnConvert.serialize(tbsCertificate)),
    issuer.privateKey,
  );
  return Buffer.from(
    AsnConvert.serialize(
      new Certificate({
        tbsCertificate,
        signatureAlgorithm: algorithm.identifier,
        signatureValue: new Uint8Array(signature).buffer,
      }),
    ),
  );
}

function extension(extnID: string, value: object, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

/** RFC 5280, 4.1.2.5: UTCTime through 2049, GeneralizedTime after; whole seconds. */
function toTime(date: Date): Time {
  const whole = new Date(Math.floor(date.getTime() / 1000) * 1000);
  return whole.getUTCFullYear() < 2050 ? new Time({ utcTime: whole }) : new Time({ generalTime: whole });
}

function toName({ commonName, organization, organizationalUnit }: SubjectName): Name {
  const part = (type: string, value: string | undefined): RelativeDistinguishedName[] =>
    value === undefined || value === ''
      ? []
      : [
          new RelativeDistinguishedName([
            new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String: bounded(value) }) }),
          ]),
        ];
  return new Name([
    ...part('2.5.4.3', commonName),
    ...part('2.5.4.11', organizationalUnit),
    ...part('2.5.4.10', organization),
  ]);
}

/** X.520 allows at most 64 characters. */
function bounded(value: string): string {
  return Array.from(value.toWellFormed()).slice(0, 64).join('');
}

/** RFC 7093, method 1: the left-most 160 bits of SHA-256 of the public key. */
function keyIdentifier(info: SubjectPublicKeyInfo): ArrayBuffer {
  const digest = createHash('sha256').update(new Uint8Array(info.subjectPublicKey)).digest();
  return new Uint8Array(digest.subarray(0, 20)).buffer;
}

/** 20 octets, positive, never zero, minimal DER (RFC 5280, 4.1.2.2). */
function randomSerial(): ArrayBuffer {
  const bytes = randomBytes(20);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return new Uint8Array(bytes).buffer;
}

function signatureAlgorithm(key: KeyObject): { identifier: AlgorithmIdentifier; hash: string | null } {
  const identifier = (algorithm: string, parameters?: ArrayBuffer): AlgorithmIdentifier =>
    new AlgorithmIdentifier({ algorithm, ...(parameters === undefined ? {} : { parameters }) });
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return { identifier: identifier('1.2.840.113549.1.1.11', derNull), hash: 'sha256' };
    case 'ec':
      return key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
        ? { identifier: identifier('1.2.840.10045.4.3.3'), hash: 'sha384' }
        : { identifier: identifier('1.2.840.10045.4.3.2'), hash: 'sha256' };
    case 'ed25519':
      return { identifier: identifier('1.3.101.112'), hash: null };
    default:
      throw new TypeError(`Cannot sign certificates with a key of type ${key.asymmetricKeyType}`);
  }
}
