// Compares the login and the data messages with their recorded bytes (vectors/scram.json, vectors/messages.json).
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { expectVector } from '../testing/vector-file.ts';
import { Secret } from '../kernel/secret.ts';
import { decodeMessage, encodeMessage, type DataMessage } from './messages.ts';
import { makeScramVerifier, ScramClient, ScramServer } from './scram.ts';

const vector = (name: string): URL => new URL(`./vectors/${name}.json`, import.meta.url);
/** 32 bytes that every run derives from the same text. */
const bytesOf = (text: string): Buffer => createHash('sha256').update(text).digest();

describe('recorded exchanges', () => {
  it('of logins', async () => {
    // Unusual input of real users: a soft hyphen, a no-break space, full-width digits, an umlaut in two parts, and the two characters that
    // are escaped.
    const [userName, password] = ['Mu\u0308ller=\u00a0\uff11, Ltd\u00ad', 'na\u00efve\u3000pass\u200bword \u2460 #'];
    const salt = bytesOf('salt').subarray(0, 16);
    const channelBinding = bytesOf('channel binding');
    const [clientNonce, serverNonce] = ['rOprNGfwEbeRWgbNEkqO', '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'];
    const verifier = await makeScramVerifier(password, { salt });
    let found = '';
    const findVerifier = (name: string): typeof verifier => {
      found = name;
      return verifier;
    };
    const client = new ScramClient({ userName, password, channelBinding, nonce: clientNonce });
    const unknownUserSecret = Secret.random();
    const server = new ScramServer({ channelBinding, findVerifier, unknownUserSecret, nonce: serverNonce });
    const clientFirst = client.first();
    const serverFirst = await server.first(clientFirst);
    const clientFinal = await client.answer(serverFirst);
    const outcome = server.final(clientFinal);
    client.verify(outcome.message);
    expectVector(vector('scram'), {
      about:
        'docs/protocol.md, section 2, "Login": one SCRAM-SHA-256-PLUS login. User name and password as typed; ' +
        'preparedUserName as the provider looks it up. Binary values are hex.',
      ...{ userName, password, preparedUserName: found, channelBinding: channelBinding.toString('hex') },
      ...{ salt: salt.toString('hex'), iterations: verifier.iterations, clientNonce, serverNonce },
      storedKey: verifier.storedKey.toString('hex'),
      serverKey: verifier.serverKey.toString('hex'),
      ...{ clientFirst, serverFirst, clientFinal, serverFinal: outcome.message },
    });
  });

  it('of every data message', () => {
    const raw = Buffer.from('Blocks travel as they are stored.');
    // "words " a hundred times, as one zstd frame.
    const packed = Buffer.from('28b52ffd6058016d000030776f7264732001004f529522', 'hex');
    const ids = ['first', 'second', 'third'].map(bytesOf);
    const pointId = bytesOf('point').toString('hex').slice(0, 32);
    const blocks = [
      { id: createHash('sha256').update(raw).digest(), encoding: 'raw', contentLength: raw.length, stored: raw },
      {
        id: createHash('sha256').update('words '.repeat(100)).digest(),
        encoding: 'zstd',
        contentLength: 600,
        stored: packed,
      },
    ] as const;
    const messages: readonly DataMessage[] = [
      ...(['backup', 'restore', 'manifest'] as const).map((operation, index): DataMessage => {
        const root = index === 0 ? Buffer.alloc(0) : Buffer.from('the root of a point');
        return { type: 'open', protocol: 1, operation, streamIndex: index, streamCount: 3, pointId, root };
      }),
      { type: 'offer', offerId: 7, ids },
      { type: 'offer', offerId: 0, ids: [] },
      { type: 'want', offerId: 7, wanted: [true, false, true] },
      { type: 'want', offerId: 8, wanted: Array.from({ length: 11 }, (_, index) => index % 3 === 0) },
      { type: 'block', blocks },
      { type: 'durable', totalBlocks: 2, totalStoredBytes: 5_000_000_000, ids: ids.slice(0, 2) },
      { type: 'commit', blockCount: 5, root: Buffer.from('the root of a point') },
      { type: 'committed', pointId, storedBytes: 5_000_000_123, newBlocks: 5 },
      { type: 'abort', code: 'call.canceled', message: 'Stopped by a person \u2013 here' },
      { type: 'read', ids },
      { type: 'data', blocks },
      { type: 'error', code: 'storage.damaged', message: 'It cannot be read', ids: ids.slice(2) },
    ];
    const recorded = messages.map((message) => {
      const bytes = Buffer.concat(encodeMessage(message));
      expect(decodeMessage([bytes])).toEqual(message);
      return { ...plain(message), bytes: bytes.toString('hex') };
    });
    expectVector(vector('messages'), {
      about:
        'docs/protocol.md, section 6: one message of each type, as the plaintext of its records. Binary values are hex. ' +
        'The operation "manifest" is the one that control-messages.md calls "browse".',
      messages: recorded,
    });
  });
});

/** Converts a value for JSON, with bytes in hex. */
function plain(value: object): Record<string, unknown> {
  const say = (item: unknown): unknown => {
    if (Buffer.isBuffer(item)) return item.toString('hex');
    if (Array.isArray(item)) return item.map(say);
    return typeof item === 'object' && item !== null ? plain(item) : item;
  };
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, say(item)]));
}
