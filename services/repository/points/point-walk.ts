// Owns the walk from a restore point's root to every block that it needs, with bounded work and memory. The stored size limits the unpacked
// size of a manifest, each piece is walked once, and blocks are looked up in batches of thousands.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { decodeBlock } from '../../blocks/block-codec.ts';
import { blockIdBytes, type StoredBlock } from '../../blocks/block.ts';
import type { BlockStore } from '../../blocks/block-store.ts';
import { manifestReferences, readManifestContents } from './manifest-chain.ts';
import { maxManifestRatio } from './manifest-format.ts';
import { ManifestWalk } from './manifest-walk.ts';
import { blockOverheadBytes } from '../packs/pack-writer.ts';
import type { PointRoot } from './point-root-fields.ts';

/** Every manifest may unpack to this size, even from very few stored bytes. A walk of this size takes about 0.3 s on one core. */
const freeBytes = 16 * 1024 * 1024;

/** Limits the unpacked size of one point's manifest (docs/repository-format.md, section 4). */
class ManifestBudget {
  readonly #pointId: string;
  #left = freeBytes;

  constructor(pointId: string) {
    this.#pointId = pointId;
  }

  /** Call before a block of the manifest is unpacked. @throws storage.damaged */
  take({ contentLength, stored }: StoredBlock): void {
    this.#left += (stored.length + blockOverheadBytes) * maxManifestRatio - contentLength;
    if (this.#left < 0)
      throw new FarkeepError(
        'storage.damaged',
        `Restore point ${this.#pointId}: its manifest unpacks to more than ${maxManifestRatio} times what is stored for it`,
      );
  }
}

const batchBlocks = 4096;
/**
 * Number of slots for recent identifiers, so that a repeated block needs no look-up: 2 MiB. A new identifier overwrites the old one in its
 * slot.
 */
const rememberedBlocks = 65_536;

/** Collects identifiers and passes them on in batches. Skips most repeated identifiers. */
class NamedBlocks {
  readonly #give: (ids: Buffer) => void;
  readonly #remembered = Buffer.alloc(rememberedBlocks * blockIdBytes);
  readonly #batch = Buffer.allocUnsafe(batchBlocks * blockIdBytes);
  #count = 0;

  constructor(give: (ids: Buffer) => void) {
    this.#give = give;
    // An empty slot must not look like a remembered identifier. An identifier of zeros belongs into the first slot. So only the first slot
    // needs an initial value that is not zero.
    this.#remembered.fill(0xff, 0, blockIdBytes);
  }

  add(bytes: Buffer, at: number): void {
    const slot = (bytes.readUInt32LE(at + 28) % rememberedBlocks) * blockIdBytes;
    const end = at + blockIdBytes;
    if (this.#remembered.compare(bytes, at, end, slot, slot + blockIdBytes) === 0) return;
    bytes.copy(this.#remembered, slot, at, end);
    bytes.copy(this.#batch, this.#count * blockIdBytes, at, end);
    this.#count += 1;
    if (this.#count === batchBlocks) this.flush();
  }

  flush(): void {
    const count = this.#count;
    this.#count = 0;
    if (count > 0) this.#give(this.#batch.subarray(0, count * blockIdBytes));
  }
}

export interface PointWalk {
  readonly root: PointRoot;
  /** The store that holds the manifest's blocks. */
  readonly blocks: Pick<BlockStore, 'read'>;
  /**
   * Called with the blocks that the point needs: each at least once, some of them repeatedly. Identifiers are joined and valid only during
   * the call. If the callback throws, the walk ends.
   */
  readonly onBlocks: (ids: Buffer) => void;
  /** "manifest": reports only the manifest's own blocks, without reading these. */
  readonly depth?: 'manifest' | 'all';
}

/** @throws storage.damaged when the manifest is not well-formed; errors of `blocks` and `onBlocks` */
export async function walkPoint({ root, blocks, onBlocks, depth = 'all' }: PointWalk): Promise<void> {
  const named = new NamedBlocks(onBlocks);
  const budget = new ManifestBudget(root.pointId);
  const context = { chain: root.jobId, kind: 'metadata', purpose: 'repository' } as const;
  const readContent = async (id: Buffer): Promise<Buffer> => {
    const block = await blocks.read(id);
    budget.take(block);
    return decodeBlock(block, context);
  };
  for (const { id } of root.manifest.blocks) named.add(Buffer.from(id, 'hex'), 0);
  named.flush();
  const walk = new ManifestWalk((bytes, at) => {
    named.add(bytes, at);
  });
  try {
    for await (const { id, lengthBytes } of manifestReferences(root, readContent)) {
      named.add(id, 0);
      if (depth === 'manifest') continue;
      const key = id.toString('latin1');
      if (walk.repeat(key)) continue;
      const content = await readContent(id);
      if (content.length !== lengthBytes)
        throw new FarkeepError(
          'storage.damaged',
          `Restore point ${root.pointId}: a manifest block has ${content.length} bytes instead of ${lengthBytes}`,
        );
      walk.piece(content, key);
    }
    if (depth === 'all') walk.finish();
  } finally {
    named.flush(); // The blocks that were named before the error are still reported.
  }
}

/**
 * Yields the contents of the manifest's pieces in order, with the same limit as the walk. @throws storage.damaged; errors of `blocks`
 */
export async function* manifestContents(
  root: PointRoot,
  blocks: Pick<BlockStore, 'read'>,
): AsyncGenerator<Buffer, void, undefined> {
  const budget = new ManifestBudget(root.pointId);
  const context = { chain: root.jobId, kind: 'metadata', purpose: 'repository' } as const;
  const counted = new Set<string>();
  const readContent = async (id: Buffer): Promise<Buffer> => {
    const block = await blocks.read(id);
    const key = id.toString('latin1');
    if (!counted.has(key)) budget.take(block);
    counted.add(key);
    return decodeBlock(block, context);
  };
  yield* readManifestContents(root, readContent);
}
