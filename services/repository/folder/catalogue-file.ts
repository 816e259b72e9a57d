// Owns opening catalogue.sqlite, also when it is missing or damaged. The catalogue is only a cache: a file that this version cannot have
// made is set aside and rebuilt from the packs. The files and the schema are checked before any data is read.
import { randomBytes } from 'node:crypto';
import { linkSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isTaken } from '../../kernel/system-error.ts';
import { checkCatalogueSchema, type CatalogueAccess } from './catalogue-schema.ts';
import { SqliteCatalogue } from './sqlite-catalogue.ts';
import type { RepositoryFolder } from './repository-folder.ts';

export const catalogueFile = 'catalogue.sqlite';
const companions = ['-wal', '-shm', '-journal'];

/**
 * Whether the folder contains a catalogue.
 *
 * @throws storage.damaged when the catalogue, or a file of SQLite beside the catalogue, is not a regular file. Also when a rollback journal
 * lies beside the catalogue. This program never leaves a journal (the file is in WAL mode from the start), and a forged journal can make
 * SQLite delete any file.
 */
export function hasCatalogue(folder: RepositoryFolder): boolean {
  const besides = ['-wal', '-shm'].filter((suffix) => folder.sizeOf(catalogueFile + suffix) !== undefined);
  // The catalogue file is checked after its log files. A session that creates the catalogue places the catalogue file before the log files.
  const isThere = folder.sizeOf(catalogueFile) !== undefined;
  if (!isThere && besides.length > 0)
    throw new FarkeepError(
      'storage.damaged',
      `${catalogueFile} is missing, and a log of it would be read into a new one`,
    );
  if (folder.look(`${catalogueFile}-journal`) !== undefined)
    throw new FarkeepError(
      'storage.damaged',
      `${catalogueFile}-journal is next to the catalog, but Farkeep never creates this file`,
    );
  return isThere;
}

/** Opens the existing catalogue. @throws storage.damaged, and SQLite's errors */
export function openCatalogueFile(folder: RepositoryFolder, access: CatalogueAccess): SqliteCatalogue {
  const file = folder.pathOf(catalogueFile);
  if (!hasCatalogue(folder)) throw new FarkeepError('storage.damaged', `${file} is missing`);
  checkCatalogueSchema(file, access);
  return new SqliteCatalogue(file, access);
}

/** Opens the existing catalogue for reading; undefined, with a log line, when it is missing or unusable. */
export function tryOpenCatalogueFile(
  folder: RepositoryFolder,
  access: CatalogueAccess,
  logger: Logger,
): SqliteCatalogue | undefined {
  try {
    return hasCatalogue(folder) ? openCatalogueFile(folder, access) : undefined;
  } catch (error) {
    logger.debug('The catalogue cannot be used', { file: folder.pathOf(catalogueFile), access, error });
    return undefined;
  }
}

/** Makes an empty catalogue outside its final place. @param writing the caller's folder below `incoming/` */
export function startCatalogueFile(folder: RepositoryFolder, writing: string): SqliteCatalogue {
  folder.makeFolder(writing);
  folder.withinSync(writing, (base) => {
    rmSync(`${base}/${catalogueFile}`, { force: true });
    // Only the owner may read the catalogue file. SQLite gives the same mode to its log files beside the catalogue.
    writeFileSync(`${base}/${catalogueFile}`, '', { flag: 'wx', mode: 0o600 });
  });
  return new SqliteCatalogue(folder.pathOf(`${writing}/${catalogueFile}`));
}

/** Places an empty catalogue atomically, unless another session has already placed a catalogue. */
export function makeCatalogueFile(folder: RepositoryFolder, writing: string): void {
  startCatalogueFile(folder, writing).close();
  placeCatalogueFile(folder, writing);
}

/** Moves the closed catalogue of `startCatalogueFile` to its final place, unless a catalogue already exists there. */
export function placeCatalogueFile(folder: RepositoryFolder, writing: string): void {
  folder.withinSync(writing, (from) => {
    folder.withinSync('', (to) => {
      const source = `${from}/${catalogueFile}`;
      try {
        // Unlike a rename, a hard link never replaces the catalogue that another session has just placed.
        linkSync(source, `${to}/${catalogueFile}`);
        unlinkSync(source);
      } catch (error) {
        if (isTaken(error)) unlinkSync(source);
        else renameSync(source, `${to}/${catalogueFile}`); // The file system has no hard links.
      }
    });
  });
}

/**
 * Removes the catalogue, whatever kind of entry has its name, and the files that SQLite would read with it. Follows no link. A good
 * catalogue is deleted. A damaged one, or an entry that is not a file, is renamed for later inspection.
 */
export function takeCatalogueAway(folder: RepositoryFolder, { isKept }: { readonly isKept: boolean }): void {
  for (const suffix of ['', ...companions]) {
    const name = catalogueFile + suffix;
    const stats = folder.look(name);
    if (stats === undefined) continue;
    folder.withinSync('', (base) => {
      if (!isKept && stats.isFile()) {
        unlinkSync(`${base}/${name}`);
        return;
      }
      try {
        renameSync(`${base}/${name}`, `${base}/${name}.damaged`);
      } catch {
        // A folder already has the target name, so a random name is used.
        renameSync(`${base}/${name}`, `${base}/${name}.damaged-${randomBytes(4).toString('hex')}`);
      }
    });
  }
}

/** True for SQLITE_CORRUPT, SQLITE_NOTADB and the errors of the checks in this file. */
export function isDamagedCatalogue(error: unknown): boolean {
  if (error instanceof FarkeepError) return error.code === 'storage.damaged';
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  return [11, 26].includes(error.errcode & 0xff);
}
