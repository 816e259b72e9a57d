// Owns who may read the store's files: modes to create with, a check at every start, and the account names that people see.
import { chmod, chown, lstat, readFile } from 'node:fs/promises';
import os from 'node:os';

export interface AccessPolicy {
  readonly fileMode: number;
  readonly folderMode: number;
  /** Group of the service account; undefined when one user runs everything. */
  readonly groupId: number | undefined;
}

/** One user: 0600/0700. Root with a service group: 0640/0750. */
export function accessPolicy(serviceGroupId?: number): AccessPolicy {
  return serviceGroupId === undefined
    ? { fileMode: 0o600, folderMode: 0o700, groupId: undefined }
    : { fileMode: 0o640, folderMode: 0o750, groupId: serviceGroupId };
}

/** Sets mode and group whatever the umask says. */
export async function applyPolicy(file: string, policy: AccessPolicy, kind: 'file' | 'folder'): Promise<void> {
  if (process.platform === 'win32') return;
  await chmod(file, kind === 'file' ? policy.fileMode : policy.folderMode);
  if (policy.groupId !== undefined) await chown(file, process.getuid?.() ?? 0, policy.groupId);
}

/** A sentence when the rights are wider than the policy, else undefined. */
export async function tooWide(
  file: string,
  policy: AccessPolicy,
  kind: 'file' | 'folder',
): Promise<string | undefined> {
  if (process.platform === 'win32') return undefined;
  const info = await lstat(file);
  if (info.isSymbolicLink()) return `${file} is a symbolic link`;
  const allowed = kind === 'file' ? policy.fileMode : policy.folderMode;
  const extra = info.mode & 0o777 & ~allowed;
  if (extra === 0) return undefined;
  const has = (info.mode & 0o777).toString(8).padStart(4, '0');
  return `${file} has mode ${has}, wider than ${allowed.toString(8).padStart(4, '0')}`;
}

/** Accounts that may read a file by its mode: "user alice", "group farkeep", "everybody". Root may read everything and is named. */
export async function readersOf(file: string): Promise<string[]> {
  if (process.platform === 'win32') return [];
  const info = await lstat(file);
  const readers = [`user ${await nameOf('/etc/passwd', info.uid)}`];
  if (info.uid !== 0) readers.push('user root');
  if ((info.mode & 0o040) !== 0) readers.push(`group ${await nameOf('/etc/group', info.gid)}`);
  if ((info.mode & 0o004) !== 0) readers.push('everybody');
  return readers;
}

/** Name of the account this process runs as. */
export async function currentAccount(): Promise<string> {
  const id = process.geteuid?.();
  if (id === undefined) return os.userInfo().username;
  return nameOf('/etc/passwd', id);
}

async function nameOf(database: '/etc/passwd' | '/etc/group', id: number): Promise<string> {
  try {
    const line = (await readFile(database, 'utf8')).split('\n').find((entry) => entry.split(':')[2] === String(id));
    return line?.split(':')[0] ?? String(id);
  } catch {
    // The number is as true as the name (a machine may keep its accounts elsewhere).
    return String(id);
  }
}
