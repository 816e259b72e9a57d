// The real provider service under the supervisor, with a key as a keychain gives it: protected, refused without the console, and the way back.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CallResult } from '../../../services/contracts/carrier.ts';
import { spawnService } from '../../../services/host/service-child.ts';
import { systemClock } from '../../../services/kernel/clock.ts';
import { silentLogger } from '../../../services/kernel/logger.ts';
import type { KeychainKey } from '../../../services/kernel/running-service.ts';
import { Secret } from '../../../services/kernel/secret.ts';
import { passedEnvironment } from '../../../services/process/environment.ts';
import { Supervisor } from './supervisor.ts';

const entry = fileURLToPath(new URL('../../../services/host/serve-entry.ts', import.meta.url));
const never = new AbortController().signal;

let home: string;
let keychainKey: KeychainKey;
let supervisor: Supervisor;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'farkeep-keychain-'));
  await mkdir(path.join(home, 'provider'), { mode: 0o700 });
  const listen = { host: '127.0.0.1', port: 0 };
  const config = { control: listen, infrastructure: listen, certificateKeyBits: 2048 };
  await writeFile(path.join(home, 'provider.json'), JSON.stringify(config));
  keychainKey = { keychain: 'Test Keychain', key: Secret.random() };
  supervisor = new Supervisor({
    programOf: (role) => ({
      executable: process.execPath,
      args: [entry, role, '--keychain'],
      environment: { ...passedEnvironment(process.env), FARKEEP_HOME: home },
      keychainKey,
    }),
    writeLogLine: () => undefined,
    logger: silentLogger,
    clock: systemClock,
  });
});
afterEach(async () => {
  await supervisor.leaveAll(5_000);
  keychainKey.key.dispose();
  await rm(home, { recursive: true, force: true });
});

const protect = (kind: string): Promise<CallResult> =>
  supervisor.call('provider', { domain: 'certificate', command: 'setSettings', input: { protection: kind } }, never);
const withoutConsole = () =>
  spawnService({ role: 'provider', home, logFile: path.join(home, 'provider.log'), startDeadlineMs: 30_000 });
const keyFiles = async (): Promise<string[]> =>
  (await readdir(path.join(home, 'provider'), { recursive: true })).filter((name) => name.endsWith('store.key')).sort();

it('protects all private keys, and gives them back to a service that runs without the console', async () => {
  supervisor.start('provider');
  // A call waits for the service to be up.
  expect(await protect('os-keychain')).toMatchObject({
    ok: true,
    value: { protection: { kind: 'os-keychain', keychain: 'Test Keychain' } },
  });
  expect(await keyFiles()).toEqual([]);
  await supervisor.stop('provider', 5_000);
  await expect(withoutConsole()).rejects.toMatchObject({
    code: 'certificate.key-unreadable',
    message: expect.stringContaining('Test Keychain') as string,
    hint: expect.stringContaining('--protection key-file') as string,
  });

  supervisor.start('provider');
  expect(await protect('key-file')).toMatchObject({ ok: true, value: { protection: { kind: 'key-file' } } });
  expect(await keyFiles()).toEqual([path.join('certificates', 'store.key'), path.join('infrastructure', 'store.key')]);
  await supervisor.stop('provider', 5_000);
  const alone = await withoutConsole();
  await alone.stop(5_000);
}, 60_000);
