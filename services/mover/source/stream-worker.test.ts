import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { blockIdOf, type StoredBlock } from '../../blocks/block.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { ChangingDisk } from '../../testing/repository/changing-disk.ts';
import { encodeNow } from '../../testing/repository/plain-blocks.ts';
import { dataProtocolVersion, type DataMessage, type Operation } from '../../wire/messages.ts';
import type { DataConnectionHandlers } from '../link/data-connection.ts';
import { BackupLane } from './backup/backup-lane.ts';
import { createLaneCutter } from './backup/content-reader.ts';
import { FilePlacer } from './restore/file-placer.ts';
import { StreamWorker } from './stream-worker.ts';
import { FileBatchWriter } from './streams/file-batch.ts';
import { packPlacedFiles } from './streams/placed-files.ts';
import type { FromWorker, ToWorker, WorkerStart } from './streams/worker-link.ts';

const pointId = 'ab'.repeat(16);
const cutter = createLaneCutter();
const noFiles = packPlacedFiles([]);

let clock: ManualClock;
let posted: FromWorker[];
let sent: DataMessage[];
let placed: string[];
let disk: ChangingDisk;
let worker: StreamWorker;
let start: WorkerStart;
let handlers: DataConnectionHandlers | undefined;
/** If set, `connect` fails with this error. */
let connectError: Error | undefined;
let failure: FarkeepError | undefined;
let silentMs: number;
let hasEnded: boolean;
let finishes: number;

beforeEach(() => {
  clock = new ManualClock();
  [posted, sent, placed] = [[], [], []];
  disk = new ChangingDisk(1000);
  [handlers, connectError, failure] = [undefined, undefined, undefined];
  [silentMs, hasEnded, finishes] = [0, false, 0];
});

function make(operation: Operation): void {
  start = {
    type: 'start',
    sessionId: '01'.repeat(16),
    attempt: 1,
    keyB: new Uint8Array(randomBytes(32)),
    streamIndex: 1,
    streamCount: 2,
    ticket: new Uint8Array(randomBytes(32)),
    gateway: { host: 'gateway.test', port: 1 },
    operation,
    pointId,
    chain: operation === 'backup' ? 'job' : undefined,
  };
  worker = new StreamWorker(start, {
    post: (message) => posted.push(message),
    onFinished: () => {
      finishes += 1;
    },
    connect: async (_start, _keyB, given) => {
      if (connectError !== undefined) throw connectError;
      handlers = given;
      return {
        get silentMs() {
          return silentMs;
        },
        get isOpen() {
          return !hasEnded && failure === undefined;
        },
        send: (message) => {
          sent.push(message);
          return true;
        },
        end: () => {
          hasEnded = true;
        },
        fail: (error) => {
          failure ??= error;
        },
      };
    },
    createLane: (ports) => new BackupLane({ ...ports, disk, cutter }),
    placer: new FilePlacer(({ name }, content) => {
      placed.push(`${name.toString()}: ${Buffer.concat(content).toString()}`);
      return [];
    }),
    timers: clock,
  });
}

/** Makes a worker and opens its stream. */
async function opened(operation: Operation): Promise<void> {
  make(operation);
  await worker.run();
  handlers?.onOpen();
  await clock.advance(0);
  target({
    type: 'open',
    protocol: dataProtocolVersion,
    operation,
    streamIndex: 1,
    streamCount: 2,
    pointId,
    root: noRoot,
  });
  posted.length = 0;
  sent.length = 0;
}

const noRoot = Buffer.alloc(0);

/** Delivers a message of the target. @returns the result for the connection */
function target(message: DataMessage): unknown {
  try {
    void handlers?.onMessage(message, []);
    return undefined;
  } catch (error) {
    return error;
  }
}

function read(contents: readonly Buffer[], names: readonly (string | undefined)[] = []): void {
  const files = names.flatMap((name, position) =>
    name === undefined
      ? []
      : [
          {
            index: position,
            position,
            lengthBytes: contents[position]?.length ?? 0,
            file: {
              folder: Buffer.alloc(0),
              name: Buffer.from(name),
              isHidden: false,
              metadata: { mode: 0o644, owner: { uid: 0, gid: 0 }, mtimeNs: 0n },
              isOwnerRestored: false,
              bornOwner: undefined,
              isReplacing: false,
            },
          },
        ],
  );
  const ids = new Uint8Array(Buffer.concat(contents.map((content) => blockIdOf(content))));
  worker.command({ type: 'read', ids, files: packPlacedFiles(files) });
}

/** Makes a block with its own memory, because the worker releases the memory of received blocks. */
const stored = (content: Buffer): StoredBlock => encodeNow(Buffer.from(new Uint8Array(content)));
const codes = (): string[] => posted.flatMap((message) => (message.type === 'failed' ? [message.error.code] : []));

describe('a stream worker that opens its stream', () => {
  it('sends its stream number, and passes on the root in the target’s answer', async () => {
    make('restore');
    await worker.run();
    expect(sent).toEqual([]);
    handlers?.onOpen();
    expect(sent).toEqual([]);
    await clock.advance(0);
    const open = {
      type: 'open',
      protocol: dataProtocolVersion,
      operation: 'restore',
      streamIndex: 1,
      streamCount: 2,
      pointId,
    } as const;
    expect(sent).toEqual([{ ...open, root: noRoot }]);
    expect(start.keyB).toEqual(new Uint8Array(32));
    target({ ...open, root: Buffer.from([1, 2]) });
    expect(posted).toEqual([{ type: 'open', root: new Uint8Array([1, 2]) }]);
  });

  it.each<[string, DataMessage, string]>([
    ['another point', { ...openOf('cd'), protocol: dataProtocolVersion }, 'protocol.malformed'],
    ['another protocol', { ...openOf('ab'), protocol: 9 }, 'protocol.malformed'],
    ['something else', { type: 'read', ids: [] }, 'protocol.malformed'],
    ['an error', { type: 'error', code: 'call.not-found', message: 'No such point', ids: [] }, 'call.not-found'],
  ])('ends when the target answers with %s', async (_, answer, code) => {
    make('restore');
    await worker.run();
    handlers?.onOpen();
    expect(target(answer)).toBeInstanceOf(FarkeepError);
    // The reason is reported before the cut.
    expect(posted.map(({ type }) => type)).toEqual(['failed', 'closed']);
    expect(posted[0]).toMatchObject({ error: { code, details: { stream: 1 } } });
    expect(failure?.code).toBe(code);
    expect(finishes).toBe(1);
    expect(clock.timerCount).toBe(0);
  });

  it('reports that it could not connect', async () => {
    connectError = new FarkeepError('gateway.unreachable', 'Refused');
    make('backup');
    await worker.run();
    expect(posted).toMatchObject([
      { type: 'failed', error: { code: 'gateway.unreachable', message: 'Refused' } },
      { type: 'closed' },
    ]);
    expect(clock.timerCount).toBe(0);
  });

  it('sends nothing when it is aborted between the handshake and its first message', async () => {
    make('backup');
    await worker.run();
    handlers?.onOpen();
    worker.command({ type: 'abort', code: 'call.canceled', message: '' });
    await clock.advance(0);
    expect([sent, hasEnded, posted.filter(({ type }) => type === 'failed')]).toEqual([[], true, []]);
  });

  it('ends at once when it is aborted before it is connected', () => {
    make('backup');
    void worker.run();
    worker.command({ type: 'abort', code: 'call.canceled', message: '' });
    expect(posted).toEqual([{ type: 'closed' }]);
    expect(finishes).toBe(1);
    expect(clock.timerCount).toBe(0);
  });

  it('fails when it has to send before the stream is open', async () => {
    make('backup');
    worker.command({ type: 'commit', blockCount: 1, root: new Uint8Array([1]) });
    await clock.advance(0);
    expect(codes()).toEqual(['connection.lost']);
  });
});

function openOf(byte: string): DataMessage & { readonly type: 'open' } {
  return {
    type: 'open',
    protocol: 1,
    operation: 'restore',
    streamIndex: 1,
    streamCount: 2,
    pointId: byte.repeat(16),
    root: noRoot,
  };
}

describe('a stream worker in a restore', () => {
  it('checks blocks and passes them on, and makes files of one block itself', async () => {
    await opened('restore');
    const [one, two] = [Buffer.from('content'), Buffer.from('a whole file')];
    read([one, two], [undefined, 'two']);
    expect(sent).toEqual([{ type: 'read', ids: [blockIdOf(one), blockIdOf(two)] }]);
    target({ type: 'data', blocks: [stored(two), stored(one)] });
    expect(posted).toEqual([
      { type: 'blocks', blocks: [{ id: new Uint8Array(blockIdOf(one)), content: new Uint8Array(one) }] },
      { type: 'placed', whole: Uint32Array.of(1), results: [] },
    ]);
    expect(placed).toEqual(['two: a whole file']);
    posted.length = 0;
    await clock.advance(100);
    expect(posted).toMatchObject([{ type: 'counters', counters: { newBlocks: 2 } }]);
    await clock.advance(1000);
    expect(posted).toHaveLength(1);
  });

  it('reports changed and missing blocks, and continues', async () => {
    await opened('restore');
    const contents = ['one', 'two', 'three', 'four'].map((text) => Buffer.from(text));
    const [one, two, three, four] = contents;
    if (one === undefined || two === undefined || three === undefined || four === undefined) throw new Error();
    read(contents, [undefined, 'two', undefined, 'four']);
    target({
      type: 'data',
      blocks: [one, two].map((content) => ({ ...stored(Buffer.from('!')), id: blockIdOf(content) })),
    });
    target({ type: 'error', code: 'storage.damaged', message: 'Gone', ids: [blockIdOf(three), blockIdOf(four)] });
    expect(posted).toMatchObject([
      { type: 'blocks-failed', ids: new Uint8Array(blockIdOf(one)), code: 'restore.mismatch' },
      { type: 'placed', whole: Uint32Array.of(), results: [{ index: 1, error: { code: 'restore.mismatch' } }] },
      { type: 'blocks-failed', ids: new Uint8Array(blockIdOf(three)), code: 'storage.damaged', message: 'Gone' },
      { type: 'placed', whole: Uint32Array.of(), results: [{ index: 3, error: { code: 'storage.damaged' } }] },
    ]);
    expect(placed).toEqual([]);
    expect(failure).toBeUndefined();
  });

  it.each<DataMessage>([
    { type: 'want', offerId: 7, wanted: [] },
    { type: 'durable', totalBlocks: 0, totalStoredBytes: 0, ids: [] },
  ])('refuses the messages of a backup: %o', async (message) => {
    await opened('restore');
    target(message);
    expect(codes()).toEqual(['protocol.malformed']);
  });
});

describe('a stream worker in a backup', () => {
  it('passes commands and the target’s answers to the lane', async () => {
    await opened('backup');
    disk.put(disk.source, 'file', disk.make('file', 'content', 0o644));
    const tasks = new FileBatchWriter();
    tasks.addTask({ index: 4, folder: disk.openSource().folder, name: 'file' });
    worker.command({ type: 'files', files: tasks.take() });
    worker.command({ type: 'drain' });
    await clock.advance(0);
    const [offer] = sent;
    if (offer?.type !== 'offer') throw new Error('Nothing was offered');
    const id = blockIdOf(Buffer.from('content'));
    expect(offer.ids).toEqual([id]);
    target({ type: 'want', offerId: offer.offerId, wanted: [true] });
    await clock.advance(0);
    expect(sent[1]).toMatchObject({ type: 'block', blocks: [{ id }] });
    target({ type: 'durable', totalBlocks: 1, totalStoredBytes: 7, ids: [id] });
    target({ type: 'committed', pointId, storedBytes: 9, newBlocks: 1 });
    expect(posted.map(({ type }) => type).sort()).toEqual(
      ['files-read', 'drained', 'durable', 'files-durable', 'committed'].sort(),
    );
    await clock.advance(100);
    expect(posted.at(-1)).toMatchObject({ type: 'counters', counters: { readBytes: 7, safeBytes: 7, newBlocks: 1 } });
  });

  it('ends when the target aborts', async () => {
    await opened('backup');
    target({ type: 'abort', code: 'quota.exceeded', message: 'Too much' });
    expect(codes()).toEqual(['quota.exceeded']);
  });

  it('does not pass on an unknown error code', async () => {
    await opened('backup');
    target({ type: 'abort', code: 'made.up', message: 'Too much' });
    expect(codes()).toEqual(['call.internal']);
  });
});

describe('a stream worker and its connection', () => {
  const alive: DataMessage = { type: 'offer', offerId: 0, ids: [] };

  it('asks for a sign of life when it received nothing; any message is an answer', async () => {
    await opened('restore');
    silentMs = 5000;
    await clock.advance(10_000);
    expect(sent).toEqual([]);
    silentMs = 5001;
    await clock.advance(10_000);
    expect(sent).toEqual([alive]);
    expect(target({ type: 'want', offerId: 0, wanted: [] })).toBeUndefined();
    expect(posted).toEqual([]);
  });

  it('fails when it received nothing for 90 seconds', async () => {
    await opened('backup');
    silentMs = 90_000;
    await clock.advance(10_000);
    expect(codes()).toEqual([]);
    silentMs = 90_001;
    await clock.advance(10_000);
    expect(codes()).toEqual(['connection.lost']);
    expect(failure?.code).toBe('connection.lost');
    expect(clock.timerCount).toBe(0);
  });

  it('reports an early end by the target, and a cut connection, once', async () => {
    await opened('backup');
    handlers?.onPeerEnd();
    handlers?.onClose(new FarkeepError('connection.lost', 'Cut'));
    expect(posted).toMatchObject([
      { type: 'failed', error: { code: 'connection.lost', message: 'The target ended the data stream early' } },
      { type: 'closed' },
    ]);
    expect(finishes).toBe(1);
  });

  it.each<[string, Exclude<ToWorker, WorkerStart>, readonly DataMessage[]]>([
    ['closed', { type: 'close' }, []],
    [
      'aborted',
      { type: 'abort', code: 'call.canceled', message: 'No more' },
      [{ type: 'abort', code: 'call.canceled', message: 'No more' }],
    ],
  ])('is done when both sides have ended after it was %s', async (_, command, messages) => {
    await opened('backup');
    worker.command(command);
    expect(sent).toEqual(messages);
    expect([hasEnded, finishes]).toEqual([true, 0]);
    handlers?.onPeerEnd();
    expect(posted).toEqual([]);
    handlers?.onClose(undefined);
    expect(posted).toEqual([{ type: 'closed' }]);
    expect(finishes).toBe(1);
    expect(clock.timerCount).toBe(0);
  });

  it('waits at most five seconds for the end of the target', async () => {
    await opened('backup');
    worker.command({ type: 'close' });
    await clock.advance(4999);
    expect(finishes).toBe(0);
    await clock.advance(1);
    expect(finishes).toBe(1);
    expect(posted).toEqual([{ type: 'closed' }]);
  });

  it('reports a command that fails as its failure', async () => {
    await opened('restore');
    const [file] = [packPlacedFiles([])];
    worker.command({ type: 'read', ids: new Uint8Array(32), files: file });
    expect(codes()).toEqual([]);
    worker.command({ type: 'read', ids: new Uint8Array(), files: new Uint8Array(10) });
    expect(codes()).toEqual(['call.internal']);
    expect(noFiles).toHaveLength(0);
  });
});
