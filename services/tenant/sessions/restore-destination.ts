// Owns the check of a restore's destination before its session starts. Must not leave a folder: the restore creates the folder itself and
// sets owner, mode and time as for all other folders.
import { access, constants, mkdir, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { isMissing } from '../../kernel/system-error.ts';

/** @throws restore.target */
export async function checkDestination(destination: string): Promise<void> {
  const refuse = (why: string, cause?: unknown): FarkeepError =>
    new FarkeepError('restore.target', `${destination} cannot be used: ${why}`, { field: 'destination', cause });
  if (!path.isAbsolute(destination)) throw refuse('the path is not absolute');
  try {
    const missing = await firstMissing(destination);
    if (missing === undefined) {
      if (!(await stat(destination)).isDirectory()) throw refuse('it is not a folder');
      await access(destination, constants.W_OK | constants.X_OK);
      return;
    }
    // Invalid UTF-8 in the path was replaced by U+FFFD before this call. So the path names a different folder than the user intended.
    if (destination.includes('\ufffd')) throw refuse('the name of the folder is not valid UTF-8');
    await mkdir(missing, { mode: 0o700 });
    await rmdir(missing);
  } catch (error) {
    if (error instanceof FarkeepError) throw error;
    throw refuse(toFarkeepError(error, 'storage.io').message, error);
  }
}

/** The topmost missing folder of the path; undefined when all folders exist. */
async function firstMissing(folder: string): Promise<string | undefined> {
  let missing: string | undefined;
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    try {
      await stat(at);
      return missing;
    } catch (error) {
      const isGone = isMissing(error);
      if (!isGone || path.dirname(at) === at) throw error;
      missing = at;
    }
  }
}
