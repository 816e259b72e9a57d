// Tests complete sessions of a source mover in memory. All classes of the source side are real; only disk, destination and target are
// simulated.
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { failureOf } from '../../testing/failure-of.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { backupOf, makeMemorySource, restoreTo, type MemorySource } from '../../testing/mover/memory-source.ts';
import { MemoryTarget, type MemoryTargetOptions } from '../../testing/mover/memory-target.ts';
import { MemoryTree } from '../../testing/mover/memory-tree.ts';
import { ChangingDisk } from '../../testing/repository/changing-disk.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import type { MoverEvent, SourceEvent } from '../link/local-link.ts';

let clock: ManualClock;
let disk: ChangingDisk;
/** Larger than the files that a stream worker makes itself. */
const large = randomBytes(5000).toString('latin1');

beforeEach(() => {
  clock = new ManualClock();
  disk = new ChangingDisk(1_000_000);
  for (const [name, content] of [
    ['large', large],
    ['small', 'a small file'],
    ['twin', 'a small file'],
    ['empty', ''],
  ] as const)
    disk.put(disk.source, name, disk.make('file', content, 0o644));
});

function backup(target: MemoryTarget, streams = 2): MemorySource {
  return makeMemorySource({ operation: backupOf('/source'), target, disk, streams, timers: clock });
}

function restore(target: MemoryTarget, tree: MemoryTree, streams = 2): MemorySource {
  return makeMemorySource({ operation: restoreTo('/out'), target, tree, streams, timers: clock });
}

/** Returns a target that holds a restore point of the disk. */
async function savedTarget(options: MemoryTargetOptions = {}): Promise<MemoryTarget> {
  const first = new MemoryTarget();
  await backup(first).mover.run();
  const { blocks, root } = first;
  if (root === undefined) throw new Error('The backup was not committed');
  return new MemoryTarget({ blocks, root, ...options });
}

function finished(events: readonly MoverEvent[]): SourceEvent & { readonly type: 'finished' } {
  const event = events.find((each) => each.type === 'finished');
  if (event === undefined || !('warningCount' in event)) throw new Error('The mover did not finish');
  return event;
}

const warnings = (events: readonly MoverEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [`${event.warning.code} ${event.warning.path}`] : []));

/** Runs all pending work that waits for no timer. */
async function turns(count = 50): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('a backup in memory', () => {
  it('sends each block once, commits, and a restore gives the same files back', async () => {
    const target = await savedTarget();
    const tree = new MemoryTree();
    const { mover, events } = restore(target, tree);
    await mover.run();
    expect(Object.fromEntries(tree.files)).toEqual({
      large: large,
      small: 'a small file',
      twin: 'a small file',
      empty: '',
    });
    expect(tree.isComplete).toBe(true);
    expect(finished(events)).toMatchObject({ warningCount: 0, totals: { processedFiles: 4, restored: { files: 4 } } });
    expect(clock.timerCount).toBe(0);
    expect(disk.openCount).toBe(0);
  });

  it('reports its totals, and sends no block that the target already has', async () => {
    const blocks = new Map<string, Buffer>();
    const first = backup(new MemoryTarget({ blocks }));
    await first.mover.run();
    // Two file contents and the manifest.
    expect(finished(first.events)).toMatchObject({ totals: { newBlocks: 3, processedFiles: 4 } });
    const target = new MemoryTarget({ blocks });
    await backup(target).mover.run();
    expect(target.ofType('block')).toEqual([]);
    expect(target.ofType('commit')).toMatchObject([{ blockCount: 0 }]);
  });

  it('counts the blocks as safe that the target has reported as durable, in any order', async () => {
    const target = new MemoryTarget();
    target.isHoldingDurable = true;
    const { mover, events } = backup(target);
    const running = mover.run();
    // The target makes the blocks durable before it commits, as a real one does.
    await turns();
    expect(target.ofType('commit')).toHaveLength(1);
    await running;
    await clock.advance(0);
    expect(finished(events).totals).toMatchObject({ safeBytes: 0, processedBytes: 5024 });

    const other = new MemoryTarget({
      onMessage: (message) => {
        if (message.type !== 'commit') return false;
        other.makeDurable((ids) => ids.reverse());
        return false;
      },
    });
    other.isHoldingDurable = true;
    const second = backup(other);
    await second.mover.run();
    expect(finished(second.events).totals).toMatchObject({ safeBytes: 5024, processedBytes: 5024 });
  });

  it('reads an unchanged file again when the target no longer has its blocks', async () => {
    const fileCachePath = path.join(await makeTemporaryFolder(), 'cache.sqlite');
    const operation = { ...backupOf('/source'), fileCachePath };
    const run = async (
      blocks: Map<string, Buffer>,
      isHoldingDurable = false,
    ): Promise<SourceEvent & { readonly type: 'finished' }> => {
      const target = new MemoryTarget({ blocks });
      target.isHoldingDurable = isHoldingDurable;
      const { mover, events } = makeMemorySource({ operation, target, disk, timers: clock });
      await mover.run();
      return finished(events);
    };
    const blocks = new Map<string, Buffer>();
    await run(blocks);
    expect(await run(blocks)).toMatchObject({ totals: { unchangedFiles: 3, readBytes: 0, newBlocks: 0 } });
    // The target may have received the blocks but not made them durable yet.
    expect(await run(blocks, true)).toMatchObject({ totals: { unchangedFiles: 3, readBytes: 0, safeBytes: 0 } });
    const names = [...blocks.keys()].sort();
    for (const [id, content] of blocks) if (content.length === large.length) blocks.delete(id);
    expect(await run(blocks)).toMatchObject({ totals: { unchangedFiles: 2, readBytes: 5000, newBlocks: 1 } });
    expect([...blocks.keys()].sort()).toEqual(names);
  });

  it('saves a file that is changed while it is read with its new content', async () => {
    const small = new ChangingDisk(100);
    const file = small.make('file', 'x'.repeat(250), 0o644);
    small.put(small.source, 'file', file);
    disk = small;
    // The first operations list the folder and read metadata. The content is then read in three pieces.
    small.schedule([
      {
        at: 8,
        change: () => {
          file.content = 'y'.repeat(250);
          file.mtimeNs = small.tick();
          small.touched(file);
        },
      },
    ]);
    const target = await savedTarget();
    const tree = new MemoryTree();
    await restore(target, tree).mover.run();
    expect(tree.files.get('file')).toBe('y'.repeat(250));
  });

  it('ends with the reason of the target when the commit is refused, and sends the reason on the other streams', async () => {
    const target = new MemoryTarget({
      onMessage: (message, stream) => {
        if (message.type !== 'commit') return false;
        stream.send({ type: 'error', code: 'quota.exceeded', message: 'The quota is used up', ids: [] });
        return true;
      },
    });
    const { mover, events } = backup(target);
    expect(await failureOf(mover.run())).toEqual({ code: 'quota.exceeded', message: 'The quota is used up' });
    expect(events.some(({ type }) => type === 'finished')).toBe(false);
    // The stream that delivered the reason is closed. The reason is sent on the other stream only.
    expect(target.ofType('abort')).toMatchObject([{ code: 'quota.exceeded' }]);
    expect(target.root).toBeUndefined();
    expect(clock.timerCount).toBe(0);
  });

  it('ends when one stream is cut, but waits a moment for a better reason from another', async () => {
    const target = new MemoryTarget({
      onMessage: (message, stream) => {
        if (message.type === 'offer') stream.cut();
        return message.type === 'offer';
      },
    });
    const failing = failureOf(backup(target).mover.run());
    await turns();
    target.streams[1]?.send({ type: 'error', code: 'storage.disk-full', message: 'Full', ids: [] });
    expect(await failing).toEqual({ code: 'storage.disk-full', message: 'Full' });
  });

  it('ends when all streams are cut, with nothing left open', async () => {
    const target = new MemoryTarget({
      onMessage: (message) => {
        if (message.type === 'offer') for (const stream of target.streams) stream.cut();
        return message.type === 'offer';
      },
    });
    const failing = failureOf(backup(target).mover.run());
    await turns();
    await clock.advance(250);
    expect(await failing).toMatchObject({ code: 'connection.lost' });
    expect(disk.openCount).toBe(0);
    expect(clock.timerCount).toBe(0);
  });

  it('ends when the target sends nothing for too long', async () => {
    const target = new MemoryTarget({ onMessage: ({ type }) => type === 'offer' });
    const failing = failureOf(backup(target).mover.run());
    await turns();
    target.silentMs = 60_000;
    await clock.advance(10_000);
    // Before the end, each stream asks for a sign of life.
    expect(target.ofType('offer').filter(({ ids }) => ids.length === 0)).toHaveLength(2);
    target.silentMs = 91_000;
    await clock.advance(10_250);
    expect(await failing).toMatchObject({
      code: 'connection.lost',
      message: expect.stringContaining('too long') as string,
    });
    expect(clock.timerCount).toBe(0);
  });

  it('ends when a thread crashes', async () => {
    const target = new MemoryTarget({ onMessage: ({ type }) => type === 'want' || type === 'offer' });
    const source = backup(target);
    const failing = failureOf(source.mover.run());
    await turns();
    source.crash(1);
    expect(await failing).toMatchObject({ code: 'call.internal', message: 'The thread ran out of memory' });
    expect(target.ofType('abort')).toMatchObject([{ code: 'call.internal' }]);
    expect(disk.openCount).toBe(0);
  });

  it.each(['open', 'offer', 'commit'] as const)('can be aborted while "%s" is not answered', async (phase) => {
    const target = new MemoryTarget({ onMessage: ({ type }) => type === phase });
    const { mover, events } = backup(target);
    const failing = failureOf(mover.run());
    await turns();
    expect(target.ofType(phase).length).toBeGreaterThan(0);
    mover.abort(new FarkeepError('call.canceled', 'Canceled by a person'));
    expect(await failing).toEqual({ code: 'call.canceled', message: 'Canceled by a person' });
    expect(target.ofType('abort')).toMatchObject([{ code: 'call.canceled' }, { code: 'call.canceled' }]);
    expect(target.root).toBeUndefined();
    expect(events.some(({ type }) => type === 'finished')).toBe(false);
    expect(disk.openCount).toBe(0);
    expect(clock.timerCount).toBe(0);
  });
});

describe('a restore in memory', () => {
  const idOf = (target: MemoryTarget, content: string): string => {
    const found = [...target.blocks].find(([, block]) => block.toString('latin1') === content);
    if (found === undefined) throw new Error('No such block');
    return found[0];
  };

  it.each([
    ['small', 'a small file', ['small', 'twin']],
    ['large', large, ['large']],
  ])('continues without a block that is missing at the target (%s)', async (_, content, lost) => {
    const target = await savedTarget();
    target.blocks.delete(idOf(target, content));
    const tree = new MemoryTree();
    const { mover, events } = restore(target, tree);
    await mover.run();
    expect(['large', 'small', 'twin', 'empty'].filter((name) => !tree.files.has(name))).toEqual(lost);
    expect(warnings(events).sort()).toEqual(lost.map((name) => `storage.damaged ${name}`));
    expect(finished(events)).toMatchObject({ failure: { code: 'restore.mismatch' }, warningCount: lost.length });
  });

  it.each([
    ['small', 'a small file', ['small', 'twin']],
    ['large', large, ['large']],
  ])('refuses a block whose content was changed (%s)', async (_, content, lost) => {
    const target = await savedTarget();
    target.blocks.set(idOf(target, content), Buffer.from(content.replace(/./su, '!'), 'latin1'));
    const tree = new MemoryTree();
    const { mover, events } = restore(target, tree);
    await mover.run();
    expect(['large', 'small', 'twin', 'empty'].filter((name) => !tree.files.has(name))).toEqual(lost);
    expect(warnings(events).sort()).toEqual(lost.map((name) => `restore.mismatch ${name}`));
    expect(finished(events).failure).toMatchObject({ code: 'restore.mismatch' });
  });

  it('keeps existing files and folders, and reports the conflicts', async () => {
    const target = await savedTarget();
    const tree = new MemoryTree();
    tree.files.set('small', 'mine');
    tree.folders.add('twin');
    const { mover, events } = restore(target, tree);
    await mover.run();
    expect(tree.files.get('small')).toBe('mine');
    expect(tree.files.get('large')).toBe(large);
    expect(warnings(events).sort()).toEqual(['restore.exists small', 'restore.exists twin']);
    expect(finished(events).totals.restored).toEqual({ files: 2, bytes: 5000, skipped: 1, failed: 1 });
    expect(finished(events).failure).toBeUndefined();
  });

  it('ends when the streams are cut, keeps complete files, and leaves the rest for the next attempt', async () => {
    const target = await savedTarget({
      onMessage: (message, stream) => {
        const isContent = message.type === 'read' && tree.isComplete === undefined && reads++ > 0;
        if (isContent) stream.cut();
        return isContent;
      },
    });
    let reads = 0;
    const tree = new MemoryTree();
    const { mover, events } = restore(target, tree, 1);
    expect(await failureOf(mover.run())).toMatchObject({ code: 'connection.lost' });
    // The restore is not finished, so a later attempt continues it. Content that did not arrive is no problem of a file.
    expect(tree.isComplete).toBe(false);
    expect(warnings(events)).toEqual([]);
    expect(tree.openFiles).toBe(0);
    expect(clock.timerCount).toBe(0);
  });

  it.each(['open', 'read'] as const)('can be aborted while "%s" is not answered', async (phase) => {
    const target = await savedTarget({ onMessage: ({ type }) => type === phase });
    const { mover } = restore(target, new MemoryTree());
    const failing = failureOf(mover.run());
    await turns();
    mover.abort(new FarkeepError('call.canceled', 'Canceled by a person'));
    expect(await failing).toEqual({ code: 'call.canceled', message: 'Canceled by a person' });
    expect(target.ofType('abort').length).toBe(2);
    expect(clock.timerCount).toBe(0);
  });
});
