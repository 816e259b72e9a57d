// Owns comparing names of authorities (RFC 5280, 7.1). Case, blanks and string type do not matter. Must not decide trust: a signature
// proves who signed, and a name only selects the key to try.
import { contentOf, type Element, elements, expectTag, oidText, tags } from './der-elements.ts';

/** Decoders by the tag of the string type. T.61 is read as Latin-1, as other software does. */
const decoders: Readonly<Record<number, (content: Buffer) => string>> = {
  0x0c: (content) => content.toString('utf8'),
  0x12: (content) => content.toString('latin1'),
  0x13: (content) => content.toString('latin1'),
  0x14: (content) => content.toString('latin1'),
  0x16: (content) => content.toString('latin1'),
  0x1a: (content) => content.toString('latin1'),
  0x1c: (content) => decodeUniversal(content),
  0x1e: (content) => (content.length % 2 === 0 ? Buffer.from(content).swap16().toString('utf16le') : ''),
};

/** @param name DER of a Name. @returns a text that is equal for equal names. @throws when `name` is not a Name */
export function nameKey(name: Buffer): string {
  return JSON.stringify(partKeys(name));
}

/** Key of `name` extended by one more part (nameRelativeToCRLIssuer). @param part content of a SET */
export function nameKeyBelow(name: Buffer, part: Buffer): string {
  return JSON.stringify([...partKeys(name), partKey(part)]);
}

function partKeys(name: Buffer): string[] {
  return elements(contentOf(name, tags.sequence)).map((part) => partKey(expectTag(part, tags.set).content));
}

function partKey(part: Buffer): string {
  return elements(part)
    .map((attribute) => {
      const [type, value] = elements(expectTag(attribute, tags.sequence).content);
      return `${oidText(expectTag(type, tags.oid).content)}=${valueKey(value)}`;
    })
    .sort()
    .join('+');
}

/** String preparation (RFC 4518, 2), the part that matters here: compatibility forms, case, blanks at the ends, repeated blanks. */
function valueKey(value: Element | undefined): string {
  const decode = value === undefined ? undefined : decoders[value.tag];
  if (value === undefined || decode === undefined) return `#${value?.raw.toString('hex') ?? ''}`;
  return decode(value.content).normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}

function decodeUniversal(content: Buffer): string {
  const points: number[] = [];
  for (let offset = 0; offset + 4 <= content.length; offset += 4) points.push(content.readUInt32BE(offset));
  return points.every((point) => point <= 0x10ffff) ? String.fromCodePoint(...points.slice(0, 10_000)) : '';
}
