// Owns `farkeep demo --hold` for tests: real processes, started by the real command line, and folders for them to back up. Must not be used
// by the product.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCliHere, startCli, type CliResult } from './run-cli.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

export interface HeldDemo {
  readonly temporary: string;
  readonly json: {
    homes: { provider: string; gateways: string[]; tenant: string };
    gatewayAddresses: string[];
    fingerprint: string;
    tenantUser: string;
    passwordFile: string;
    providerName: string;
    repository: string;
    pids: { provider: number; gateways: number[]; tenant: number };
  };
  readonly pids: readonly number[];
  /** Runs a command of the tenant in this process, against the real services. */
  readonly tenant: (...args: string[]) => Promise<CliResult>;
  readonly provider: (...args: string[]) => Promise<CliResult>;
  /** Sends Ctrl-C and returns the result. */
  readonly end: () => Promise<CliResult>;
}

export async function holdDemo(...args: string[]): Promise<HeldDemo> {
  const temporary = await makeTemporaryFolder();
  const cli = startCli(['demo', '--hold', '--json', ...args], { env: { TMPDIR: temporary } });
  const json = JSON.parse(await cli.firstLine()) as HeldDemo['json'];
  const pids = [json.pids.provider, ...json.pids.gateways, json.pids.tenant];
  return {
    temporary,
    json,
    pids,
    tenant: (...rest) => runCliHere(['--home', json.homes.tenant, ...rest]),
    provider: (...rest) => runCliHere([...rest, '--home', json.homes.provider]),
    end: () => {
      cli.child.kill('SIGINT');
      return cli.result;
    },
  };
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export async function makeDemoSource(): Promise<string> {
  const source = path.join(await makeTemporaryFolder(), 'source');
  await mkdir(path.join(source, 'reports', '2026'), { recursive: true });
  await writeFile(path.join(source, 'notes.txt'), 'notes\n');
  await writeFile(path.join(source, 'reports', '2026', 'may.csv'), 'a,b\n'.repeat(100_000));
  return source;
}
