import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { failureOf } from '../../testing/failure-of.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import type { MoverEvent, SourceStart, SourceTotals } from '../link/local-link.ts';
import type { Pipeline } from './pipeline.ts';
import { SourceMover } from './source-mover.ts';
import type { SourceStreams, StreamPoolHandlers } from './streams/stream-pool.ts';
import { emptyCounters, type FromWorker, type ToWorker } from './streams/worker-link.ts';

const totals: SourceTotals = {
  totalBytes: 10,
  totalFiles: 1,
  processedBytes: 5,
  readBytes: 5,
  transferredBytes: 3,
  durableBytes: 0,
  processedFiles: 0,
  skippedFiles: 0,
  unchangedFiles: 0,
  newBlocks: 1,
  reusedBlocks: 0,
};
const outcome = { rootHash: 'ef'.repeat(32), warningCount: 3 };
const canceled = new FarkeepError('call.canceled', 'Canceled by a person');
const root = new Uint8Array([1, 2, 3]);

class FakePool implements SourceStreams {
  readonly size = 2;
  readonly counters = emptyCounters();
  readonly lanes = [emptyCounters(), emptyCounters()];
  readonly sent: ToWorker[] = [];
  hasRunningThreads = false;
  handlers: StreamPoolHandlers | undefined;
  /** Number of waits for its end. */
  endings = 0;

  open(_start: SourceStart, handlers: StreamPoolHandlers): void {
    this.handlers = handlers;
  }

  send(): void {
    throw new Error('Only pipelines send to single streams');
  }

  broadcast(message: ToWorker): void {
    this.sent.push(message);
  }

  async ended(): Promise<void> {
    this.endings += 1;
  }
}

class FakePipeline implements Pipeline {
  readonly phase = 'transferring';
  readonly running = Promise.withResolvers<typeof outcome>();
  readonly received: FromWorker[] = [];
  readonly failures: FarkeepError[] = [];
  root: Buffer | undefined;
  /** Number of waits for the end of the pool before the pipeline was closed. */
  closedAfterEndings: number | undefined;

  totals(): SourceTotals {
    return totals;
  }

  run(bytes: Buffer): Promise<typeof outcome> {
    this.root = bytes;
    return this.running.promise;
  }

  receive(_streamIndex: number, message: FromWorker): void {
    this.received.push(message);
  }

  fail(error: FarkeepError): void {
    this.failures.push(error);
    this.running.reject(new FarkeepError('call.internal', 'A consequence'));
  }

  async close(): Promise<void> {
    this.closedAfterEndings = pool.endings;
  }
}

let clock: ManualClock;
let pool: FakePool;
let pipeline: FakePipeline;
let events: MoverEvent[];
let keyB: Buffer;
let mover: SourceMover;
let pipelines: number;

beforeEach(() => {
  clock = new ManualClock();
  pool = new FakePool();
  pipeline = new FakePipeline();
  events = [];
  keyB = randomBytes(32);
  pipelines = 0;
  mover = new SourceMover({
    start: {
      type: 'start',
      side: 'source',
      sessionId: '01'.repeat(16),
      attempt: 1,
      keyB,
      operation: { kind: 'restore', pointId: 'ab'.repeat(16), paths: [], destination: '/out', overwrite: 'never' },
      gateway: { host: 'gateway.test', port: 1 },
      streamTickets: [randomBytes(32), randomBytes(32)],
    },
    pool,
    emit: (event) => events.push(event),
    createPipeline: () => {
      pipelines += 1;
      return pipeline;
    },
    timers: clock,
  });
});

/** Opens both streams. */
async function openStreams(): Promise<void> {
  pool.handlers?.onMessage(1, { type: 'open', root: new Uint8Array() });
  pool.handlers?.onMessage(0, { type: 'open', root });
  await clock.advance(0);
}

describe('a source mover', () => {
  it('runs the pipeline when all streams are open, with the root from the first one', async () => {
    const running = mover.run();
    expect(keyB).toEqual(Buffer.alloc(32));
    pool.handlers?.onMessage(0, { type: 'open', root });
    await clock.advance(1000);
    expect([pipelines, events]).toEqual([0, []]);
    pool.handlers?.onMessage(1, { type: 'open', root: new Uint8Array() });
    await clock.advance(0);
    expect(events).toEqual([{ type: 'streams-open', count: 2 }]);
    expect(pipeline.root).toEqual(Buffer.from(root));
    pool.handlers?.onMessage(1, { type: 'durable', totalStoredBytes: 9 });
    expect(pipeline.received).toEqual([{ type: 'durable', totalStoredBytes: 9 }]);
    pipeline.running.resolve(outcome);
    await running;
    expect(pool.sent).toEqual([{ type: 'close' }]);
    expect(pool.endings).toBe(1);
    expect(events.at(-1)).toMatchObject({ type: 'finished', totals, pointId: 'ab'.repeat(16), ...outcome });
    // The pipeline is closed only after a failure.
    expect(pipeline.closedAfterEndings).toBeUndefined();
    expect(clock.timerCount).toBe(0);
  });

  it('reports its progress ten times a second, and once more at the end', async () => {
    const running = mover.run();
    await openStreams();
    await clock.advance(300);
    const progress = (): MoverEvent[] => events.filter(({ type }) => type === 'progress');
    expect(progress()).toHaveLength(3);
    // More time than two threads can use; the share must still be at most 1.
    for (const lane of pool.lanes) lane.networkMs += 1_000_000;
    await clock.advance(100);
    expect(progress().at(-1)).toMatchObject({
      phase: 'transferring',
      totals,
      busy: { source: 0, compress: 0, network: 1, target: 0 },
    });
    pipeline.running.resolve(outcome);
    await running;
    expect(progress()).toHaveLength(5);
  });

  it('ends with the reason of a stream that fails before all are open', async () => {
    const failing = failureOf(mover.run());
    pool.handlers?.onMessage(0, { type: 'open', root });
    pool.handlers?.onFailure(new FarkeepError('ticket.invalid', 'Used already'));
    expect(await failing).toEqual({ code: 'ticket.invalid', message: 'Used already' });
    expect(pipelines).toBe(0);
    expect(pool.sent).toEqual([{ type: 'abort', code: 'ticket.invalid', message: 'Used already' }]);
    expect(events).toEqual([]);
    expect(clock.timerCount).toBe(0);
  });

  it('ends with the first failure, not with a later one, and closes the pipeline after the streams', async () => {
    const failing = failureOf(mover.run());
    await openStreams();
    pool.handlers?.onFailure(new FarkeepError('storage.disk-full', 'Full'));
    pool.handlers?.onFailure(new FarkeepError('connection.lost', 'Cut'));
    expect(await failing).toEqual({ code: 'storage.disk-full', message: 'Full' });
    expect(pipeline.failures[0]?.code).toBe('storage.disk-full');
    expect(pool.sent).toEqual([{ type: 'abort', code: 'storage.disk-full', message: 'Full' }]);
    expect(pipeline.closedAfterEndings).toBe(1);
    expect(events.some(({ type }) => type === 'finished')).toBe(false);
  });

  it('sends the target the reason why the pipeline ended, in at most 500 characters', async () => {
    const failing = failureOf(mover.run());
    await openStreams();
    pipeline.running.reject(new FarkeepError('source.missing', 'x'.repeat(900)));
    expect(await failing).toEqual({ code: 'source.missing', message: 'x'.repeat(900) });
    expect(pool.sent).toEqual([{ type: 'abort', code: 'source.missing', message: 'x'.repeat(500) }]);
  });

  it.each(['before it runs', 'while it connects', 'while it works'] as const)('can be aborted %s', async (phase) => {
    if (phase === 'before it runs') mover.abort(canceled);
    const failing = failureOf(mover.run());
    if (phase === 'while it connects') mover.abort(canceled);
    await openStreams();
    if (phase === 'while it works') mover.abort(canceled);
    expect(await failing).toEqual({ code: 'call.canceled', message: 'Canceled by a person' });
    expect(pool.sent).toEqual([{ type: 'abort', code: 'call.canceled', message: 'Canceled by a person' }]);
    expect(pool.endings).toBe(1);
    expect(clock.timerCount).toBe(0);
  });

  it('succeeds when an abort comes after the end of the work', async () => {
    const running = mover.run();
    await openStreams();
    pipeline.running.resolve(outcome);
    mover.abort(canceled);
    await running;
    expect(events.at(-1)?.type).toBe('finished');
    expect(pool.sent).toEqual([{ type: 'close' }]);
  });

  it('knows whether threads are still running', () => {
    expect(mover.hasRunningThreads).toBe(false);
    pool.hasRunningThreads = true;
    expect(mover.hasRunningThreads).toBe(true);
  });
});
