// Owns reading certificate revocation lists (RFC 5280, 5). The elements are read one by one, because lists of large authorities have
// hundreds of thousands of entries. Must not decide what a list means for a certificate; revocation.ts does.
import { AsnConvert } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { type ReadCertificate, readCertificate } from '../certificate/certificate-summary.ts';
import {
  contentOf,
  type DerExtension,
  type Element,
  elementAt,
  elements,
  expectTag,
  integerHex,
  readExtensions,
  tags,
} from '../certificate/der-elements.ts';
import { nameKey } from '../certificate/distinguished-names.ts';
import { type ListScope, readListScope } from '../certificate/distribution-points.ts';
import { pemBody, splitPem } from '../certificate/pem.ts';
import { isStrongSignature, signatureAlgorithmName, verifyStrongSignature } from '../certificate/strength.ts';

const extensionIds = {
  number: '2.5.29.20',
  deltaIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  reason: '2.5.29.21',
  entryIssuer: '2.5.29.29',
} as const;
/** Extensions that may be critical in a list, because this code handles them or they do not change the result. */
const knownOfList = new Set<string>([
  ...[extensionIds.number, extensionIds.deltaIndicator, extensionIds.issuingDistributionPoint],
  // Key of the signer, other names of the signer, addresses of delta lists and of the signer's certificate.
  ...['2.5.29.35', '2.5.29.18', '2.5.29.46', '1.3.6.1.5.5.7.1.1'],
]);
/** Besides reason and issuer: the date from which the key was unsafe, and the instruction for a certificate on hold. */
const knownOfEntry = new Set<string>([extensionIds.reason, extensionIds.entryIssuer, '2.5.29.24', '2.5.29.23']);

export const entryReasons = { certificateHold: 6, removeFromList: 8 } as const;

export interface CrlEntry {
  /** Reason code (RFC 5280, 5.3.1); undefined when the entry has none. */
  readonly reason: number | undefined;
}

export interface Crl {
  readonly issuerDer: Buffer;
  /** Key (`nameKey`) for comparison with the names of certificates. */
  readonly issuerKey: string;
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number;
  /** undefined: the list has no expiry time. */
  readonly nextUpdate: number | undefined;
  readonly number: bigint | undefined;
  /** Number of the complete list that this delta list extends; undefined for a complete list. */
  readonly deltaOf: bigint | undefined;
  readonly scope: ListScope | undefined;
  /** Name of the list's signature algorithm when this algorithm is weak or unknown. */
  readonly weakAlgorithm: string | undefined;
  /** Identifier of a critical extension that this code does not handle: the list must not be used (RFC 5280, 5.2, 5.3). */
  readonly unknownExtension: string | undefined;
  /** Every entry about this certificate. @param serial as `CertificateStructure.serialInteger` */
  entriesOf(serial: string, issuerKey: string): CrlEntry[];
  isSignedBy(signer: ReadCertificate): boolean;
}

/** Lists from DER (one or more in a row), or from all X509 CRL blocks of a PEM text. @throws FarkeepError 'certificate.malformed' */
export function readCrls(bytes: Buffer): Crl[] {
  try {
    // A PEM text may begin with "0", which is the first byte of DER too.
    if (bytes[0] === tags.sequence && !bytes.includes('-----BEGIN ')) {
      return listsInARow(bytes);
    }
    const text = bytes.toString('utf8');
    const blocks = splitPem(text).filter(({ label }) => label === 'X509 CRL');
    // A truncated list must not be skipped: the revoked certificate may be in exactly this list.
    if (blocks.length !== text.split('-----BEGIN X509 CRL-----').length - 1) throw new TypeError('a list is cut off');
    if (blocks.length === 0) throw new TypeError('no list in the text');
    return blocks.map((block) => readCrl(pemBody(block)));
  } catch (error) {
    throw new FarkeepError('certificate.malformed', 'The file is not a revocation list (CRL in PEM or DER)', {
      hint: 'Get the list from the authority that issued the certificate; its address is in the certificate.',
      cause: error,
    });
  }
}

/** Reads the certificates in a PEM text with lists: the certificates of keys that sign lists. Unreadable ones are skipped. */
export function readListSigners(bytes: Buffer): ReadCertificate[] {
  return splitPem(bytes.toString('utf8'))
    .filter(({ label }) => label === 'CERTIFICATE')
    .flatMap(({ text }) => {
      try {
        return [readCertificate(text)];
      } catch (error) {
        if (error instanceof FarkeepError) return [];
        throw error;
      }
    });
}

function readCrl(bytes: Buffer): Crl {
  const [tbs, algorithm, signature, ...more] = elements(contentOf(bytes, tags.sequence));
  const parts = elements(expectTag(tbs, tags.sequence).content);
  if (more.length > 0) throw new TypeError('something follows the signature');
  if (parts[0]?.tag === tags.integer) parts.shift();
  const [innerAlgorithm, issuer, thisUpdate, ...rest] = parts;
  // RFC 5280, 5.1.1.2: both fields must be equal, and only the inner one is signed.
  if (innerAlgorithm?.raw.equals(expectTag(algorithm, tags.sequence).raw) !== true) {
    throw new TypeError('two signature algorithms');
  }
  const isTime = (element: Element | undefined): boolean =>
    element?.tag === tags.utcTime || element?.tag === tags.generalizedTime;
  const nextUpdate = isTime(rest[0]) ? rest.shift() : undefined;
  const entries = rest[0]?.tag === tags.sequence ? rest.shift()?.content : undefined;
  const listExtensions = rest[0]?.tag === 0xa0 ? readExtensions(contentOf(rest[0].content, tags.sequence)) : [];
  const { algorithm: signatureOid, parameters } = AsnConvert.parse(innerAlgorithm.raw, AlgorithmIdentifier);
  const signatureAlgorithm = {
    signatureOid,
    signatureParameters: parameters ? new Uint8Array(parameters) : undefined,
  };
  const signed = {
    data: expectTag(tbs, tags.sequence).raw,
    // The first byte of a BIT STRING is the number of unused bits. In a signature this number is 0.
    signature: expectTag(signature, tags.bitString).content.subarray(1),
  };
  const find = (id: string): Buffer | undefined => listExtensions.find((one) => one.id === id)?.value;
  const number = (id: string): bigint | undefined => {
    const value = find(id);
    return value === undefined ? undefined : BigInt(`0x${contentOf(value, tags.integer).toString('hex') || '0'}`);
  };
  const scope = find(extensionIds.issuingDistributionPoint);
  const issuerDer = expectTag(issuer, tags.sequence).raw;
  const issuerKey = nameKey(issuerDer);
  const index = entries === undefined ? undefined : indexEntries(entries);
  return {
    issuerDer,
    issuerKey,
    thisUpdate: readTime(thisUpdate),
    nextUpdate: nextUpdate === undefined ? undefined : readTime(nextUpdate),
    number: number(extensionIds.number),
    deltaOf: number(extensionIds.deltaIndicator),
    scope: scope === undefined ? undefined : readListScope(scope),
    weakAlgorithm: isStrongSignature(signatureAlgorithm) ? undefined : signatureAlgorithmName(signatureAlgorithm),
    unknownExtension:
      listExtensions.find(({ id, isCritical }) => isCritical && !knownOfList.has(id))?.id ?? index?.unknownExtension,
    entriesOf: (serial, ofIssuer) =>
      entries === undefined || index === undefined
        ? []
        : findEntries(entries, serial, { ofIssuer, issuerKey, isIndirect: index.isIndirect }),
    isSignedBy: (signer) =>
      maySignLists(signer) && verifyStrongSignature(signatureAlgorithm, { ...signed, key: signer.x509.publicKey }),
  };
}

/** RFC 5280, 4.2.1.3: without the key usage extension a key may be used for everything. */
function maySignLists({ structure }: ReadCertificate): boolean {
  return structure.keyUsages?.some((usage) => usage.toLowerCase() === 'crlsign') ?? true;
}

function readEntry(entry: Element): { serial: Buffer; extensions: DerExtension[] } {
  const [serial, , extensions] = elements(expectTag(entry, tags.sequence).content);
  return {
    serial: expectTag(serial, tags.integer).content,
    extensions: extensions === undefined ? [] : readExtensions(expectTag(extensions, tags.sequence).content),
  };
}

/** Reads all entries once, when the list is read, so that a truncated list is not mistaken for a complete one. */
function indexEntries(entries: Buffer): { unknownExtension: string | undefined; isIndirect: boolean } {
  let unknownExtension: string | undefined;
  let isIndirect = false;
  for (let offset = 0; offset < entries.length;) {
    const entry = elementAt(entries, offset);
    for (const { id, isCritical } of readEntry(entry).extensions) {
      if (isCritical && !knownOfEntry.has(id)) unknownExtension = id;
      if (id === extensionIds.entryIssuer) isIndirect = true;
    }
    offset += entry.raw.length;
  }
  return { unknownExtension, isIndirect };
}

function findEntries(
  entries: Buffer,
  serial: string,
  { ofIssuer, issuerKey, isIndirect }: { ofIssuer: string; issuerKey: string; isIndirect: boolean },
): CrlEntry[] {
  // Most certificates are on no list, and a search for the bytes is a hundred times faster than reading all entries.
  if (!entries.includes(Buffer.from(serial, 'hex'))) return [];
  const found: CrlEntry[] = [];
  // RFC 5280, 5.3.3: an entry belongs to the issuer that was named last, and before the first name to the signer of the list.
  let current = issuerKey;
  for (let offset = 0; offset < entries.length;) {
    const element = elementAt(entries, offset);
    offset += element.raw.length;
    const entry = readEntry(element);
    const named = isIndirect ? entry.extensions.find(({ id }) => id === extensionIds.entryIssuer) : undefined;
    if (named !== undefined) current = entryIssuerKey(named.value);
    if (integerHex(entry.serial) !== serial || current !== ofIssuer) continue;
    const reason = entry.extensions.find(({ id }) => id === extensionIds.reason)?.value;
    found.push({ reason: reason === undefined ? undefined : contentOf(reason, tags.enumerated)[0] });
  }
  return found;
}

function entryIssuerKey(value: Buffer): string {
  const name = elements(contentOf(value, tags.sequence)).find(({ tag }) => tag === 0xa4);
  return name === undefined ? '' : nameKey(name.content);
}

/** Editors add a line end after the data; only line ends may follow a list. */
function listsInARow(bytes: Buffer): Crl[] {
  const lists: Crl[] = [];
  const isBlank = (byte: number): boolean => byte === 0x0a || byte === 0x0d || byte === 0x20;
  for (let offset = 0; offset < bytes.length && !bytes.subarray(offset).every(isBlank);) {
    const { raw } = elementAt(bytes, offset);
    lists.push(readCrl(raw));
    offset += raw.length;
  }
  return lists;
}

/** RFC 5280, 4.1.2.5: YYMMDDHHMMSSZ from 1950 to 2049, else YYYYMMDDHHMMSSZ. */
function readTime(element: Element | undefined): number {
  const text = element?.content.toString('latin1') ?? '';
  const full = element?.tag === tags.utcTime ? `${Number(text.slice(0, 2)) >= 50 ? '19' : '20'}${text}` : text;
  const time = Date.parse(full.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(time)) throw new TypeError('not a time');
  return time;
}
