// Owns the check of where a restore writes to, before a session is started for it.
import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { FarkeepError, toFarkeepError } from '../kernel/farkeep-error.ts';
import { makeFolders } from '../kernel/make-folders.ts';

/** Makes the folder when it is missing. @throws restore.target */
export async function checkDestination(destination: string): Promise<void> {
  const refuse = (why: string, cause?: unknown): FarkeepError =>
    new FarkeepError('restore.target', `${destination} cannot be used: ${why}`, { field: 'destination', cause });
  if (!path.isAbsolute(destination)) throw refuse('it is not a whole path');
  try {
    await makeFolders(destination);
    if (!(await stat(destination)).isDirectory()) throw refuse('it is not a folder');
    await access(destination, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof FarkeepError) throw error;
    throw refuse(toFarkeepError(error, 'storage.io').message, error);
  }
}
