// Owns the channel between a service process and the console that forked it. JSON serialization, since the two run different V8
// versions. Must not be used without a parent: see `hasProcessChannel`.
import type { MessageFromService } from '../contracts/carrier.ts';
import type { Logger } from '../kernel/logger.ts';
import { createCarrierSession, type CarrierSessionOptions } from './carrier-session.ts';

export interface ProcessCarrier {
  send(message: MessageFromService): void;
  /** Sends, and resolves when the channel took it; for the last message before an exit. */
  flush(message: MessageFromService): Promise<void>;
  close(): void;
}

/** Messages on their way to a console that does not read; above this, events are dropped (the console sees the gap). */
const maxPendingMessages = 2_000;

export function hasProcessChannel(): boolean {
  return process.send !== undefined && process.connected;
}

export function sendToParent(message: MessageFromService): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, {}, () => resolve());
  });
}

export function createProcessCarrier(
  options: Omit<CarrierSessionOptions, 'send' | 'caller'> & {
    readonly account: string;
    /** The console is gone. */
    readonly onDisconnected: () => void;
    /** Called when events were dropped and the channel flows again: publish something, so that the console sees the gap. */
    readonly onCaughtUp: () => void;
    readonly logger: Logger;
  },
): ProcessCarrier {
  let pendingCount = 0;
  let hasDropped = false;

  const send = (message: MessageFromService): void => {
    if (process.send === undefined || !process.connected) return;
    if (message.kind === 'event' && pendingCount >= maxPendingMessages) {
      if (!hasDropped) options.logger.warn('the console does not read; events are dropped');
      hasDropped = true;
      return;
    }
    pendingCount += 1;
    process.send(message, undefined, {}, () => {
      pendingCount -= 1;
      if (hasDropped && pendingCount < maxPendingMessages / 2) {
        hasDropped = false;
        options.onCaughtUp();
      }
    });
  };
  const session = createCarrierSession({ ...options, caller: { kind: 'console', account: options.account }, send });

  const onMessage = (message: unknown): void => {
    if (!session.receive(message)) options.logger.warn('the console sent something that is no message of the contract');
  };
  const onDisconnect = (): void => {
    session.close();
    options.onDisconnected();
  };
  process.on('message', onMessage);
  process.once('disconnect', onDisconnect);

  return {
    send,
    flush: sendToParent,
    close() {
      process.off('message', onMessage);
      process.off('disconnect', onDisconnect);
      session.close();
    },
  };
}
