// Owns the name of the account that owns a folder, for messages about missing rights. Must not decide who may use the folder.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** @returns the owner of the nearest folder that this account can look at, such as "farkeep" or "user 998"; undefined on Windows */
export async function findFolderOwner(folder: string): Promise<string | undefined> {
  if (process.platform === 'win32') return undefined;
  const found = await stat(folder).catch(() => undefined);
  if (found !== undefined) return (await accountNameOf(found.uid)) ?? `user ${found.uid}`;
  const parent = path.dirname(folder);
  return parent === folder ? undefined : findFolderOwner(parent);
}

/** Node.js has no call for this. Accounts of a directory service are not in the file. */
async function accountNameOf(userId: number): Promise<string | undefined> {
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const line = accounts.split('\n').find((each) => each.split(':')[2] === String(userId));
  return line?.split(':')[0];
}
