// Owns reading from a certificate the addresses of its revocation lists, and from a list which certificates it covers (RFC 5280, 4.2.1.13,
// 5.2.5).
import { type Element, elements, expectTag, tags } from './der-elements.ts';
import { nameKey, nameKeyBelow } from './distinguished-names.ts';

/** Bits 1 to 8 of ReasonFlags: a list with all of them covers every reason. */
export const allReasons = 0b1_1111_1110;

/** Names are stored as comparable texts. `relative` is one name part in DER, below the name of the list's signer. */
interface PointName {
  readonly full: readonly string[];
  readonly relative: Buffer | undefined;
}

export interface DistributionPoint {
  readonly name: PointName | undefined;
  /** Revocation reasons that the lists at this point cover. */
  readonly reasons: number;
  /** Signers of the lists at this point, when the issuer does not sign them: DER names for `nameKeyBelow`, and keys for comparison. */
  readonly listIssuers: readonly { readonly der: Buffer; readonly key: string }[];
  readonly urls: readonly string[];
}

export interface ListScope {
  readonly point: PointName | undefined;
  readonly isOfServersOnly: boolean;
  readonly isOfAuthoritiesOnly: boolean;
  readonly isOfAttributesOnly: boolean;
  readonly isIndirect: boolean;
  readonly reasons: number;
}

/** @param value content of the extension cRLDistributionPoints. @throws for any other content */
export function readDistributionPoints(value: Buffer): DistributionPoint[] {
  return elements(soleContent(value)).map((point) => {
    let name: PointName | undefined;
    let reasons = allReasons;
    let urls: string[] = [];
    let listIssuers: DistributionPoint['listIssuers'] = [];
    for (const field of elements(expectTag(point, tags.sequence).content)) {
      if (field.tag === 0xa0) {
        name = readPointName(field);
        urls = elements(elements(field.content)[0]?.content ?? Buffer.alloc(0))
          .filter(({ tag }) => tag === 0x86)
          .map(({ content }) => content.toString('latin1'));
      } else if (field.tag === 0x81) {
        reasons = readReasons(field.content);
      } else if (field.tag === 0xa2) {
        listIssuers = elements(field.content)
          .filter(({ tag }) => tag === 0xa4)
          .map(({ content }) => ({ der: content, key: nameKey(content) }));
      } else {
        throw new TypeError('unknown field of a distribution point');
      }
    }
    return { name, reasons, listIssuers, urls };
  });
}

/** @param value content of the extension issuingDistributionPoint. @throws for any other content */
export function readListScope(value: Buffer): ListScope {
  const scope = {
    point: undefined as PointName | undefined,
    isOfServersOnly: false,
    isOfAuthoritiesOnly: false,
    isOfAttributesOnly: false,
    isIndirect: false,
    reasons: allReasons,
  };
  for (const field of elements(soleContent(value))) {
    const isTrue = field.content[0] !== 0;
    if (field.tag === 0xa0) scope.point = readPointName(field);
    else if (field.tag === 0x81) scope.isOfServersOnly = isTrue;
    else if (field.tag === 0x82) scope.isOfAuthoritiesOnly = isTrue;
    else if (field.tag === 0x83) scope.reasons = readReasons(field.content);
    else if (field.tag === 0x84) scope.isIndirect = isTrue;
    else if (field.tag === 0x85) scope.isOfAttributesOnly = isTrue;
    else throw new TypeError('unknown field of an issuing distribution point');
  }
  return scope;
}

/**
 * Returns the revocation reasons that a list covers for a certificate (RFC 5280, 6.3.3, b and d); 0 when the list does not cover the
 * certificate.
 * @param certificate its distribution points; `issuer` is the DER name of its issuer
 */
export function reasonsCovered(
  { scope, issuer, issuerKey }: { scope: ListScope | undefined; issuer: Buffer; issuerKey: string },
  certificate: {
    readonly issuer: Buffer;
    readonly isAuthority: boolean;
    readonly points: readonly DistributionPoint[];
  },
): number {
  const isOwn = issuerKey === nameKey(certificate.issuer);
  if (scope !== undefined) {
    if (scope.isOfAttributesOnly) return 0;
    if (certificate.isAuthority ? scope.isOfServersOnly : scope.isOfAuthoritiesOnly) return 0;
  }
  // A certificate without distribution points counts as a certificate with one point that has the name of its issuer.
  const points: readonly DistributionPoint[] =
    certificate.points.length > 0
      ? certificate.points
      : [
          {
            name: { full: [`name:${nameKey(certificate.issuer)}`], relative: undefined },
            reasons: allReasons,
            listIssuers: [],
            urls: [],
          },
        ];
  let covered = 0;
  for (const point of points) {
    const isByIssuer = isOwn && point.listIssuers.length === 0;
    const isByOther = scope?.isIndirect === true && point.listIssuers.some(({ key }) => key === issuerKey);
    if (!isByIssuer && !isByOther) continue;
    if (scope?.point !== undefined && !isSamePoint(scope.point, issuer, point, certificate.issuer)) continue;
    covered |= point.reasons;
  }
  // A complete list of the issuer covers every certificate of this issuer, whatever addresses the certificate names. Exception: all points
  // name other list issuers.
  const isKeptByIssuer = points.some(({ listIssuers }) => listIssuers.length === 0);
  if (isOwn && isKeptByIssuer && scope?.point === undefined) covered = allReasons;
  return covered & (scope?.reasons ?? allReasons);
}

function isSamePoint(listPoint: PointName, listIssuer: Buffer, point: DistributionPoint, issuer: Buffer): boolean {
  const issuers = point.listIssuers.length > 0 ? point.listIssuers : [{ der: issuer, key: '' }];
  const names =
    point.name === undefined
      ? point.listIssuers.map(({ key }) => `name:${key}`)
      : issuers.flatMap(({ der }) => namesOf(point.name, der));
  return namesOf(listPoint, listIssuer).some((name) => names.includes(name));
}

function namesOf(name: PointName | undefined, signer: Buffer): readonly string[] {
  if (name?.relative !== undefined) return [`name:${nameKeyBelow(signer, name.relative)}`];
  return name?.full ?? [];
}

/** DistributionPointName is a CHOICE, so its own tag lies inside the tag of the field. */
function readPointName(field: Element): PointName {
  const [choice] = elements(field.content);
  if (choice?.tag === 0xa1) return { full: [], relative: choice.content };
  return { full: elements(expectTag(choice, 0xa0).content).map(generalNameKey), relative: undefined };
}

function generalNameKey({ tag, raw, content }: Element): string {
  if (tag === 0xa4) return `name:${nameKey(content)}`;
  if (tag !== 0x86) return `other:${raw.toString('hex')}`;
  const text = content.toString('latin1');
  // The case of scheme and host does not matter (RFC 5280, 7.4).
  return `uri:${URL.canParse(text) ? new URL(text).href : text}`;
}

/** A BIT STRING: bit 0 is the highest bit of the first byte. */
function readReasons(content: Buffer): number {
  let reasons = 0;
  for (let bit = 0; bit < 9; bit += 1) {
    if (((content[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0) reasons |= 1 << bit;
  }
  return reasons;
}

function soleContent(value: Buffer): Buffer {
  const [only, more] = elements(value);
  if (more !== undefined) throw new RangeError('something follows the element');
  return expectTag(only, tags.sequence).content;
}
