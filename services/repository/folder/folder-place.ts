// Owns the folder backend: a tenant's place that is a folder on a disk, with its bytes, catalogue and writer leases.
import { lstat, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { syncFolder } from '../../kernel/state/atomic-file.ts';
import { isMissing } from '../../kernel/system-error.ts';
import { pointFileOf } from '../points/point-root-fields.ts';
import { folderLocation, type FolderLocation } from '../storage/repository-location.ts';
import type { StorageBackend } from '../storage/storage-registry.ts';
import type { Storage } from '../storage/storage.ts';
import { incomingFolder, type TenantPlace } from '../store/tenant-place.ts';
import { FolderCatalogues } from './folder-catalogues.ts';
import { FolderStorage } from './folder-storage.ts';
import { RepositoryFolder } from './repository-folder.ts';
import { WriterLocks } from './writer-lock.ts';

export const folderBackend: StorageBackend<FolderLocation, TenantPlace> = {
  accepts: ({ folder }) => typeof folder === 'string' && folder !== '',
  open: ({ folder }) => openFolderPlace(folder),
  describe: ({ folder }) => folder,
  locateTenant: ({ folder }, tenantId) => folderLocation(path.join(folder, tenantId)),
};

/** @param folder `<repository>/<tenant id>` */
export function openFolderPlace(folder: string, storage: Storage = new FolderStorage(folder)): TenantPlace {
  const top = new RepositoryFolder(folder);
  const leases = new WriterLocks(path.join(folder, incomingFolder));
  return {
    name: folder,
    storage,
    leases,
    catalogues: new FolderCatalogues(top, leases),
    requireReadable: () => {
      top.requireFolder('');
    },
    pointsChangedAtMs: () => changeTime(folder),
    pointWrittenAtMs: (pointId) => fileTime(folder, pointId),
    prepare: async (logger) => {
      await makeFolderDurably(folder);
      makeParts(top, logger);
      await storage.sync('');
    },
  };
}

async function makeFolderDurably(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const above = path.dirname(path.resolve(first));
  for (let made = path.resolve(folder); made !== above; made = path.dirname(made)) await syncFolder(path.dirname(made));
}

function makeParts(folder: RepositoryFolder, logger: Logger): void {
  for (const name of ['packs', 'points', incomingFolder]) folder.makeFolder(name);
  try {
    folder.makeFolder('trash');
  } catch (error) {
    logger.warn('Deleted restore points cannot be kept in this folder', { folder: folder.pathOf(''), error });
  }
}

async function changeTime(folder: string): Promise<number | undefined> {
  try {
    return (await stat(path.join(folder, 'points'))).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new FarkeepError('storage.io', `The folder ${folder} cannot be read`, { cause: error });
  }
}

/** Returns the modification time of the root file, which does not change after the commit. */
async function fileTime(folder: string, pointId: string): Promise<number | undefined> {
  try {
    return Math.floor((await lstat(path.join(folder, 'points', pointFileOf(pointId)))).mtimeMs);
  } catch {
    // The root was just removed or is unreadable. The caller then uses the time in the restore point itself.
    return undefined;
  }
}
