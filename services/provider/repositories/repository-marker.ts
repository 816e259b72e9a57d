// Owns the file that marks a folder as a repository, and the test whether a folder can hold one. Must not know other repositories.
import { randomBytes } from 'node:crypto';
import { mkdir, open, realpath, rename, rm, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import { syncFolder, writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import { makeFolders } from '../../kernel/state/make-folders.ts';
import { isMissing, isNotFolder, systemErrorCode } from '../../kernel/system-error.ts';
import { RepositoryFolder } from '../../repository/folder/repository-folder.ts';

/**
 * The marker distinguishes a repository from an empty mount point: writing to the mount point of an unmounted disk would fill the system
 * disk.
 */
const markerName = 'farkeep-repository.json';
const markerSchema = z.object({ farkeepRepository: z.literal(1), id: z.string() });
const maxMarkerBytes = 4096;

/** Makes the folder and its marker where they are missing. @returns the identifier of the repository in the folder */
export async function prepareFolder(folder: string): Promise<string> {
  try {
    await makeFolders(folder, { mode: 0o700 });
    await requireFolder(folder);
    await tryDurableWrite(folder);
    const existing = await readMarker(folder);
    // A removed repository that is added again keeps its identifier and its content.
    if (existing !== undefined) return existing;
    const id = newId();
    await writeFileAtomically(path.join(folder, markerName), `${JSON.stringify({ farkeepRepository: 1, id })}\n`);
    return id;
  } catch (error) {
    throw unusableFolder(folder, error);
  }
}

export interface TriedFolder {
  readonly isMissing: boolean;
  /** Identifier of the repository in the folder; undefined for a folder that is none. */
  readonly id: string | undefined;
}

/** Tests the folder, or whether it can be made. Leaves nothing behind. @throws as `prepareFolder` */
export async function tryFolder(folder: string): Promise<TriedFolder> {
  try {
    const existing = await nearestExisting(folder);
    await requireFolder(existing);
    if (existing === folder) {
      await tryDurableWrite(folder);
      return { isMissing: false, id: await readMarker(folder) };
    }
    const trial = path.join(existing, `.farkeep-${randomBytes(6).toString('hex')}`);
    await mkdir(trial, { mode: 0o700 });
    await rmdir(trial);
    return { isMissing: true, id: undefined };
  } catch (error) {
    throw unusableFolder(folder, error);
  }
}

/** @returns the identifier of the repository; undefined for a folder that is none. @throws storage.damaged, errors of the system */
export async function readMarker(folder: string): Promise<string | undefined> {
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

async function requireFolder(folder: string): Promise<void> {
  if ((await stat(folder)).isDirectory()) return;
  throw new FarkeepError('call.invalid', 'it is a file, not a folder', { field: 'folder' });
}

async function nearestExisting(folder: string): Promise<string> {
  for (let at = folder; ; at = path.dirname(at)) {
    try {
      await stat(at);
      return at;
    } catch (error) {
      if (!isMissing(error) || path.dirname(at) === at) throw error;
    }
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

/** The reasons that a person can act on; every other error keeps the words of the system. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: 'the account of the service has no permission',
  EPERM: 'the account of the service has no permission',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  ENOENT: 'no folder can be created there',
  ENAMETOOLONG: 'the path is too long',
  ELOOP: 'a link in the path leads back to itself',
};

function unusableFolder(folder: string, error: unknown): FarkeepError {
  const failure = toFarkeepError(error, 'storage.io');
  const known = isNotFolder(error) ? 'a part of the path is a file' : reasons[systemErrorCode(error) ?? ''];
  return new FarkeepError(failure.code, `The folder ${folder} cannot be used: ${known ?? failure.message}`, {
    field: 'folder',
    hint: 'Choose a folder on a disk that this service can write.',
    cause: error,
  });
}
