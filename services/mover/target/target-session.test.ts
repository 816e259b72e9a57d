// What a target names as durable, and when: blocks that it has, blocks that are on their way to its disk, and blocks that it gets.
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../kernel/logger.ts';
import { blockIdOf } from '../../blocks/block.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import type { DataMessage } from '../../wire/messages.ts';
import { openFolderPlace } from '../../repository/folder/folder-place.ts';
import { TargetSession } from './target-session.ts';

const pointId = 'a'.repeat(32);

describe('a target session', () => {
  let session: TargetSession;
  const answers: DataMessage[][] = [[], []];
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
      onEvent: () => undefined,
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

  it('names a block that it does not want on the stream that offered it, when it is on the disk and not before', async () => {
    const stored = randomBytes(5000);
    const id = blockIdOf(stored);
    const offer = (offerId: number): DataMessage => ({ type: 'offer', offerId, ids: [id] });
    const want = (offerId: number, isWanted: boolean): object => ({ type: 'want', offerId, wanted: [isWanted] });
    await say(0, offer(1));
    expect(take(0)).toMatchObject([want(1, true)]);
    await say(0, { type: 'block', blocks: [{ id, encoding: 'raw', contentLength: stored.length, stored }] });
    // On its way: not wanted a second time, and not safe.
    await say(1, offer(7));
    expect(take(1)).toMatchObject([want(7, false)]);
    await vi.waitUntil(() => answers[1]?.length === 1);
    expect(take(1)).toMatchObject([{ type: 'durable', ids: [id] }]);
    expect(take(0)).toMatchObject([{ type: 'durable', ids: [id] }]);
    // There already: named at once.
    await say(1, offer(8));
    expect(take(1)).toMatchObject([want(8, false), { type: 'durable', ids: [id] }]);
    // A sign of life names nothing.
    await say(1, { type: 'offer', offerId: 0, ids: [] });
    expect(take(1)).toMatchObject([{ type: 'want', offerId: 0, wanted: [] }]);
  });

  it('takes no further block from a source that does not read what it is told', async () => {
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
