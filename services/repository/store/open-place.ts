// Owns opening a tenant's place:
//
// read: open the catalogue; if it is missing or unusable, build a temporary one from the packs
// write:
//   create missing folders, take a writer lease
//   open the catalogue (create a missing one, set a damaged one aside), apply the damage marks
//   turn the complete blocks of dead writers into packs
//   if there was a dead writer or the catalogue is new: compare the catalogue with the packs
import type { Logger } from '../../kernel/logger.ts';
import { readDamageMarks } from '../packs/damage-marks.ts';
import type { Catalogue } from './catalogue.ts';
import { compareCatalogueWithPacks, reuseLeftOverPacks } from './left-overs.ts';
import { catalogueFromPacks } from './rebuild-catalogue.ts';
import { incomingFolder, type TenantPlace } from './tenant-place.ts';
import type { WriterLease } from './writer-lease.ts';

/** Opens a catalogue for reading: the tenant's, or one that is made from the packs if the tenant's is missing or unusable. */
export async function openCatalogueForReading(place: TenantPlace, logger: Logger): Promise<Catalogue> {
  place.requireReadable();
  const catalogue = place.catalogues.openForReading(logger);
  if (catalogue !== undefined) return catalogue;
  logger.info('The catalogue is missing or cannot be read, so the packs are read instead', { place: place.name });
  return catalogueFromPacks(place, logger, await readDamageMarks(place.storage, logger));
}

/**
 * Creates what is missing, takes a writer lease, opens the catalogue, and cleans up after dead writers. A damaged catalogue is set aside
 * and rebuilt.
 */
export async function openPlaceForWriting(
  place: TenantPlace,
  logger: Logger,
): Promise<{ readonly catalogue: Catalogue; readonly lease: WriterLease }> {
  const { storage, catalogues, leases } = place;
  await place.prepare(logger);
  const lease = await leases.take();
  let opened: Catalogue | undefined;
  try {
    const { catalogue, isNew } = await catalogues.openForWriting(lease, logger);
    opened = catalogue;
    // Reads the marks first, because their writer may have been killed before it updated the catalogue.
    const marks = await readDamageMarks(storage, logger);
    catalogue.applyMarks(marks);
    const dead = await leases.careForDead(async (writer) => {
      await reuseLeftOverPacks({ storage, catalogue, folder: `${incomingFolder}/${writer}`, logger });
      catalogue.dropReservation(writer);
    });
    if (dead > 0 || isNew) await compareCatalogueWithPacks({ storage, catalogue, marks, logger });
    return { catalogue, lease };
  } catch (error) {
    opened?.close();
    await lease.abandon();
    throw error;
  }
}
