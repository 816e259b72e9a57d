// Access rights of the provider's files with a configured service group, with the real service.
import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, startCli } from '../../testing/site/run-cli.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';

describe.skipIf(process.platform === 'win32')('a service group', () => {
  it('may read the keys, also old ones, and nothing else', { timeout: 60_000 }, async () => {
    const home = await makeTemporaryFolder();
    const group = String(process.getgid?.() ?? 0);
    const anyPort = { host: '127.0.0.1', port: 0 };
    await writeFile(
      path.join(home, 'provider.json'),
      JSON.stringify({ control: anyPort, infrastructure: anyPort, certificateKeyBits: 2048 }),
    );
    const serveOnce = async (...flags: string[]): Promise<void> => {
      const service = startCli(['serve', 'provider', '--home', home, '--json', ...flags]);
      await service.firstLine();
      service.child.kill('SIGTERM');
      expect((await service.result).exitCode).toBe(0);
    };
    const folder = path.join(home, 'provider');
    const modeOf = async (...parts: string[]): Promise<number> =>
      (await stat(path.join(folder, ...parts))).mode & 0o777;
    const modes = async (): Promise<number[]> => {
      const [id = ''] = (await readdir(path.join(folder, 'certificates'))).filter((name) =>
        /^[0-9a-f]{32}$/.test(name),
      );
      return [
        await modeOf('.'),
        await modeOf('certificates', id),
        await modeOf('certificates', id, 'key.pem'),
        await modeOf('infrastructure', 'authority.key'),
        await modeOf('provider.sqlite'),
      ];
    };

    await serveOnce();
    expect(await modes()).toEqual([0o700, 0o700, 0o600, 0o600, 0o600]);
    await serveOnce('--service-group', group);
    expect(await modes()).toEqual([0o750, 0o750, 0o640, 0o640, 0o600]);

    const refused = await runCli(['serve', 'provider', '--home', home, '--json', '--service-group', 'no-such-group']);
    expect(refused.exitCode).toBe(2);
    expect(refused.json()).toMatchObject({ error: { code: 'config.invalid', field: 'serviceGroup' } });

    const notOne = await runCli(['serve', 'provider', '--home', home, '--json', '--service-group', 'back up']);
    expect(notOne.json()).toMatchObject({
      error: { field: 'serviceGroup', message: expect.stringContaining('the name of a group') as string },
    });
  });
});
