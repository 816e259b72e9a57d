import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { receiveKeychainKey } from './keychain-delivery.ts';

class Channel extends EventEmitter {
  connected = true;
}

describe('the key of the keychain over the process channel', () => {
  it('is received once, and no listener remains', async () => {
    const channel = new Channel();
    using key = Secret.random();
    const received = receiveKeychainKey(channel);
    channel.emit('message', { kind: 'keychain', keychain: 'KWallet', key: key.bytes.toString('base64') });
    const delivered = await received;
    expect(delivered.keychain).toBe('KWallet');
    expect(delivered.key.equals(key)).toBe(true);
    expect(channel.listenerCount('message') + channel.listenerCount('disconnect')).toBe(0);
  });

  it.each([
    ['another message', (channel: Channel) => channel.emit('message', { kind: 'subscribe' })],
    [
      'a key of another length',
      (channel: Channel) => channel.emit('message', { kind: 'keychain', keychain: 'KWallet', key: 'AAAA' }),
    ],
    ['a disconnected console', (channel: Channel) => channel.emit('disconnect')],
    ['silence', () => undefined],
  ])('makes the start fail on %s', async (_what, happen) => {
    const channel = new Channel();
    const received = receiveKeychainKey(channel, 20);
    happen(channel);
    await expect(received).rejects.toMatchObject({ code: 'service.start-failed' });
  });

  it('fails at once without a channel', async () => {
    const channel = new Channel();
    channel.connected = false;
    await expect(receiveKeychainKey(channel)).rejects.toMatchObject({ code: 'service.start-failed' });
  });
});
