// Owns the provider's cloud repositories: their folders, whether they can be used now, how full they are.
// Must not read packs; services/repository does.
import { randomBytes } from 'node:crypto';
import { open, readdir, realpath, rename, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Repository } from '../../contracts/models/provider.ts';
import { syncFolder, writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import { makeFolders } from '../../kernel/state/make-folders.ts';
import { isMissing } from '../../kernel/system-error.ts';
import { storageBackends } from '../../repository/backends.ts';
import { RepositoryFolder } from '../../repository/folder/repository-folder.ts';
import { folderLocation, type RepositoryLocation } from '../../repository/storage/repository-location.ts';
import type { RepositoryRow, RepositoryStore } from '../state/repository-store.ts';
import { doOverlap } from './folder-overlap.ts';
import type { RestorePoints } from './restore-points.ts';

/**
 * The marker distinguishes a repository from an empty mount point: writing to the mount point of an unmounted disk would fill the system
 * disk.
 */
const markerName = 'farkeep-repository.json';
const markerSchema = z.object({ farkeepRepository: z.literal(1), id: z.string() });
const maxMarkerBytes = 4096;
const tenantFolderPattern = /^[0-9a-f]{32}$/;

/** A tenant with a folder in a repository. */
export interface StoredTenant {
  readonly tenantId: string;
  readonly location: RepositoryLocation;
}

export class Repositories {
  readonly #store: RepositoryStore;
  readonly #clock: Clock;
  readonly #points: RestorePoints;

  constructor(store: RepositoryStore, clock: Clock, points: RestorePoints) {
    this.#store = store;
    this.#clock = clock;
    this.#points = points;
  }

  /** Sorted by name. */
  rows(): Promise<RepositoryRow[]> {
    return this.#store.list();
  }

  async get(repositoryId: string): Promise<RepositoryRow> {
    const found = (await this.rows()).find((row) => row.id === repositoryId);
    if (found === undefined) throw new FarkeepError('call.not-found', 'There is no such repository');
    return found;
  }

  async list(): Promise<Repository[]> {
    const described = await Promise.all((await this.rows()).map((row) => this.describe(row)));
    // A check may have ended while the folders were read. The result must contain the newer verification.
    const verifications = new Map((await this.rows()).map(({ id, verification }) => [id, verification]));
    return described.map((repository) => ({ ...repository, verification: verifications.get(repository.id) ?? null }));
  }

  async describe(row: RepositoryRow): Promise<Repository> {
    const usage = await this.#store.usage(row.id);
    const unusable = await this.problemOf(row);
    let points = 0;
    if (unusable === null) {
      for (const { location } of await tenantsIn(row.location)) {
        // `verify` reports an unreadable folder. The points of the other folders still count.
        points += await this.#points.list(location).then(
          (list) => list.length,
          () => 0,
        );
      }
    }
    return {
      id: row.id,
      name: row.name,
      folder: storageBackends.describe(row.location),
      createdAt: row.createdAt,
      freeBytes: await freeBytes(row.location.folder),
      ...usage,
      points,
      problem: unusable ?? (await this.#findOverlap(row)),
      verification: row.verification,
    };
  }

  /** @throws call.conflict, call.invalid, storage.io, storage.read-only, storage.disk-full */
  async add(name: string, folder: string): Promise<RepositoryRow> {
    if (!path.isAbsolute(folder)) {
      throw new FarkeepError('call.invalid', `"${folder}" is not an absolute path`, {
        field: 'folder',
        hint: 'Enter the path from the root.',
      });
    }
    const absolute = path.resolve(folder);
    for (const other of await this.rows()) {
      if (other.name.toLowerCase() === name.toLowerCase()) {
        throw new FarkeepError('call.conflict', `A repository named "${name}" exists already`, { field: 'name' });
      }
      if (await overlaps(absolute, other.location.folder)) {
        throw new FarkeepError(
          'call.conflict',
          `${absolute} overlaps with the repository "${other.name}" in ${other.location.folder}: it is the same folder, lies inside it, or around it`,
          {
            field: 'folder',
            hint: 'Choose a separate folder. Links and mounts that lead into the other folder are not allowed.',
          },
        );
      }
    }
    const id = await prepareFolder(absolute);
    const same = (await this.rows()).find((other) => other.id === id);
    if (same !== undefined) {
      throw new FarkeepError(
        'call.conflict',
        `${absolute} holds the repository "${same.name}", or a copy of it; it is in use in ${same.location.folder}`,
        { field: 'folder', hint: `If the repository was moved to this folder, remove "${same.name}" first.` },
      );
    }
    const row = {
      id,
      name,
      location: folderLocation(absolute),
      createdAt: new Date(this.#clock.now()).toISOString(),
      verification: null,
    };
    await this.#store.add(row);
    return row;
  }

  /** Stores the result of a full check, until the next check. */
  async setVerified(repositoryId: string, findings: number): Promise<void> {
    await this.#store.setVerified(repositoryId, { at: new Date(this.#clock.now()).toISOString(), findings });
  }

  /** Removes only the row; the folder and its content stay. @throws call.conflict while a tenant has a quota there */
  async remove(repositoryId: string): Promise<void> {
    const row = await this.get(repositoryId);
    if ((await this.#store.remove(repositoryId)) === 'in-use') {
      throw new FarkeepError('call.conflict', `Tenants have a quota in "${row.name}"`, {
        hint: 'Remove the repository from their quotas first.',
      });
    }
  }

  /** The reason why the folder cannot be used now; null when it can. */
  async problemOf({ location: { folder }, id }: RepositoryRow): Promise<string | null> {
    try {
      const marker = await readMarker(folder);
      if (marker === undefined) return `${folder} does not hold the repository; is its disk mounted?`;
      if (marker !== id) return `${folder} holds another repository`;
      return null;
    } catch (error) {
      return toFarkeepError(error, 'storage.io').message;
    }
  }

  /** A link or a mount can change after the folder was added. Overlapping repositories are reported. */
  async #findOverlap({ id, location: { folder } }: RepositoryRow): Promise<string | null> {
    for (const other of await this.rows()) {
      if (other.id !== id && (await overlaps(folder, other.location.folder)))
        return `${folder} overlaps with the repository "${other.name}" in ${other.location.folder}; give one of them a folder of its own`;
    }
    return null;
  }

  /** All tenants that have ever stored data there. */
  async tenants(repositoryId: string): Promise<StoredTenant[]> {
    const row = await this.get(repositoryId);
    const problem = await this.problemOf(row);
    if (problem !== null) throw new FarkeepError('storage.io', problem);
    return tenantsIn(row.location);
  }
}

async function prepareFolder(folder: string): Promise<string> {
  try {
    await makeFolders(folder, { mode: 0o700 });
    if (!(await stat(folder)).isDirectory()) {
      throw new FarkeepError('call.invalid', `${folder} is not a folder`, { field: 'folder' });
    }
    await tryDurableWrite(folder);
    const existing = await readMarker(folder);
    // A removed repository that is added again keeps its identifier and its content.
    if (existing !== undefined) return existing;
    const id = newId();
    await writeFileAtomically(path.join(folder, markerName), `${JSON.stringify({ farkeepRepository: 1, id })}\n`);
    return id;
  } catch (error) {
    const failure = toFarkeepError(error, 'storage.io');
    throw new FarkeepError(failure.code, `The folder ${folder} cannot be used: ${failure.message}`, {
      field: 'folder',
      hint: 'Choose a folder on a disk that this service can write.',
      cause: error,
    });
  }
}

/** Tests what a session will do there: write, sync, rename. */
async function tryDurableWrite(folder: string): Promise<void> {
  const name = path.join(folder, `.farkeep-${randomBytes(6).toString('hex')}`);
  const handle = await open(name, 'wx', 0o600);
  try {
    await handle.writeFile(randomBytes(4096));
    await handle.sync();
    await handle.close();
    await rename(name, `${name}.moved`);
    await syncFolder(folder);
  } finally {
    await handle.close().catch(() => undefined);
    await rm(name, { force: true });
    await rm(`${name}.moved`, { force: true });
  }
}

async function readMarker(folder: string): Promise<string | undefined> {
  try {
    // The person named the folder, so a link to the folder is followed. The marker must be a regular file. A folder without such a marker
    // is not a repository.
    const text = (await new RepositoryFolder(await realpath(folder)).readFile(markerName, maxMarkerBytes)).toString(
      'utf8',
    );
    return markerSchema.parse(JSON.parse(text)).id;
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (error instanceof SyntaxError || error instanceof RangeError || error instanceof z.ZodError) {
      throw new FarkeepError('storage.damaged', `${markerName} in ${folder} is damaged`, { cause: error });
    }
    throw error;
  }
}

async function tenantsIn(location: RepositoryLocation): Promise<StoredTenant[]> {
  const entries = await readdir(location.folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && tenantFolderPattern.test(entry.name))
    .map(({ name }) => ({ tenantId: name, location: storageBackends.locateTenant(location, name) }));
}

async function freeBytes(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    // `problem` already reports an unusable folder.
    return null;
  }
}

/**
 * Returns false for a folder that cannot be examined. Such a folder is reported as `problem`, and a different folder can still be added.
 */
async function overlaps(folder: string, other: string): Promise<boolean> {
  try {
    return await doOverlap(folder, other);
  } catch {
    return false;
  }
}
