// Owns opening a tenant's folder: making it, the catalogue in whatever state it is, and the writer's lock.
import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../kernel/atomic-file.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { Logger } from '../kernel/logger.ts';
import { Catalogue } from './catalogue.ts';
import { readDamageMarks } from './damage-marks.ts';
import { compareCatalogueWithPacks, reuseLeftOverPacks } from './left-overs.ts';
import { catalogueFromPacks } from './rebuild-catalogue.ts';
import type { Storage } from './storage.ts';
import { WriterLock } from './writer-lock.ts';

export const incomingFolder = 'incoming';
export const catalogueFile = 'catalogue.sqlite';

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

/** Only the owner may read it, nor the files that SQLite makes beside it with the same rights. */
function openOwnCatalogue(file: string): Catalogue {
  // Never for a file that is there: closing a descriptor of it would free SQLite's locks in this process (POSIX).
  if (!existsSync(file)) {
    try {
      writeFileSync(file, '', { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
  return new Catalogue(file);
}

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
function isDamagedDatabase(error: unknown): boolean {
  return (
    error instanceof Error &&
    'errcode' in error &&
    typeof error.errcode === 'number' &&
    [11, 26].includes(error.errcode & 0xff)
  );
}

/** A catalogue to read by: the file, or one made from the packs when the file is missing or cannot be used. */
export async function openCatalogueForReading(options: TenantFolderOptions): Promise<Catalogue> {
  const { storage } = options;
  if (!(await stat(options.folder)).isDirectory()) throw new FarkeepError('storage.io', 'it is not a folder');
  const file = path.join(options.folder, catalogueFile);
  const attempts: ('read' | 'frozen')[] = existsSync(`${file}-wal`) ? ['read'] : ['read', 'frozen'];
  for (const access of existsSync(file) ? attempts : []) {
    try {
      const catalogue = new Catalogue(file, access);
      catalogue.packBytes(); // a disk that cannot hold the shared-memory file of WAL only fails at the first question
      return catalogue;
    } catch (error) {
      options.logger.debug('The catalogue cannot be opened this way', { access, error });
    }
  }
  options.logger.info('Reading the packs themselves, since the catalogue is missing or cannot be read', {
    folder: options.folder,
  });
  return catalogueFromPacks(storage, options.logger, await readDamageMarks(storage, options.logger));
}

/**
 * Makes what is missing, takes a writer's lock, opens the catalogue, and looks after what dead writers left.
 * A damaged catalogue is put aside and made anew.
 */
export async function openFolderForWriting(
  options: TenantFolderOptions,
): Promise<{ readonly catalogue: Catalogue; readonly lock: WriterLock }> {
  const { storage } = options;
  const incoming = path.join(options.folder, incomingFolder);
  await makeFolderDurably(options.folder);
  for (const folder of ['packs', 'points', 'trash', incomingFolder]) {
    await mkdir(path.join(options.folder, folder), { recursive: true, mode: 0o700 });
  }
  await storage.sync('');
  const lock = await WriterLock.take(incoming);
  let catalogue: Catalogue | undefined;
  try {
    const file = path.join(options.folder, catalogueFile);
    let isNew = !existsSync(file);
    try {
      catalogue = openOwnCatalogue(file);
    } catch (error) {
      // It is only a cache: a damaged one is put aside and made anew, unless another session is using it.
      if (!isDamagedDatabase(error) || WriterLock.hasOtherLiving(incoming, lock.writer)) throw error;
      options.logger.error('The catalogue is damaged and is made anew from the packs', {
        folder: options.folder,
        error,
      });
      for (const suffix of ['-wal', '-shm']) await rm(file + suffix, { force: true });
      await rename(file, `${file}.damaged`);
      catalogue = openOwnCatalogue(file);
      isNew = true;
    }
    const opened = catalogue;
    // First of all: whoever marked them may have been killed before the catalogue knew.
    const marks = await readDamageMarks(storage, options.logger);
    opened.applyMarks(marks);
    const dead = await WriterLock.careForDead(incoming, async (writer) => {
      await reuseLeftOverPacks({
        storage,
        catalogue: opened,
        folder: `${incomingFolder}/${writer}`,
        logger: options.logger,
      });
      opened.dropReservation(writer);
    });
    if (dead > 0 || isNew)
      await compareCatalogueWithPacks({ storage, catalogue: opened, marks, logger: options.logger });
    return { catalogue: opened, lock };
  } catch (error) {
    catalogue?.close();
    lock.abandon();
    throw error;
  }
}
