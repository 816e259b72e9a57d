// Owns the channel between a service process and the console that started it. Uses JSON serialization, because console and service run
// different V8 versions. Must not be used without a parent: see `hasProcessChannel`.
import type { MessageFromService } from '../../contracts/carrier.ts';
import type { Logger } from '../../kernel/logger.ts';
import { createCarrierSession, type CarrierSessionOptions } from './carrier-session.ts';

export interface ProcessCarrier {
  send(message: MessageFromService): void;
  close(): void;
}

/** The part of `process` that this file uses; tests provide a fake. */
export interface ProcessChannel {
  readonly connected: boolean;
  send?(message: unknown, handle: undefined, options: object, callback: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
  off(event: 'message' | 'disconnect', listener: (message: unknown) => void): unknown;
}

/** Limit of unsent messages to a console that does not read; above it, events are dropped (the console sees the gap). */
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
    /** The console has disconnected. */
    readonly onDisconnected: () => void;
    /**
     * Called when events were dropped and the console reads again. The listener must publish an event, so that the console sees the gap.
     */
    readonly onCaughtUp: () => void;
    readonly logger: Logger;
    readonly channel?: ProcessChannel;
  },
): ProcessCarrier {
  const channel = options.channel ?? process;
  let pendingCount = 0;
  let hasDropped = false;

  const send = (message: MessageFromService): void => {
    if (channel.send === undefined || !channel.connected) return;
    if (message.kind === 'event' && pendingCount >= maxPendingMessages) {
      if (!hasDropped) options.logger.warn('the console does not read; events are dropped');
      hasDropped = true;
      return;
    }
    pendingCount += 1;
    channel.send(message, undefined, {}, () => {
      pendingCount -= 1;
      if (hasDropped && pendingCount < maxPendingMessages / 2) {
        hasDropped = false;
        options.onCaughtUp();
      }
    });
  };
  const session = createCarrierSession({ ...options, caller: { kind: 'console', account: options.account }, send });

  const onMessage = (message: unknown): void => {
    if (!session.receive(message)) options.logger.warn('the console sent a message that does not fit the contract');
  };
  const onDisconnect = (): void => {
    session.close();
    options.onDisconnected();
  };
  channel.on('message', onMessage);
  channel.once('disconnect', onDisconnect);

  return {
    send,
    close() {
      channel.off('message', onMessage);
      channel.off('disconnect', onDisconnect);
      session.close();
    },
  };
}
