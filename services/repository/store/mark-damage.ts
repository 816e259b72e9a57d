// Owns how damage that somebody met becomes marks and a catalogue that knows them, in this order: the marks are the truth, the
// catalogue is told by them, at the latest when the folder is next opened for writing. Deletes no block and no pack.
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
 * Marks further blocks. Durable when it resolves.
 *
 * @returns the files of the marks
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
 * After a check of everything: makes the marks say exactly what was found, so what was marked by mistake, or came back, counts again.
 * A crash in between leaves the old marks and the new ones, which is more than needed and harmless.
 *
 * @param checked the files of marks that the check knew; those written meanwhile by others stay
 * @param better places of damaged blocks in sound packs
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
  // Listed first: a file that somebody writes meanwhile must not be taken for one that cannot be read.
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

/** With a writer's lease, so that nobody exchanges the catalogue meanwhile and a crash leaves its trace. */
async function whileWriting<Result>(
  { place }: MarkingOptions,
  work: (writing: string) => Promise<Result>,
): Promise<Result> {
  const { storage, leases } = place;
  // Below a disk that is not mounted any more nothing may be made.
  if (!(await hasPacks(storage).catch(() => false)))
    throw new FarkeepError('storage.io', `${place.name} holds no packs any more; is its disk mounted?`);
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

/** A catalogue that is missing or damaged is made anew by the next writer, who knows the marks. */
function tellCatalogue({ place, logger }: MarkingOptions, tell: (catalogue: Catalogue) => void): void {
  try {
    using catalogue = place.catalogues.openExisting();
    if (catalogue !== undefined) tell(catalogue);
  } catch (error) {
    logger.warn('The catalogue was not told of damaged blocks; the next session that writes does it', {
      place: place.name,
      error,
    });
  }
}
