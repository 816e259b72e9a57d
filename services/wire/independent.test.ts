// A second reading of docs/protocol.md, sections 4 to 6, with node:crypto alone: nothing is imported from the wire code. What it opens was
// recorded (vectors/), so the bytes on the wire cannot change without this noticing.
import { createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

type Json = Record<string, unknown>;
const load = (name: string): Json =>
  JSON.parse(readFileSync(new URL(`./vectors/${name}.json`, import.meta.url), 'utf8')) as Json;
const bytes = (value: unknown): Buffer => Buffer.from(value as string, 'hex');
const u32 = (value: number): Buffer => Buffer.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
const hkdf = (ikm: Buffer, salt: Buffer, info: Buffer, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', ikm, salt, info, length));

interface Opened {
  type: number;
  flags: number;
  plaintext: Buffer;
}

/** Section 5, for a stream that is short enough never to change its key. */
function openRecords(stream: Buffer, material: Buffer): { records: Opened[]; rest: Buffer } {
  const [key, prefix, headerKey] = [material.subarray(0, 32), material.subarray(32, 36), material.subarray(36)];
  const records: Opened[] = [];
  let at = 0;
  for (let sequence = 0; at < stream.length; sequence += 1) {
    const header = stream.subarray(at, at + 16);
    const fields = Buffer.concat([header.subarray(0, 2), header.subarray(4)]);
    expect(header.subarray(2, 4)).toEqual(createHmac('sha256', headerKey).update(fields).digest().subarray(0, 2));
    expect(header.readBigUInt64BE(8)).toBe(BigInt(sequence));
    const length = header.readUInt32BE(4);
    const body = stream.subarray(at + 16, at + 16 + length);
    const tag = stream.subarray(at + 16 + length, at + 32 + length);
    const nonce = Buffer.concat([prefix, header.subarray(8, 16)]);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
    decipher.setAAD(header);
    decipher.setAuthTag(tag);
    const plaintext = Buffer.concat([decipher.update(body), decipher.final()]);
    records.push({ type: header[0] ?? 0, flags: header[1] ?? 0, plaintext });
    at += 32 + length;
    if (header[0] === 2) break;
  }
  return { records, rest: stream.subarray(at) };
}

describe('an independent reader of the protocol text', () => {
  it('opens a recorded tunnel with Key A, finds Key B and computes the same proof', () => {
    const vector = load('tunnel');
    const steps = (vector['steps'] as Json[]).map((step) => bytes(step['bytes']));
    const [clientNonce, serverNonce, delivery, answer] = steps as [Buffer, Buffer, Buffer, Buffer];
    const session = Buffer.concat([bytes(vector['sessionId']), u32(vector['attempt'] as number)]);
    const salt = Buffer.concat([clientNonce, serverNonce]);
    const keysOf = (direction: string): Buffer =>
      hkdf(
        bytes(vector['keyA']),
        salt,
        Buffer.concat([Buffer.from('farkeep/1 tunnel'), session, Buffer.from(direction)]),
        52,
      );

    const toServer = keysOf('c');
    const delivered = openRecords(delivery, toServer).records;
    expect(delivered.map((record) => record.type)).toEqual([16]);
    const keyB = delivered[0]?.plaintext.subarray(0, 32) ?? Buffer.alloc(0);
    expect(keyB).toEqual(bytes(vector['keyB']));
    const identifier = createHmac('sha256', keyB).update('farkeep/1 key id').digest().subarray(0, 8);
    expect(delivered[0]?.plaintext.subarray(32)).toEqual(identifier);

    const toClient = keysOf('s');
    const answered = openRecords(answer, toClient).records;
    expect(answered.map((record) => record.type)).toEqual([17, 2]);
    const proofKey = hkdf(keyB, Buffer.alloc(0), Buffer.concat([Buffer.from('farkeep/1 key proof'), session]), 32);
    const transcript = createHash('sha256').update(clientNonce).update(serverNonce).update(delivery).digest();
    expect(answered[0]?.plaintext).toEqual(createHmac('sha256', proofKey).update(transcript).digest());
  });

  it('opens a recorded data stream with Key B and reads the block in it', () => {
    const vector = load('data-stream');
    const info = Buffer.concat([
      Buffer.from('farkeep/1 data'),
      bytes(vector['sessionId']),
      u32(vector['attempt'] as number),
      u32(vector['streamIndex'] as number),
      Buffer.from('c'),
    ]);
    const salt = Buffer.concat([bytes(vector['clientNonce']), bytes(vector['serverNonce'])]);
    const keys = hkdf(bytes(vector['keyB']), salt, info, 52);
    const stream = Buffer.concat((vector['records'] as Json[]).map((record) => bytes(record['bytes'])));
    const { records, rest } = openRecords(stream, keys);
    expect(rest).toHaveLength(0);
    expect(records.map(({ type, flags }) => [type, flags])).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
      [2, 0],
    ]);

    const [open, offer, block] = records.map((record) => record.plaintext) as [Buffer, Buffer, Buffer];
    expect([open[0], open.readUInt16BE(1), open[3], open.readUInt32BE(4), open.readUInt32BE(8)]).toEqual([
      1, 1, 0, 1, 2,
    ]);
    expect(open.subarray(12, 28)).toEqual(bytes(vector['pointId']));
    expect([offer[0], offer.readUInt32BE(1), offer.readUInt16BE(5)]).toEqual([2, 1, 1]);
    expect([block[0], block.readUInt16BE(1)]).toEqual([4, 1]);
    const [id, encoding, content, stored] = [
      block.subarray(3, 35),
      block[35],
      block.readUInt32BE(36),
      block.readUInt32BE(40),
    ];
    expect(offer.subarray(7)).toEqual(id);
    expect(encoding).toBe(0);
    expect(block.subarray(44)).toEqual(bytes(vector['blockContent']));
    expect([content, stored]).toEqual([block.length - 44, block.length - 44]);
    expect(createHash('sha256').update(block.subarray(44)).digest()).toEqual(id);
  });

  it('follows the change of keys inside a stream', () => {
    const vector = load('key-schedule');
    const first = (vector['data'] as Json[])[0]?.['client'] as Json;
    let key = bytes(first['key']);
    for (const [index, expected] of (vector['rekey'] as Json[]).entries()) {
      const next = hkdf(key, Buffer.alloc(0), Buffer.concat([Buffer.from('farkeep/1 rekey'), u32(index + 1)]), 52);
      expect(next.toString('hex')).toBe(
        `${expected['key'] as string}${expected['prefix'] as string}${expected['headerKey'] as string}`,
      );
      key = next.subarray(0, 32);
    }
  });
});
