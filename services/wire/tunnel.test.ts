import { describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { TunnelClient, TunnelServer } from './tunnel.ts';

const sessionId = '00112233445566778899aabbccddeeff';
const keyABytes = Buffer.alloc(32, 0xa1);
const keyBBytes = Buffer.alloc(32, 0xb2);
const keyA = (): Secret => Secret.take(Buffer.from(keyABytes));
const keyB = (): Secret => Secret.take(Buffer.from(keyBBytes));

interface Difference {
  keyA?: Secret;
  sessionId?: string;
  attempt?: number;
}

function ends(serverDiffers: Difference = {}): { client: TunnelClient; server: TunnelServer } {
  return {
    client: new TunnelClient({ keyA: keyA(), keyB: keyB(), sessionId, attempt: 1 }),
    server: new TunnelServer({ keyA: keyA(), sessionId, attempt: 1, ...serverDiffers }),
  };
}

const empty = Buffer.alloc(0);
const securityError = expect.objectContaining({
  code: expect.stringMatching(/^security\.(tampered|key-proof)$/) as string,
});

describe('the tunnel', () => {
  it('delivers Key B, and the target proves that it holds Key B', () => {
    const { client, server } = ends();
    const hello = server.push(client.start());
    const delivery = client.push(hello.send ?? empty);
    expect(delivery.done).toBeUndefined();
    const received = server.push(delivery.send ?? empty);
    expect(received.done?.keyB.bytes.equals(keyBBytes)).toBe(true);
    expect(received.done?.keyBIdentifier).toBe(keyB().identifier());
    const finished = client.push(received.send ?? empty);
    expect(finished.done).toEqual({ keyBIdentifier: keyB().identifier() });
    server.push(finished.send ?? empty);
    expect(server.isClosed).toBe(true);
    expect(() => {
      client.end();
    }).not.toThrow();
  });

  it('works when bytes arrive one by one', () => {
    const { client, server } = ends();
    const toServer: Buffer[] = [client.start()];
    let delivered = false;
    let proven = false;
    while (toServer.length > 0) {
      for (const byte of toServer.shift() ?? empty) {
        const step = server.push(Buffer.of(byte));
        delivered ||= step.done !== undefined;
        for (const answer of step.send ?? empty) {
          const reaction = client.push(Buffer.of(answer));
          proven ||= reaction.done !== undefined;
          if (reaction.send !== undefined) toServer.push(reaction.send);
        }
      }
    }
    expect([delivered, proven, server.isClosed]).toEqual([true, true, true]);
  });

  it.each<[string, Difference]>([
    ['another Key A', { keyA: Secret.random() }],
    ['another session', { sessionId: 'ff112233445566778899aabbccddeeff' }],
    ['another attempt', { attempt: 2 }],
  ])('fails with %s', (_what, difference) => {
    const { client, server } = ends(difference);
    const delivery = client.push(server.push(client.start()).send ?? empty);
    expect(() => server.push(delivery.send ?? empty)).toThrow(securityError);
  });

  it('refuses a replay of recorded bytes', () => {
    const { client, server } = ends();
    const nonce = client.start();
    const delivery = client.push(server.push(nonce).send ?? empty).send ?? empty;
    server.push(delivery);
    const replayed = ends().server;
    replayed.push(nonce);
    expect(() => replayed.push(delivery)).toThrow(securityError);
  });

  it('detects every changed byte in both directions', () => {
    const reference = ends();
    const deliveryLength = (
      reference.client.push(reference.server.push(reference.client.start()).send ?? empty).send ?? empty
    ).length;
    for (let index = 0; index < deliveryLength; index += 1) {
      const { client, server } = ends();
      const delivery = client.push(server.push(client.start()).send ?? empty).send ?? empty;
      delivery[index] = (delivery[index] ?? 0) ^ 0x10;
      expect(() => server.push(delivery), `delivery byte ${index}`).toThrow(securityError);
    }
    for (let index = 0; index < 64; index += 1) {
      const { client, server } = ends();
      const delivery = client.push(server.push(client.start()).send ?? empty).send ?? empty;
      const proof = server.push(delivery).send ?? empty;
      proof[index] = (proof[index] ?? 0) ^ 0x01;
      expect(() => client.push(proof), `proof byte ${index}`).toThrow(securityError);
    }
  });

  it('does not accept the end of the connection as a proof', () => {
    const { client } = ends();
    client.start();
    expect(() => {
      client.end();
    }).toThrow(expect.objectContaining({ code: 'security.key-proof' }));
  });

  it('refuses long records before they have arrived', () => {
    const { client, server } = ends();
    server.push(client.start());
    const header = Buffer.alloc(16);
    header[0] = 16;
    header.writeUInt32BE(4096, 4);
    expect(() => server.push(header)).toThrow(securityError);
  });
});
