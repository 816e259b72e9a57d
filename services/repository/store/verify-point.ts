// Owns checking one restore point without a key: its root, its manifest, and that a pack holds every needed block. Reads only.
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { StoredBlock } from '../../blocks/block.ts';
import { BlockReader } from './block-reader.ts';
import type { Catalogue } from './catalogue.ts';
import { pointFileOf } from '../points/point-root-fields.ts';
import { decodePointRoot, maxPointRootBytes } from '../points/point-root.ts';
import { walkPoint } from '../points/point-walk.ts';
import type { Storage } from '../storage/storage.ts';

export interface PointCheckOptions {
  readonly storage: Storage;
  readonly pointId: string;
  /** Built from the packs that exist now. */
  readonly catalogue: Catalogue;
  /** Whether a missing block is already reported as lost with its damaged pack. */
  readonly isLost: (id: Buffer) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Returns the reason why the point is incomplete, apart from blocks that `isLost` knows; undefined when there is none. */
export async function checkPoint({
  storage,
  pointId,
  catalogue,
  isLost,
  signal,
}: PointCheckOptions): Promise<string | undefined> {
  const reader = new BlockReader(storage);
  let missing = 0;
  let firstMissing: Buffer | undefined;
  const readBlock = (id: Buffer): Promise<StoredBlock> => {
    signal?.throwIfAborted();
    for (const lost of catalogue.missing(id)) isLost(lost);
    const place = catalogue.find(id);
    if (place === undefined)
      throw new FarkeepError('storage.damaged', `its manifest block ${id.toString('hex').slice(0, 16)} is missing`);
    return reader.read(place);
  };
  try {
    const root = decodePointRoot(await storage.read(`points/${pointFileOf(pointId)}`, maxPointRootBytes), pointId);
    if (root.pointId !== pointId) return `it says that it is ${root.pointId}`;
    await walkPoint({
      root,
      blocks: { read: readBlock },
      onBlocks: (ids) => {
        for (const id of catalogue.missing(ids)) {
          if (isLost(id)) continue;
          missing += 1;
          firstMissing ??= id;
        }
      },
    });
  } catch (error) {
    signal?.throwIfAborted();
    return toFarkeepError(error, 'storage.io').message;
  }
  return missing === 0
    ? undefined
    : `${missing} of its blocks are in no pack, the first is ${firstMissing?.toString('hex').slice(0, 16) ?? ''}`;
}
