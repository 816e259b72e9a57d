// Tests which blocks a target reports as durable, and when: blocks that are stored, blocks that are being written, and new blocks.
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../kernel/logger.ts';
import { blockIdOf } from '../../blocks/block.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import type { TargetEvent } from '../link/local-link.ts';
import type { DataMessage } from '../../wire/messages.ts';
import { openFolderPlace } from '../../repository/folder/folder-place.ts';
import { TargetSession } from './target-session.ts';

const pointId = 'a'.repeat(32);

describe('a target session', () => {
  let session: TargetSession;
  const answers: DataMessage[][] = [[], []];
  const events: TargetEvent[] = [];
  const say = async (streamIndex: number, message: DataMessage): Promise<void> => {
    await session.receive(streamIndex, message, [], (answer) => {
      answers[streamIndex]?.push(answer);
      return true;
    });
  };
  const take = (streamIndex: number): DataMessage[] => answers[streamIndex]?.splice(0) ?? [];

  const open = async (): Promise<TargetSession> =>
    TargetSession.open({
      operation: 'backup',
      place: openFolderPlace(await makeTemporaryFolder()),
      quotaBytes: -1,
      pointId,
      streamCount: 2,
      flushIntervalMs: 50,
      logger: silentLogger,
      onEvent: (event) => void events.push(event),
      onFailure: () => undefined,
    });

  beforeEach(async () => {
    session = await open();
    for (const streamIndex of [0, 1]) {
      const root = Buffer.alloc(0);
      await say(streamIndex, {
        type: 'open',
        protocol: 1,
        operation: 'backup',
        streamIndex,
        streamCount: 2,
        pointId,
        root,
      });
      take(streamIndex);
    }
  });

  afterEach(async () => {
    await session.close();
  });

  it('reports the used space while the backup runs, not only after the commit', async () => {
    const content = randomBytes(5000);
    const id = blockIdOf(content);
    events.length = 0;
    await say(0, { type: 'block', blocks: [{ id, encoding: 'raw', contentLength: 5000, stored: content }] });
    await vi.waitUntil(() => events.some(({ type }) => type === 'usage'));
    const usage = events.find((event) => event.type === 'usage');
    expect(usage?.usedBytes).toBeGreaterThanOrEqual(5000);
  });

  it('reports an unwanted block as durable on the stream that offered it, but not before it is on disk', async () => {
    const stored = randomBytes(5000);
    const id = blockIdOf(stored);
    const offer = (offerId: number): DataMessage => ({ type: 'offer', offerId, ids: [id] });
    const want = (offerId: number, isWanted: boolean): object => ({ type: 'want', offerId, wanted: [isWanted] });
    await say(0, offer(1));
    expect(take(0)).toMatchObject([want(1, true)]);
    await say(0, { type: 'block', blocks: [{ id, encoding: 'raw', contentLength: stored.length, stored }] });
    // The block was received but is not durable: the target neither wants it again nor reports it as durable.
    await say(1, offer(7));
    expect(take(1)).toMatchObject([want(7, false)]);
    await vi.waitUntil(() => answers[1]?.length === 1);
    expect(take(1)).toMatchObject([{ type: 'durable', ids: [id] }]);
    expect(take(0)).toMatchObject([{ type: 'durable', ids: [id] }]);
    // The block is already stored, so the target reports it as durable at once.
    await say(1, offer(8));
    expect(take(1)).toMatchObject([want(8, false), { type: 'durable', ids: [id] }]);
    // An answer to a request for a sign of life reports no block.
    await say(1, { type: 'offer', offerId: 0, ids: [] });
    expect(take(1)).toMatchObject([{ type: 'want', offerId: 0, wanted: [] }]);
  });

  it('accepts no further block from a source that does not read the answers', async () => {
    const isRead = Promise.withResolvers<void>();
    let told = 0;
    const sendBlock = (): void | Promise<void> => {
      const stored = randomBytes(100);
      const block = { id: blockIdOf(stored), encoding: 'raw', contentLength: 100, stored } as const;
      return session.receive(0, { type: 'block', blocks: [block] }, [], () => true);
    };
    const root = Buffer.alloc(0);
    await session.close();
    session = await open();
    await session.receive(
      0,
      { type: 'open', protocol: 1, operation: 'backup', streamIndex: 0, streamCount: 2, pointId, root },
      [],
      (answer) => {
        if (answer.type !== 'durable') return true;
        told += 1;
        return isRead.promise;
      },
    );
    await sendBlock();
    await vi.waitUntil(() => told === 1);
    let isTaken = false;
    const second = Promise.resolve(sendBlock()).then(() => (isTaken = true));
    await vi.waitUntil(() => session.totals.durableBytes > 0);
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(isTaken).toBe(false);
    expect(session.totals.newBlocks).toBe(1);
    isRead.resolve();
    await second;
    expect(session.totals.newBlocks).toBe(2);
  });
});
