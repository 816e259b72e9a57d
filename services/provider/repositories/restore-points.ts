// Owns the restore points of a tenant, read from the tenant's folder: only the files on disk count, there is no separate list. Its only
// change is to remove a point on request.
import { lstat, stat } from 'node:fs/promises';
import path from 'node:path';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isMissing } from '../../kernel/system-error.ts';
import { FolderStorage } from '../../repository/storage/folder-storage.ts';
import { moveToTrash } from '../../repository/points/point-trash.ts';
import { TenantStore, type PointListing as StoredPoint } from '../../repository/store/tenant-store.ts';

export interface PointListing extends StoredPoint {
  /** Time of the commit by this machine's clock; undefined when it is unknown. */
  readonly committedAtMs: number | undefined;
}

export class RestorePoints {
  readonly #logger: Logger;
  readonly #sessionEnd: (pointId: string) => Promise<number | undefined>;
  /** By tenant folder; good as long as the folder of the roots has not changed. */
  readonly #known = new Map<string, { changedAtMs: number; points: readonly PointListing[] }>();
  /** Running reads of folders. Simultaneous requests share one read, so that frequent requests cause no extra work. */
  readonly #reading = new Map<string, { changedAtMs: number; points: Promise<readonly PointListing[]> }>();

  /**
   * @param sessionEnd returns the end time of the session that made a point. It takes precedence over the file's time: after copying a
   * repository to another disk, every file may have the time of the copy.
   */
  constructor(logger: Logger, sessionEnd: (pointId: string) => Promise<number | undefined> = async () => undefined) {
    this.#logger = logger;
    this.#sessionEnd = sessionEnd;
  }

  /** Oldest first; empty for a tenant that has never stored anything. */
  async list(tenantFolder: string): Promise<readonly PointListing[]> {
    const changedAtMs = await changeTime(tenantFolder);
    if (changedAtMs === undefined) return [];
    const known = this.#known.get(tenantFolder);
    if (known?.changedAtMs === changedAtMs) return known.points;
    const reading = this.#reading.get(tenantFolder);
    if (reading?.changedAtMs === changedAtMs) return reading.points;
    const points = this.#read(tenantFolder, changedAtMs);
    const mine = { changedAtMs, points };
    this.#reading.set(tenantFolder, mine);
    try {
      return await points;
    } finally {
      if (this.#reading.get(tenantFolder) === mine) this.#reading.delete(tenantFolder);
    }
  }

  forget(tenantFolder: string): void {
    this.#known.delete(tenantFolder);
    this.#reading.delete(tenantFolder);
  }

  async exists(tenantFolder: string, pointId: string): Promise<boolean> {
    return (await this.list(tenantFolder)).some((point) => point.pointId === pointId);
  }

  /** @throws call.not-found, storage.damaged */
  async require(tenantFolder: string, pointId: string): Promise<void> {
    const point = (await this.list(tenantFolder)).find((candidate) => candidate.pointId === pointId);
    if (point === undefined) throw new FarkeepError('call.not-found', 'There is no such restore point');
    if (point.root === undefined) {
      throw new FarkeepError('storage.damaged', `The restore point is damaged: ${point.problem ?? 'unreadable'}`);
    }
  }

  /**
   * Moves the point's root to the trash. Blocks that only this point used still count against the quota. @throws
   * call.not-found, storage errors
   */
  async remove(tenantFolder: string, pointId: string, nowMs: number): Promise<void> {
    const storage = new FolderStorage(tenantFolder);
    try {
      await moveToTrash(storage, pointId, nowMs);
    } finally {
      this.forget(tenantFolder);
      await storage.close();
    }
  }

  /** What counts against the quota. */
  async usedBytes(tenantFolder: string): Promise<number> {
    if ((await changeTime(tenantFolder)) === undefined) return 0;
    await using store = await TenantStore.open({ folder: tenantFolder, mode: 'read', logger: this.#logger });
    return await store.usedBytes();
  }

  async #read(tenantFolder: string, changedAtMs: number): Promise<readonly PointListing[]> {
    await using store = await TenantStore.open({ folder: tenantFolder, mode: 'read', logger: this.#logger });
    const points: PointListing[] = [];
    for (const point of await store.listPoints()) {
      const committedAtMs = (await this.#sessionEnd(point.pointId)) ?? (await fileTime(tenantFolder, point.pointId));
      points.push({ ...point, committedAtMs });
    }
    this.#known.set(tenantFolder, { changedAtMs, points });
    return points;
  }
}

/** Time of the root file, which does not change after the commit. */
async function fileTime(tenantFolder: string, pointId: string): Promise<number | undefined> {
  try {
    return Math.floor((await lstat(path.join(tenantFolder, 'points', `${pointId}.manifest`))).mtimeMs);
  } catch {
    // The root was just removed, or is unreadable: the time in the point itself is used.
    return undefined;
  }
}

async function changeTime(tenantFolder: string): Promise<number | undefined> {
  try {
    return (await stat(path.join(tenantFolder, 'points'))).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new FarkeepError('storage.io', `The folder ${tenantFolder} cannot be read`, { cause: error });
  }
}
