// Owns the names of users and groups by number, read from the files of this machine. Missing names are not an error.
import { readFileSync } from 'node:fs';
import type { EntryOwner } from '../../../repository/points/tree-entry.ts';

export class OwnerNames {
  readonly #users: ReadonlyMap<number, string>;
  readonly #groups: ReadonlyMap<number, string>;
  #last: EntryOwner | undefined;

  constructor({ passwdFile = '/etc/passwd', groupFile = '/etc/group' } = {}) {
    this.#users = readNames(passwdFile);
    this.#groups = readNames(groupFile);
  }

  /** Returns the same object for successive entries of one owner. */
  owner(uid: number, gid: number): EntryOwner {
    if (this.#last?.uid !== uid || this.#last.gid !== gid) {
      this.#last = { uid, gid, userName: this.#users.get(uid) ?? '', groupName: this.#groups.get(gid) ?? '' };
    }
    return this.#last;
  }
}

/** Reads the names of /etc/passwd or /etc/group. Both files have lines of the form `name:password:number:...`. */
function readNames(file: string): Map<number, string> {
  const names = new Map<number, string>();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return names; // On Windows, or in a container without this file, owners have numbers only.
  }
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':');
    if (name !== undefined && number !== undefined && /^\d+$/.test(number) && !names.has(Number(number))) {
      names.set(Number(number), name);
    }
  }
  return names;
}
