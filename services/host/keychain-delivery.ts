// Owns receiving the key of the OS keychain from the parent process, as the first message. Must not be used without `--keychain`.
import { keychainMessageSchema } from '../contracts/carrier.ts';
import { systemClock } from '../kernel/clock.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { KeychainKey } from '../kernel/running-service.ts';
import { Secret } from '../kernel/secret.ts';

/** The part of `process` that this file uses; tests provide a fake. */
export interface KeychainChannel {
  readonly connected: boolean;
  once(event: 'message' | 'disconnect', listener: (message: unknown) => void): unknown;
  off(event: 'message' | 'disconnect', listener: (message: unknown) => void): unknown;
}

const deadlineMs = 15_000;

/** @throws FarkeepError 'service.start-failed' without a valid key: a start without it would protect keys less than the admin asked */
export async function receiveKeychainKey(
  channel: KeychainChannel = process,
  timeoutMs: number = deadlineMs,
): Promise<KeychainKey> {
  if (!channel.connected) throw failed('there is no channel to the console');
  const first = Promise.withResolvers<unknown>();
  const onGone = (): void => first.reject(failed('the console is gone'));
  using _limit = systemClock.startTimer(timeoutMs, () => first.reject(failed('the key did not arrive in time')));
  channel.once('message', first.resolve);
  channel.once('disconnect', onGone);
  try {
    const message = keychainMessageSchema.safeParse(await first.promise);
    if (!message.success) throw failed('another message arrived instead');
    const { keychain, key } = message.data;
    return { keychain, key: Secret.take(Buffer.from(key, 'base64')) };
  } finally {
    channel.off('message', first.resolve);
    channel.off('disconnect', onGone);
  }
}

function failed(reason: string): FarkeepError {
  return new FarkeepError('service.start-failed', `The key of the OS keychain was not handed over: ${reason}`, {
    hint: 'Start the service again; if the error persists, start the service without the console.',
  });
}
