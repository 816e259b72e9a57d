import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { blockIdOf } from '../../../blocks/block.ts';
import { FarkeepError } from '../../../kernel/farkeep-error.ts';
import { readManifestReferences } from '../../../repository/points/manifest-chain.ts';
import { decodePointRoot } from '../../../repository/points/point-root.ts';
import { failureOf } from '../../../testing/failure-of.ts';
import { ManualClock } from '../../../testing/manual-clock.ts';
import { backupOf, makeMemorySource, memoryPointId } from '../../../testing/mover/memory-source.ts';
import { MemoryTarget } from '../../../testing/mover/memory-target.ts';
import { MemoryTree } from '../../../testing/mover/memory-tree.ts';
import { RecordedStreams } from '../../../testing/mover/recorded-streams.ts';
import { ChangingDisk } from '../../../testing/repository/changing-disk.ts';
import type { RestoreOperation, SourceEvent } from '../../link/local-link.ts';
import { unpackPlacedFiles, type PlacedFile } from '../streams/placed-files.ts';
import { RestorePipeline } from './restore-pipeline.ts';

const mebibyte = 1024 * 1024;
const canceled = new FarkeepError('call.canceled', 'Canceled by a person');

/** A requested block without an answer. */
interface Asked {
  readonly streamIndex: number;
  readonly id: Buffer;
  /** The file that the stream should make from the block. */
  readonly file: PlacedFile | undefined;
}

let target: MemoryTarget;
let tree: MemoryTree;
let streams: RecordedStreams;
let events: SourceEvent[];
let pipeline: RestorePipeline;
let running: ReturnType<RestorePipeline['run']>;
let asked: Asked[];
let manifestIds: Set<string>;

beforeEach(() => {
  tree = new MemoryTree();
  [events, asked] = [[], []];
});

/** Makes a backup of the files in memory, and begins to restore them. */
async function begin(files: Record<string, string>, more: Partial<RestoreOperation> = {}): Promise<void> {
  const disk = new ChangingDisk(mebibyte);
  for (const [name, content] of Object.entries(files)) disk.put(disk.source, name, disk.make('file', content, 0o644));
  target = new MemoryTarget();
  await makeMemorySource({ operation: backupOf('/source'), target, disk, timers: new ManualClock() }).mover.run();
  const root = target.root ?? Buffer.alloc(0);
  manifestIds = new Set();
  const manifest = await readManifestReferences(decodePointRoot(root, memoryPointId), async (id) => {
    manifestIds.add(id.toString('hex'));
    return target.blocks.get(id.toString('hex')) ?? Buffer.alloc(0);
  });
  for (const { id } of manifest.blocks) manifestIds.add(id.toString('hex'));
  streams = new RecordedStreams();
  pipeline = new RestorePipeline({
    operation: { kind: 'restore', pointId: memoryPointId, paths: [], destination: '/out', overwrite: 'never', ...more },
    pool: streams,
    emit: (event) => events.push(event),
    openWriter: tree.openWriter,
  });
  running = pipeline.run(root);
  running.catch(() => undefined);
  await turn();
}

/** Waits until the pipeline has done all work that needs no answer. Answers requests for the manifest, but not for contents. */
async function turn(): Promise<void> {
  for (let count = 0; count < 10; count += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    for (const { streamIndex, message } of streams.take('read')) {
      const files = unpackPlacedFiles(Buffer.from(message.files));
      for (let position = 0; position * 32 < message.ids.length; position += 1) {
        const id = Buffer.from(message.ids.subarray(position * 32, position * 32 + 32));
        const one = { streamIndex, id, file: files.find((file) => file.position === position) };
        if (manifestIds.has(id.toString('hex'))) answer([one]);
        else asked.push(one);
      }
    }
  }
}

/** Answers like the stream workers: makes small files, and sends other contents to the main thread. */
function answer(all: readonly Asked[]): void {
  for (const { streamIndex, id, file } of all) {
    const content = target.blocks.get(id.toString('hex'));
    if (content === undefined) throw new Error('There is no such block');
    if (file === undefined) {
      const block = { id: new Uint8Array(id), content: new Uint8Array(content) };
      pipeline.receive(streamIndex, { type: 'blocks', blocks: [block] });
    } else {
      tree.placeFile(file.file, [content]);
      pipeline.receive(streamIndex, { type: 'placed', whole: Uint32Array.of(file.index), results: [] });
    }
  }
}

async function answerAll(): Promise<void> {
  for (let next = asked.splice(0); next.length > 0; next = asked.splice(0)) {
    answer(next);
    await turn();
  }
}

const warnings = (): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [`${event.warning.code} ${event.warning.path}`] : []));
const many = (count: number, lengthBytes: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `file ${index}`,
      randomBytes(10).toString('latin1').padEnd(lengthBytes, 'x'),
    ]),
  );

describe('a restore pipeline', () => {
  it('writes the blocks of each file in order when they arrive in another order', async () => {
    const files = {
      large: randomBytes(3 * mebibyte).toString('latin1'),
      middle: randomBytes(5000).toString('latin1'),
      small: 'small',
    };
    await begin(files);
    expect(pipeline.totals()).toMatchObject({ totalFiles: 3, totalBytes: 3 * mebibyte + 5005, processedFiles: 0 });
    expect(asked.length).toBeGreaterThan(3);
    asked.reverse();
    await answerAll();
    const outcome = await running;
    expect(outcome).toMatchObject({ warningCount: 0, failure: undefined });
    expect(outcome.rootHash).toBe(blockIdOf(target.root ?? Buffer.alloc(0)).toString('hex'));
    expect(Object.fromEntries(tree.files)).toEqual(files);
    expect(tree.isComplete).toBe(true);
    expect(pipeline.totals()).toMatchObject({
      processedFiles: 3,
      processedBytes: 3 * mebibyte + 5005,
      restored: { files: 3, failed: 0 },
    });
    expect(pipeline.phase).toBe('finalizing');
  });

  it('has at most 16 MiB of contents in flight, and requests more when contents are written, not when they arrive', async () => {
    const files = many(18, mebibyte);
    await begin(files);
    const bytesOf = (all: readonly Asked[]): number =>
      all.reduce((sum, { id }) => sum + (target.blocks.get(id.toString('hex'))?.length ?? 0), 0);
    const first = [...asked];
    expect(bytesOf(first)).toBeGreaterThan(12 * mebibyte);
    expect(bytesOf(first)).toBeLessThanOrEqual(16 * mebibyte);
    const written = Promise.withResolvers<undefined>();
    tree.writing = written.promise.then(() => undefined);
    answer(asked.splice(0));
    await turn();
    expect(asked).toEqual([]);
    tree.writing = Promise.resolve();
    written.resolve(undefined);
    await turn();
    expect(asked.length).toBeGreaterThan(0);
    await answerAll();
    expect((await running).failure).toBeUndefined();
    expect(tree.files.size).toBe(18);
  });

  it('opens at most 128 files at a time', async () => {
    await begin(many(200, 2000));
    // One more file is begun and waits.
    expect(tree.openFiles).toBe(129);
    await answerAll();
    await running;
    expect(tree.maxOpenFiles).toBe(129);
    expect(tree.files.size).toBe(200);
  });

  it('lets the streams make at most 512 small files at a time', async () => {
    await begin(many(600, 10));
    // A request waits until it is full while others are in flight.
    expect(asked.length).toBeLessThanOrEqual(512);
    expect(tree.openFiles).toBe(513);
    await answerAll();
    await running;
    expect(tree.files.size).toBe(600);
  });

  it('fails only the file with a missing or damaged block', async () => {
    const files = { large: randomBytes(3 * mebibyte).toString('latin1'), other: 'other', small: 'small' };
    await begin(files);
    const small = asked.find(({ file }) => file?.file.name.toString() === 'small');
    const large = asked.find(({ file }) => file === undefined);
    if (small?.file === undefined || large === undefined) throw new Error('Not asked for');
    const gone = new FarkeepError('storage.damaged', 'Gone');
    const results = [{ index: small.file.index, error: gone.toInfo() }];
    pipeline.receive(small.streamIndex, { type: 'placed', whole: new Uint32Array(), results });
    const ids = new Uint8Array(large.id);
    pipeline.receive(large.streamIndex, {
      type: 'blocks-failed',
      ids,
      code: 'restore.mismatch',
      message: 'Not what was saved',
    });
    asked = asked.filter((each) => each !== small && each !== large);
    await answerAll();
    const { failure, warningCount } = await running;
    expect(warnings().sort()).toEqual(['restore.mismatch large', 'storage.damaged small']);
    expect(warningCount).toBe(2);
    expect(failure).toMatchObject({ code: 'restore.mismatch', message: expect.stringContaining('2 of 3') as string });
    expect([...tree.files.keys()]).toEqual(['other']);
    const states = events.flatMap((event) => (event.type === 'object' ? [`${event.name} ${event.state}`] : []));
    expect(states.slice(-3).sort()).toEqual(['large failed', 'other succeeded', 'small failed']);
  });

  it('refuses a block with another length than in the restore point', async () => {
    await begin({ middle: 'x'.repeat(5000) });
    const [one] = asked;
    if (one === undefined) throw new Error('Not asked for');
    const block = { id: new Uint8Array(one.id), content: new Uint8Array(4999) };
    pipeline.receive(one.streamIndex, { type: 'blocks', blocks: [block] });
    expect((await running).failure).toMatchObject({ code: 'restore.mismatch' });
    expect(tree.files.size).toBe(0);
  });

  it('keeps existing files and folders, and reports the conflicts', async () => {
    tree.files.set('mine', 'mine');
    tree.folders.add('taken');
    await begin({ mine: 'saved', other: 'other', taken: 'saved, too' });
    await answerAll();
    const { failure, warningCount } = await running;
    expect(failure).toBeUndefined();
    expect(warningCount).toBe(2);
    expect(warnings().sort()).toEqual(['restore.exists mine', 'restore.exists taken']);
    expect(Object.fromEntries(tree.files)).toEqual({ mine: 'mine', other: 'other' });
    expect(pipeline.totals()).toMatchObject({ skippedFiles: 1, restored: { files: 1, skipped: 1, failed: 1 } });
  });

  it('stops at the first file that does not fit on the disk', async () => {
    await begin({ one: '1', two: '2' });
    const [first] = asked;
    if (first?.file === undefined) throw new Error('Not asked for');
    const error = new FarkeepError('storage.disk-full', 'ENOSPC').toInfo();
    pipeline.receive(first.streamIndex, {
      type: 'placed',
      whole: new Uint32Array(),
      results: [{ index: first.file.index, error }],
    });
    expect(await failureOf(running)).toMatchObject({
      code: 'restore.target',
      message: expect.stringContaining('one') as string,
    });
    await pipeline.close();
    expect(tree.isComplete).toBe(false);
  });

  it('restores the requested paths, and names those that are missing', async () => {
    await begin({ one: '1', two: '2' }, { paths: ['two', 'missing'] });
    await answerAll();
    expect((await running).warningCount).toBe(1);
    expect(warnings()).toEqual(['restore.incomplete missing']);
    expect([...tree.files.keys()]).toEqual(['two']);
    expect(pipeline.totals().totalFiles).toBeUndefined();
  });

  it('fails when the restore point has none of the requested paths', async () => {
    await begin({ one: '1' }, { paths: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] });
    const { failure, warningCount } = await running;
    expect(failure).toMatchObject({
      code: 'call.not-found',
      message: expect.stringContaining('"e" and 2 more') as string,
    });
    expect([warningCount, warnings()]).toEqual([0, []]);
  });

  it.each(['while it reads the manifest', 'while contents are on their way', 'while it writes'] as const)(
    'ends at once when it fails %s, and reports no file',
    async (phase) => {
      const files = many(3, 5000);
      if (phase === 'while it writes') tree.writing = new Promise(() => undefined);
      await begin(phase === 'while it writes' ? { middle: 'x'.repeat(5000) } : files);
      if (phase === 'while it writes') {
        answer(asked.splice(0));
        await turn();
      }
      if (phase === 'while it reads the manifest') {
        pipeline = new RestorePipeline({
          operation: { kind: 'restore', pointId: memoryPointId, paths: [], destination: '/out', overwrite: 'never' },
          pool: new RecordedStreams(),
          emit: (event) => events.push(event),
          openWriter: tree.openWriter,
        });
        running = pipeline.run(target.root ?? Buffer.alloc(0));
        running.catch(() => undefined);
        await turn();
      }
      pipeline.fail(canceled);
      expect(await failureOf(running)).toEqual({ code: 'call.canceled', message: 'Canceled by a person' });
      tree.writing = Promise.resolve();
      if (phase !== 'while it writes') {
        await pipeline.close();
        expect(tree.isComplete).toBe(false);
      }
      expect(warnings()).toEqual([]);
    },
  );
});
