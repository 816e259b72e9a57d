// Owns the list of storage backends of the product. To add a backend, add a row to this list, and add the parameters of the backend to
// storage/repository-location.ts.
import { folderBackend } from './folder/folder-place.ts';
import type { RepositoryLocation } from './storage/repository-location.ts';
import { StorageRegistry } from './storage/storage-registry.ts';
import type { TenantPlace } from './store/tenant-place.ts';

export const storageBackends = new StorageRegistry<RepositoryLocation, TenantPlace>({
  folder: folderBackend,
});
