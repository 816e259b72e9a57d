import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { blockIdOf } from '../../../blocks/block.ts';
import { ChangingDisk, type Change } from '../../../testing/repository/changing-disk.ts';
import type { DataMessage } from '../../../wire/messages.ts';
import { FileBatchWriter, readResults, type FileResult } from '../streams/file-batch.ts';
import type { FromWorker } from '../streams/worker-link.ts';
import type { SourceFolder } from '../walk/source-disk.ts';
import { BackupLane } from './backup-lane.ts';
import { createLaneCutter } from './content-reader.ts';

const cutter = createLaneCutter();
const mebibyte = 1024 * 1024;

let disk: ChangingDisk;
let folder: SourceFolder;
let lane: BackupLane;
let sent: DataMessage[];
/** Identifiers of blocks that were sent, in hex. */
let sentIds: string[];
let posted: FromWorker[];
let failures: unknown[];
/** Result of `send`: `true` if the connection accepts more at once. */
let line: true | Promise<void>;

beforeEach(() => {
  disk = new ChangingDisk(mebibyte);
  [sent, sentIds, posted, failures, line] = [[], [], [], [], true];
  lane = new BackupLane({
    disk,
    cutter,
    chain: 'job',
    send: (message) => {
      sent.push(message);
      if (message.type === 'block') sentIds.push(...message.blocks.map(({ id }) => id.toString('hex')));
      return line;
    },
    post: (message) => posted.push(message),
    fail: (error) => failures.push(error),
  });
});

function put(...files: readonly (readonly [string, string])[]): void {
  for (const [name, content] of files) disk.put(disk.source, name, disk.make('file', content, 0o644));
  ({ folder } = disk.openSource());
}

function add(...names: readonly string[]): void {
  const tasks = new FileBatchWriter();
  names.forEach((name, index) => {
    tasks.addTask({ index, folder, name });
  });
  lane.add(tasks.take());
}

/** Waits until the lane has sent and posted nothing for so many turns: a slow machine needs more turns to read a file. */
async function turns(quietTurns = 20): Promise<void> {
  let [before, quiet] = [-1, 0];
  while (quiet < quietTurns) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = sent.length + posted.length;
    quiet = now === before ? quiet + 1 : 0;
    before = now;
  }
}

const offers = (): (DataMessage & { readonly type: 'offer' })[] =>
  sent.filter((message): message is DataMessage & { readonly type: 'offer' } => message.type === 'offer');
const results = (): FileResult[] =>
  posted.flatMap((message) => (message.type === 'files-read' ? [...readResults(message.results)] : []));
const durableFiles = (): number[] =>
  posted.flatMap((message) => (message.type === 'files-durable' ? [...message.indexes] : []));
const idOf = (content: string): Buffer => blockIdOf(Buffer.from(content, 'latin1'));

/** Answers an offer: the target wants the blocks for which `wanted` returns true. */
function want(wanted: (id: Buffer) => boolean, offer = offers().at(-1)): void {
  if (offer === undefined) throw new Error('Nothing was offered');
  lane.receive({ type: 'want', offerId: offer.offerId, wanted: offer.ids.map(wanted) });
}

function durable(...ids: readonly Buffer[]): void {
  lane.receive({ type: 'durable', totalBlocks: 0, totalStoredBytes: 0, ids });
}

describe('a lane of a backup', () => {
  it('reads files, offers their blocks together, and sends only the wanted blocks', async () => {
    put(['one', 'first'], ['two', 'second']);
    add('one', 'two');
    await turns();
    expect(offers().map(({ ids }) => ids)).toEqual([[idOf('first'), idOf('second')]]);
    expect(results()).toMatchObject([
      { index: 0, outcome: 'read', sizeBytes: 5, isChanged: false },
      { index: 1, outcome: 'read', sizeBytes: 6, isChanged: false },
    ]);
    want((id) => id.equals(idOf('second')));
    await turns();
    expect(sentIds).toEqual([idOf('second').toString('hex')]);
    expect(lane.takeCounters()).toMatchObject({ readBytes: 11, newBlocks: 1, reusedBlocks: 1 });
    expect(disk.openCount).toBe(1);
  });

  it('reports a file as durable when its last block is, for any order of the target’s reports', async () => {
    put(['one', 'first'], ['two', 'second'], ['twin', 'first']);
    add('one', 'two', 'twin');
    await turns();
    want(() => true);
    await turns();
    expect(durableFiles()).toEqual([]);
    durable(idOf('second'));
    expect(durableFiles()).toEqual([1]);
    durable(idOf('second'), idOf('unknown to the lane'));
    expect(durableFiles()).toEqual([1]);
    durable(idOf('first'));
    expect(durableFiles().sort()).toEqual([0, 1, 2]);
    expect(lane.takeCounters().safeBytes).toBe(16);
  });

  it('does not report a file as durable while the target has received its blocks but not made them durable', async () => {
    put(['one', 'first']);
    add('one');
    await turns();
    want(() => false);
    await turns();
    expect(durableFiles()).toEqual([]);
    durable(idOf('first'));
    expect(durableFiles()).toEqual([0]);
  });

  /** Changes the content of a file before the given operations of the disk. */
  function changeAt(name: string, ...at: readonly number[]): void {
    const change: Change = () => {
      const inode = disk.source.entries.get(name);
      if (inode === undefined) return;
      inode.content = inode.content.toUpperCase();
      inode.mtimeNs = disk.tick();
      disk.touched(inode);
    };
    disk.schedule(at.map((number) => ({ at: number, change })));
  }

  // One read of a file has four operations: open, look, read, look.
  it('reads a file again when it changed during the read, and counts it once', async () => {
    put(['one', 'first']);
    changeAt('one', 4);
    add('one');
    await turns();
    expect(results()).toMatchObject([{ outcome: 'read', sizeBytes: 5, isChanged: false }]);
    want(() => true);
    await turns();
    durable(idOf('first'), idOf('FIRST'));
    expect(lane.takeCounters().safeBytes).toBe(5);
    expect(durableFiles()).toEqual([0]);
    expect(disk.openCount).toBe(1);
  });

  it('saves the last read content of a file that changes during each read, and marks it', async () => {
    put(['one', 'first']);
    changeAt('one', 4, 8);
    add('one');
    await turns();
    expect(results()).toMatchObject([{ outcome: 'read', sizeBytes: 5, isChanged: true, isSettled: false }]);
  });

  it('reports why files could not be read', async () => {
    put(['file', 'content']);
    disk.put(disk.source, 'link', disk.make('symlink', '/elsewhere', 0o777));
    disk.put(disk.source, 'pipe', disk.make('fifo', '', 0o644));
    disk.put(disk.source, 'broken', disk.make('file', 'x', 0o644));
    const readFile = disk.read.bind(disk);
    disk.read = (...args) => {
      if (args[3] === 1) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      return readFile(...args);
    };
    add('gone', 'link', 'pipe', 'broken', 'file');
    await turns();
    expect(results()).toMatchObject([
      { outcome: 'gone' },
      { outcome: 'other' },
      { outcome: 'other' },
      { outcome: 'unreadable', problem: 'the disk reported an error' },
      { outcome: 'read', sizeBytes: 7 },
    ]);
    expect(disk.openCount).toBe(1);
    expect(failures).toEqual([]);
  });

  it('stops reading when its memory is full, and continues when the target answers', async () => {
    const content = randomBytes(17 * mebibyte).toString('latin1');
    put(['big', content]);
    add('big');
    await turns(60);
    const readBefore = lane.takeCounters().readBytes;
    expect(readBefore).toBeGreaterThan(10 * mebibyte);
    expect(readBefore).toBeLessThanOrEqual(15 * mebibyte);
    expect(results()).toEqual([]);
    let answered = 0;
    for (let round = 0; round < 100 && results().length === 0; round += 1) {
      for (; answered < offers().length; answered += 1) want(() => false, offers()[answered]);
      await turns(3);
    }
    expect(results()).toMatchObject([{ outcome: 'read', sizeBytes: 17 * mebibyte }]);
  });

  it('sends no more while the connection is full', async () => {
    put(...Array.from({ length: 3 }, (_, index) => [`${index}`, randomBytes(mebibyte).toString('latin1')] as const));
    const written = Promise.withResolvers<undefined>();
    add('0', '1', '2');
    await turns();
    line = written.promise.then(() => undefined);
    want(() => true);
    await turns();
    const before = sentIds.length;
    expect(before).toBeGreaterThan(0);
    line = true;
    written.resolve(undefined);
    await turns();
    expect(sentIds.length).toBeGreaterThan(before);
    expect(sentIds).toHaveLength(offers().flatMap(({ ids }) => ids).length);
  });

  it('is drained when all files are read, answered and sent, and reports the number of blocks', async () => {
    put(['one', 'first']);
    add('one');
    lane.store([{ id: new Uint8Array(idOf('manifest')), content: new Uint8Array(Buffer.from('manifest')) }]);
    lane.drain();
    await turns();
    expect(posted.some(({ type }) => type === 'drained')).toBe(false);
    for (const offer of offers()) want(() => true, offer);
    await turns();
    expect(posted.filter(({ type }) => type === 'drained')).toEqual([{ type: 'drained', sentBlocks: 2 }]);
  });

  it('offers remembered blocks without sending them, and reports when they are safe', async () => {
    lane.offerKnown(8, new Uint8Array(Buffer.concat([idOf('known'), idOf('lost')])));
    expect(offers()).toHaveLength(1);
    want((id) => id.equals(idOf('lost')));
    await turns();
    expect(posted).toEqual([{ type: 'offered', token: 8, wanted: [false, true] }]);
    expect(sentIds).toEqual([]);
    durable(idOf('known'));
    expect(posted).toContainEqual({ type: 'offer-safe', token: 8 });
  });

  it('reads no file after a stop', async () => {
    put(['one', 'first'], ['big', randomBytes(3 * mebibyte).toString('latin1')]);
    add('big', 'one');
    lane.stop();
    await turns(60);
    expect(results()).toEqual([]);
    // A read that was running ends with call.canceled, which has no effect.
    expect(failures.every((error) => (error as { code?: string }).code === 'call.canceled')).toBe(true);
  });

  it('refuses an answer to an unknown offer, or with a wrong length', async () => {
    put(['one', 'first']);
    add('one');
    await turns();
    const malformed = expect.objectContaining({ code: 'protocol.malformed' }) as unknown;
    expect(() => {
      lane.receive({ type: 'want', offerId: 99, wanted: [] });
    }).toThrow(malformed);
    const [offer] = offers();
    expect(() => {
      lane.receive({ type: 'want', offerId: offer?.offerId ?? 0, wanted: [true, true] });
    }).toThrow(malformed);
    expect(() => {
      lane.receive({ type: 'data', blocks: [] });
    }).toThrow(malformed);
  });

  it('reports a broken connection', async () => {
    put(['one', 'first']);
    line = Promise.reject(new Error('Cut'));
    line.catch(() => undefined);
    add('one');
    await turns();
    expect(failures).toMatchObject([{ message: 'Cut' }]);
  });
});
