import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { FarkeepError } from '../../../kernel/farkeep-error.ts';
import { ManualClock } from '../../../testing/manual-clock.ts';
import type { SourceStart } from '../../link/local-link.ts';
import { StreamPool } from './stream-pool.ts';
import type { StreamThreadHandlers } from './stream-thread.ts';
import { emptyCounters, type FromWorker, type ToWorker } from './worker-link.ts';

interface FakeThread extends StreamThreadHandlers {
  readonly sent: ToWorker[];
  isTerminated: boolean;
}

let clock: ManualClock;
let threads: FakeThread[];
let pool: StreamPool;
let failures: FarkeepError[];
let messages: { readonly streamIndex: number; readonly message: FromWorker }[];

const operation: SourceStart['operation'] = {
  kind: 'restore',
  pointId: 'ab'.repeat(16),
  paths: [],
  destination: '/out',
  overwrite: 'never',
};
const lost = new FarkeepError('connection.lost', 'Cut');
const full = new FarkeepError('storage.disk-full', 'Full');

function startOf(tickets: number): SourceStart {
  return {
    type: 'start',
    side: 'source',
    sessionId: '01'.repeat(16),
    attempt: 2,
    keyB: Buffer.alloc(32, 7),
    operation,
    gateway: { host: 'gateway.test', port: 1 },
    streamTickets: Array.from({ length: tickets }, () => randomBytes(32)),
  };
}

function open(start = startOf(threads.length)): void {
  pool.open(start, {
    onMessage: (streamIndex, message) => {
      if (message.type === 'committed') throw new FarkeepError('protocol.malformed', 'Not expected');
      messages.push({ streamIndex, message });
    },
    onFailure: (error) => failures.push(error),
  });
}

/** Simulates a worker that reports a failure. */
function failed(streamIndex: number, error: FarkeepError): void {
  threads[streamIndex]?.onMessage({ type: 'failed', error: error.toInfo() });
}

function makePool(size: number): void {
  threads = [];
  pool = new StreamPool(
    size,
    (handlers) => {
      const thread: FakeThread = { ...handlers, sent: [], isTerminated: false };
      threads.push(thread);
      return {
        send: (message) => thread.sent.push(structuredClone(message)),
        terminate: () => {
          thread.isTerminated = true;
        },
      };
    },
    clock,
  );
}

beforeEach(() => {
  clock = new ManualClock();
  failures = [];
  messages = [];
  makePool(2);
});

describe('a pool of streams', () => {
  it('gives each thread its own ticket and the key, and passes on the messages of the threads', () => {
    const start = startOf(2);
    open(start);
    expect(threads.map(({ sent }) => sent)).toMatchObject(
      start.streamTickets.map((_, streamIndex) => [
        { type: 'start', streamIndex, streamCount: 2, attempt: 2, keyB: new Uint8Array(32).fill(7) },
      ]),
    );
    expect(threads.map(({ sent: [first] }) => (first?.type === 'start' ? Buffer.from(first.ticket) : first))).toEqual(
      start.streamTickets,
    );
    threads[1]?.onMessage({ type: 'open', root: new Uint8Array() });
    expect(messages).toEqual([{ streamIndex: 1, message: { type: 'open', root: new Uint8Array() } }]);
  });

  it('refuses a number of tickets that differs from the number of threads', () => {
    expect(() => {
      open(startOf(3));
    }).toThrow('3 tickets for 2 streams');
  });

  it('adds up the counters of the threads', () => {
    open();
    threads[0]?.onMessage({ type: 'counters', counters: { ...emptyCounters(), readBytes: 5, newBlocks: 1 } });
    threads[1]?.onMessage({ type: 'counters', counters: { ...emptyCounters(), readBytes: 7 } });
    expect(pool.counters).toEqual({ ...emptyCounters(), readBytes: 12, newBlocks: 1 });
    expect(messages).toEqual([]);
  });

  it('reports an early crash of a thread when the streams are opened', () => {
    threads[0]?.onError(new Error('Out of memory'));
    threads[1]?.onError(new Error('Later'));
    expect(failures).toEqual([]);
    open();
    expect(failures).toMatchObject([{ code: 'call.internal', message: 'Out of memory' }]);
  });

  it('reports the first failure and no other', () => {
    open();
    failed(1, full);
    failed(0, new FarkeepError('quota.exceeded', 'Too much'));
    expect(failures).toMatchObject([{ code: 'storage.disk-full' }]);
  });

  it('reports an error in the handling of a message as a failure', () => {
    open();
    threads[0]?.onMessage({ type: 'committed', storedBytes: 1 });
    expect(failures).toMatchObject([{ code: 'protocol.malformed' }]);
  });

  it('waits after a cut for the reason from another stream', async () => {
    open();
    failed(0, lost);
    await clock.advance(249);
    expect(failures).toEqual([]);
    failed(1, full);
    expect(failures).toMatchObject([{ code: 'storage.disk-full' }]);
    await clock.advance(1000);
    expect(failures).toHaveLength(1);
    expect(clock.timerCount).toBe(0);
  });

  it('reports the cut itself when no reason comes', async () => {
    open();
    failed(0, lost);
    failed(1, lost);
    await clock.advance(250);
    expect(failures).toMatchObject([{ code: 'connection.lost', message: 'Cut' }]);
  });

  it('does not wait when there is no other stream', () => {
    makePool(1);
    open();
    failed(0, lost);
    expect(failures).toMatchObject([{ code: 'connection.lost' }]);
  });

  it('has ended when all workers are done and their threads have exited', async () => {
    open();
    let hasEnded = false;
    const ending = pool.ended(8000).then(() => (hasEnded = true));
    threads[0]?.onMessage({ type: 'closed' });
    threads[0]?.onExit();
    threads[1]?.onMessage({ type: 'closed' });
    await clock.advance(299);
    expect(hasEnded).toBe(false);
    threads[1]?.onExit();
    await ending;
    expect(pool.hasRunningThreads).toBe(false);
    expect(threads.some(({ isTerminated }) => isTerminated)).toBe(false);
    expect(clock.timerCount).toBe(0);
  });

  it('does not wait for a thread that is done but does not exit', async () => {
    open();
    for (const thread of threads) thread.onMessage({ type: 'closed' });
    threads[0]?.onExit();
    const ending = pool.ended(8000);
    await clock.advance(300);
    await ending;
    expect(pool.hasRunningThreads).toBe(true);
  });

  it('ends threads that are not done in time', async () => {
    open();
    threads[0]?.onExit();
    const ending = pool.ended(8000);
    await clock.advance(7999);
    expect(threads.map(({ isTerminated }) => isTerminated)).toEqual([false, false]);
    await clock.advance(1);
    expect(threads[1]?.isTerminated).toBe(true);
    await clock.advance(300);
    await ending;
    expect(pool.hasRunningThreads).toBe(true);
  });
});
