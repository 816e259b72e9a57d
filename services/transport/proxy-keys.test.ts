// Tests the life of a gateway link's key: valid, valid for a short time after the link was lost, removed.
import { describe, expect, it } from 'vitest';

import type { Clock } from '../kernel/clock.ts';
import { encodeProxyHeader, parseProxyHeader, type ReceivedProxyHeader } from '../wire/proxy-header.ts';
import { ProxyKeys } from './proxy-keys.ts';

const linkId = Buffer.alloc(16, 5);

function received(counter: bigint, key: Buffer): ReceivedProxyHeader {
  const parsed = parseProxyHeader(
    encodeProxyHeader(
      {
        sourceAddress: '192.0.2.1',
        sourcePort: 1,
        destinationAddress: '192.0.2.2',
        destinationPort: 2,
        linkId,
        counter,
      },
      key,
    ),
  );
  if (parsed.type !== 'header') throw new Error('not a header');
  return parsed;
}

function setUp(): { keys: ProxyKeys; turn: (ms: number) => void; key: () => Buffer } {
  let now = 1_000_000;
  const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };
  const key = (): Buffer => Buffer.alloc(32, 6);
  const keys = new ProxyKeys(clock);
  keys.add(linkId.toString('hex'), { gatewayId: 'gateway-1', key: key() });
  return { keys, turn: (ms) => (now += ms), key };
}

describe('proxy keys', () => {
  it('accept each header once', () => {
    const { keys, key } = setUp();
    expect(keys.authenticate(received(3n, key()))).toEqual({ gatewayId: 'gateway-1' });
    expect(keys.authenticate(received(3n, key()))).toBeUndefined();
    expect(keys.authenticate(received(1n, key()))).toEqual({ gatewayId: 'gateway-1' });
  });

  it('do not let a forged header use up a counter', () => {
    const { keys, key } = setUp();
    expect(keys.authenticate(received(0n, Buffer.alloc(32, 7)))).toBeUndefined();
    expect(keys.authenticate(received(0n, key()))).toBeDefined();
  });

  it('stay valid for 30 s after their link was lost, with the same window', () => {
    const { keys, turn, key } = setUp();
    expect(keys.authenticate(received(0n, key()))).toBeDefined();
    keys.retire(linkId.toString('hex'));
    turn(29_000);
    expect(keys.authenticate(received(0n, key()))).toBeUndefined();
    expect(keys.authenticate(received(1n, key()))).toBeDefined();
    turn(2_000);
    expect(keys.authenticate(received(2n, key()))).toBeUndefined();
  });

  it('are removed at once together with a removed gateway', () => {
    const { keys, key } = setUp();
    keys.forgetGateway('gateway-1');
    expect(keys.authenticate(received(0n, key()))).toBeUndefined();
  });
});
