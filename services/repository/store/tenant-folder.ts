// Owns opening a tenant's folder: making it, the catalogue in whatever state it is, and the writer's lock.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../../kernel/state/atomic-file.ts';
import type { Logger } from '../../kernel/logger.ts';
import {
  catalogueFile,
  hasCatalogue,
  isDamagedCatalogue,
  makeCatalogueFile,
  openCatalogueFile,
  takeCatalogueAway,
  tryOpenCatalogueFile,
} from './catalogue-file.ts';
import type { Catalogue } from './catalogue.ts';
import { readDamageMarks } from '../packs/damage-marks.ts';
import { compareCatalogueWithPacks, reuseLeftOverPacks } from './left-overs.ts';
import { catalogueFromPacks } from './rebuild-catalogue.ts';
import { RepositoryFolder } from '../storage/repository-folder.ts';
import type { Storage } from '../storage/storage.ts';
import { WriterLock } from './writer-lock.ts';

export const incomingFolder = 'incoming';

export interface TenantFolderOptions {
  readonly folder: string;
  readonly storage: Storage;
  readonly logger: Logger;
}

async function makeFolderDurably(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const above = path.dirname(path.resolve(first));
  for (let made = path.resolve(folder); made !== above; made = path.dirname(made)) await syncFolder(path.dirname(made));
}

/** A catalogue to read by: the file, or one made from the packs when the file is missing or cannot be used. */
export async function openCatalogueForReading(options: TenantFolderOptions): Promise<Catalogue> {
  const { storage, logger } = options;
  const folder = new RepositoryFolder(options.folder);
  folder.requireFolder('');
  for (const access of ['read', 'frozen'] as const) {
    const catalogue = tryOpenCatalogueFile(folder, access, logger);
    try {
      catalogue?.packBytes(); // the first query fails on a disk that cannot hold the shared-memory file of WAL
      if (catalogue !== undefined) return catalogue;
    } catch (error) {
      catalogue?.close();
      logger.debug('The catalogue cannot be opened with this access', { access, error });
    }
    // A frozen database would miss the changes in the log file.
    if (folder.look(`${catalogueFile}-wal`) !== undefined) break;
  }
  logger.info('Reading the packs themselves, since the catalogue is missing or cannot be read', {
    folder: options.folder,
  });
  return catalogueFromPacks(storage, logger, await readDamageMarks(storage, logger));
}

/** Opens the catalogue. Makes a new one if it is missing, or if it is damaged and no other process uses it. */
function openOwnCatalogue(
  folder: RepositoryFolder,
  lock: WriterLock,
  logger: Logger,
): { readonly catalogue: Catalogue; readonly isNew: boolean } {
  const incoming = folder.pathOf(incomingFolder);
  let isNew = false;
  try {
    isNew = !hasCatalogue(folder);
    if (isNew) makeCatalogueFile(folder, `${incomingFolder}/${lock.writer}`);
    return { catalogue: openCatalogueFile(folder, 'write'), isNew };
  } catch (error) {
    if (!isDamagedCatalogue(error) || WriterLock.hasOtherLiving(incoming, lock.writer)) throw error;
    logger.error('The catalogue is damaged and is rebuilt from the packs', { folder: folder.pathOf(''), error });
    takeCatalogueAway(folder, { isKept: true });
    makeCatalogueFile(folder, `${incomingFolder}/${lock.writer}`);
    return { catalogue: openCatalogueFile(folder, 'write'), isNew: true };
  }
}

/**
 * Makes what is missing, takes a writer's lock, opens the catalogue, and looks after what dead writers left.
 * A damaged catalogue is put aside and made anew.
 */
export async function openFolderForWriting(
  options: TenantFolderOptions,
): Promise<{ readonly catalogue: Catalogue; readonly lock: WriterLock }> {
  const { storage, logger } = options;
  await makeFolderDurably(options.folder);
  const folder = new RepositoryFolder(options.folder);
  for (const name of ['packs', 'points', incomingFolder]) folder.makeFolder(name);
  try {
    folder.makeFolder('trash');
  } catch (error) {
    logger.warn('Deleted restore points cannot be kept in this folder', { folder: options.folder, error });
  }
  await storage.sync('');
  const incoming = folder.pathOf(incomingFolder);
  const lock = await WriterLock.take(incoming);
  let opened: Catalogue | undefined;
  try {
    const { catalogue, isNew } = openOwnCatalogue(folder, lock, logger);
    opened = catalogue;
    // First of all: whoever marked them may have been killed before the catalogue knew.
    const marks = await readDamageMarks(storage, logger);
    catalogue.applyMarks(marks);
    const dead = await WriterLock.careForDead(incoming, async (writer) => {
      await reuseLeftOverPacks({ storage, catalogue, folder: `${incomingFolder}/${writer}`, logger });
      catalogue.dropReservation(writer);
    });
    if (dead > 0 || isNew) await compareCatalogueWithPacks({ storage, catalogue, marks, logger });
    return { catalogue, lock };
  } catch (error) {
    opened?.close();
    lock.abandon();
    throw error;
  }
}
