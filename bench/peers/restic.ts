// Owns the comparison with restic over TLS: `rclone serve restic` on loopback, one repository for each run.
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const maxOutputBytes = 16 * 1024 * 1024;

/** Returns why this computer cannot run the comparison with restic; undefined when the comparison is possible. */
export async function whyNoRestic(): Promise<string | undefined> {
  for (const [program, argument] of [
    ['restic', 'version'],
    ['rclone', 'version'],
    ['openssl', 'version'],
  ] as const) {
    try {
      await run(program, [argument]);
    } catch {
      return `${program} is not installed`;
    }
  }
  return undefined;
}

export class ResticServer {
  readonly #folder: string;
  readonly #server: ChildProcess;
  readonly #environment: NodeJS.ProcessEnv;

  private constructor(folder: string, server: ChildProcess, port: number) {
    this.#folder = folder;
    this.#server = server;
    this.#environment = {
      ...process.env,
      RESTIC_PASSWORD: 'benchmark',
      RESTIC_REPOSITORY: `rest:https://127.0.0.1:${port}/`,
      RESTIC_CACERT: path.join(folder, 'cert.pem'),
      XDG_CACHE_HOME: path.join(folder, 'cache'),
    };
  }

  /** An empty repository behind TLS. */
  static async start(folder: string): Promise<ResticServer> {
    mkdirSync(path.join(folder, 'repository'), { recursive: true });
    const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
    await run('openssl', [
      ...request,
      '-subj',
      '/CN=127.0.0.1',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      key,
      '-out',
      cert,
    ]);
    const port = await freePort();
    const repository = path.join(folder, 'repository');
    const server = spawn(
      'rclone',
      ['serve', 'restic', '--addr', `127.0.0.1:${port}`, '--cert', cert, '--key', key, repository],
      { stdio: 'ignore' },
    );
    await untilOpen(port);
    const made = new ResticServer(folder, server, port);
    await made.#restic(['init']);
    return made;
  }

  /** @returns seconds */
  async backup(source: string): Promise<number> {
    return this.#timed(['backup', '--quiet', source]);
  }

  async restore(destination: string): Promise<number> {
    return this.#timed(['restore', '--quiet', 'latest', '--target', destination]);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#server.once('exit', resolve));
    this.#server.kill();
    await ended;
  }

  get folder(): string {
    return this.#folder;
  }

  async #timed(command: string[]): Promise<number> {
    const beganMs = performance.now();
    await this.#restic(command);
    return (performance.now() - beganMs) / 1000;
  }

  async #restic(command: string[]): Promise<void> {
    await run('restic', ['--cacert', this.#environment['RESTIC_CACERT'] ?? '', ...command], {
      env: this.#environment,
      maxBuffer: maxOutputBytes,
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilOpen(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('rclone did not begin to serve');
}
