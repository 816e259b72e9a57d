// Owns the rule that a restore point is whole: every block of its manifest, and every block that the manifest names, is there.
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { StoredBlock } from '../../blocks/block.ts';
import type { PointRoot } from './point-root-fields.ts';
import { walkPoint } from './point-walk.ts';

export interface PointCheck {
  readonly root: PointRoot;
  /** Returns the blocks that this store does not have. Identifiers are joined. */
  readonly missing: (ids: Buffer) => readonly Buffer[];
  readonly readBlock: (id: Buffer) => Promise<StoredBlock>;
  /** Instead of walking the manifest (when it cannot be read here). */
  readonly referenced?: Iterable<Buffer> | AsyncIterable<Buffer> | undefined;
}

/** Throws point.incomplete naming what is missing. */
export async function checkPointIsWhole({ root, missing, readBlock, referenced }: PointCheck): Promise<void> {
  const expectHere = (ids: Buffer): void => {
    const [first] = missing(ids);
    if (first === undefined) return;
    throw new FarkeepError(
      'point.incomplete',
      `Restore point ${root.pointId}: the block ${first.toString('hex').slice(0, 16)} is missing`,
    );
  };
  const readPresent = (id: Buffer): Promise<StoredBlock> => {
    expectHere(id);
    return readBlock(id);
  };
  try {
    const depth = referenced === undefined ? 'all' : 'manifest';
    await walkPoint({ root, readBlock: readPresent, onBlocks: expectHere, depth });
    if (referenced !== undefined) for await (const id of referenced) expectHere(id);
  } catch (error) {
    const known = toFarkeepError(error, 'storage.io');
    if (known.code === 'point.incomplete') throw known;
    throw new FarkeepError('point.incomplete', `Restore point ${root.pointId} cannot be committed: ${known.message}`, {
      cause: error,
    });
  }
}
