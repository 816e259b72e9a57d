// Owns opening, creating, setting aside and replacing the catalogue of a tenant's folder, also when the catalogue is missing or damaged.
import type { Logger } from '../../kernel/logger.ts';
import type { CatalogueReplacement, Catalogues } from '../store/catalogue.ts';
import { incomingFolder } from '../store/tenant-place.ts';
import type { WriterLease, WriterLeases } from '../store/writer-lease.ts';
import {
  catalogueFile,
  hasCatalogue,
  isDamagedCatalogue,
  makeCatalogueFile,
  openCatalogueFile,
  placeCatalogueFile,
  startCatalogueFile,
  takeCatalogueAway,
  tryOpenCatalogueFile,
} from './catalogue-file.ts';
import type { RepositoryFolder } from './repository-folder.ts';
import { SqliteCatalogue } from './sqlite-catalogue.ts';

export class FolderCatalogues implements Catalogues {
  readonly #folder: RepositoryFolder;
  readonly #leases: WriterLeases;

  constructor(folder: RepositoryFolder, leases: WriterLeases) {
    this.#folder = folder;
    this.#leases = leases;
  }

  openForReading(logger: Logger): SqliteCatalogue | undefined {
    for (const access of ['read', 'frozen'] as const) {
      const catalogue = tryOpenCatalogueFile(this.#folder, access, logger);
      try {
        catalogue?.packBytes(); // On a disk that cannot hold the shared-memory file of WAL, opening succeeds and the first query fails.
        if (catalogue !== undefined) return catalogue;
      } catch (error) {
        catalogue?.close();
        logger.debug('The catalogue cannot be opened with this access', { access, error });
      }
      // With the access 'frozen', SQLite opens the catalogue as immutable and ignores its log file. So this access is not tried while a log
      // file exists.
      if (this.#folder.look(`${catalogueFile}-wal`) !== undefined) break;
    }
    return undefined;
  }

  openExisting(): SqliteCatalogue | undefined {
    return hasCatalogue(this.#folder) ? openCatalogueFile(this.#folder, 'write') : undefined;
  }

  async openForWriting(
    lease: WriterLease,
    logger: Logger,
  ): Promise<{ readonly catalogue: SqliteCatalogue; readonly isNew: boolean }> {
    const folder = this.#folder;
    let isNew = false;
    try {
      isNew = !hasCatalogue(folder);
      if (isNew) makeCatalogueFile(folder, writingFolder(lease));
      return { catalogue: openCatalogueFile(folder, 'write'), isNew };
    } catch (error) {
      if (!isDamagedCatalogue(error) || (await this.#leases.hasOtherLiving(lease))) throw error;
      logger.error('The catalogue is damaged and is rebuilt from the packs', { folder: folder.pathOf(''), error });
      takeCatalogueAway(folder, { isKept: true });
      makeCatalogueFile(folder, writingFolder(lease));
      return { catalogue: openCatalogueFile(folder, 'write'), isNew: true };
    }
  }

  makeTemporary(): SqliteCatalogue {
    return new SqliteCatalogue('');
  }

  startReplacement(lease: WriterLease): CatalogueReplacement {
    const catalogue = startCatalogueFile(this.#folder, writingFolder(lease));
    return {
      catalogue,
      putInPlace: () => {
        takeCatalogueAway(this.#folder, { isKept: false });
        placeCatalogueFile(this.#folder, writingFolder(lease));
      },
    };
  }
}

function writingFolder(lease: WriterLease): string {
  return `${incomingFolder}/${lease.writer}`;
}
