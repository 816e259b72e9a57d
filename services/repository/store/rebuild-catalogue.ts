// Owns building a catalogue from the packs alone: for `farkeep repository rebuild-catalogue`, and for reading without a catalogue.
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Catalogue } from './catalogue.ts';
import { readDamageMarks, type DamageMarks } from '../packs/damage-marks.ts';
import { compareCatalogueWithPacks } from './left-overs.ts';
import { scanPack } from '../packs/pack-reader.ts';
import { isPointFile } from '../points/point-root-fields.ts';
import type { Storage } from '../storage/storage.ts';
import { incomingFolder, type TenantPlace } from './tenant-place.ts';
import type { WriterLease } from './writer-lease.ts';

/** Adds all packs to a catalogue. If the end of a pack is damaged, the intact blocks are added. */
async function fill(
  storage: Storage,
  catalogue: Catalogue,
  marks: DamageMarks,
  logger: Logger,
): Promise<{ packs: number; damaged: string[] }> {
  const { added, damaged } = await compareCatalogueWithPacks({ storage, catalogue, marks, logger });
  for (const name of damaged) {
    try {
      const scan = await scanPack(storage, name);
      catalogue.addPack(scan.packId, scan.sizeBytes, scan.blocks, { marks });
    } catch (error) {
      logger.error('Nothing of this pack can be used', {
        pack: name,
        error: toFarkeepError(error, 'storage.io').message,
      });
    }
  }
  return { packs: added, damaged };
}

/** Builds a temporary catalogue for reading, if the tenant's is missing, damaged or on a read-only disk. */
export async function catalogueFromPacks(
  { storage, catalogues }: Pick<TenantPlace, 'storage' | 'catalogues'>,
  logger: Logger,
  marks: DamageMarks,
): Promise<Catalogue> {
  const catalogue = catalogues.makeTemporary();
  try {
    await fill(storage, catalogue, marks, logger);
    return catalogue;
  } catch (error) {
    catalogue.close();
    throw error;
  }
}

export interface RebuildResult {
  readonly packs: number;
  readonly points: number;
  readonly sizeBytes: number;
  /** Packs with damage. Their intact blocks are in the catalogue. */
  readonly damaged: readonly string[];
}

/**
 * Whether the place has the folder `packs`, which its first writer creates. False also when the disk is not mounted. @throws
 * storage.damaged when `packs` is not a folder
 */
export async function hasPacks(storage: Storage): Promise<boolean> {
  if (!(await storage.list('')).includes('packs')) return false;
  await storage.list('packs');
  return true;
}

/**
 * Builds a new catalogue from the packs of a tenant and replaces the old one. Throws service.locked while a session writes into the place.
 */
export async function rebuildCatalogue({
  place,
  logger,
}: {
  place: TenantPlace;
  logger: Logger;
}): Promise<RebuildResult> {
  const { storage, leases } = place;
  if (!(await hasPacks(storage)))
    throw new FarkeepError('call.not-found', `${place.name} is not a tenant's folder: it has no packs`);
  const lease = await leases.take();
  let isClean = true;
  try {
    await refuseBesideWriters(place, lease);
    const replacement = place.catalogues.startReplacement(lease);
    const { catalogue } = replacement;
    let result: RebuildResult;
    try {
      const marks = await readDamageMarks(storage, logger);
      const { packs, damaged } = await fill(storage, catalogue, marks, logger);
      catalogue.applyMarks(marks);
      catalogue.checkpoint();
      const points = (await storage.list('points')).filter(isPointFile).length;
      result = { packs, points, sizeBytes: catalogue.packBytes(), damaged };
    } finally {
      catalogue.close();
    }
    await refuseBesideWriters(place, lease);
    replacement.putInPlace();
    await storage.removeFolder(`${incomingFolder}/${lease.writer}`);
    await storage.sync('');
    // A session that began shortly before this line may have opened the old catalogue. In that case the rebuild counts as ended uncleanly,
    // and the next session compares the catalogue with the packs.
    isClean = !(await leases.hasOtherLiving(lease));
    return result;
  } finally {
    if (isClean) await lease.release();
    else await lease.abandon();
    await storage.close();
  }
}

async function refuseBesideWriters({ leases }: TenantPlace, lease: WriterLease): Promise<void> {
  if (!(await leases.hasOtherLiving(lease))) return;
  throw new FarkeepError('service.locked', 'A session is writing into this folder', {
    hint: 'Wait until it has ended, then rebuild the catalog.',
    retryable: true,
  });
}
