import { describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { DataStreamHandshake } from './data-stream.ts';
import type { DataStreamOptions } from './data-stream.ts';

const sessionId = '00112233445566778899aabbccddeeff';
const keyB = (): Secret => Secret.take(Buffer.alloc(32, 0xb2));
const base = (side: 'client' | 'server'): DataStreamOptions => ({
  side,
  keyB: keyB(),
  sessionId,
  attempt: 1,
  streamIndex: 0,
});

describe('a data stream', () => {
  it('opens on both sides and carries records both ways', () => {
    const client = new DataStreamHandshake(base('client'));
    const server = new DataStreamHandshake(base('server'));
    const atServer = server.push(client.start());
    const toClient = Buffer.concat([server.start(), ...(atServer?.sealer.seal(1, 0, [Buffer.from('early')]) ?? [])]);
    expect(client.push(toClient.subarray(0, 31))).toBeUndefined();
    const atClient = client.push(toClient.subarray(31));
    expect(atClient?.opener.push(atClient.rest).map((record) => record.plaintext.toString())).toEqual(['early']);
    const up = Buffer.concat(atClient?.sealer.seal(1, 0, [Buffer.from('up')]) ?? []);
    expect(atServer?.opener.push(up)[0]?.plaintext.toString()).toBe('up');
  });

  it.each<[string, Partial<DataStreamOptions>]>([
    ['Key B', { keyB: Secret.random() }],
    ['stream', { streamIndex: 1 }],
    ['attempt', { attempt: 2 }],
    ['session', { sessionId: 'ff112233445566778899aabbccddeeff' }],
  ])('does not open with another %s', (_what, difference) => {
    const client = new DataStreamHandshake(base('client'));
    const server = new DataStreamHandshake({ ...base('server'), ...difference });
    const atServer = server.push(client.start());
    const atClient = client.push(server.start());
    const record = Buffer.concat(atClient?.sealer.seal(1, 0, [Buffer.from('x')]) ?? []);
    expect(() => atServer?.opener.push(record)).toThrow(expect.objectContaining({ code: 'security.tampered' }));
  });

  it('refuses its own records when an attacker sends them back', () => {
    const client = new DataStreamHandshake(base('client'));
    const open = client.push(Buffer.alloc(32, 1));
    const record = Buffer.concat(open?.sealer.seal(1, 0, [Buffer.from('x')]) ?? []);
    expect(() => open?.opener.push(record)).toThrow(expect.objectContaining({ code: 'security.tampered' }));
  });
});
