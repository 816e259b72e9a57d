// Owns the names of users and groups by number, as the machine's files know them. A number without a name has none; that is not an error.
import { readFileSync } from 'node:fs';

export class OwnerNames {
  readonly #users: ReadonlyMap<number, string>;
  readonly #groups: ReadonlyMap<number, string>;

  constructor({ passwdFile = '/etc/passwd', groupFile = '/etc/group' } = {}) {
    this.#users = readNames(passwdFile);
    this.#groups = readNames(groupFile);
  }

  user(uid: number): string {
    return this.#users.get(uid) ?? '';
  }

  group(gid: number): string {
    return this.#groups.get(gid) ?? '';
  }
}

/** `name:password:number:...` in both files. */
function readNames(file: string): Map<number, string> {
  const names = new Map<number, string>();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return names; // Windows, or a container without the file: numbers are kept alone
  }
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':');
    if (name !== undefined && number !== undefined && /^\d+$/.test(number) && !names.has(Number(number))) {
      names.set(Number(number), name);
    }
  }
  return names;
}
