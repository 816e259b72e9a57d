import { describe, expect, it, vi } from 'vitest';
import type { EventMessage } from '../../contracts/carrier.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { sampleDomain } from '../../testing/sample-domain.ts';
import { createEventHub } from './event-hub.ts';

describe('event hub', () => {
  it('numbers the events of a process from 1 and sends them to all subscribers', () => {
    const hub = createEventHub({ logger: silentLogger });
    const seen: EventMessage[][] = [[], []];
    for (const list of seen) hub.subscribe((message) => list.push(message));
    hub.publish(sampleDomain, 'counted', { count: 7 });
    hub.publish(sampleDomain, 'counted', { count: 8 });
    for (const list of seen) {
      expect(list.map(({ sequence, payload }) => [sequence, payload])).toEqual([
        [1, { count: 7 }],
        [2, { count: 8 }],
      ]);
    }
  });

  it('strips unknown keys from payloads', () => {
    const hub = createEventHub({ logger: silentLogger });
    const deliver = vi.fn();
    hub.subscribe(deliver);
    const payload = { count: 1, password: 'hunter22' };
    hub.publish(sampleDomain, 'counted', payload);
    expect(deliver).toHaveBeenCalledWith(expect.objectContaining({ payload: { count: 1 } }));
  });

  it('skips a number when an event does not fit its contract, so that clients fetch the state again', () => {
    const error = vi.fn();
    const hub = createEventHub({ logger: { ...silentLogger, error } });
    const sequences: number[] = [];
    hub.subscribe(({ sequence }) => sequences.push(sequence));
    hub.publish(sampleDomain, 'counted', { count: 1 });
    hub.publish(sampleDomain, 'counted', { count: 'two' as unknown as number });
    hub.publish(sampleDomain, 'counted', { count: 3 });
    expect(sequences).toEqual([1, 3]);
    expect(error).toHaveBeenCalledOnce();
  });

  it('continues after a subscriber throws, and removes one that unsubscribed', () => {
    const hub = createEventHub({ logger: silentLogger });
    const broken = vi.fn(() => {
      throw new Error('broken');
    });
    hub.subscribe(broken);
    const deliver = vi.fn();
    const unsubscribe = hub.subscribe(deliver);
    hub.publish(sampleDomain, 'counted', { count: 1 });
    unsubscribe();
    unsubscribe();
    hub.publish(sampleDomain, 'counted', { count: 2 });
    expect(deliver).toHaveBeenCalledOnce();
    expect(broken).toHaveBeenCalledTimes(2);
  });
});
