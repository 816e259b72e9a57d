// Compares the code with the recorded vectors (services/wire/vectors/*.json), which a second implementation reads too.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Secret } from '../kernel/secret.ts';
import { DataStreamHandshake } from './data-stream.ts';
import { deriveDataKeys, deriveProofKey, deriveTunnelKeys, DirectionKeys } from './key-schedule.ts';
import { MessageAssembler } from './message-assembler.ts';
import { RecordOpener, RecordSealer } from './records.ts';
import type { RecordType } from './records.ts';
import { TunnelClient, TunnelServer } from './tunnel.ts';

const hex = z.string().transform((text) => Buffer.from(text, 'hex'));
const directionKeys = z.object({ key: z.string(), prefix: z.string(), headerKey: z.string() });

function load<T>(name: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(new URL(`./vectors/${name}.json`, import.meta.url), 'utf8')));
}

const secret = (bytes: Buffer): Secret => Secret.take(Buffer.from(bytes));
const shown = (keys: DirectionKeys): z.infer<typeof directionKeys> => ({
  key: keys.key.toString('hex'),
  prefix: keys.prefix.toString('hex'),
  headerKey: keys.headerKey.toString('hex'),
});

describe('vectors', () => {
  it('key schedule', () => {
    const vectors = load(
      'key-schedule',
      z.object({
        keyA: hex,
        keyB: hex,
        keyAIdentifier: z.string(),
        keyBIdentifier: z.string(),
        sessionId: hex,
        attempt: z.number(),
        clientNonce: hex,
        serverNonce: hex,
        tunnel: z.object({ client: directionKeys, server: directionKeys }),
        data: z.array(z.object({ stream: z.number(), client: directionKeys, server: directionKeys })),
        attempt2: z.object({ tunnelClient: directionKeys, stream0Client: directionKeys }),
        rekey: z.tuple([directionKeys, directionKeys]),
        proofKey: z.string(),
      }),
    );
    const { sessionId, attempt, clientNonce, serverNonce } = vectors;
    const context = { sessionId, attempt, clientNonce, serverNonce };
    const [keyA, keyB] = [secret(vectors.keyA), secret(vectors.keyB)];
    expect(keyA.identifier()).toBe(vectors.keyAIdentifier);
    expect(keyB.identifier()).toBe(vectors.keyBIdentifier);
    expect(shown(deriveTunnelKeys(keyA, context, 'c'))).toEqual(vectors.tunnel.client);
    expect(shown(deriveTunnelKeys(keyA, context, 's'))).toEqual(vectors.tunnel.server);
    for (const { stream, client, server } of vectors.data) {
      expect(shown(deriveDataKeys(keyB, context, stream, 'c'))).toEqual(client);
      expect(shown(deriveDataKeys(keyB, context, stream, 's'))).toEqual(server);
    }
    const second = { ...context, attempt: 2 };
    expect(shown(deriveTunnelKeys(keyA, second, 'c'))).toEqual(vectors.attempt2.tunnelClient);
    expect(shown(deriveDataKeys(keyB, second, 0, 'c'))).toEqual(vectors.attempt2.stream0Client);
    const once = deriveDataKeys(keyB, context, 0, 'c').next();
    expect([shown(once), shown(once.next())]).toEqual(vectors.rekey);
    expect(deriveProofKey(keyB, sessionId, attempt).toString('hex')).toBe(vectors.proofKey);
  });

  it('records', () => {
    const record = z.object({ type: z.number(), flags: z.number(), plaintext: hex, bytes: z.string() });
    const vectors = load(
      'records',
      z.object({
        key: hex,
        prefix: hex,
        headerKey: hex,
        limits: z.object({ records: z.number(), plaintextBytes: z.number() }),
        records: z.array(record),
      }),
    );
    const { key, prefix, headerKey, limits, records } = vectors;
    const keys = (): DirectionKeys => new DirectionKeys(Buffer.concat([key, prefix, headerKey]), 0);
    const sealer = new RecordSealer(keys(), limits);
    const opener = new RecordOpener(keys(), { limits });
    for (const { type, flags, plaintext, bytes } of records) {
      expect(Buffer.concat(sealer.seal(type as RecordType, flags, [plaintext])).toString('hex')).toBe(bytes);
      expect(opener.push(Buffer.from(bytes, 'hex'))).toEqual([{ type, hasMore: flags === 1, plaintext }]);
    }
    opener.end();
  });

  it('tunnel', () => {
    const vectors = load(
      'tunnel',
      z.object({
        keyA: hex,
        keyB: hex,
        sessionId: z.string(),
        attempt: z.number(),
        steps: z.array(z.object({ bytes: z.string() })),
      }),
    );
    const { sessionId, attempt } = vectors;
    const [clientNonce, serverNonce, delivery, proof, close] = vectors.steps.map(({ bytes }) =>
      Buffer.from(bytes, 'hex'),
    );
    if (!clientNonce || !serverNonce || !delivery || !proof || !close) throw new Error('A step is missing');
    const client = new TunnelClient({
      keyA: secret(vectors.keyA),
      keyB: secret(vectors.keyB),
      sessionId,
      attempt,
      nonce: clientNonce,
    });
    const server = new TunnelServer({ keyA: secret(vectors.keyA), sessionId, attempt, nonce: serverNonce });
    expect(client.start()).toEqual(clientNonce);
    expect(server.push(clientNonce).send).toEqual(serverNonce);
    expect(client.push(serverNonce).send).toEqual(delivery);
    const received = server.push(delivery);
    expect(received.send).toEqual(proof);
    expect(received.done?.keyB.bytes).toEqual(vectors.keyB);
    expect(client.push(proof).send).toEqual(close);
    server.push(close);
    expect(server.isClosed).toBe(true);
  });

  it('data stream', () => {
    const vectors = load(
      'data-stream',
      z.object({
        keyB: hex,
        sessionId: z.string(),
        attempt: z.number(),
        streamIndex: z.number(),
        clientNonce: hex,
        serverNonce: hex,
        blockContent: hex,
        records: z.array(z.object({ what: z.string(), bytes: hex })),
      }),
    );
    const { sessionId, attempt, streamIndex, serverNonce, clientNonce } = vectors;
    const server = new DataStreamHandshake({
      side: 'server',
      keyB: secret(vectors.keyB),
      sessionId,
      attempt,
      streamIndex,
      nonce: serverNonce,
    });
    const open = server.push(clientNonce);
    if (open === undefined) throw new Error('The stream did not open');
    const assembler = new MessageAssembler();
    const types: string[] = [];
    for (const { bytes } of vectors.records) {
      for (const record of open.opener.push(bytes)) {
        const message = assembler.push(record);
        types.push(message?.type ?? 'close');
        if (message?.type === 'block') expect(message.blocks[0]?.stored).toEqual(vectors.blockContent);
      }
    }
    expect(types).toEqual(vectors.records.map(({ what }) => what));
    open.opener.end();
  });
});
