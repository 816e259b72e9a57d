// Owns reading certificate revocation lists (RFC 5280, 5). The elements are walked here: asn1js stops at 10,000 nodes, and lists of large
// authorities have hundreds of thousands. Only definite lengths, as DER asks for.
import { AsnConvert } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { ReadCertificate } from './certificate-summary.ts';
import { pemBody, splitPem } from './pem.ts';
import { verifyStrongSignature } from './strength.ts';
import { normalizeSerial } from './x509-structure.ts';

const tags = {
  integer: 0x02,
  bitString: 0x03,
  sequence: 0x30,
  utcTime: 0x17,
  generalizedTime: 0x18,
  extensions: 0xa0,
} as const;
/** Extensions by which a list speaks for a part of the certificates only; such a list can say "revoked" but not "good". */
const partialExtensions = ['551d1c', '551d1b'].map((hex) => Buffer.from(hex, 'hex'));

interface Element {
  readonly tag: number;
  /** With tag and length. */
  readonly raw: Buffer;
  readonly content: Buffer;
}

export interface Crl {
  readonly issuerDer: Buffer;
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number;
  /** undefined: the list says nothing about its end. */
  readonly nextUpdate: number | undefined;
  readonly isPartial: boolean;
  /** @param serialHex as in `CertificateStructure` */
  isRevoked(serialHex: string): boolean;
  isSignedBy(issuer: ReadCertificate): boolean;
}

/** Lists from DER, or from all X509 CRL blocks of a PEM text. @throws FarkeepError 'certificate.malformed' */
export function readCrls(bytes: Buffer): Crl[] {
  try {
    if (bytes[0] === tags.sequence) return [readCrl(bytes)];
    const lists = splitPem(bytes.toString('utf8'))
      .filter(({ label }) => label === 'X509 CRL')
      .map((block) => readCrl(pemBody(block)));
    if (lists.length === 0) throw new TypeError('no list in the text');
    return lists;
  } catch (error) {
    throw new FarkeepError('certificate.malformed', 'The file is not a revocation list (CRL in PEM or DER)', {
      hint: 'Get the list from the authority that issued the certificate; its address stands in the certificate.',
      cause: error,
    });
  }
}

function readCrl(bytes: Buffer): Crl {
  const [tbs, algorithm, signature] = elements(expect(elements(bytes)[0], tags.sequence).content);
  const parts = elements(expect(tbs, tags.sequence).content);
  if (parts[0]?.tag === tags.integer) parts.shift();
  const [, issuer, thisUpdate, ...rest] = parts;
  const isTime = (element: Element | undefined): boolean =>
    element?.tag === tags.utcTime || element?.tag === tags.generalizedTime;
  const nextUpdate = isTime(rest[0]) ? rest.shift() : undefined;
  const entries = rest[0]?.tag === tags.sequence ? rest.shift()?.content : undefined;
  const extensions = rest.find((element) => element.tag === tags.extensions)?.content;
  const { algorithm: signatureOid, parameters } = AsnConvert.parse(
    expect(algorithm, tags.sequence).raw,
    AlgorithmIdentifier,
  );
  const signed = {
    data: expect(tbs, tags.sequence).raw,
    // The first byte of a BIT STRING counts unused bits; a signature has none.
    signature: expect(signature, tags.bitString).content.subarray(1),
  };
  return {
    issuerDer: expect(issuer, tags.sequence).raw,
    thisUpdate: readTime(thisUpdate),
    nextUpdate: nextUpdate === undefined ? undefined : readTime(nextUpdate),
    isPartial: extensions !== undefined && partialExtensions.some((oid) => extensions.includes(oid)),
    isRevoked: (serialHex) => entries !== undefined && hasSerial(entries, serialHex),
    isSignedBy: (certificate) =>
      maySignLists(certificate) &&
      verifyStrongSignature(
        { signatureOid, signatureParameters: parameters ? new Uint8Array(parameters) : undefined },
        { ...signed, key: certificate.x509.publicKey },
      ),
  };
}

/** RFC 5280, 4.2.1.3: without the extension a key may do everything. */
function maySignLists({ structure }: ReadCertificate): boolean {
  return structure.keyUsages?.some((usage) => usage.toLowerCase() === 'crlsign') ?? true;
}

function hasSerial(entries: Buffer, serialHex: string): boolean {
  for (let offset = 0; offset < entries.length;) {
    const entry = elementAt(entries, offset);
    const serial = elementAt(entry.content, 0);
    if (normalizeSerial(serial.content.toString('hex')) === serialHex) return true;
    offset += entry.raw.length;
  }
  return false;
}

function elements(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const element = elementAt(bytes, offset);
    found.push(element);
    offset += element.raw.length;
  }
  return found;
}

function elementAt(bytes: Buffer, offset: number): Element {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined || first === 0x80 || first > 0x84) throw new RangeError('not DER');
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const start = offset + 2 + lengthBytes;
  if (start > bytes.length) throw new RangeError('not DER');
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(offset + 2, lengthBytes);
  if (start + length > bytes.length) throw new RangeError('not DER');
  return { tag, raw: bytes.subarray(offset, start + length), content: bytes.subarray(start, start + length) };
}

function expect(element: Element | undefined, tag: number): Element {
  if (element?.tag !== tag) throw new TypeError('another element was expected');
  return element;
}

/** RFC 5280, 4.1.2.5: YYMMDDHHMMSSZ from 1950 to 2049, else YYYYMMDDHHMMSSZ. */
function readTime(element: Element | undefined): number {
  const text = element?.content.toString('latin1') ?? '';
  const full = element?.tag === tags.utcTime ? `${Number(text.slice(0, 2)) >= 50 ? '19' : '20'}${text}` : text;
  const time = Date.parse(full.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(time)) throw new TypeError('not a time');
  return time;
}
