import { beforeEach, describe, expect, it } from 'vitest';
import { blockIdOf, blockKeyOf } from '../../../blocks/block.ts';
import { FarkeepError } from '../../../kernel/farkeep-error.ts';
import { readManifestReferences } from '../../../repository/points/manifest-chain.ts';
import { readManifest } from '../../../repository/points/manifest.ts';
import { decodePointRoot } from '../../../repository/points/point-root.ts';
import type { PointRoot } from '../../../repository/points/point-root-fields.ts';
import { failureOf } from '../../../testing/failure-of.ts';
import { RecordedStreams } from '../../../testing/mover/recorded-streams.ts';
import { ChangingDisk, type Inode } from '../../../testing/repository/changing-disk.ts';
import type { SourceEvent } from '../../link/local-link.ts';
import { FileBatchWriter, readTasks, type FileOutcome, type FileTask } from '../streams/file-batch.ts';
import { ContentList } from '../walk/content-list.ts';
import { BackupPipeline, type BackupOutcome } from './backup-pipeline.ts';

const pointId = 'ab'.repeat(16);
const canceled = new FarkeepError('call.canceled', 'Canceled by a person');

/** A file that was given to a lane. */
interface Given extends FileTask {
  readonly streamIndex: number;
}

let disk: ChangingDisk;
let streams: RecordedStreams;
let events: SourceEvent[];
let pipeline: BackupPipeline;
let running: Promise<BackupOutcome>;
let given: Given[];
/** The sent manifest blocks, by identifier in hex. */
let manifest: Map<string, Buffer>;

beforeEach(() => {
  disk = new ChangingDisk(1000);
  [events, given] = [[], []];
  manifest = new Map();
});

function put(name: string, content = `content of ${name}`): Inode {
  const inode = disk.make('file', content, 0o644);
  disk.put(disk.source, name, inode);
  return inode;
}

function begin(sourcePaths: readonly string[] = ['/source'], size = 2): void {
  streams = new RecordedStreams(size);
  pipeline = new BackupPipeline({
    operation: {
      kind: 'backup',
      sourcePaths,
      excludes: [],
      jobId: 'cd'.repeat(16),
      jobName: 'Job',
      pointId,
      fileCachePath: ':memory:',
    },
    pool: streams,
    disk,
    emit: (event) => events.push(event),
    now: () => 1_700_000_000_000,
  });
  running = pipeline.run();
  running.catch(() => undefined);
}

/** Waits until the pipeline has done all work that needs no answer. */
async function turn(): Promise<void> {
  for (let count = 0; count < 5; count += 1) await new Promise((resolve) => setImmediate(resolve));
  for (const { streamIndex, message } of streams.take('files'))
    for (const task of readTasks(message.files)) given.push({ ...task, streamIndex });
  for (const { message } of streams.take('store'))
    for (const { id, content } of message.blocks) manifest.set(Buffer.from(id).toString('hex'), Buffer.from(content));
}

/** Repeats `turn` until the walk gives no further file. The walk takes several slices of time. */
async function walked(): Promise<void> {
  for (let before = -1; before < given.length;) {
    before = given.length;
    await turn();
    await turn();
  }
}

/** Simulates a lane that reports the results of its files. */
function done(
  tasks: readonly Given[],
  outcome: FileOutcome = 'read',
  more: { readonly isChanged?: boolean } = {},
): void {
  for (const { index, folder, name, streamIndex } of tasks) {
    const results = new FileBatchWriter();
    const inode = disk.source.entries.get(name);
    const list = new ContentList();
    list.clear();
    const content = Buffer.from(inode?.content ?? '', 'latin1');
    if (outcome === 'read') list.addBlock(blockKeyOf(content), content.length);
    results.addResult({
      index,
      outcome,
      stat: outcome === 'read' ? disk.stat(folder, name) : undefined,
      sizeBytes: outcome === 'read' ? content.length : 0,
      isChanged: more.isChanged ?? false,
      isSettled: true,
      problem: outcome === 'unreadable' ? 'access was denied' : '',
      content: list.packed(),
    });
    pipeline.receive(streamIndex, { type: 'files-read', results: results.take() });
  }
}

/** Simulates that all lanes report that they have sent everything. */
async function drained(sentBlocks = 2): Promise<void> {
  await turn();
  for (const { streamIndex } of streams.take('drain')) pipeline.receive(streamIndex, { type: 'drained', sentBlocks });
  await turn();
}

/** Returns the root that was sent for the commit. */
function committed(): { readonly root: PointRoot; readonly bytes: Buffer; readonly blockCount: number } {
  const [commit] = streams.take('commit');
  if (commit === undefined) throw new Error('Nothing was committed');
  pipeline.receive(0, { type: 'committed', storedBytes: 0 });
  const bytes = Buffer.from(commit.message.root);
  return { root: decodePointRoot(bytes, pointId), bytes, blockCount: commit.message.blockCount };
}

async function savedPaths(root: PointRoot): Promise<string[]> {
  const blockOf = (id: Buffer): Buffer => {
    const content = manifest.get(id.toString('hex'));
    if (content === undefined) throw new Error('A piece of the manifest was not sent');
    return content;
  };
  const { blocks } = await readManifestReferences(root, async (id) => blockOf(id));
  const paths: string[] = [];
  for await (const item of readManifest(blocks.map(({ id }) => blockOf(id))))
    if (item.type === 'entry')
      paths.push(`${item.entry.path.toString()}${item.entry.isUnreadable ? ' (unreadable)' : ''}`);
  return paths;
}

const warnings = (): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [`${event.warning.code} ${event.warning.path}`] : []));

describe('a backup pipeline', () => {
  it('writes the manifest in tree order, also when lanes finish in another order, and commits it', async () => {
    for (const name of ['c', 'a', 'b']) put(name);
    begin();
    await turn();
    expect(given.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(pipeline.phase).toBe('transferring');
    done([...given].reverse());
    await turn();
    expect(pipeline.phase).toBe('finalizing');
    await drained(3);
    const { root, bytes, blockCount } = committed();
    // The sum of the blocks of both lanes.
    expect(blockCount).toBe(6);
    expect(await running).toEqual({ rootHash: blockIdOf(bytes).toString('hex'), warningCount: 0 });
    expect(root).toMatchObject({ jobName: 'Job', state: 'complete', createdAtMs: 1_700_000_000_000 });
    expect(await savedPaths(root)).toEqual(['', 'a', 'b', 'c']);
    expect(pipeline.totals()).toMatchObject({ processedFiles: 3, totalFiles: 3, skippedFiles: 0 });
    expect(events.at(-1)).toEqual({ type: 'object', name: '/source', state: 'succeeded', bytes: 36 });
    expect(disk.openCount).toBe(0);
  });

  it('commits only when every lane has sent all its blocks', async () => {
    put('a');
    begin();
    await turn();
    done(given);
    await turn();
    pipeline.receive(1, { type: 'drained', sentBlocks: 1 });
    await turn();
    expect(streams.take('commit')).toEqual([]);
    pipeline.receive(0, { type: 'drained', sentBlocks: 1 });
    await turn();
    committed();
    await running;
  });

  it('gives the lanes a bounded number of files, and more when files are finished', async () => {
    for (let index = 0; index < 2000; index += 1) put(`file ${index}`);
    begin();
    await walked();
    // The limit is 1,024 files: 512 for each of the two lanes. Files are sent in batches of 128. A batch that was begun below the limit is sent
    // whole, so up to 128 files more are possible.
    expect(given.length).toBeGreaterThanOrEqual(1024);
    expect(given.length).toBeLessThanOrEqual(1024 + 128);
    const lanes = [0, 1].map((lane) => given.filter(({ streamIndex }) => streamIndex === lane).length);
    expect(Math.abs((lanes[0] ?? 0) - (lanes[1] ?? 0))).toBeLessThanOrEqual(128);
    const before = given.length;
    done(given.slice(0, 128));
    await walked();
    expect(given.length).toBeGreaterThan(before);
    expect(given.length - 128).toBeLessThanOrEqual(1024 + 128);
    pipeline.fail(canceled);
    await failureOf(running);
  });

  it('gives the lanes a bounded number of bytes', async () => {
    for (let index = 0; index < 20; index += 1) put(`file ${index}`, 'x').claimedBytes = 8 * 1024 * 1024;
    begin(['/source'], 1);
    await turn();
    expect(given).toHaveLength(4);
    pipeline.fail(canceled);
    await failureOf(running);
  });

  it('warns about files that could not be read, and saves the others', async () => {
    for (const name of ['changed', 'gone', 'kept', 'locked']) put(name);
    begin();
    await turn();
    const of = (name: string): Given[] => given.filter((task) => task.name === name);
    done(of('changed'), 'read', { isChanged: true });
    disk.unlink(disk.source, 'gone');
    done(of('gone'), 'gone');
    done(of('locked'), 'unreadable');
    done(of('kept'));
    await drained();
    const { root } = committed();
    expect(await running).toMatchObject({ warningCount: 2 });
    expect(warnings().sort()).toEqual(['source.changed source/changed', 'source.unreadable source/locked']);
    expect(await savedPaths(root)).toEqual(['', 'changed', 'kept', 'locked (unreadable)']);
    expect(root.state).toBe('warnings');
    expect(pipeline.totals()).toMatchObject({ skippedFiles: 1 });
    expect(events.at(-1)).toMatchObject({ state: 'warning' });
  });

  it('reads a name again that is a file again, at most three times', async () => {
    put('restless');
    begin();
    for (let reading = 1; reading <= 3; reading += 1) {
      await turn();
      expect(given).toHaveLength(reading);
      done(given.slice(-1), 'other');
    }
    await drained();
    committed();
    await running;
    expect(given).toHaveLength(3);
    expect(warnings()).toEqual(['source.unreadable source/restless']);
  });

  it('saves the new kind of a name that is no longer a file', async () => {
    put('turned');
    begin();
    await turn();
    disk.put(disk.source, 'turned', disk.make('fifo', '', 0o644));
    done(given, 'other');
    await drained();
    committed();
    await running;
    expect(events.filter(({ type }) => type === 'remark')).toMatchObject([
      { text: '1 pipe is kept by name only: source/turned' },
    ]);
  });

  it('never reports more safe bytes than processed bytes', async () => {
    put('a');
    begin();
    await turn();
    streams.counters.readBytes = 12;
    streams.counters.safeBytes = 50;
    expect(pipeline.totals()).toMatchObject({ processedBytes: 12, safeBytes: 12 });
    streams.counters.safeBytes = -5;
    expect(pipeline.totals().safeBytes).toBe(0);
    pipeline.fail(canceled);
    await failureOf(running);
  });

  it('reports the largest durable amount that the target has sent', async () => {
    put('a');
    begin();
    await turn();
    for (const totalStoredBytes of [5, 9, 7]) pipeline.receive(0, { type: 'durable', totalStoredBytes });
    expect(pipeline.totals().durableBytes).toBe(9);
    pipeline.fail(canceled);
    await failureOf(running);
  });

  it.each(['transferring', 'draining', 'committing'] as const)('ends at once when it fails while %s', async (phase) => {
    put('a');
    begin();
    await turn();
    if (phase !== 'transferring') done(given);
    await turn();
    if (phase === 'committing') await drained();
    pipeline.fail(canceled);
    pipeline.fail(new FarkeepError('connection.lost', 'A consequence'));
    expect(await failureOf(running)).toEqual({ code: 'call.canceled', message: 'Canceled by a person' });
    // Messages after the failure have no effect.
    pipeline.receive(0, { type: 'committed', storedBytes: 0 });
    expect(events.filter((event) => event.type === 'object').map(({ state }) => state)).toEqual(['running']);
    // The folder of a file stays open while a lane may be reading the file.
    expect(disk.openCount).toBe(phase === 'transferring' ? 1 : 0);
  });

  it('ends at once when a source is missing', async () => {
    disk.openSource = () => {
      throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    };
    begin();
    expect(await failureOf(running)).toMatchObject({ code: 'source.missing' });
    expect(streams.sent).toEqual([]);
  });
});
