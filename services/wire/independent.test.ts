// A second implementation (services/testing/independent), written only from docs/, reads every recorded vector of the wire. So a change of
// the bytes on the wire, or of the text, makes a test fail.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { unpack } from '../testing/independent/backup-tenant.ts';
import { preamble } from '../testing/independent/data-connection.ts';
import { decode, encode, type Operation, type StoredBlock } from '../testing/independent/data-messages.ts';
import { prepareText, ScramLogin } from '../testing/independent/scram-login.ts';
import {
  directionKeys,
  keyIdentifier,
  nextDirectionKeys,
  proofOf,
  RecordOpener,
  RecordSealer,
} from '../testing/independent/sealed-records.ts';
import { proxyHeader } from '../testing/independent/small-gateway.ts';
import { readerOf } from '../testing/independent/socket-reader.ts';
import { readVector, type VectorJson } from '../testing/vector-file.ts';

const load = (name: string): VectorJson => readVector(new URL(`./vectors/${name}.json`, import.meta.url));
const bytes = (value: unknown): Buffer => Buffer.from(value as string, 'hex');
const objects = (value: unknown): VectorJson[] => value as VectorJson[];

describe('the second implementation', () => {
  it('opens a recorded tunnel with Key A, finds Key B and computes the same proof', async () => {
    const vector = load('tunnel');
    const steps = objects(vector['steps']).map((step) => bytes(step['bytes']));
    const [clientNonce, serverNonce, delivery, answer, close] = steps as [Buffer, Buffer, Buffer, Buffer, Buffer];
    const exchange = {
      ...{ sessionId: vector['sessionId'] as string, attempt: vector['attempt'] as number },
      ...{ clientNonce, serverNonce },
    };
    const keyA = bytes(vector['keyA']);
    const toServer = new RecordOpener(directionKeys(keyA, exchange, 'c'));
    const delivered = await toServer.open(readerOf(delivery));
    expect(delivered.type).toBe(16);
    const keyB = delivered.plaintext.subarray(0, 32);
    expect(keyB).toEqual(bytes(vector['keyB']));
    expect(delivered.plaintext.subarray(32)).toEqual(keyIdentifier(keyB));
    expect((await toServer.open(readerOf(close))).type).toBe(2);

    const toClient = new RecordOpener(directionKeys(keyA, exchange, 's'));
    const read = readerOf(answer);
    const proof = await toClient.open(read);
    expect([proof.type, (await toClient.open(read)).type]).toEqual([17, 2]);
    expect(proof.plaintext).toEqual(proofOf(keyB, exchange, delivery));
  });

  it('opens a recorded data stream with Key B and reads the block in it', async () => {
    const vector = load('data-stream');
    const exchange = {
      ...{ sessionId: vector['sessionId'] as string, attempt: vector['attempt'] as number },
      ...{ clientNonce: bytes(vector['clientNonce']), serverNonce: bytes(vector['serverNonce']) },
    };
    const opener = new RecordOpener(
      directionKeys(bytes(vector['keyB']), exchange, 'c', vector['streamIndex'] as number),
    );
    const read = readerOf(Buffer.concat(objects(vector['records']).map((record) => bytes(record['bytes']))));
    const records = [];
    for (let record = await opener.open(read); ; record = await opener.open(read)) {
      records.push(record);
      if (record.type === 2) break;
    }
    await expect(read(1)).rejects.toThrow();
    const [open, offer, block] = records.map(({ plaintext }) => plaintext) as [Buffer, Buffer, Buffer];
    expect(records.map(({ type, flags }) => [type, flags])).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
      [2, 0],
    ]);
    const pointId = vector['pointId'];
    expect(decode(open)).toMatchObject({ type: 'open', operation: 'backup', stream: 1, streams: 2, pointId });
    const { blocks } = decode(block) as unknown as { blocks: StoredBlock[] };
    expect(blocks.map(unpack)).toEqual([bytes(vector['blockContent'])]);
    expect(offer).toEqual(
      encode.offer(
        1,
        blocks.map(({ id }) => id),
      ),
    );
  });

  it('derives every recorded key, and follows the change of keys inside a stream', async () => {
    const vector = load('key-schedule');
    const [keyA, keyB] = [bytes(vector['keyA']), bytes(vector['keyB'])];
    const shown = (material: Buffer): VectorJson => ({
      key: material.toString('hex', 0, 32),
      prefix: material.toString('hex', 32, 36),
      headerKey: material.toString('hex', 36, 52),
    });
    const exchangeOf = (attempt: number): Parameters<typeof directionKeys>[1] => ({
      ...{ sessionId: vector['sessionId'] as string, attempt },
      ...{ clientNonce: bytes(vector['clientNonce']), serverNonce: bytes(vector['serverNonce']) },
    });
    const first = exchangeOf(vector['attempt'] as number);
    expect(keyIdentifier(keyA).toString('hex')).toBe(vector['keyAIdentifier']);
    expect(keyIdentifier(keyB).toString('hex')).toBe(vector['keyBIdentifier']);
    expect({
      client: shown(directionKeys(keyA, first, 'c')),
      server: shown(directionKeys(keyA, first, 's')),
    }).toEqual(vector['tunnel']);
    for (const data of objects(vector['data'])) {
      const stream = data['stream'] as number;
      expect(shown(directionKeys(keyB, first, 'c', stream))).toEqual(data['client']);
      expect(shown(directionKeys(keyB, first, 's', stream))).toEqual(data['server']);
    }
    expect({
      tunnelClient: shown(directionKeys(keyA, exchangeOf(2), 'c')),
      stream0Client: shown(directionKeys(keyB, exchangeOf(2), 'c', 0)),
    }).toEqual(vector['attempt2']);
    const once = nextDirectionKeys(directionKeys(keyB, first, 'c', 0), 1);
    expect([shown(once), shown(nextDirectionKeys(once, 2))]).toEqual(vector['rekey']);

    const records = load('records');
    const material = Buffer.concat(['key', 'prefix', 'headerKey'].map((part) => bytes(records[part])));
    const limits = records['limits'] as { records: number; plaintextBytes: number };
    const [sealer, opener] = [new RecordSealer(material, limits), new RecordOpener(material, limits)];
    for (const record of objects(records['records'])) {
      const { type, flags } = record as { type: number; flags: number };
      const plaintext = bytes(record['plaintext']);
      expect(sealer.seal(type, flags, plaintext)).toEqual(bytes(record['bytes']));
      expect(await opener.open(readerOf(bytes(record['bytes'])))).toEqual({ type, flags, plaintext });
    }
  });

  it('hashes a ticket as recorded', () => {
    const recorded = objects(load('preamble')['preambles']);
    expect(recorded.map(({ kind }) => kind)).toEqual(['tunnel', 'data']);
    for (const { kind, ticket, bytes: shown, ticketHash } of recorded) {
      expect(preamble(kind === 'tunnel' ? 1 : 2, bytes(ticket))).toEqual(bytes(shown));
      expect(createHash('sha256').update(bytes(ticket)).digest('hex')).toBe(ticketHash);
    }
  });

  it('writes the recorded headers of a gateway', () => {
    const headers = objects(load('proxy-header')['headers']) as Record<string, string | number>[];
    expect(headers.length).toBeGreaterThan(2);
    for (const {
      sourceAddress,
      sourcePort,
      destinationAddress,
      destinationPort,
      counter,
      key,
      linkId,
      ...rest
    } of headers) {
      const header = {
        source: { host: String(sourceAddress), port: Number(sourcePort) },
        destination: { host: String(destinationAddress), port: Number(destinationPort) },
        ...{ linkId: bytes(linkId), counter: BigInt(counter ?? 0) },
      };
      expect(proxyHeader(header, bytes(key)).toString('hex')).toBe(rest['bytes']);
    }
  });

  it('logs in with the recorded messages', async () => {
    const vector = load('scram') as Record<string, string>;
    expect(prepareText(vector['userName'] ?? '')).toBe(vector['preparedUserName']);
    const { userName = '', password = '', clientNonce: nonce = '', serverFirst = '', serverFinal = '' } = vector;
    const login = new ScramLogin({ userName, password, nonce, channelBinding: bytes(vector['channelBinding']) });
    expect(login.first()).toBe(vector['clientFirst']);
    expect(await login.final(serverFirst)).toBe(vector['clientFinal']);
    login.verify(serverFinal);
    expect(() => login.verify(serverFinal.replace('=h', '=g'))).toThrow();
  });

  it('reads and writes every recorded data message', () => {
    const [types, seen] = [new Set<string>(), new Set<number>()];
    for (const message of objects(load('messages')['messages'])) {
      const recorded = bytes(message['bytes']);
      seen.add(recorded[0] ?? 0);
      types.add(message['type'] as string);
      const ids = ((message['ids'] ?? []) as string[]).map(bytes);
      const root = bytes(message['root'] ?? '');
      const blocks = ((message['blocks'] ?? []) as VectorJson[]).map((block) => ({
        id: bytes(block['id']),
        encoding: block['encoding'] === 'zstd' ? 1 : 0,
        contentLength: block['contentLength'] as number,
        stored: bytes(block['stored']),
      }));
      for (const block of blocks) expect(createHash('sha256').update(unpack(block)).digest()).toEqual(block.id);
      const { code, message: reason } = message as { code: string; message: string };
      switch (message['type']) {
        case 'open': {
          const operation = (message['operation'] === 'manifest' ? 'browse' : message['operation']) as Operation;
          const fields = {
            ...{ operation, stream: message['streamIndex'] as number, streams: message['streamCount'] as number },
            ...{ pointId: message['pointId'] as string, root },
          };
          expect(decode(recorded)).toEqual({ type: 'open', ...fields });
          expect(encode.open(fields)).toEqual(recorded);
          break;
        }
        case 'offer':
          expect(encode.offer(message['offerId'] as number, ids)).toEqual(recorded);
          break;
        case 'want':
          expect(decode(recorded)).toEqual({ type: 'want', offer: message['offerId'], wanted: message['wanted'] });
          break;
        case 'block':
          expect(encode.block(blocks)).toEqual(recorded);
          break;
        case 'durable':
          expect(decode(recorded)).toEqual({
            ...{ type: 'durable', blocks: BigInt(message['totalBlocks'] as number) },
            ...{ storedBytes: BigInt(message['totalStoredBytes'] as number), ids: message['ids'] },
          });
          break;
        case 'commit':
          expect(encode.commit(message['blockCount'] as number, root)).toEqual(recorded);
          break;
        case 'committed': {
          const { pointId, storedBytes, newBlocks } = message;
          expect(decode(recorded)).toEqual({ type: 'committed', pointId, storedBytes, newBlocks });
          break;
        }
        case 'abort':
          expect(decode(recorded)).toEqual({ type: 'abort', code, reason });
          expect(encode.abort(code, reason)).toEqual(recorded);
          break;
        case 'read':
          expect(encode.read(ids)).toEqual(recorded);
          break;
        case 'data':
          expect(decode(recorded)).toEqual({ type: 'data', blocks });
          break;
        default:
          expect(decode(recorded)).toEqual({ type: 'error', code, reason, ids: message['ids'] });
      }
      if (['open', 'want', 'durable', 'committed', 'abort', 'data', 'error'].includes(message['type'] as string))
        for (const wrong of [recorded.subarray(0, -1), Buffer.concat([recorded, Buffer.of(0)])])
          expect(() => decode(wrong)).toThrow();
    }
    expect([types.size, seen.size]).toEqual([11, 11]);
  });

  it('uses nothing but its own files and Node.js', () => {
    const folder = new URL('../testing/independent/', import.meta.url);
    const files = readdirSync(folder);
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) {
      const text = readFileSync(new URL(file, folder), 'utf8');
      const sources = [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"`])([^'"`]*)\1/g)].map(
        ([, , source = '']) => source,
      );
      expect(sources.length).toBeGreaterThan(0);
      expect(sources.filter((source) => !/^(node:[a-z_/]+|\.\/[a-z-]+\.ts)$/.test(source))).toEqual([]);
    }
  });
});
