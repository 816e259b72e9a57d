// Owns the provider's cloud repositories: their folders, whether they can be used now, how full they are.
// Must not read packs; services/repository does.
import { readdir, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Repository } from '../../contracts/models/provider.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { storageBackends } from '../../repository/backends.ts';
import { folderLocation, type RepositoryLocation } from '../../repository/storage/repository-location.ts';
import type { RepositoryRow, RepositoryStore } from '../state/repository-store.ts';
import { doOverlap, isSameFolder } from './folder-overlap.ts';
import { prepareFolder, readMarker, tryFolder } from './repository-marker.ts';
import type { RestorePoints } from './restore-points.ts';

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
    const absolute = requireAbsolute(folder);
    await this.#requireFreeName(name);
    await this.#requireFreeFolder(absolute);
    const id = await prepareFolder(absolute);
    await this.#requireUnknown(id, absolute);
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

  /**
   * Whether `add` would accept the folder, or, for a repository that was moved, `change`. Changes nothing: a missing folder stays missing.
   * @throws the errors of `add` and `change`, with the field "folder"
   */
  async check(folder: string, repositoryId?: string): Promise<{ folder: string; state: 'missing' | 'new' | 'known' }> {
    const absolute = requireAbsolute(folder);
    if (repositoryId !== undefined) {
      await this.#requireMoved(await this.get(repositoryId), absolute);
      return { folder: absolute, state: 'known' };
    }
    await this.#requireFreeFolder(absolute);
    const { isMissing, id } = await tryFolder(absolute);
    if (id === undefined) return { folder: absolute, state: isMissing ? 'missing' : 'new' };
    await this.#requireUnknown(id, absolute);
    return { folder: absolute, state: 'known' };
  }

  /**
   * A new name, or the folder to which an admin has moved the repository. Jobs of tenants name their repository, so the former name stays
   * valid for them. @throws call.conflict, call.invalid, storage.io, storage.read-only, storage.disk-full
   */
  async change(
    repositoryId: string,
    { name, folder }: { readonly name?: string | undefined; readonly folder?: string | undefined },
  ): Promise<RepositoryRow> {
    const row = await this.get(repositoryId);
    if (name !== undefined) await this.#requireFreeName(name, repositoryId);
    const absolute = folder === undefined ? undefined : requireAbsolute(folder);
    if (absolute !== undefined) await this.#requireMoved(row, absolute);
    await this.#store.change(repositoryId, {
      name,
      location: absolute === undefined ? undefined : folderLocation(absolute),
    });
    return this.get(repositoryId);
  }

  /** The repository that had this name before; undefined when none had it. */
  async findByFormerName(name: string): Promise<string | undefined> {
    return (await this.#store.formerNames()).find((former) => former.name === name)?.repositoryId;
  }

  async #requireFreeName(name: string, ownId?: string): Promise<void> {
    const isSame = (other: string): boolean => other.toLowerCase() === name.toLowerCase();
    const rows = await this.rows();
    if (rows.some((other) => other.id !== ownId && isSame(other.name)))
      throw new FarkeepError('call.conflict', `A repository named "${name}" exists already`, { field: 'name' });
    const former = (await this.#store.formerNames()).find((each) => each.repositoryId !== ownId && isSame(each.name));
    if (former === undefined) return;
    const now = rows.find(({ id }) => id === former.repositoryId)?.name ?? '';
    throw new FarkeepError('call.conflict', `"${name}" is a former name of the repository "${now}"`, {
      field: 'name',
      hint: 'Jobs of tenants may still use the former name. Choose another name.',
    });
  }

  async #requireFreeFolder(folder: string, ownId?: string): Promise<void> {
    for (const other of await this.rows()) {
      if (other.id === ownId || !(await overlaps(folder, other.location.folder))) continue;
      throw new FarkeepError(
        'call.conflict',
        `${folder} overlaps with the repository "${other.name}" in ${other.location.folder}: it is the same folder, inside it, or contains it`,
        {
          field: 'folder',
          hint: 'Choose a separate folder. Links and mounts that lead into the other folder are not allowed.',
        },
      );
    }
  }

  async #requireUnknown(id: string, folder: string): Promise<void> {
    const same = (await this.rows()).find((other) => other.id === id);
    if (same === undefined) return;
    throw new FarkeepError(
      'call.conflict',
      `${folder} contains the repository "${same.name}", or a copy of it; it is in use in ${same.location.folder}`,
      { field: 'folder', hint: `If the repository was moved to this folder, change the folder of "${same.name}".` },
    );
  }

  /** The folder must hold this repository, and be the only one that does. */
  async #requireMoved(row: RepositoryRow, folder: string): Promise<void> {
    const { id, name, location } = row;
    await this.#requireFreeFolder(folder, id);
    const { isMissing, id: found } = await tryFolder(folder);
    if (isMissing) {
      throw new FarkeepError('call.conflict', `There is no folder ${folder}`, {
        field: 'folder',
        hint: `Move the repository "${name}" there first.`,
      });
    }
    if (found !== id) {
      const what = found === undefined ? `does not hold the repository "${name}"` : 'holds another repository';
      throw new FarkeepError('call.conflict', `${folder} ${what}`, {
        field: 'folder',
        hint: `Move the whole content of ${location.folder} there first, with its file farkeep-repository.json.`,
      });
    }
    if (await isSameFolder(folder, location.folder)) return;
    // Two copies would be different after the next backup, and nobody could say which is complete.
    if ((await this.problemOf(row)) === null) {
      throw new FarkeepError('call.conflict', `${location.folder} still holds the repository "${name}"`, {
        field: 'folder',
        hint: `If ${folder} is the complete copy, rename or remove ${location.folder} first.`,
      });
    }
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
      if (marker !== id) return `${folder} contains another repository`;
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

function requireAbsolute(folder: string): string {
  if (path.isAbsolute(folder)) return path.resolve(folder);
  throw new FarkeepError('call.invalid', `"${folder}" is not an absolute path`, {
    field: 'folder',
    hint: 'Enter the path from the root.',
  });
}
