// Owns a storage backend in memory: bytes, catalogue and writer leases of one tenant. For tests of all code above the storage interfaces.
import { randomBytes } from 'node:crypto';
import { folderBackend } from '../../repository/folder/folder-place.ts';
import type { RepositoryLocation } from '../../repository/storage/repository-location.ts';
import { StorageRegistry, type StorageBackend } from '../../repository/storage/storage-registry.ts';
import type { Storage } from '../../repository/storage/storage.ts';
import type { TenantPlace } from '../../repository/store/tenant-place.ts';
import type { WriterLease, WriterLeases } from '../../repository/store/writer-lease.ts';
import { MemoryCatalogues } from './memory-catalogue.ts';
import { MemoryStorage } from './memory-storage.ts';

type LeaseState = 'alive' | 'dead' | 'cared-for';

export class MemoryLeases implements WriterLeases {
  readonly #states = new Map<string, LeaseState>();

  take(): Promise<WriterLease> {
    const writer = randomBytes(8).toString('hex');
    this.#states.set(writer, 'alive');
    return Promise.resolve({
      writer,
      release: () => {
        this.#states.delete(writer);
        return Promise.resolve();
      },
      abandon: () => {
        if (this.#states.has(writer)) this.#states.set(writer, 'dead');
        return Promise.resolve();
      },
    });
  }

  hasOtherLiving(own: WriterLease): Promise<boolean> {
    return Promise.resolve([...this.#states].some(([writer, state]) => state === 'alive' && writer !== own.writer));
  }

  async careForDead(care: (writer: string) => Promise<void>): Promise<number> {
    let dead = 0;
    for (const [writer, state] of [...this.#states]) {
      if (state !== 'dead') continue;
      this.#states.set(writer, 'cared-for');
      try {
        await care(writer);
        dead += 1;
        this.#states.delete(writer);
      } catch (error) {
        this.#states.set(writer, 'dead');
        throw error;
      }
    }
    return dead;
  }
}

/** Returns one tenant's place. Stores that are opened on the same place share its data. */
export function makeMemoryPlace(name = 'memory', storage: Storage = new MemoryStorage()): TenantPlace {
  return {
    name,
    storage,
    catalogues: new MemoryCatalogues(),
    leases: new MemoryLeases(),
    requireReadable: () => undefined,
    prepare: () => Promise.resolve(),
    pointsChangedAtMs: async () => (await storage.list('points')).length || undefined,
    pointWrittenAtMs: () => Promise.resolve(undefined),
  };
}

interface MemoryLocation {
  readonly kind: 'memory';
  readonly name: string;
}

/** Returns the product's storage backends and one more, in memory. Places in memory exist as long as the returned table. */
export function makeTestBackends(): StorageRegistry<RepositoryLocation | MemoryLocation, TenantPlace> {
  const places = new Map<string, TenantPlace>();
  const memoryBackend: StorageBackend<MemoryLocation, TenantPlace> = {
    accepts: ({ name }) => typeof name === 'string',
    open: ({ name }) => {
      const place = places.get(name) ?? makeMemoryPlace(name);
      places.set(name, place);
      return place;
    },
    describe: ({ name }) => name,
    locateTenant: ({ kind, name }, tenantId) => ({ kind, name: `${name}/${tenantId}` }),
  };
  return new StorageRegistry<RepositoryLocation | MemoryLocation, TenantPlace>({
    folder: folderBackend,
    memory: memoryBackend,
  });
}
