// Owns start-up times: the command line, each service until it is ready, the console until its first page is usable.
import { spawn } from 'node:child_process';
import { mkdtemp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { FarkeepConsole } from '../../e2e/fixtures/farkeep-console.ts';
import { createInstanceHome } from '../../e2e/fixtures/instance-home.ts';
import type { ServiceRole } from '../../services/contracts/contract.ts';
import { spawnService } from '../../services/host/service-child.ts';

const command = fileURLToPath(new URL('../../scripts/farkeep.mjs', import.meta.url));
const stopDeadlineMs = 5_000;

/** Options with which a service can start beside other services: the system chooses free ports. */
const serviceFlags: Readonly<Record<ServiceRole, readonly string[]>> = {
  provider: ['--control', '127.0.0.1:0', '--infrastructure', '127.0.0.1:0'],
  gateway: ['--listen', '127.0.0.1:0'],
  tenant: [],
};

/** Seconds from start to end of the `farkeep` command with its set-up check, as users run it. */
export async function timeCommand(args: readonly string[], home: string): Promise<number> {
  await mkdir(home, { recursive: true });
  const beganMs = performance.now();
  const child = spawn(process.execPath, [command, ...args], {
    stdio: 'ignore',
    env: { ...process.env, FARKEEP_HOME: home },
  });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`farkeep ${args.join(' ')} ended with ${String(code)}`);
  return (performance.now() - beganMs) / 1000;
}

/**
 * Seconds from start to ready, for each start except the first. The first start makes keys and certificates, which takes a random time and
 * happens only once for an instance.
 */
export async function timeServiceStarts(role: ServiceRole, folder: string, count: number): Promise<number[]> {
  const home = await mkdtemp(path.join(folder, `${role}-`));
  const seconds: number[] = [];
  for (let index = 0; index <= count; index += 1) {
    const beganMs = performance.now();
    const service = await spawnService({
      role,
      home,
      args: serviceFlags[role],
      logFile: path.join(home, 'log', `${role}.log`),
    });
    if (index > 0) seconds.push((performance.now() - beganMs) / 1000);
    await service.stop(stopDeadlineMs);
  }
  return seconds;
}

/** Seconds from starting Electron until the first page is drawn and usable, on a computer without a configuration (no service starts). */
export async function timeConsoleStart(): Promise<number> {
  const home = await createInstanceHome();
  try {
    const beganMs = performance.now();
    const farkeep = await FarkeepConsole.start(home);
    const seconds = (performance.now() - beganMs) / 1000;
    await farkeep.close();
    return seconds;
  } finally {
    await home.remove();
  }
}
