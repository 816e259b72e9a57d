// Owns access rights on Linux and macOS: modes, owner, group.
import { chmod, chown, lstat, readFile } from 'node:fs/promises';
import os from 'node:os';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { isNotPermitted } from '../kernel/system-error.ts';
import type { AccessControl, EntryKind } from './access-control.ts';

/** Gives files mode 0600 and folders 0700 for one user, or 0640 and 0750 for root with a service group. */
export class PosixAccess implements AccessControl {
  readonly fileMode: number;
  readonly folderMode: number;
  readonly #groupId: number | undefined;

  /** @param serviceGroupId group of the service account; undefined when one user runs everything */
  constructor(serviceGroupId?: number) {
    this.#groupId = serviceGroupId;
    this.fileMode = serviceGroupId === undefined ? 0o600 : 0o640;
    this.folderMode = serviceGroupId === undefined ? 0o700 : 0o750;
  }

  async apply(entry: string, kind: EntryKind): Promise<void> {
    // Sets the group before the mode. In the other order the group of the creator could read the file for a moment.
    if (this.#groupId !== undefined) await this.#changeGroup(entry, this.#groupId);
    await chmod(entry, this.#mode(kind));
  }

  async findTooWide(entry: string, kind: EntryKind): Promise<string | undefined> {
    const info = await lstat(entry);
    if (info.isSymbolicLink()) return `${entry} is a symbolic link`;
    const mode = info.mode & 0o777;
    if (this.#groupId !== undefined && (mode & 0o070) !== 0 && info.gid !== this.#groupId) {
      return `${entry} can be read by group ${await nameOf('/etc/group', info.gid)}, which is not the service group`;
    }
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

  async #changeGroup(entry: string, groupId: number): Promise<void> {
    try {
      await chown(entry, process.getuid?.() ?? 0, groupId);
    } catch (error) {
      if (!isNotPermitted(error)) throw error;
      const [account, group] = await Promise.all([this.currentAccount(), nameOf('/etc/group', groupId)]);
      throw new FarkeepError(
        'config.invalid',
        `The account "${account}" may not give ${entry} to the group "${group}"`,
        {
          hint: `Add the account to the group (usermod -aG ${group} ${account}) and start the service again, or run it as root.`,
          field: 'serviceGroup',
          cause: error,
        },
      );
    }
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
    // The number identifies the account too. Some machines keep their accounts in another place.
    return String(id);
  }
}
