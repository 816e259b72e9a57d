import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, startCli, type CliResult } from '../testing/site/run-cli.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';

describe('farkeep license', () => {
  it(
    'creates a key and signs a license, and a provider with this public key accepts the license',
    { timeout: 60_000 },
    async () => {
      const home = await makeTemporaryFolder();
      const file = (name: string): string => path.join(home, name);
      const license = (...args: string[]): Promise<CliResult> => runCli(['license', ...args, '--home', home, '--json']);

      expect((await license('new-key', '--out', file('issuer.key'))).exitCode).toBe(0);
      expect((await stat(file('issuer.key'))).mode & 0o077).toBe(0);
      expect(await readFile(file('issuer.key.pub'), 'utf8')).toContain('PUBLIC KEY');
      const again = await license('new-key', '--out', file('issuer.key'));
      expect(again.exitCode).toBe(1);
      const issue = (name: string, ...args: string[]): Promise<CliResult> =>
        license('issue', '--key', file('issuer.key'), '--organization', 'Northwind', '--out', file(name), ...args);
      const issued = await issue('good.license', '--edition', 'enterprise', '--expires', '2999-12-31');
      expect(issued.json()).toMatchObject({ ok: true, expiresAt: '2999-12-31T23:59:59.999Z' });
      expect((await issue('old.license', '--expires', '2020-01-01')).exitCode).toBe(0);
      expect((await issue('bad.license', '--edition', 'golden')).exitCode).toBe(2);

      expect(
        (await license('issue', '--key', file('none'), '--organization', 'A', '--out', file('x'))).json(),
      ).toMatchObject({ error: { code: 'call.invalid', field: 'key' } });

      const anyPort = { host: '127.0.0.1', port: 0 };
      await writeFile(
        file('provider.json'),
        JSON.stringify({
          control: anyPort,
          infrastructure: anyPort,
          certificateKeyBits: 2048,
          licenseKeyFiles: [file('issuer.key.pub')],
        }),
      );
      const service = startCli(['serve', 'provider', '--home', home, '--json']);
      await service.firstLine();
      expect((await license('import', file('old.license'))).json()).toMatchObject({
        error: { code: 'license.expired' },
      });
      const text = await readFile(file('good.license'), 'utf8');
      await writeFile(file('changed.license'), text.replace('Northwind', 'Southwind'));
      expect((await license('import', file('changed.license'))).json()).toMatchObject({
        error: { code: 'license.invalid' },
      });
      expect((await license('show')).json()).toMatchObject({ isCommunity: true });
      expect((await license('import', file('good.license'))).exitCode).toBe(0);
      expect((await license('show')).json()).toMatchObject({
        organization: 'Northwind',
        edition: 'enterprise',
        expiresAt: '2999-12-31T23:59:59.999Z',
        isCommunity: false,
        problem: null,
      });
      const made = await runCli(['certificate', 'generate', '--key-bits', '2048', '--home', home, '--json']);
      expect(made.json()).toMatchObject({ subject: 'CN=Northwind, O=Northwind' });
      service.child.kill('SIGTERM');
      expect((await service.result).exitCode).toBe(0);
    },
  );
});
