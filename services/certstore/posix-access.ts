// Owns access rights on Linux and macOS: modes, owner, group.
import { chmod, chown, lstat, readFile } from 'node:fs/promises';
import os from 'node:os';
import type { AccessControl, EntryKind } from './access-control.ts';

/** One user: 0600/0700. Root with a service group: 0640/0750. */
export class PosixAccess implements AccessControl {
  readonly fileMode: number;
  readonly folderMode: number;
  readonly #groupId: number | undefined;

  /** @param serviceGroupId group of the service account; absent when one user runs everything */
  constructor(serviceGroupId?: number) {
    this.#groupId = serviceGroupId;
    this.fileMode = serviceGroupId === undefined ? 0o600 : 0o640;
    this.folderMode = serviceGroupId === undefined ? 0o700 : 0o750;
  }

  async apply(entry: string, kind: EntryKind): Promise<void> {
    await chmod(entry, this.#mode(kind));
    if (this.#groupId !== undefined) await chown(entry, process.getuid?.() ?? 0, this.#groupId);
  }

  async findTooWide(entry: string, kind: EntryKind): Promise<string | undefined> {
    const info = await lstat(entry);
    if (info.isSymbolicLink()) return `${entry} is a symbolic link`;
    const mode = info.mode & 0o777;
    return (mode & ~this.#mode(kind)) === 0
      ? undefined
      : `${entry} has mode ${octal(mode)}, wider than ${octal(this.#mode(kind))}`;
  }

  async readers(entry: string): Promise<string[]> {
    const info = await lstat(entry);
    const readers = [`user ${await nameOf('/etc/passwd', info.uid)}`];
    if (info.uid !== 0) readers.push('user root');
    if ((info.mode & 0o040) !== 0) readers.push(`group ${await nameOf('/etc/group', info.gid)}`);
    if ((info.mode & 0o004) !== 0) readers.push('everybody');
    return readers;
  }

  async currentAccount(): Promise<string> {
    const id = process.geteuid?.();
    return id === undefined ? os.userInfo().username : nameOf('/etc/passwd', id);
  }

  #mode(kind: EntryKind): number {
    return kind === 'file' ? this.fileMode : this.folderMode;
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
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
