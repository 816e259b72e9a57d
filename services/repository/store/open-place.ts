// Owns opening a tenant's place: the catalogue in whatever state it is, the writer's lease, and care for what dead writers left.
import type { Logger } from '../../kernel/logger.ts';
import { readDamageMarks } from '../packs/damage-marks.ts';
import type { Catalogue } from './catalogue.ts';
import { compareCatalogueWithPacks, reuseLeftOverPacks } from './left-overs.ts';
import { catalogueFromPacks } from './rebuild-catalogue.ts';
import { incomingFolder, type TenantPlace } from './tenant-place.ts';
import type { WriterLease } from './writer-lease.ts';

/** A catalogue to read by: the tenant's, or one made from the packs when it is missing or cannot be used. */
export async function openCatalogueForReading(place: TenantPlace, logger: Logger): Promise<Catalogue> {
  place.requireReadable();
  const catalogue = place.catalogues.openForReading(logger);
  if (catalogue !== undefined) return catalogue;
  logger.info('Reading the packs themselves, since the catalogue is missing or cannot be read', { place: place.name });
  return catalogueFromPacks(place, logger, await readDamageMarks(place.storage, logger));
}

/**
 * Makes what is missing, takes a writer's lease, opens the catalogue, and looks after what dead writers left.
 * A damaged catalogue is put aside and made anew.
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
    // First of all: whoever marked them may have been killed before the catalogue knew.
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
