import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import type { MessageFromService } from '../../contracts/carrier.ts';
import { systemClock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { countSubscribers, type CountedHub } from '../../testing/counted-hub.ts';
import { createSampleHandlers, sampleDomain } from '../../testing/sample-domain.ts';
import { createDispatcher, serveDomain } from './dispatcher.ts';
import { createEventHub } from './event-hub.ts';
import { createProcessCarrier, type ProcessChannel } from './process-carrier.ts';

/** A console that reads only when the test says so. */
class SlowConsole extends EventEmitter implements ProcessChannel {
  connected = true;
  readonly received: MessageFromService[] = [];
  #taken: (() => void)[] = [];

  send(message: unknown, _handle: undefined, _options: object, callback: (error: Error | null) => void): boolean {
    this.received.push(message as MessageFromService);
    this.#taken.push(() => callback(null));
    return true;
  }

  read(): void {
    for (const taken of this.#taken.splice(0)) taken();
  }

  sequences(): number[] {
    return this.received.flatMap((message) => (message.kind === 'event' ? [message.sequence] : []));
  }
}

function connect(onWaiting: () => void = () => undefined): {
  channel: SlowConsole;
  events: CountedHub;
  onDisconnected: ReturnType<typeof vi.fn<() => void>>;
  onStopRequested: ReturnType<typeof vi.fn<(deadlineMs: number) => void>>;
} {
  const channel = new SlowConsole();
  const events = countSubscribers(createEventHub({ logger: silentLogger }));
  const onDisconnected = vi.fn<() => void>();
  const onStopRequested = vi.fn<(deadlineMs: number) => void>();
  createProcessCarrier({
    channel,
    events,
    onDisconnected,
    onStopRequested,
    account: 'somebody',
    logger: silentLogger,
    onCaughtUp: () => events.publish(sampleDomain, 'counted', { count: 0 }),
    dispatcher: createDispatcher({
      domains: [serveDomain(sampleDomain, createSampleHandlers({ onWaiting }))],
      logger: silentLogger,
      clock: systemClock,
    }),
  });
  return { channel, events, onDisconnected, onStopRequested };
}

describe('process channel', () => {
  it('answers calls and passes on a stop; an invalid message has no effect', async () => {
    const { channel, onStopRequested } = connect();
    for (const nonsense of [null, 'x', 7, {}, { kind: 'call' }, { kind: 'cancel', id: 3 }])
      channel.emit('message', nonsense);
    channel.emit('message', { kind: 'call', id: '1', domain: 'sample', command: 'add', input: { left: 1 } });
    await vi.waitFor(() =>
      expect(channel.received).toContainEqual({ kind: 'result', id: '1', result: { ok: true, value: { sum: 2 } } }),
    );
    channel.emit('message', { kind: 'stop', deadlineMs: 5 });
    expect(onStopRequested).toHaveBeenCalledWith(5);
  });

  it('drops events for a console that does not read, still answers its calls, and shows the gap when the console reads again', async () => {
    const { channel, events } = connect();
    channel.emit('message', { kind: 'subscribe' });
    for (let count = 1; count <= 5_000; count += 1) events.publish(sampleDomain, 'counted', { count });
    expect(channel.sequences()).toHaveLength(2_000);
    channel.emit('message', { kind: 'call', id: '1', domain: 'sample', command: 'add', input: { left: 1 } });
    await vi.waitFor(() => expect(channel.received.at(-1)).toMatchObject({ kind: 'result', id: '1' }));

    channel.read();
    // One event after the dropped ones: its number shows that some are missing.
    expect(channel.sequences().at(-1)).toBe(5_001);
    events.publish(sampleDomain, 'counted', { count: 5_002 });
    expect(channel.sequences().at(-1)).toBe(5_002);
  });

  it('ends calls and subscription when the console disconnects', async () => {
    const waiting = Promise.withResolvers<undefined>();
    const { channel, events, onDisconnected } = connect(() => waiting.resolve(undefined));
    channel.emit('message', { kind: 'subscribe' });
    channel.emit('message', { kind: 'call', id: '1', domain: 'sample', command: 'wait', input: {} });
    await waiting.promise;
    channel.connected = false;
    channel.emit('disconnect');
    expect(onDisconnected).toHaveBeenCalledOnce();
    expect(events.subscriberCount()).toBe(0);
  });
});
