import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, startCli, type CliResult } from '../testing/site/run-cli.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';

describe('farkeep service and farkeep gateway', () => {
  it(
    'write the settings of a stopped and of a running service, and give out no token that cannot work',
    { timeout: 60_000 },
    async () => {
      const home = await makeTemporaryFolder();
      const farkeep = (...args: string[]): Promise<CliResult> => runCli([...args, '--home', home, '--json']);
      const file = path.join(home, 'provider.json');
      const content = async (name = file): Promise<unknown> => JSON.parse(await readFile(name, 'utf8')) as unknown;

      const set = await farkeep('service', 'set', 'provider', '--control', '127.0.0.1:0', '--infrastructure', '0');
      expect(set.json()).toEqual({
        ok: true,
        role: 'provider',
        file,
        changed: ['control', 'infrastructure'],
        isRestartNeeded: false,
      });
      expect(await content()).toEqual({ control: { host: '127.0.0.1', port: 0 }, infrastructure: { port: 0 } });
      const wrong = await farkeep('service', 'set', 'provider', '--mover-host', 'a b');
      expect(wrong.exitCode).toBe(2);
      expect(wrong.json()).toMatchObject({ error: { code: 'config.invalid', field: 'moverHost' } });
      expect((await farkeep('service', 'show', 'provider', '--check')).json()).toMatchObject({
        file,
        settings: { infrastructureAddress: null, moverHost: '127.0.0.1' },
        addresses: [
          { setting: 'infrastructure', reach: 'any-network', use: 'listen', check: { outcome: 'free' } },
          { setting: 'control', reach: 'this-computer', check: { outcome: 'free' } },
          { setting: 'moverHost', reach: 'this-computer' },
        ],
      });

      const other = path.join(home, 'elsewhere.json');
      await writeFile(other, JSON.stringify({ control: { port: 0 }, certificateKeyBits: 2048 }));
      const flags = ['--config', other, '--infrastructure', '127.0.0.1:0'];
      const service = startCli(['serve', 'provider', ...flags, '--home', home, '--json']);
      await service.firstLine();
      const refused = await farkeep('gateway', 'enroll-token', 'gw1', '--address', 'gw1.example:6180');
      expect(refused.exitCode).toBe(2);
      expect(refused.json()).toMatchObject({
        error: { code: 'gateway.provider-not-reachable', field: 'infrastructure.host' },
      });
      const here = await farkeep('gateway', 'enroll-token', 'gw1', '--address', 'gw1.example:6180', '--here');
      expect(here.json()).toMatchObject({ ok: true, gateway: { name: 'gw1' } });
      const changed = await farkeep('gateway', 'set', 'gw1', '--name', 'gw2', '--address', '127.0.0.1:1');
      expect(changed.json()).toMatchObject({ gateway: { name: 'gw2', addresses: [{ host: '127.0.0.1', port: 1 }] } });
      const again = await farkeep('gateway', 'enroll-token', 'gw2', '--valid', '1h');
      expect(again.json()).toMatchObject({ ok: true, gateway: { name: 'gw2' } });
      expect((again.json() as { token: string }).token).not.toBe((here.json() as { token: string }).token);

      const byFlag = await farkeep('service', 'set', 'provider', '--infrastructure', '127.0.0.1:7');
      expect(byFlag.json()).toMatchObject({ error: { code: 'config.invalid', field: 'infrastructure' } });
      expect((await farkeep('service', 'set', 'provider', '--advertised-host', 'p.example')).json()).toMatchObject({
        file: other,
        isRestartNeeded: true,
      });
      expect(await content(other)).toMatchObject({ advertisedHost: 'p.example', certificateKeyBits: 2048 });
      await farkeep('service', 'set', 'provider', '--unset', 'advertisedHost');
      expect(await content(other)).not.toHaveProperty('advertisedHost');
      service.child.kill('SIGTERM');
      expect((await service.result).exitCode).toBe(0);
    },
  );
});
