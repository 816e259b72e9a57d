// Owns the comparison with BorgBackup on loopback: `borg serve` as a separate process, one repository for each run. There is no SSH, which
// is to borg's advantage: a real connection would encrypt every byte.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const maxOutputBytes = 16 * 1024 * 1024;
/** AES-256-CTR and HMAC-SHA256, the key in the repository under a passphrase: borg's usual mode for servers of other owners. */
export const borgEncryption = 'repokey';

/** Returns why this computer cannot run the comparison with borg; undefined when the comparison is possible. */
export async function whyNoBorg(): Promise<string | undefined> {
  try {
    await run('borg', ['--version']);
    return undefined;
  } catch {
    return 'borg is not installed';
  }
}

export class BorgRepository {
  readonly #environment: NodeJS.ProcessEnv;

  private constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  /** An empty repository behind `borg serve`. */
  static async create(folder: string): Promise<BorgRepository> {
    await mkdir(folder, { recursive: true });
    const shell = path.join(folder, 'no-ssh');
    // Called as `ssh HOST COMMAND...`; the command runs on this machine.
    await writeFile(shell, '#!/bin/sh\nshift\nexec "$@"\n', { mode: 0o700 });
    const repository = new BorgRepository({
      ...process.env,
      BORG_RSH: shell,
      BORG_REPO: `ssh://localhost${path.join(folder, 'repository')}`,
      BORG_PASSPHRASE: 'benchmark',
      BORG_BASE_DIR: path.join(folder, 'base'),
    });
    await repository.#borg(['init', '--encryption', borgEncryption], folder);
    return repository;
  }

  /** @returns seconds */
  async backup(source: string, archive: string): Promise<number> {
    return this.#timed(['create', `::${archive}`, '.'], source);
  }

  /** @returns seconds. Creates the destination folder. */
  async restore(archive: string, destination: string): Promise<number> {
    await mkdir(destination, { recursive: true });
    return this.#timed(['extract', `::${archive}`], destination);
  }

  async #timed(command: string[], folder: string): Promise<number> {
    const beganMs = performance.now();
    await this.#borg(command, folder);
    return (performance.now() - beganMs) / 1000;
  }

  async #borg(command: string[], cwd: string): Promise<void> {
    await run('borg', command, { cwd, env: this.#environment, maxBuffer: maxOutputBytes });
  }
}
