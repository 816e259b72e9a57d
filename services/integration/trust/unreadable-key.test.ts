// A private key that the service's account cannot read, with the real service under another account: refused when it is installed and at
// start, with account and file. As root the test runs the service as "nobody"; under any other account the mode of the key forbids reading.
import { chmod, chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli, startCli, type RunningCli } from '../../testing/site/run-cli.ts';

const isRoot = process.geteuid?.() === 0;
const account = isRoot ? { name: 'nobody', userId: 65_534 } : { name: userInfo().username, userId: undefined };

describe.skipIf(process.platform === 'win32')('a key that the service cannot read', () => {
  let home: string;

  const startService = async (): Promise<RunningCli> => {
    const options = account.userId === undefined ? {} : { userId: account.userId };
    return startCli(['serve', 'provider', '--home', home, '--json'], options);
  };
  const stop = async ({ child, result }: RunningCli): Promise<void> => {
    child.kill('SIGTERM');
    await result;
  };
  const keyOf = (id: string): string => path.join(home, 'provider', 'certificates', id, 'key.pem');
  const lock = async (file: string): Promise<void> => {
    if (isRoot) await chown(file, 0, 0);
    await chmod(file, isRoot ? 0o600 : 0o000);
  };
  const cli = async (...args: string[]) => runCli([...args, '--home', home, '--json']);

  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'farkeep-unreadable-'));
    const config = {
      control: { host: '127.0.0.1', port: 0 },
      infrastructure: { host: '127.0.0.1', port: 0 },
      certificateKeyBits: 2048,
    };
    await writeFile(path.join(home, 'provider.json'), JSON.stringify(config), { mode: 0o644 });
    if (account.userId !== undefined) await chown(home, account.userId, account.userId);
  });

  afterEach(async () => {
    await rm(home, { recursive: true, force: true });
  });

  it('is refused when its certificate is installed; the former certificate stays', async () => {
    const service = await startService();
    await service.firstLine();
    const before = (await cli('certificate', 'show')).json();
    const made = await cli('certificate', 'generate', '--friendly-name', 'Locked', '--key-bits', '2048');
    const id = String(made.json()['id']);
    await lock(keyOf(id));
    const refused = await cli('certificate', 'install', 'Locked');
    expect(refused.exitCode).toBe(1);
    expect(refused.json()['error']).toMatchObject({
      code: 'certificate.key-unreadable',
      message: `The account "${account.name}" cannot read ${keyOf(id)}`,
      details: { account: account.name, file: keyOf(id) },
    });
    // Its announcement is refused too; otherwise the error would come at the date of the change.
    const announced = await cli('certificate', 'rollover', 'announce', 'Locked', '--at', '2099-01-01');
    expect(announced.exitCode).not.toBe(0);
    expect((await cli('certificate', 'show')).json()['sha256']).toBe(before['sha256']);
    await stop(service);
  }, 60_000);

  it('prevents the start of the service, with account and file', async () => {
    const service = await startService();
    await service.firstLine();
    const id = String((await cli('certificate', 'show', '--slot', 'provider')).json()['id']);
    await stop(service);
    expect(await readdir(path.join(home, 'provider', 'certificates'))).toContain(id);
    await lock(keyOf(id));
    const failed = await (await startService()).result;
    expect(failed.exitCode).toBe(1);
    const output = `${failed.stdout}\n${failed.stderr}`;
    expect(output).toContain('certificate.key-unreadable');
    expect(output).toContain(account.name);
    expect(output).toContain(keyOf(id));
  }, 60_000);
});
