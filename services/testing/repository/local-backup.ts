// Owns a backup in this process: the real pipeline and lanes, any source disk, and a target that accepts every block. Returns the decoded
// restore point. For tests that control every step of a source; must not be used by the product.
import { decodeNow } from './plain-blocks.ts';
import type { StoredBlock } from '../../blocks/block.ts';
import { readManifestReferences } from '../../repository/points/manifest-chain.ts';
import { readManifest } from '../../repository/points/manifest.ts';
import { decodePointRoot } from '../../repository/points/point-root.ts';
import type { TreeEntry } from '../../repository/points/tree-entry.ts';
import { BackupLane } from '../../mover/source/backup/backup-lane.ts';
import { BackupPipeline } from '../../mover/source/backup/backup-pipeline.ts';
import { createLaneCutter } from '../../mover/source/backup/content-reader.ts';
import type { BackupOperation, SourceEvent } from '../../mover/link/local-link.ts';
import type { SourceDisk } from '../../mover/source/walk/source-disk.ts';
import type { PipelineStreams } from '../../mover/source/streams/stream-pool.ts';
import { emptyCounters, type ToWorker } from '../../mover/source/streams/worker-link.ts';
import type { DataMessage } from '../../wire/messages.ts';

const laneCount = 2;
/** Shared by all runs of a test file, because only the garbage collector frees the large memory of a lane. */
const cutters = Array.from({ length: laneCount }, () => createLaneCutter());

export interface SavedEntry {
  readonly entry: TreeEntry;
  /** Content of a file. */
  readonly content: Buffer;
}

/** Blocks that the target has stored. Later runs can use them again. */
export type SavedBlocks = Map<string, Buffer>;

export async function runLocalBackup(
  disk: SourceDisk,
  operation: Partial<BackupOperation> = {},
  blocks: SavedBlocks = new Map(),
): Promise<{ readonly entries: Map<string, SavedEntry>; readonly events: SourceEvent[] }> {
  const pointId = 'ab'.repeat(16);
  const events: SourceEvent[] = [];
  const counters = emptyCounters();
  let root: Buffer | undefined;
  const fail = (error: unknown): void => {
    pipeline.fail(error as Parameters<BackupPipeline['fail']>[0]);
  };
  const lanes = cutters.map((cutter, index) => {
    const lane: BackupLane = new BackupLane({
      chain: 'job',
      disk,
      cutter,
      fail,
      post: (message) => {
        setImmediate(() => {
          pipeline.receive(index, message);
        });
      },
      send: (message) => {
        // A real connection has copied the blocks when `send` returns, and the caller may then reuse the memory. So this
        // `send` copies the blocks before it returns.
        if (message.type === 'block') for (const block of message.blocks) keep(block);
        setImmediate(() => {
          answer(lane, index, message);
        });
        return true;
      },
    });
    return lane;
  });

  function keep(block: StoredBlock): void {
    blocks.set(block.id.toString('hex'), Buffer.from(decodeNow(block)));
  }

  function answer(lane: BackupLane, index: number, message: DataMessage): void {
    if (message.type === 'offer') {
      const wanted = message.ids.map((id) => !blocks.has(id.toString('hex')));
      lane.receive({ type: 'want', offerId: message.offerId, wanted });
      const present = message.ids.filter((_, position) => wanted[position] === false);
      lane.receive({ type: 'durable', totalBlocks: 0, totalStoredBytes: 0, ids: present });
    } else if (message.type === 'block') {
      lane.receive({ type: 'durable', totalBlocks: 0, totalStoredBytes: 0, ids: message.blocks.map(({ id }) => id) });
    } else if (message.type === 'commit') {
      root = Buffer.from(message.root);
      pipeline.receive(index, { type: 'committed', storedBytes: 0 });
    }
  }

  const send = (streamIndex: number, message: ToWorker): void => {
    setImmediate(() => {
      const lane = lanes[streamIndex];
      if (lane === undefined) return;
      if (message.type === 'files') lane.add(message.files);
      else if (message.type === 'offer') lane.offerKnown(message.token, message.ids);
      else if (message.type === 'store') lane.store(message.blocks);
      else if (message.type === 'drain') lane.drain();
      else if (message.type === 'commit')
        answer(lane, streamIndex, { type: 'commit', blockCount: message.blockCount, root: Buffer.from(message.root) });
    });
  };
  const pool: PipelineStreams = {
    size: laneCount,
    counters,
    send,
    broadcast: (message) => {
      lanes.forEach((_, index) => {
        send(index, message);
      });
    },
  };
  const pipeline = new BackupPipeline({
    operation: {
      kind: 'backup',
      sourcePaths: ['/source'],
      excludes: [],
      jobId: 'cd'.repeat(16),
      jobName: 'Job',
      pointId,
      fileCachePath: ':memory:',
      ...operation,
    },
    pool,
    disk,
    emit: (event) => events.push(event),
    now: Date.now,
  });
  await pipeline.run();
  if (root === undefined) throw new Error('The restore point was not committed');
  const blockOf = (id: Buffer): Buffer => {
    const content = blocks.get(id.toString('hex'));
    if (content === undefined) throw new Error('The restore point names a block that was never sent');
    return content;
  };
  const entries = new Map<string, SavedEntry>();
  const decoded = decodePointRoot(root, pointId);
  const { blocks: manifest } = await readManifestReferences(decoded, (id) => Promise.resolve(blockOf(id)));
  for await (const item of readManifest(manifest.map(({ id }) => blockOf(id)))) {
    if (item.type !== 'entry') continue;
    const { entry } = item;
    const pieces = entry.kind !== 'file' ? [] : entry.content;
    // Built only on request, because a file with holes can be larger than the memory.
    const contentOf = (): Buffer =>
      Buffer.concat(pieces.map(({ id, lengthBytes }) => (id === null ? Buffer.alloc(lengthBytes) : blockOf(id))));
    const saved: SavedEntry = {
      entry,
      get content() {
        return contentOf();
      },
    };
    entries.set(entry.path.toString('latin1'), saved);
  }
  return { entries, events };
}
