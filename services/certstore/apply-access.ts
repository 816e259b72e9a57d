// Owns applying the current access rights to an existing folder with private keys, because the service group may have been configured
// later. Must not follow symbolic links: through a link an attacker could change the rights of another file.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { AccessControl } from './access-control.ts';
import { isMissing } from '../kernel/system-error.ts';

/** Does nothing when the folder is missing. */
export async function applyAccess(folder: string, access: AccessControl): Promise<void> {
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true, recursive: true });
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  await access.apply(folder, 'folder');
  for (const entry of entries) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile()) await access.apply(file, 'file');
    else if (entry.isDirectory()) await access.apply(file, 'folder');
  }
}
