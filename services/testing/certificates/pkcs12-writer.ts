// Owns writing PKCS #12 part by part, for files that no installed program writes: PBMAC1, nested and unknown bags, several keys, parts
// under another password, any algorithm identifier. Encrypts with node:crypto only, never with the tested code. For tests only.
import { createCipheriv, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 | bytes.length), bytes, content]);
}

export const sequence = (...parts: Uint8Array[]): Buffer => element(0x30, ...parts);
export const octets = (...parts: Uint8Array[]): Buffer => element(0x04, ...parts);
const explicit = (...parts: Uint8Array[]): Buffer => element(0xa0, ...parts);

export function integer(value: bigint | number): Buffer {
  const number = BigInt(value);
  let bits = 8;
  while (BigInt.asIntN(bits, number) !== number) bits += 8;
  return element(
    0x02,
    Buffer.from(
      BigInt.asUintN(bits, number)
        .toString(16)
        .padStart(bits / 4, '0'),
      'hex',
    ),
  );
}

export function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const base128 = (arc: number): number[] =>
    arc < 128 ? [arc] : [...base128(Math.floor(arc / 128)).map((byte) => byte | 0x80), arc % 128];
  return element(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** AlgorithmIdentifier */
export const algorithm = (oid: string, ...parameters: Uint8Array[]): Buffer => sequence(objectId(oid), ...parameters);

const data = '1.2.840.113549.1.7.1';
const encryptedData = '1.2.840.113549.1.7.6';
const bagType = (arc: number): string => `1.2.840.113549.1.12.10.1.${arc}`;

export const bag = (type: string, value: Uint8Array, ...attributes: Uint8Array[]): Buffer =>
  sequence(objectId(type), explicit(value), ...attributes);
export const keyBag = (pkcs8: Uint8Array): Buffer => bag(bagType(1), pkcs8);
export const certificateBag = (certificate: Uint8Array): Buffer =>
  bag(bagType(3), sequence(objectId('1.2.840.113549.1.9.22.1'), explicit(octets(certificate))));
export const crlBag = (list: Uint8Array): Buffer =>
  bag(bagType(4), sequence(objectId('1.2.840.113549.1.9.23.1'), explicit(octets(list))));
export const secretBag = (secret: Uint8Array): Buffer =>
  bag(bagType(5), sequence(objectId('1.2.3.4'), explicit(octets(secret))));
export const nestedBag = (...bags: Uint8Array[]): Buffer => bag(bagType(6), sequence(...bags));

export interface Protection {
  readonly password: Buffer | string;
  readonly rounds?: bigint | number;
  /** Keyed hash of PBKDF2; default: HMAC with SHA-256. */
  readonly prf?: readonly [oid: string, hash: string];
  /** A false AlgorithmIdentifier to write, for tests of refusals. */
  readonly claimed?: Buffer;
}

const usualPrf = ['1.2.840.113549.2.9', 'sha256'] as const;

const pbkdf2 = (
  salt: Buffer,
  { rounds, prf: [oid], keyBytes }: { rounds: bigint | number; prf: readonly [string, string]; keyBytes?: number },
): Buffer =>
  algorithm(
    '1.2.840.113549.1.5.12',
    sequence(
      octets(salt),
      integer(rounds),
      ...(keyBytes === undefined ? [] : [integer(keyBytes)]),
      algorithm(oid, Buffer.of(0x05, 0x00)),
    ),
  );
/** The file states the large number of rounds, but the key is derived with fewer, because a billion rounds take too long for a test. */
const computable = (rounds: bigint | number): number => (rounds > 0 && rounds <= 100_000 ? Number(rounds) : 1);

/** PBES2 with AES-256-CBC and PBKDF2 by HMAC with SHA-256. */
function encrypt(
  plain: Uint8Array,
  { password, rounds = 10, prf = usualPrf, claimed }: Protection,
): [algorithm: Buffer, data: Buffer] {
  const salt = randomBytes(8);
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', pbkdf2Sync(password, salt, computable(rounds), 32, prf[1]), iv);
  const own = algorithm(
    '1.2.840.113549.1.5.13',
    sequence(pbkdf2(salt, { rounds, prf }), algorithm('2.16.840.1.101.3.4.1.42', octets(iv))),
  );
  return [claimed ?? own, Buffer.concat([cipher.update(plain), cipher.final()])];
}

/** EncryptedPrivateKeyInfo */
export function encryptedKey(pkcs8: Uint8Array, protection: Protection): Buffer {
  const [encryption, bytes] = encrypt(pkcs8, protection);
  return sequence(encryption, octets(bytes));
}

export const shroudedKeyBag = (pkcs8: Uint8Array, protection: Protection): Buffer =>
  bag(bagType(2), encryptedKey(pkcs8, protection));

export const plainContent = (...bags: Uint8Array[]): Buffer =>
  sequence(objectId(data), explicit(octets(sequence(...bags))));

export function encryptedContent(protection: Protection, ...bags: Uint8Array[]): Buffer {
  const [encryption, bytes] = encrypt(sequence(...bags), protection);
  const info = sequence(objectId(data), encryption, element(0x80, bytes));
  return sequence(objectId(encryptedData), explicit(sequence(integer(0), info)));
}

/** A PFX; with PBMAC1 (RFC 9579) when `mac` is given. */
export function pkcs12(contents: readonly Uint8Array[], mac?: Protection): Buffer {
  const safe = sequence(...contents);
  return sequence(
    integer(3),
    sequence(objectId(data), explicit(octets(safe))),
    ...(mac === undefined ? [] : [macData(safe, mac)]),
  );
}

function macData(safe: Buffer, { password, rounds = 10, claimed }: Protection): Buffer {
  const salt = randomBytes(8);
  const key = pbkdf2Sync(password, salt, computable(rounds), 32, 'sha256');
  const pbmac1 = algorithm(
    '1.2.840.113549.1.5.14',
    sequence(
      pbkdf2(salt, { rounds, prf: usualPrf, keyBytes: 32 }),
      algorithm('1.2.840.113549.2.9', Buffer.of(0x05, 0x00)),
    ),
  );
  const digest = createHmac('sha256', key).update(safe).digest();
  return sequence(sequence(claimed ?? pbmac1, octets(digest)), octets(salt), integer(rounds));
}
