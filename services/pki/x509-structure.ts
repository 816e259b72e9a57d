// Owns reading the ASN.1 structure of a certificate (names, extensions, algorithm identifiers) by @peculiar/asn1-x509.
// Must not verify anything: signatures, chains and dates are OpenSSL's work (node:crypto, node:tls).
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  BasicConstraints,
  Certificate,
  CRLDistributionPoints,
  ExtendedKeyUsage,
  KeyUsage,
  type Name,
  NameConstraints,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509';
import { isIP } from 'node:net';

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

export interface GeneralSubtreeName {
  readonly kind: 'dns' | 'ip' | 'other';
  readonly value: string;
}

export interface CertificateStructure {
  /** RFC 4514 text, but in the order of the certificate, as people know it from other tools. */
  readonly subject: string;
  readonly issuer: string;
  readonly commonNames: readonly string[];
  /** Common name of the issuer, else its organization. */
  readonly issuerName: string | undefined;
  readonly organization: string | undefined;
  readonly hasSubjectAltName: boolean;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** Upper-case hex without colons, leading zero byte dropped. */
  readonly serialHex: string;
  readonly isAuthority: boolean;
  /** undefined: the extension is absent, so every purpose is allowed (RFC 5280, 4.2.1.12). */
  readonly extendedKeyUsages: readonly string[] | undefined;
  readonly keyUsages: readonly string[] | undefined;
  readonly signatureOid: string;
  readonly signatureParameters: Uint8Array | undefined;
  readonly nameConstraints:
    { readonly permitted: readonly GeneralSubtreeName[]; readonly excluded: readonly GeneralSubtreeName[] } | undefined;
  readonly crlUrls: readonly string[];
  /** DER of the two names, to compare issuer and subject byte for byte. */
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
  const extension = <T>(oid: string, type: new () => T): T | undefined => {
    const found = tbs.extensions?.find((item) => item.extnID === oid);
    return found === undefined ? undefined : AsnConvert.parse(found.extnValue.buffer, type);
  };
  const alternativeNames = extension(extensionIds.subjectAltName, SubjectAlternativeName);
  const constraints = extension(extensionIds.nameConstraints, NameConstraints);
  const points = extension(extensionIds.crlDistributionPoints, CRLDistributionPoints);
  const usages = extension(extensionIds.extendedKeyUsage, ExtendedKeyUsage);
  const subtrees = (list: NameConstraints['permittedSubtrees']): GeneralSubtreeName[] =>
    [...(list ?? [])].map(({ base }) =>
      base.dNSName !== undefined
        ? { kind: 'dns', value: base.dNSName }
        : base.iPAddress !== undefined
          ? { kind: 'ip', value: base.iPAddress }
          : { kind: 'other', value: '' },
    );
  return {
    subject: formatName(tbs.subject),
    issuer: formatName(tbs.issuer),
    commonNames: attributeValues(tbs.subject, '2.5.4.3'),
    issuerName: attributeValues(tbs.issuer, '2.5.4.3')[0] ?? attributeValues(tbs.issuer, '2.5.4.10')[0],
    organization: attributeValues(tbs.subject, '2.5.4.10')[0],
    hasSubjectAltName: alternativeNames !== undefined,
    dnsNames: [...(alternativeNames ?? [])].flatMap((name) => (name.dNSName === undefined ? [] : [name.dNSName])),
    ipAddresses: [...(alternativeNames ?? [])].flatMap((name) =>
      name.iPAddress !== undefined && isIP(name.iPAddress) !== 0 ? [name.iPAddress] : [],
    ),
    serialHex: normalizeSerial(Buffer.from(tbs.serialNumber).toString('hex')),
    isAuthority: extension(extensionIds.basicConstraints, BasicConstraints)?.cA === true,
    extendedKeyUsages: usages === undefined ? undefined : [...usages],
    keyUsages: extension(extensionIds.keyUsage, KeyUsage)?.toJSON(),
    signatureOid: signatureAlgorithm.algorithm,
    signatureParameters: signatureAlgorithm.parameters ? new Uint8Array(signatureAlgorithm.parameters) : undefined,
    nameConstraints:
      constraints === undefined
        ? undefined
        : { permitted: subtrees(constraints.permittedSubtrees), excluded: subtrees(constraints.excludedSubtrees) },
    crlUrls: [...(points ?? [])].flatMap((point) =>
      (point.distributionPoint?.fullName ?? []).flatMap((name) => name.uniformResourceIdentifier ?? []),
    ),
    subjectDer: Buffer.from(AsnConvert.serialize(tbs.subject)),
    issuerDer: Buffer.from(AsnConvert.serialize(tbs.issuer)),
  };
}

export function normalizeSerial(hex: string): string {
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

/** RFC 4514 escaping; control and direction marks too, since a name from a stranger is shown in a trust prompt. */
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
