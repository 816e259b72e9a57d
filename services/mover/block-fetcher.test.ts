import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { SmallFile } from '../repository/small-file.ts';
import { BlockFetcher } from './block-fetcher.ts';
import type { ToWorker } from './worker-link.ts';

type Read = ToWorker & { readonly type: 'read' };

let reads: { readonly streamIndex: number; readonly message: Read }[];
let fetcher: BlockFetcher;
const smallFile: SmallFile = {
  temporaryPath: Buffer.from('part'),
  path: Buffer.from('file'),
  metadata: { mode: 0, owner: { uid: 0, gid: 0, userName: '', groupName: '' }, mtimeNs: 0n },
  isOwnerRestored: false,
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
const blocksIn = ({ message }: { message: Read } = { message: { type: 'read', ids: new Uint8Array(), files: [] } }) =>
  message.ids.length / 32;

/** Answers all that a request asked for. */
function answer({ ids, files }: Read): void {
  fetcher.receive({ type: 'placed', results: files.map(({ index }) => ({ index })) });
  const positions = new Set(files.map(({ position }) => position));
  const contents = Array.from({ length: ids.length / 32 }, (_, at) => at).filter((at) => !positions.has(at));
  fetcher.receive({
    type: 'blocks',
    blocks: contents.map((at) => ({ id: ids.slice(at * 32, at * 32 + 32), content: new Uint8Array([at]) })),
  });
}

describe('asking for blocks', () => {
  it('goes out in the next turn when little is on its way, and joins requests for the same content', async () => {
    const id = randomBytes(32);
    const [first, second] = [fetcher.fetch(id, 1), fetcher.fetch(Buffer.from(id), 1)];
    expect(reads).toEqual([]);
    await nextTurn();
    expect(reads.map(blocksIn)).toEqual([1]);
    const [read] = reads;
    if (read !== undefined) answer(read.message);
    expect((await first).content).toEqual(Buffer.from([0]));
    expect((await second).content).toEqual(Buffer.from([0]));
  });

  it('waits to be full while much is on its way, spread over the streams, and goes on with the answers', async () => {
    const waiting = Array.from({ length: 64 }, () => fetcher.fetch(randomBytes(32), 10));
    expect(reads.map(blocksIn)).toEqual([64]);
    for (let count = 0; count < 10; count += 1) {
      waiting.push(fetcher.fetch(randomBytes(32), 10));
      await nextTurn();
    }
    expect(reads.map(blocksIn)).toEqual([64]);
    if (reads[0] !== undefined) answer(reads[0].message);
    expect(reads.map(blocksIn)).toEqual([64, 10]);
    expect(reads.map(({ streamIndex }) => streamIndex)).toEqual([0, 1]);
    if (reads[1] !== undefined) answer(reads[1].message);
    expect(await Promise.all(waiting)).toHaveLength(74);
  });

  it('does not wait with large blocks', async () => {
    void fetcher.fetch(randomBytes(32), 4 * 1024 * 1024);
    expect(reads.map(blocksIn)).toEqual([1]);
    void fetcher.fetch(randomBytes(32), 1_000_000);
    await nextTurn();
    expect(reads.map(blocksIn)).toEqual([1, 1]);
  });

  it('has files made by the stream, also when their content is fetched as well', async () => {
    const id = randomBytes(32);
    const content = fetcher.fetch(id, 1);
    const placed = fetcher.place(id, 1, smallFile);
    await nextTurn();
    const [read] = reads;
    expect(read?.message.files).toEqual([{ index: 0, position: 1, lengthBytes: 1, file: smallFile }]);
    expect(blocksIn(read)).toBe(2);
    if (read !== undefined) answer(read.message);
    expect(await placed).toBeUndefined();
    expect((await content).content).toHaveLength(1);
  });

  it('tells for each file what became of it', async () => {
    const [whole, partly, lost] = [0, 1, 2].map(() => fetcher.place(randomBytes(32), 1, smallFile));
    const failure = lost?.catch((error: unknown) => error);
    const metadataError = new FarkeepError('storage.io', 'EPERM').toInfo();
    const error = new FarkeepError('restore.mismatch', 'Not what was saved').toInfo();
    fetcher.receive({ type: 'placed', results: [{ index: 1, metadataError }, { index: 2, error }, { index: 0 }] });
    expect(await whole).toBeUndefined();
    expect(await partly).toEqual(metadataError);
    expect(await failure).toMatchObject({ code: 'restore.mismatch', message: 'Not what was saved' });
  });

  it('ends for all when the session ends', async () => {
    const failures = [fetcher.fetch(randomBytes(32), 1), fetcher.place(randomBytes(32), 1, smallFile)].map((each) =>
      each.catch((error: unknown) => error),
    );
    const lost = new FarkeepError('connection.lost', 'Cut');
    fetcher.fail(lost);
    expect(await Promise.all(failures)).toEqual([lost, lost]);
    await expect(fetcher.place(randomBytes(32), 1, smallFile)).rejects.toBe(lost);
    await nextTurn();
    expect(reads).toEqual([]);
  });
});
