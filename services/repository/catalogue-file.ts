// Owns opening catalogue.sqlite where it lies, in whatever state it is. It is only a cache: what does not look as this version makes it is set
// aside and made anew from the packs. Nothing of it is used before its files and its schema are checked.
import { randomBytes } from 'node:crypto';
import { linkSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { Logger } from '../kernel/logger.ts';
import { checkCatalogueSchema, type CatalogueAccess } from './catalogue-schema.ts';
import { Catalogue } from './catalogue.ts';
import type { RepositoryFolder } from './repository-folder.ts';

export const catalogueFile = 'catalogue.sqlite';
const companions = ['-wal', '-shm', '-journal'];

/**
 * Whether there is a catalogue.
 *
 * @throws storage.damaged when it, or a file of SQLite beside it, is no regular file, or a rollback journal lies beside it. This program
 * never leaves one (the file is in WAL mode from the start), and a journal made by somebody else can name any file for SQLite to delete.
 */
export function hasCatalogue(folder: RepositoryFolder): boolean {
  const besides = ['-wal', '-shm'].filter((suffix) => folder.sizeOf(catalogueFile + suffix) !== undefined);
  // Looked for last: another session that is making it puts the file itself there first.
  const isThere = folder.sizeOf(catalogueFile) !== undefined;
  if (!isThere && besides.length > 0)
    throw new FarkeepError(
      'storage.damaged',
      `${catalogueFile} is missing, and a log of it would be read into a new one`,
    );
  if (folder.look(`${catalogueFile}-journal`) !== undefined)
    throw new FarkeepError('storage.damaged', `${catalogueFile}-journal does not belong beside the catalogue`);
  return isThere;
}

/** Opens the catalogue that is there. @throws storage.damaged, and what SQLite says */
export function openCatalogueFile(folder: RepositoryFolder, access: CatalogueAccess): Catalogue {
  const file = folder.pathOf(catalogueFile);
  if (!hasCatalogue(folder)) throw new FarkeepError('storage.damaged', `${file} is missing`);
  checkCatalogueSchema(file, access);
  return new Catalogue(file, access);
}

/** The catalogue that is there, for a look; undefined, with a line in the log, when it is missing or cannot be used. */
export function tryOpenCatalogueFile(
  folder: RepositoryFolder,
  access: CatalogueAccess,
  logger: Logger,
): Catalogue | undefined {
  try {
    return hasCatalogue(folder) ? openCatalogueFile(folder, access) : undefined;
  } catch (error) {
    logger.debug('The catalogue cannot be used', { file: folder.pathOf(catalogueFile), access, error });
    return undefined;
  }
}

/** An empty catalogue that is not in its place yet. @param writing the caller's folder below `incoming/` */
export function startCatalogueFile(folder: RepositoryFolder, writing: string): Catalogue {
  folder.makeFolder(writing);
  folder.withinSync(writing, (base) => {
    rmSync(`${base}/${catalogueFile}`, { force: true });
    // Only the owner may read it, nor the files that SQLite makes beside it with the same rights.
    writeFileSync(`${base}/${catalogueFile}`, '', { flag: 'wx', mode: 0o600 });
  });
  return new Catalogue(folder.pathOf(`${writing}/${catalogueFile}`));
}

/** Makes an empty catalogue, whole from its first moment, unless another session was faster. */
export function makeCatalogueFile(folder: RepositoryFolder, writing: string): void {
  startCatalogueFile(folder, writing).close();
  placeCatalogueFile(folder, writing);
}

/** Puts the closed catalogue of `startCatalogueFile` in its place; one that stands there already stays. */
export function placeCatalogueFile(folder: RepositoryFolder, writing: string): void {
  folder.withinSync(writing, (from) => {
    folder.withinSync('', (to) => {
      const source = `${from}/${catalogueFile}`;
      try {
        linkSync(source, `${to}/${catalogueFile}`); // unlike a rename it never takes the place of another session's
        unlinkSync(source);
      } catch (error) {
        if (isCode(error, 'EEXIST')) unlinkSync(source);
        else renameSync(source, `${to}/${catalogueFile}`); // a file system without hard links
      }
    });
  });
}

/**
 * Takes away what is in the catalogue's place, whatever it is, and what SQLite would read with it. Nothing is followed. A good catalogue need
 * not be kept; a damaged one is, for who wants to know why, and so is what is no file.
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
        // A folder stands there: another name is free.
        renameSync(`${base}/${name}`, `${base}/${name}.damaged-${randomBytes(4).toString('hex')}`);
      }
    });
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** SQLITE_CORRUPT and SQLITE_NOTADB, and what the checks here say. */
export function isDamagedCatalogue(error: unknown): boolean {
  if (error instanceof FarkeepError) return error.code === 'storage.damaged';
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  return [11, 26].includes(error.errcode & 0xff);
}
