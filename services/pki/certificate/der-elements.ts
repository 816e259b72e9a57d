// Owns reading DER elements with definite lengths. The cost per element does not depend on its content. Needed for input from strangers
// (thousands of names) and for long lists: asn1js stops at 10,000 nodes, and a schema parser needs half a second for the names in 64 KiB.
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

export interface Element {
  readonly tag: number;
  /** The element with its tag and length. */
  readonly raw: Buffer;
  readonly content: Buffer;
}

/** @throws RangeError when the bytes are not DER */
export function elements(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const element = elementAt(bytes, offset);
    found.push(element);
    offset += element.raw.length;
  }
  return found;
}

/** @throws RangeError when there is no whole element at `offset` */
export function elementAt(bytes: Buffer, offset: number): Element {
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

/** Returns the content of the single element in `bytes`. @throws when the bytes are anything else */
export function contentOf(bytes: Buffer, tag: number): Buffer {
  const element = expectTag(elementAt(bytes, 0), tag);
  if (element.raw.length !== bytes.length) throw new RangeError('something follows the element');
  return element.content;
}

/** @throws TypeError when the element is missing or has another tag */
export function expectTag(element: Element | undefined, tag: number): Element {
  if (element?.tag !== tag) throw new TypeError('another element was expected');
  return element;
}

/** An INTEGER in hex, in the shortest DER form, so that equal numbers give equal texts: FF is -1, 00FF is 255. */
export function integerHex(content: Buffer): string {
  let start = 0;
  while (
    start + 1 < content.length &&
    ((content[start] === 0 && (content[start + 1] ?? 0) < 0x80) ||
      (content[start] === 0xff && (content[start + 1] ?? 0) >= 0x80))
  ) {
    start += 1;
  }
  return content.subarray(start).toString('hex');
}

/** Dotted text of an OBJECT IDENTIFIER's content. */
export function oidText(content: Buffer): string {
  const values: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      values.push(value);
      value = 0;
    }
  }
  const [first = 0, ...rest] = values;
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...rest].join('.');
}

export interface DerExtension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: Buffer;
}

/** @param list content of a SEQUENCE OF Extension */
export function readExtensions(list: Buffer): DerExtension[] {
  return elements(list).map((element) => {
    const [id, ...rest] = elements(expectTag(element, tags.sequence).content);
    const critical = rest[0]?.tag === tags.boolean ? rest.shift() : undefined;
    return {
      id: oidText(expectTag(id, tags.oid).content),
      isCritical: critical !== undefined && critical.content[0] !== 0,
      value: expectTag(rest[0], tags.octetString).content,
    };
  });
}
