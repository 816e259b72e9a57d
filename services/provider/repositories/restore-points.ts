// Owns the restore points of a tenant, read from the tenant's folder: only stored points count, and there is no separate list. The only
// change it makes is to remove a point on request.
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { storageBackends } from '../../repository/backends.ts';
import type { RepositoryLocation } from '../../repository/storage/repository-location.ts';
import type { TenantPlace } from '../../repository/store/tenant-place.ts';
import { moveToTrash } from '../../repository/points/point-trash.ts';
import { TenantStore, type PointListing as StoredPoint } from '../../repository/store/tenant-store.ts';

export interface PointListing extends StoredPoint {
  /** Commit time by this machine's clock; undefined when unknown. */
  readonly committedAtMs: number | undefined;
}

export class RestorePoints {
  readonly #logger: Logger;
  readonly #sessionEnd: (pointId: string) => Promise<number | undefined>;
  /** Cached by location. An entry is valid as long as the roots of the location have not changed. */
  readonly #known = new Map<string, { changedAtMs: number; points: readonly PointListing[] }>();
  /** Running reads of locations. Simultaneous requests share one read, so that frequent requests cause no extra work. */
  readonly #reading = new Map<string, { changedAtMs: number; points: Promise<readonly PointListing[]> }>();

  /**
   * @param sessionEnd returns the end time of the session that made a point. This time takes precedence over the file's time: after copying
   * a repository to another disk, every file may have the time of the copy.
   */
  constructor(logger: Logger, sessionEnd: (pointId: string) => Promise<number | undefined> = async () => undefined) {
    this.#logger = logger;
    this.#sessionEnd = sessionEnd;
  }

  /** Oldest first; empty for a tenant that has never stored data. @param location of the tenant's folder */
  async list(location: RepositoryLocation): Promise<readonly PointListing[]> {
    const place = storageBackends.open(location);
    const changedAtMs = await place.pointsChangedAtMs();
    if (changedAtMs === undefined) return [];
    const known = this.#known.get(place.name);
    if (known?.changedAtMs === changedAtMs) return known.points;
    const reading = this.#reading.get(place.name);
    if (reading?.changedAtMs === changedAtMs) return reading.points;
    const points = this.#read(place, changedAtMs);
    const mine = { changedAtMs, points };
    this.#reading.set(place.name, mine);
    try {
      return await points;
    } finally {
      if (this.#reading.get(place.name) === mine) this.#reading.delete(place.name);
    }
  }

  forget(location: RepositoryLocation): void {
    const name = storageBackends.describe(location);
    this.#known.delete(name);
    this.#reading.delete(name);
  }

  async exists(location: RepositoryLocation, pointId: string): Promise<boolean> {
    return (await this.list(location)).some((point) => point.pointId === pointId);
  }

  /** @throws call.not-found, storage.damaged */
  async require(location: RepositoryLocation, pointId: string): Promise<void> {
    const point = (await this.list(location)).find((candidate) => candidate.pointId === pointId);
    if (point === undefined) throw new FarkeepError('call.not-found', 'There is no such restore point');
    if (point.root === undefined) {
      throw new FarkeepError('storage.damaged', `The restore point is damaged: ${point.problem ?? 'unreadable'}`);
    }
  }

  /**
   * Moves the point's root to the trash. Blocks that only this point used still count against the quota. @throws
   * call.not-found, storage errors
   */
  async remove(location: RepositoryLocation, pointId: string, nowMs: number): Promise<void> {
    const { storage } = storageBackends.open(location);
    try {
      await moveToTrash(storage, pointId, nowMs);
    } finally {
      this.forget(location);
      await storage.close();
    }
  }

  /** The bytes that count against the quota. */
  async usedBytes(location: RepositoryLocation): Promise<number> {
    const place = storageBackends.open(location);
    if ((await place.pointsChangedAtMs()) === undefined) return 0;
    await using store = await TenantStore.open({ place, mode: 'read', logger: this.#logger });
    return await store.usedBytes();
  }

  async #read(place: TenantPlace, changedAtMs: number): Promise<readonly PointListing[]> {
    await using store = await TenantStore.open({ place, mode: 'read', logger: this.#logger });
    const points: PointListing[] = [];
    for (const point of await store.listPoints()) {
      const committedAtMs = (await this.#sessionEnd(point.pointId)) ?? (await place.pointWrittenAtMs(point.pointId));
      points.push({ ...point, committedAtMs });
    }
    this.#known.set(place.name, { changedAtMs, points });
    return points;
  }
}
