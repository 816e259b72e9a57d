// Owns making certificates and revocation lists byte by byte for tests, because no tool writes these defects. For tests only.
import { createHash, generateKeyPairSync, type KeyObject, createPublicKey, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 0x80
      ? [length]
      : length < 0x100
        ? [0x81, length]
        : length < 0x10000
          ? [0x82, length >> 8, length & 0xff]
          : [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((value) => {
    const groups = [value & 0x7f];
    for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return der(0x06, Buffer.from(bytes));
}

export function extension(id: string, value: Uint8Array, isCritical = false): Buffer {
  return sequence(oid(id), ...(isCritical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

const attributeIds = { CN: '2.5.4.3', O: '2.5.4.10', C: '2.5.4.6' } as const;
/** Tags of the string types. */
export const stringTypes = { utf8: 0x0c, printable: 0x13, teletex: 0x14, ia5: 0x16, bmp: 0x1e } as const;

/** A distinguished name: one attribute each, `["CN", "Root"]`, UTF8String unless another type is given. */
export function distinguishedName(
  ...attributes: ReadonlyArray<
    readonly [type: keyof typeof attributeIds, value: string, string?: keyof typeof stringTypes]
  >
): Buffer {
  return sequence(
    ...attributes.map(([type, value, string = 'utf8']) => {
      const bytes = Buffer.from(value, string === 'bmp' ? 'utf16le' : string === 'utf8' ? 'utf8' : 'latin1');
      return der(
        0x31,
        sequence(oid(attributeIds[type]), der(stringTypes[string], string === 'bmp' ? bytes.swap16() : bytes)),
      );
    }),
  );
}

export const generalName = {
  dns: (name: string): Buffer => der(0x82, Buffer.from(name, 'latin1')),
  uri: (uri: string): Buffer => der(0x86, Buffer.from(uri, 'latin1')),
  directory: (name: Uint8Array): Buffer => der(0xa4, name),
  /** Hex of the address, or of address and mask. */
  ip: (hex: string): Buffer => der(0x87, Buffer.from(hex, 'hex')),
} as const;

const dayMs = 86_400_000;

function time(days: number): Buffer {
  const text = new Date(Date.now() + days * dayMs).toISOString().slice(0, 19).replace(/[-:T]/g, '');
  return der(0x18, Buffer.from(`${text}Z`));
}

/** NIST curves by OpenSSL's name, or RSA by its length. */
export function newKey(kind: string | number = 'P-256'): KeyObject {
  return typeof kind === 'number'
    ? generateKeyPairSync('rsa', { modulusLength: kind }).privateKey
    : generateKeyPairSync('ec', { namedCurve: kind }).privateKey;
}

/** A public RSA key of any size, without a private key. */
export function wideKey(bits: number, exponentBits = 17): KeyObject {
  const odd = (size: number): string => {
    const bytes = Buffer.alloc(Math.ceil(size / 8), 0xa5);
    bytes[bytes.length - 1] = 0x01;
    return bytes.toString('base64url');
  };
  return createPublicKey({ key: { kty: 'RSA', n: odd(bits), e: odd(exponentBits) }, format: 'jwk' });
}

export interface MintOptions {
  /** A common name, or the DER of a whole name. */
  readonly subject?: string | Buffer;
  readonly key?: KeyObject;
  /** Default: self-signed. */
  readonly issuer?: Minted;
  readonly isAuthority?: boolean;
  /** DNS names and IPv4 addresses. */
  readonly names?: readonly string[];
  /** Added to the usual extensions; replaces a usual one with the same identifier. See `extension`. */
  readonly extensions?: readonly Buffer[];
  readonly fromDays?: number;
  readonly toDays?: number;
  /** Content of the INTEGER in hex, written unchanged. */
  readonly serial?: string;
  readonly digest?: 'sha256' | 'sha1';
  /** Whether the certificate names the key of its issuer. */
  readonly hasKeyIdentifier?: boolean;
}

export interface Minted {
  readonly certDer: Buffer;
  readonly certPem: string;
  readonly keyPem: string;
  readonly key: KeyObject;
  readonly name: Buffer;
  readonly serial: string;
}

const serverAuth = sequence(oid('1.3.6.1.5.5.7.3.1'));
export const usage = { certSign: 0x04, crlSign: 0x02, digitalSignature: 0x80 } as const;

export function keyUsage(bits: number): Buffer {
  return extension('2.5.29.15', der(0x03, Buffer.from([0, bits])), true);
}

export function mint({
  subject = 'Server',
  key = newKey(),
  issuer,
  isAuthority = false,
  names,
  extensions = [],
  fromDays = -1,
  toDays = 30,
  serial = `4d${randomBytes(8).toString('hex')}`,
  digest = 'sha256',
  hasKeyIdentifier = false,
}: MintOptions): Minted {
  const name = typeof subject === 'string' ? distinguishedName(['CN', subject]) : subject;
  const publicKey = publicPart(key);
  const signer = issuer?.key ?? key;
  const usual = [
    extension('2.5.29.19', isAuthority ? sequence(der(0x01, Buffer.from([0xff]))) : sequence(), true),
    keyUsage(isAuthority ? usage.certSign | usage.crlSign : usage.digitalSignature),
    ...(isAuthority ? [] : [extension('2.5.29.37', serverAuth)]),
    ...(names === undefined ? [] : [extension('2.5.29.17', sequence(...names.map(alternativeName)))]),
    extension('2.5.29.14', der(0x04, keyIdentifier(key))),
    ...(hasKeyIdentifier ? [extension('2.5.29.35', sequence(der(0x80, keyIdentifier(signer))))] : []),
  ].filter((one) => !extensions.some((other) => idOf(other) === idOf(one)));
  const algorithm = algorithmOf(signer, digest);
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from(serial, 'hex')),
    algorithm,
    issuer?.name ?? name,
    sequence(time(fromDays), time(toDays)),
    name,
    publicKey,
    der(0xa3, sequence(...usual, ...extensions)),
  );
  const certDer = signed(body, algorithm, signer, digest);
  return {
    certDer,
    certPem: pem(certDer, 'CERTIFICATE'),
    keyPem: key.type === 'private' ? key.export({ type: 'pkcs8', format: 'pem' }) : '',
    key,
    name,
    serial,
  };
}

export interface MintListOptions {
  /** The signer; also the issuer name of the list, unless `name` is given. */
  readonly issuer: Minted;
  readonly name?: Buffer;
  readonly revoked?: ReadonlyArray<string | { readonly serial: string; readonly extensions: readonly Buffer[] }>;
  readonly extensions?: readonly Buffer[];
  readonly fromDays?: number;
  readonly toDays?: number;
  readonly number?: number;
  readonly digest?: 'sha256' | 'sha1';
}

/** @returns DER */
export function mintList({
  issuer,
  name = issuer.name,
  revoked = [],
  extensions = [],
  fromDays = -1,
  toDays = 7,
  number = 1,
  digest = 'sha256',
}: MintListOptions): Buffer {
  const algorithm = algorithmOf(issuer.key, digest);
  const entries = revoked.map((entry) => {
    const { serial, extensions: own } = typeof entry === 'string' ? { serial: entry, extensions: [] } : entry;
    return sequence(der(0x02, Buffer.from(serial, 'hex')), time(-2), ...(own.length > 0 ? [sequence(...own)] : []));
  });
  const body = sequence(
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    time(fromDays),
    time(toDays),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    der(0xa0, sequence(extension('2.5.29.20', der(0x02, Buffer.from([number]))), ...extensions)),
  );
  return signed(body, algorithm, issuer.key, digest);
}

export function pem(content: Uint8Array, label: string): string {
  const lines =
    Buffer.from(content)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function signed(body: Buffer, algorithm: Buffer, key: KeyObject, digest: string): Buffer {
  return sequence(body, algorithm, der(0x03, Buffer.from([0]), sign(digest, body, key)));
}

function algorithmOf(key: KeyObject, digest: 'sha256' | 'sha1'): Buffer {
  if (key.asymmetricKeyType === 'rsa') {
    return sequence(oid(digest === 'sha1' ? '1.2.840.113549.1.1.5' : '1.2.840.113549.1.1.11'), der(0x05));
  }
  return sequence(oid(digest === 'sha1' ? '1.2.840.10045.4.1' : '1.2.840.10045.4.3.2'));
}

function alternativeName(name: string): Buffer {
  return isIPv4(name)
    ? generalName.ip(Buffer.from(name.split('.').map(Number)).toString('hex'))
    : generalName.dns(name);
}

/** Returns the public part of a key; the key may itself be public, without a private part. */
function publicPart(key: KeyObject): Buffer {
  return (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
}

function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha1').update(publicPart(key)).digest();
}

/** The object identifier in an extension, as bytes. */
function idOf(one: Buffer): string {
  const start = one[1] === 0x82 ? 4 : one[1] === 0x83 ? 5 : one[1] === 0x81 ? 3 : 2;
  return one.subarray(start, start + 2 + (one[start + 1] ?? 0)).toString('hex');
}
