// Owns the rule that a restore point is complete: the store has every block of its manifest, and every block that the manifest names.
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { StoredBlock } from '../../blocks/block.ts';
import type { BlockStore } from '../../blocks/block-store.ts';
import type { PointRoot } from './point-root-fields.ts';
import { walkPoint } from './point-walk.ts';

/** How `commitPoint` checks that no block is missing. */
export type CompletenessCheck =
  /** Reads the manifest and looks up every block that it names (unencrypted jobs). */
  | 'walk-manifest'
  /** For a store that cannot read the manifest: looks up the manifest's own blocks and these identifiers. */
  | { readonly referenced: Iterable<Buffer> | AsyncIterable<Buffer> };

export interface PointCheck {
  readonly root: PointRoot;
  /** Returns the blocks that this store does not have. @param ids joined identifiers */
  readonly missing: (ids: Buffer) => readonly Buffer[];
  readonly blocks: Pick<BlockStore, 'read'>;
  /** Identifiers to look up instead of reading the manifest; for a store that cannot read the manifest. */
  readonly referenced?: Iterable<Buffer> | AsyncIterable<Buffer> | undefined;
}

/** Throws point.incomplete; the message names a missing block. */
export async function checkPointIsWhole({ root, missing, blocks, referenced }: PointCheck): Promise<void> {
  const expectHere = (ids: Buffer): void => {
    const [first] = missing(ids);
    if (first === undefined) return;
    throw new FarkeepError(
      'point.incomplete',
      `Restore point ${root.pointId}: the block ${first.toString('hex').slice(0, 16)} is missing`,
    );
  };
  const present = {
    read: (id: Buffer): Promise<StoredBlock> => {
      expectHere(id);
      return blocks.read(id);
    },
  };
  try {
    const depth = referenced === undefined ? 'all' : 'manifest';
    await walkPoint({ root, blocks: present, onBlocks: expectHere, depth });
    if (referenced !== undefined) for await (const id of referenced) expectHere(id);
  } catch (error) {
    const known = toFarkeepError(error, 'storage.io');
    if (known.code === 'point.incomplete') throw known;
    throw new FarkeepError('point.incomplete', `Restore point ${root.pointId} cannot be committed: ${known.message}`, {
      cause: error,
    });
  }
}
