// Owns reading the few fields of a TLS ClientHello (RFC 8446, 4.1.2) that a server needs before OpenSSL gets the bytes: the offered
// versions and groups. Must not decide trust; OpenSSL refuses what this code cannot read.

export const clientHelloLimitBytes = 16 * 1024;

export const namedGroups = { x25519MlKem768: 0x11ec, x25519: 0x001d, p256: 0x0017 } as const;

export type ClientHelloResult =
  | { readonly type: 'need-more' }
  | { readonly type: 'invalid' }
  | { readonly type: 'client-hello'; readonly versions: readonly number[]; readonly groups: readonly number[] };

const recordHeaderLengthBytes = 5;
const supportedGroupsExtension = 10;
const supportedVersionsExtension = 43;
const maxEntries = 256;
/** A correct client sends one or two fragments. Joining thousands of them would let an attacker waste CPU time. */
const maxFragments = 64;

/** Reads fields in order and refuses to read past the end. */
class Reader {
  readonly #bytes: Buffer;
  #offset = 0;
  isBroken = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  uint(lengthBytes: 1 | 2 | 3): number {
    const taken = this.take(lengthBytes);
    return taken.length === lengthBytes ? taken.readUIntBE(0, lengthBytes) : 0;
  }

  take(lengthBytes: number): Buffer {
    if (lengthBytes > this.remaining) {
      this.isBroken = true;
      this.#offset = this.#bytes.length;
      return Buffer.alloc(0);
    }
    const taken = this.#bytes.subarray(this.#offset, this.#offset + lengthBytes);
    this.#offset += lengthBytes;
    return taken;
  }
}

/** Parses the bytes that have arrived so far; joins handshake fragments of several records. At most 16 KiB. */
export function parseClientHello(bytes: Buffer): ClientHelloResult {
  const fragments: Buffer[] = [];
  let collectedBytes = 0;
  let offset = 0;
  for (;;) {
    if (fragments.length >= maxFragments || offset > clientHelloLimitBytes) return { type: 'invalid' };
    if (bytes.length < offset + recordHeaderLengthBytes) return { type: 'need-more' };
    if (bytes[offset] !== 0x16 || bytes[offset + 1] !== 0x03) return { type: 'invalid' };
    const recordLengthBytes = bytes.readUInt16BE(offset + 3);
    if (recordLengthBytes === 0 || recordLengthBytes > clientHelloLimitBytes) return { type: 'invalid' };
    const start = offset + recordHeaderLengthBytes;
    if (bytes.length < start + recordLengthBytes) return { type: 'need-more' };
    fragments.push(bytes.subarray(start, start + recordLengthBytes));
    collectedBytes += recordLengthBytes;
    offset = start + recordLengthBytes;
    const message = fragments.length === 1 ? (fragments[0] as Buffer) : Buffer.concat(fragments);
    if (message[0] !== 1) return { type: 'invalid' };
    if (collectedBytes < 4) continue;
    const messageLengthBytes = message.readUIntBE(1, 3);
    if (messageLengthBytes > clientHelloLimitBytes) return { type: 'invalid' };
    if (collectedBytes >= 4 + messageLengthBytes) return parseBody(message.subarray(4, 4 + messageLengthBytes));
  }
}

function parseBody(body: Buffer): ClientHelloResult {
  const reader = new Reader(body);
  const legacyVersion = reader.uint(2);
  reader.take(32);
  reader.take(reader.uint(1));
  reader.take(reader.uint(2));
  reader.take(reader.uint(1));
  let versions: number[] = [legacyVersion];
  let groups: number[] = [];
  const extensions = new Reader(reader.remaining === 0 ? Buffer.alloc(0) : reader.take(reader.uint(2)));
  while (!extensions.isBroken && extensions.remaining > 0) {
    const type = extensions.uint(2);
    const content = new Reader(extensions.take(extensions.uint(2)));
    if (type === supportedVersionsExtension) versions = uint16List(new Reader(content.take(content.uint(1))));
    if (type === supportedGroupsExtension) groups = uint16List(new Reader(content.take(content.uint(2))));
  }
  if (reader.isBroken || extensions.isBroken) return { type: 'invalid' };
  return { type: 'client-hello', versions, groups };
}

function uint16List(reader: Reader): number[] {
  const list: number[] = [];
  while (reader.remaining >= 2 && list.length < maxEntries) list.push(reader.uint(2));
  return list;
}
