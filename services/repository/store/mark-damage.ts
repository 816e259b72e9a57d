// Owns marking damaged blocks. The mark files are written first, and then the catalogue is updated. If a crash prevents the update, the
// next writer applies the mark files when it opens the folder. Deletes no block and no pack.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Catalogue, BlockPlace } from './catalogue.ts';
import {
  DamageMarks,
  damagedFolder,
  listMarks,
  readDamageMarks,
  writeDamageMarks,
  type DamagedPack,
} from '../packs/damage-marks.ts';
import { hasPacks } from './rebuild-catalogue.ts';
import { incomingFolder, type TenantPlace } from './tenant-place.ts';

export interface MarkingOptions {
  readonly place: TenantPlace;
  readonly logger: Logger;
}

/**
 * Adds marks. The marks are durable when the promise resolves.
 *
 * @returns the names of the mark files
 * @throws storage errors when the folder cannot be written
 */
export async function markDamage(options: MarkingOptions, packs: readonly DamagedPack[]): Promise<readonly string[]> {
  return whileWriting(options, async (writing) => {
    const names = await writeDamageMarks(options.place.storage, writing, packs);
    tellCatalogue(options, (catalogue) => {
      catalogue.applyMarks(new DamageMarks(packs, names));
    });
    return names;
  });
}

/**
 * Replaces all marks by the findings of a complete check. Blocks that were marked by mistake, or that are intact again, count as present
 * again. If a crash interrupts the replacement, the old marks and the new marks stay. Needless marks do no harm: they only cause blocks to
 * be sent again.
 *
 * @param checked mark files that the check knew and replaces; mark files that other processes wrote during the check stay
 * @param better places of damaged blocks in intact packs
 */
export async function settleMarks(
  options: MarkingOptions,
  packs: readonly DamagedPack[],
  checked: readonly string[],
  better: readonly BlockPlace[],
): Promise<void> {
  const { logger } = options;
  const { storage } = options.place;
  const found = new DamageMarks(packs);
  // The mark files are listed before they are read. In the opposite order, a file that another process adds between the two steps would
  // count as unreadable.
  const files = await listMarks(storage);
  const known = await readDamageMarks(storage, logger);
  const isSame = known.equals(found) && files.length === known.names.length && files.length <= 1;
  if (isSame && better.length === 0) return;
  await whileWriting(options, async (writing) => {
    const names = isSame ? known.names : await writeDamageMarks(storage, writing, packs);
    tellCatalogue(options, (catalogue) => {
      catalogue.setMarks(new DamageMarks(packs, names), better);
    });
    if (isSame) return;
    const own = new Set(checked);
    const isUnreadable = (name: string): boolean => !known.names.includes(name);
    const old = files.filter((name) => own.has(name) || isUnreadable(name));
    for (const name of old) await storage.remove(`${damagedFolder}/${name}`);
    if (old.length > 0) await storage.sync(damagedFolder);
  });
}

/**
 * Runs the work under a writer lease. So no other process replaces the catalogue during the work, and a crash leaves a trace for the next
 * writer.
 */
async function whileWriting<Result>(
  { place }: MarkingOptions,
  work: (writing: string) => Promise<Result>,
): Promise<Result> {
  const { storage, leases } = place;
  // If the disk is not mounted, no file may be created at its mount point.
  if (!(await hasPacks(storage).catch(() => false)))
    throw new FarkeepError('storage.io', `${place.name} contains no packs any more. Is its disk mounted?`);
  const lease = await leases.take();
  const writing = `${incomingFolder}/${lease.writer}`;
  try {
    const result = await work(writing);
    await storage.removeFolder(writing);
    await lease.release();
    return result;
  } catch (error) {
    await lease.abandon();
    throw error;
  }
}

/** Updates the catalogue. If it is missing or damaged, the next writer rebuilds it and reads the marks. */
function tellCatalogue({ place, logger }: MarkingOptions, tell: (catalogue: Catalogue) => void): void {
  try {
    using catalogue = place.catalogues.openExisting();
    if (catalogue !== undefined) tell(catalogue);
  } catch (error) {
    logger.warn('The damaged blocks could not be marked in the catalogue; the next session that writes does this', {
      place: place.name,
      error,
    });
  }
}
