// Owns the PROXY protocol v2 header between gateway and provider. A TLV proves which gateway wrote the header and that the header is fresh.
// Must not know sockets; transport/proxy-keys.ts keeps the replay window.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';

const signature = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const fixedLengthBytes = 16;
/** Limit of the part after the first 16 bytes; a Farkeep header needs 12 or 36 bytes of addresses and 60 of TLV. */
export const proxyBodyLimitBytes = 512;
const farkeepTlvType = 0xe0;
const tlvVersion = 1;
export const linkIdLengthBytes = 16;
const macLengthBytes = 32;
const tlvValueLengthBytes = 1 + linkIdLengthBytes + 8 + macLengthBytes;

export interface ProxyHeader {
  /** The client's address as seen by the gateway. */
  readonly sourceAddress: string;
  readonly sourcePort: number;
  /** The gateway's own address on that connection. */
  readonly destinationAddress: string;
  readonly destinationPort: number;
  /** Identifies the gateway link whose exporter key made the MAC; 16 bytes that the provider chose when the link was opened. */
  readonly linkId: Buffer;
  /** Grows with every connection of a link, from 0; the provider accepts each value once. */
  readonly counter: bigint;
}

export interface ReceivedProxyHeader {
  readonly header: ProxyHeader;
  /** Length of the whole header; the bytes after it belong to the connection. */
  readonly lengthBytes: number;
  /** Whether the MAC was made with `key`. Constant time. */
  isAuthentic(key: Uint8Array): boolean;
}

export type ProxyParseResult =
  | { readonly type: 'need-more' }
  | { readonly type: 'invalid'; readonly reason: string }
  | ({ readonly type: 'header' } & ReceivedProxyHeader);

function computeMac(key: Uint8Array, authenticated: Uint8Array): Buffer {
  return createHmac('sha256', key).update('farkeep/1 proxy header').update(authenticated).digest();
}

/**
 * The header: signature, version and command 0x21, family, length, addresses, and at the end one TLV 0xE0: version(1) linkId(16) counter(8)
 * mac(32). mac = HMAC-SHA256(key, "farkeep/1 proxy header" || every header byte before the mac), so the MAC covers addresses, lengths, link
 * and counter.
 */
export function encodeProxyHeader(header: ProxyHeader, key: Uint8Array): Buffer {
  if (header.linkId.length !== linkIdLengthBytes)
    throw new RangeError(`A link identifier has ${linkIdLengthBytes} bytes`);
  const isFamily4 = isIPv4(header.sourceAddress) && isIPv4(header.destinationAddress);
  const addressLengthBytes = isFamily4 ? 4 : 16;
  const addresses = Buffer.alloc(addressLengthBytes * 2 + 4);
  writeAddress(header.sourceAddress, addresses, 0, addressLengthBytes);
  writeAddress(header.destinationAddress, addresses, addressLengthBytes, addressLengthBytes);
  addresses.writeUInt16BE(header.sourcePort, addressLengthBytes * 2);
  addresses.writeUInt16BE(header.destinationPort, addressLengthBytes * 2 + 2);

  const bytes = Buffer.alloc(fixedLengthBytes + addresses.length + 3 + tlvValueLengthBytes);
  signature.copy(bytes);
  bytes.writeUInt8(0x21, 12);
  bytes.writeUInt8(isFamily4 ? 0x11 : 0x21, 13);
  bytes.writeUInt16BE(bytes.length - fixedLengthBytes, 14);
  addresses.copy(bytes, fixedLengthBytes);
  let offset = fixedLengthBytes + addresses.length;
  bytes.writeUInt8(farkeepTlvType, offset);
  bytes.writeUInt16BE(tlvValueLengthBytes, offset + 1);
  bytes.writeUInt8(tlvVersion, offset + 3);
  offset += 4;
  header.linkId.copy(bytes, offset);
  bytes.writeBigUInt64BE(header.counter, offset + linkIdLengthBytes);
  computeMac(key, bytes.subarray(0, bytes.length - macLengthBytes)).copy(bytes, bytes.length - macLengthBytes);
  return bytes;
}

/** Parses the bytes that have arrived so far. Every length is checked before it is used; only the exact form above is accepted. */
export function parseProxyHeader(bytes: Buffer): ProxyParseResult {
  const comparedBytes = Math.min(bytes.length, signature.length);
  if (!bytes.subarray(0, comparedBytes).equals(signature.subarray(0, comparedBytes)))
    return invalid('no PROXY v2 signature');
  if (bytes.length < fixedLengthBytes) return { type: 'need-more' };
  if (bytes.readUInt8(12) !== 0x21) return invalid('version or command is not 0x21');
  const family = bytes.readUInt8(13);
  if (family !== 0x11 && family !== 0x21) return invalid('address family is not TCP over IPv4 or IPv6');
  const addressLengthBytes = family === 0x11 ? 4 : 16;
  const bodyLengthBytes = bytes.readUInt16BE(14);
  if (bodyLengthBytes > proxyBodyLimitBytes) return invalid('too long');
  const addressesLengthBytes = addressLengthBytes * 2 + 4;
  if (bodyLengthBytes !== addressesLengthBytes + 3 + tlvValueLengthBytes)
    return invalid('not the form that a gateway writes');
  const lengthBytes = fixedLengthBytes + bodyLengthBytes;
  if (bytes.length < lengthBytes) return { type: 'need-more' };

  const tlvOffset = fixedLengthBytes + addressesLengthBytes;
  if (bytes.readUInt8(tlvOffset) !== farkeepTlvType) return invalid('no gateway TLV');
  if (bytes.readUInt16BE(tlvOffset + 1) !== tlvValueLengthBytes) return invalid('gateway TLV has a wrong length');
  if (bytes.readUInt8(tlvOffset + 3) !== tlvVersion) return invalid('gateway TLV has an unknown version');
  const own = Buffer.from(bytes.subarray(0, lengthBytes));
  const linkId = own.subarray(tlvOffset + 4, tlvOffset + 4 + linkIdLengthBytes);
  const portsOffset = fixedLengthBytes + addressLengthBytes * 2;
  return {
    type: 'header',
    lengthBytes,
    header: {
      sourceAddress: readAddress(own.subarray(fixedLengthBytes, fixedLengthBytes + addressLengthBytes)),
      destinationAddress: readAddress(own.subarray(fixedLengthBytes + addressLengthBytes, portsOffset)),
      sourcePort: own.readUInt16BE(portsOffset),
      destinationPort: own.readUInt16BE(portsOffset + 2),
      linkId,
      counter: own.readBigUInt64BE(tlvOffset + 4 + linkIdLengthBytes),
    },
    isAuthentic: (key) =>
      timingSafeEqual(
        computeMac(key, own.subarray(0, lengthBytes - macLengthBytes)),
        own.subarray(lengthBytes - macLengthBytes),
      ),
  };
}

function invalid(reason: string): ProxyParseResult {
  return { type: 'invalid', reason };
}

function writeAddress(address: string, target: Buffer, offset: number, lengthBytes: number): void {
  const family = isIP(address);
  if (family === 0) throw new RangeError(`"${address}" is not an IP address`);
  if (lengthBytes === 4) {
    Buffer.from(address.split('.').map(Number)).copy(target, offset);
    return;
  }
  parseIpv6(family === 4 ? `::ffff:${address}` : address).copy(target, offset);
}

function parseIpv6(address: string): Buffer {
  const withoutZone = address.split('%', 1)[0] ?? '';
  // The dotted end of "::ffff:192.0.2.1" becomes two ordinary groups.
  const plain = withoutZone.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_match, a: string, b: string, c: string, d: string) =>
      [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  );
  const [head = '', tail] = plain.split('::');
  const groupsOf = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const bytes = Buffer.alloc(16);
  before.forEach((group, index) => bytes.writeUInt16BE(group, index * 2));
  after.forEach((group, index) => bytes.writeUInt16BE(group, 16 - (after.length - index) * 2));
  return bytes;
}

function readAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff;
  if (isMapped) return bytes.subarray(12).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // URL shortens addresses by RFC 5952, with the same result on every platform.
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}
