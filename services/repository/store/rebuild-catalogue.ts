// Owns making a catalogue from nothing but packs: for `farkeep repository rebuild-catalogue` and for reading without a catalogue.
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { placeCatalogueFile, takeCatalogueAway, startCatalogueFile } from './catalogue-file.ts';
import { Catalogue } from './catalogue.ts';
import { readDamageMarks, type DamageMarks } from '../packs/damage-marks.ts';
import { FolderStorage } from '../storage/folder-storage.ts';
import { compareCatalogueWithPacks } from './left-overs.ts';
import { scanPack } from '../packs/pack-reader.ts';
import { isPointFile } from '../points/point-root-fields.ts';
import { RepositoryFolder } from '../storage/repository-folder.ts';
import type { Storage } from '../storage/storage.ts';
import { WriterLock } from './writer-lock.ts';

/** Fills a catalogue from the packs; a pack whose end is damaged gives the blocks before the damage. */
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

/** A catalogue of its own, for reading when the file is missing, damaged or on a disk that cannot be written. */
export async function catalogueFromPacks(storage: Storage, logger: Logger, marks: DamageMarks): Promise<Catalogue> {
  const catalogue = new Catalogue('');
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
  /** Packs with damage; their blocks before it are in the catalogue. */
  readonly damaged: readonly string[];
}

/**
 * Writes a new catalogue.sqlite from the packs of a tenant folder and puts it in place by one rename.
 * Throws service.locked while a session writes into the folder.
 */
export async function rebuildCatalogue({
  tenantFolder,
  logger,
}: {
  tenantFolder: string;
  logger: Logger;
}): Promise<RebuildResult> {
  const storage = new FolderStorage(tenantFolder);
  const folder = new RepositoryFolder(tenantFolder);
  if (folder.look('packs') === undefined)
    throw new FarkeepError('call.not-found', `${tenantFolder} is not a tenant's folder: it has no packs`);
  const incoming = folder.pathOf('incoming');
  folder.requireFolder('packs');
  const lock = await WriterLock.take(incoming);
  const writing = `incoming/${lock.writer}`;
  let isClean = true;
  try {
    refuseBesideWriters(incoming, lock);
    const catalogue = startCatalogueFile(folder, writing);
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
    refuseBesideWriters(incoming, lock);
    takeCatalogueAway(folder, { isKept: false });
    placeCatalogueFile(folder, writing);
    await storage.removeFolder(writing);
    await storage.sync('');
    // A session that began in this very moment may have opened the old file. Then this counts as an unclean end: the next
    // session compares catalogue and packs.
    isClean = !WriterLock.hasOtherLiving(incoming, lock.writer);
    return result;
  } finally {
    if (isClean) lock.release();
    else lock.abandon();
    await storage.close();
  }
}

function refuseBesideWriters(incoming: string, lock: WriterLock): void {
  if (!WriterLock.hasOtherLiving(incoming, lock.writer)) return;
  throw new FarkeepError('service.locked', 'A session is writing into this folder', {
    hint: 'Wait until it has ended, then rebuild the catalogue.',
    retryable: true,
  });
}
