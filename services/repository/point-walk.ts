// Owns the walk from the root of a restore point to every block that it needs, with bounded work and memory: what the pieces of a manifest may
// unpack to depends on what is stored for them, a piece is walked once, and blocks are looked up thousands at a time.
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { blockIdLengthBytes, decodeBlock, type StoredBlock } from './block-content.ts';
import { manifestReferences, readManifestContents } from './manifest-chain.ts';
import { maxManifestRatio } from './manifest-format.ts';
import { ManifestWalk } from './manifest-walk.ts';
import { blockOverheadBytes } from './pack-writer.ts';
import type { PointRoot } from './point-root-fields.ts';

/** Every manifest may unpack to this; it takes about 0.3 s of a core. */
const freeBytes = 16 * 1024 * 1024;

/** How much the manifest of one point may unpack to (docs/repository-format.md, section 4). */
class ManifestBudget {
  readonly #pointId: string;
  #left = freeBytes;

  constructor(pointId: string) {
    this.#pointId = pointId;
  }

  /** Before a block of the manifest is unpacked. @throws storage.damaged */
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
/** Identifiers that were named before, so that naming a block again costs no look-up: 2 MiB, a later one takes an earlier one's place. */
const rememberedBlocks = 65_536;

/** Gathers identifiers that are named and gives them away in batches, most repeats left out. */
class NamedBlocks {
  readonly #give: (ids: Buffer) => void;
  readonly #remembered = Buffer.alloc(rememberedBlocks * blockIdLengthBytes);
  readonly #batch = Buffer.allocUnsafe(batchBlocks * blockIdLengthBytes);
  #count = 0;

  constructor(give: (ids: Buffer) => void) {
    this.#give = give;
    // Nothing is remembered at first: no identifier that belongs into a slot is what the slot holds now.
    this.#remembered.fill(0xff, 0, blockIdLengthBytes);
  }

  add(bytes: Buffer, at: number): void {
    const slot = (bytes.readUInt32LE(at + 28) % rememberedBlocks) * blockIdLengthBytes;
    const end = at + blockIdLengthBytes;
    if (this.#remembered.compare(bytes, at, end, slot, slot + blockIdLengthBytes) === 0) return;
    bytes.copy(this.#remembered, slot, at, end);
    bytes.copy(this.#batch, this.#count * blockIdLengthBytes, at, end);
    this.#count += 1;
    if (this.#count === batchBlocks) this.flush();
  }

  flush(): void {
    const count = this.#count;
    this.#count = 0;
    if (count > 0) this.#give(this.#batch.subarray(0, count * blockIdLengthBytes));
  }
}

export interface PointWalk {
  readonly root: PointRoot;
  /** Stored form of a block of the manifest. @throws when it cannot be had */
  readonly readBlock: (id: Buffer) => Promise<StoredBlock>;
  /**
   * Blocks that the point needs, each at least once; few come twice. Identifiers one behind the other, good during the call only. May throw,
   * which ends the walk.
   */
  readonly onBlocks: (ids: Buffer) => void;
  /** "manifest": only its own blocks are named, what they hold is not looked at. */
  readonly depth?: 'manifest' | 'all';
}

/** @throws storage.damaged when the manifest is not well-formed, and what `readBlock` and `onBlocks` throw */
export async function walkPoint({ root, readBlock, onBlocks, depth = 'all' }: PointWalk): Promise<void> {
  const named = new NamedBlocks(onBlocks);
  const budget = new ManifestBudget(root.pointId);
  const readContent = async (id: Buffer): Promise<Buffer> => {
    const block = await readBlock(id);
    budget.take(block);
    return decodeBlock(block);
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
    named.flush(); // what was named before it ended counts
  }
}

/** The contents of the manifest's pieces in order, within the same bound as the walk. @throws storage.damaged, and what `readBlock` throws */
export async function* manifestContents(
  root: PointRoot,
  readBlock: (id: Buffer) => Promise<StoredBlock>,
): AsyncGenerator<Buffer, void, undefined> {
  const budget = new ManifestBudget(root.pointId);
  const counted = new Set<string>();
  const readContent = async (id: Buffer): Promise<Buffer> => {
    const block = await readBlock(id);
    const key = id.toString('latin1');
    if (!counted.has(key)) budget.take(block);
    counted.add(key);
    return decodeBlock(block);
  };
  yield* readManifestContents(root, readContent);
}
