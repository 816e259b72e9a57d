// Owns reading the ASN.1 structure of a certificate: names, extensions and algorithm identifiers by @peculiar/asn1-x509. Parts that an
// attacker can fill with thousands of names are read by der-elements.ts. Must not verify anything: OpenSSL checks signatures, chains and
// dates (node:crypto, node:tls).
import { AsnConvert } from '@peculiar/asn1-schema';
import { BasicConstraints, Certificate, ExtendedKeyUsage, KeyUsage, type Name } from '@peculiar/asn1-x509';
import { contentOf, type Element, elements, expectTag, integerHex, tags } from './der-elements.ts';
import { type DistributionPoint, readDistributionPoints } from './distribution-points.ts';
import { addressText } from './names.ts';

const attributeNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.15': 'businessCategory',
  '2.5.4.42': 'GN',
  '2.5.4.97': 'organizationIdentifier',
  '1.2.840.113549.1.9.1': 'emailAddress',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
};

/** The base of a name constraint: a DNS name, or an address with its mask (4 and 4 bytes, or 16 and 16). */
export type GeneralSubtreeName =
  | { readonly kind: 'dns'; readonly value: string }
  | { readonly kind: 'ip'; readonly bytes: Buffer }
  | { readonly kind: 'other' };

export interface CertificateStructure {
  /** RFC 4514 text, but in the order of the certificate, as other tools show it. */
  readonly subject: string;
  readonly issuer: string;
  readonly commonNames: readonly string[];
  /** Common name of the issuer, else its organization. */
  readonly issuerName: string | undefined;
  readonly organization: string | undefined;
  readonly hasSubjectAltName: boolean;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** Upper-case hex without colons and without a leading zero byte. */
  readonly serialHex: string;
  /** The serial number for comparison: lower-case hex of the shortest INTEGER, so that FF (negative) differs from 00FF. */
  readonly serialInteger: string;
  readonly isAuthority: boolean;
  /** undefined: the extension is absent, so every purpose is allowed (RFC 5280, 4.2.1.12). */
  readonly extendedKeyUsages: readonly string[] | undefined;
  readonly keyUsages: readonly string[] | undefined;
  readonly signatureOid: string;
  readonly signatureParameters: Uint8Array | undefined;
  readonly nameConstraints:
    { readonly permitted: readonly GeneralSubtreeName[]; readonly excluded: readonly GeneralSubtreeName[] } | undefined;
  readonly distributionPoints: readonly DistributionPoint[];
  /** Identifier of an extension that occurs twice, which RFC 5280, 4.2 forbids and OpenSSL refuses. */
  readonly repeatedExtension: string | undefined;
  /** DER of issuer and subject, byte for byte as in the certificate. */
  readonly subjectDer: Buffer;
  readonly issuerDer: Buffer;
}

const extensionIds = {
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** @throws when the bytes are not one DER certificate */
export function readStructure(der: Uint8Array): CertificateStructure {
  const { tbsCertificate: tbs, signatureAlgorithm } = AsnConvert.parse(der, Certificate);
  const content = (oid: string): Buffer | undefined => {
    const found = tbs.extensions?.find((item) => item.extnID === oid);
    return found === undefined ? undefined : Buffer.from(found.extnValue.buffer);
  };
  const extension = <T>(oid: string, type: new () => T): T | undefined => {
    const found = content(oid);
    return found === undefined ? undefined : AsnConvert.parse(found, type);
  };
  const alternativeNames = content(extensionIds.subjectAltName);
  const generalNames = alternativeNames === undefined ? [] : elements(contentOf(alternativeNames, tags.sequence));
  const constraints = content(extensionIds.nameConstraints);
  const points = content(extensionIds.crlDistributionPoints);
  const usages = extension(extensionIds.extendedKeyUsage, ExtendedKeyUsage);
  const names = readNames(der);
  return {
    subject: formatName(tbs.subject),
    issuer: formatName(tbs.issuer),
    commonNames: attributeValues(tbs.subject, '2.5.4.3'),
    issuerName: attributeValues(tbs.issuer, '2.5.4.3')[0] ?? attributeValues(tbs.issuer, '2.5.4.10')[0],
    organization: attributeValues(tbs.subject, '2.5.4.10')[0],
    hasSubjectAltName: alternativeNames !== undefined,
    dnsNames: generalNames.filter(({ tag }) => tag === dnsNameTag).map((name) => name.content.toString('latin1')),
    ipAddresses: generalNames.flatMap((name) => (name.tag === addressTag ? (addressText(name.content) ?? []) : [])),
    serialHex: normalizeSerial(Buffer.from(tbs.serialNumber).toString('hex')),
    serialInteger: integerHex(Buffer.from(tbs.serialNumber)),
    isAuthority: extension(extensionIds.basicConstraints, BasicConstraints)?.cA === true,
    extendedKeyUsages: usages === undefined ? undefined : [...usages],
    keyUsages: extension(extensionIds.keyUsage, KeyUsage)?.toJSON(),
    signatureOid: signatureAlgorithm.algorithm,
    signatureParameters: signatureAlgorithm.parameters ? new Uint8Array(signatureAlgorithm.parameters) : undefined,
    nameConstraints: constraints === undefined ? undefined : readNameConstraints(constraints),
    distributionPoints: points === undefined ? [] : readDistributionPoints(points),
    repeatedExtension: findRepeated((tbs.extensions ?? []).map(({ extnID }) => extnID)),
    ...names,
  };
}

const dnsNameTag = 0x82;
const addressTag = 0x87;

/** DER of issuer and subject, byte for byte as in the certificate. */
function readNames(der: Uint8Array): { readonly issuerDer: Buffer; readonly subjectDer: Buffer } {
  const [tbs] = elements(contentOf(Buffer.from(der), tags.sequence));
  const parts = elements(expectTag(tbs, tags.sequence).content).filter(({ tag }) => tag !== 0xa0);
  const [, , issuer, , subject] = parts;
  return { issuerDer: expectTag(issuer, tags.sequence).raw, subjectDer: expectTag(subject, tags.sequence).raw };
}

function readNameConstraints(value: Buffer): NonNullable<CertificateStructure['nameConstraints']> {
  const fields = elements(contentOf(value, tags.sequence));
  const subtrees = (tag: number): GeneralSubtreeName[] =>
    elements(fields.find((field) => field.tag === tag)?.content ?? Buffer.alloc(0)).map((subtree) => {
      const [base] = elements(expectTag(subtree, tags.sequence).content);
      return readSubtreeName(base);
    });
  return { permitted: subtrees(0xa0), excluded: subtrees(0xa1) };
}

function readSubtreeName(base: Element | undefined): GeneralSubtreeName {
  if (base?.tag === dnsNameTag) return { kind: 'dns', value: base.content.toString('latin1') };
  return base?.tag === addressTag ? { kind: 'ip', bytes: base.content } : { kind: 'other' };
}

function findRepeated(ids: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return ids.find((id) => seen.size === seen.add(id).size);
}

function normalizeSerial(hex: string): string {
  const upper = hex.toUpperCase();
  return upper.length > 2 && upper.startsWith('00') ? upper.slice(2) : upper;
}

function attributeValues(name: Name, oid: string): string[] {
  return [...name].flatMap((part) =>
    [...part].filter((item) => item.type === oid).map((item) => item.value.toString()),
  );
}

export function formatName(name: Name): string {
  return [...name]
    .map((part) =>
      [...part]
        .map((item) => `${attributeNames[item.type] ?? item.type}=${escapeValue(item.value.toString())}`)
        .join('+'),
    )
    .join(', ');
}

/** RFC 4514 escaping. Control and direction characters are escaped too, because a trust prompt shows names that an attacker chose. */
function escapeValue(value: string): string {
  const escaped = value
    .replace(/[\\",+;<>]/g, (character) => `\\${character}`)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
      [...Buffer.from(character, 'utf8')]
        .map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`)
        .join(''),
    );
  return escaped.replace(/^[ #]/, '\\$&').replace(/ $/, '\\ ');
}
