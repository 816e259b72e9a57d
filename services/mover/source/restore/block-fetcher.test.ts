import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { FarkeepError } from '../../../kernel/farkeep-error.ts';
import type { SmallFile } from '../../../repository/restore/small-file.ts';
import { BlockFetcher, type PlacedOutcome } from './block-fetcher.ts';
import { unpackPlacedFiles } from '../streams/placed-files.ts';
import type { ToWorker } from '../streams/worker-link.ts';

type Read = ToWorker & { readonly type: 'read' };

let reads: { readonly streamIndex: number; readonly message: Read }[];
let fetcher: BlockFetcher;
const smallFile: SmallFile = {
  folder: Buffer.from('folder'),
  name: Buffer.from('file'),
  isHidden: true,
  metadata: { mode: 0, owner: { uid: 0, gid: 0 }, mtimeNs: 0n },
  isOwnerRestored: false,
  bornOwner: undefined,
  isReplacing: false,
};

beforeEach(() => {
  reads = [];
  fetcher = new BlockFetcher({
    size: 2,
    send: (streamIndex: number, message: ToWorker) => {
      if (message.type !== 'read') throw new Error(message.type);
      reads.push({ streamIndex, message });
    },
  });
});

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const blocksIn = (
  { message }: { message: Read } = { message: { type: 'read', ids: new Uint8Array(), files: new Uint8Array() } },
) => message.ids.length / 32;

const filesIn = ({ files }: Read) => unpackPlacedFiles(Buffer.from(files));

/** Answers all blocks of a request. */
function answer({ streamIndex, message }: { readonly streamIndex: number; readonly message: Read }): void {
  const files = filesIn(message);
  fetcher.receive(streamIndex, {
    type: 'placed',
    whole: Uint32Array.from(files, ({ index }) => index),
    results: [],
  });
  const positions = new Set(files.map(({ position }) => position));
  const { ids } = message;
  const contents = Array.from({ length: ids.length / 32 }, (_, at) => at).filter((at) => !positions.has(at));
  fetcher.receive(streamIndex, {
    type: 'blocks',
    blocks: contents.map((at) => ({ id: ids.slice(at * 32, at * 32 + 32), content: new Uint8Array([at]) })),
  });
}

function place(lane: number, outcomes: PlacedOutcome[] = []): PlacedOutcome[] {
  fetcher.place(randomBytes(32), { lane, lengthBytes: 1, file: smallFile }, (outcome) => outcomes.push(outcome));
  return outcomes;
}

describe('asking for blocks', () => {
  it('is sent in the next turn when few blocks are in flight, and joins requests for the same content', async () => {
    const id = randomBytes(32);
    const [first, second] = [fetcher.fetch(id, 1), fetcher.fetch(Buffer.from(id), 1)];
    expect(reads).toEqual([]);
    await nextTurn();
    expect(reads.map(blocksIn)).toEqual([1]);
    const [read] = reads;
    if (read !== undefined) answer(read);
    expect((await first).content).toEqual(Buffer.from([0]));
    expect((await second).content).toEqual(Buffer.from([0]));
  });

  it('waits for full messages while many blocks are in flight, uses all streams, and continues with the answers', async () => {
    const waiting = Array.from({ length: 128 }, () => fetcher.fetch(randomBytes(32), 10));
    expect(reads.map(blocksIn)).toEqual([64, 64]);
    expect(reads.map(({ streamIndex }) => streamIndex)).toEqual([0, 1]);
    for (let count = 0; count < 10; count += 1) {
      waiting.push(fetcher.fetch(randomBytes(32), 10));
      await nextTurn();
    }
    expect(reads.map(blocksIn)).toEqual([64, 64]);
    if (reads[0] !== undefined) answer(reads[0]);
    expect(reads.map(blocksIn)).toEqual([64, 64, 10]);
    expect(reads[2]?.streamIndex).toBe(0);
    for (const read of reads.slice(1)) answer(read);
    expect(await Promise.all(waiting)).toHaveLength(138);
  });

  it('does not wait with large blocks', async () => {
    void fetcher.fetch(randomBytes(32), 4 * 1024 * 1024);
    expect(reads.map(blocksIn)).toEqual([1]);
    void fetcher.fetch(randomBytes(32), 1_000_000);
    await nextTurn();
    expect(reads.map(blocksIn)).toEqual([1, 1]);
  });

  it('lets the stream make small files, also when their content is fetched too', async () => {
    const id = randomBytes(32);
    const content = fetcher.fetch(id, 1);
    const outcomes: PlacedOutcome[] = [];
    fetcher.place(id, { lane: 2, lengthBytes: 1, file: smallFile }, (outcome) => outcomes.push(outcome));
    await nextTurn();
    const [read] = reads;
    expect(read === undefined ? undefined : filesIn(read.message)).toEqual([
      { index: 0, position: 1, lengthBytes: 1, file: smallFile },
    ]);
    expect(blocksIn(read)).toBe(2);
    if (read !== undefined) answer(read);
    expect(outcomes).toEqual([{ refused: [] }]);
    expect((await content).content).toHaveLength(1);
  });

  it('lets one stream make all files of a lane, and other streams those of other lanes', async () => {
    const outcomes: PlacedOutcome[] = [];
    for (let count = 0; count < 100; count += 1) place(4, outcomes);
    place(5, outcomes);
    await nextTurn();
    expect(reads.map(({ streamIndex }) => streamIndex)).toEqual([0, 1]);
    expect(reads.map(blocksIn)).toEqual([64, 1]);
    for (const read of [...reads]) answer(read);
    for (const read of reads.slice(2)) answer(read);
    expect(reads.slice(2).map(({ streamIndex }) => streamIndex)).toEqual([0]);
    expect(outcomes).toHaveLength(101);
  });

  it('reports the outcome of each file', () => {
    const [whole, partly, lost] = [place(0), place(0), place(0)];
    const refused = [{ step: 'owner', reason: 'EPERM' }] as const;
    const error = new FarkeepError('restore.mismatch', 'Not what was saved').toInfo();
    fetcher.receive(0, {
      type: 'placed',
      whole: Uint32Array.of(0),
      results: [
        { index: 1, refused },
        { index: 2, error },
      ],
    });
    expect(whole).toEqual([{ refused: [] }]);
    expect(partly).toEqual([{ refused }]);
    expect(lost).toMatchObject([{ error: { code: 'restore.mismatch', message: 'Not what was saved' } }]);
  });

  it('rejects all requests when the session ends; the outcome of files is then unknown', async () => {
    const failure = fetcher.fetch(randomBytes(32), 1).catch((error: unknown) => error);
    const outcomes = place(0);
    const lost = new FarkeepError('connection.lost', 'Cut');
    fetcher.fail(lost);
    expect(await failure).toBe(lost);
    place(1, outcomes);
    await nextTurn();
    expect(outcomes).toEqual([]);
    expect(reads).toEqual([]);
  });
});
