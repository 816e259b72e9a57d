import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, startCli, type CliResult } from '../testing/site/run-cli.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';

describe('farkeep licence', () => {
  it('makes a key, signs a licence, and a provider that knows the key takes it', { timeout: 60_000 }, async () => {
    const home = await makeTemporaryFolder();
    const file = (name: string): string => path.join(home, name);
    const licence = (...args: string[]): Promise<CliResult> => runCli(['licence', ...args, '--home', home, '--json']);

    expect((await licence('new-key', '--out', file('issuer.key'))).exitCode).toBe(0);
    expect((await stat(file('issuer.key'))).mode & 0o077).toBe(0);
    expect(await readFile(file('issuer.key.pub'), 'utf8')).toContain('PUBLIC KEY');
    const again = await licence('new-key', '--out', file('issuer.key'));
    expect(again.exitCode).toBe(1);
    const issue = (name: string, ...args: string[]): Promise<CliResult> =>
      licence('issue', '--key', file('issuer.key'), '--organisation', 'Northwind', '--out', file(name), ...args);
    const issued = await issue('good.licence', '--edition', 'enterprise', '--expires', '2999-12-31');
    expect(issued.json()).toMatchObject({ ok: true, expiresAt: '2999-12-31T23:59:59.999Z' });
    expect((await issue('old.licence', '--expires', '2020-01-01')).exitCode).toBe(0);
    expect((await issue('bad.licence', '--edition', 'golden')).exitCode).toBe(2);

    expect(
      (await licence('issue', '--key', file('none'), '--organisation', 'A', '--out', file('x'))).json(),
    ).toMatchObject({ error: { code: 'call.invalid', field: 'key' } });

    const anyPort = { host: '127.0.0.1', port: 0 };
    await writeFile(
      file('provider.json'),
      JSON.stringify({
        control: anyPort,
        infrastructure: anyPort,
        certificateKeyBits: 2048,
        licenceKeyFiles: [file('issuer.key.pub')],
      }),
    );
    const service = startCli(['serve', 'provider', '--home', home, '--json']);
    await service.firstLine();
    expect((await licence('import', file('old.licence'))).json()).toMatchObject({ error: { code: 'licence.expired' } });
    const text = await readFile(file('good.licence'), 'utf8');
    await writeFile(file('changed.licence'), text.replace('Northwind', 'Southwind'));
    expect((await licence('import', file('changed.licence'))).json()).toMatchObject({
      error: { code: 'licence.invalid' },
    });
    expect((await licence('show')).json()).toMatchObject({ isCommunity: true });
    expect((await licence('import', file('good.licence'))).exitCode).toBe(0);
    expect((await licence('show')).json()).toMatchObject({
      organisation: 'Northwind',
      edition: 'enterprise',
      expiresAt: '2999-12-31T23:59:59.999Z',
      isCommunity: false,
      problem: null,
    });
    const made = await runCli(['certificate', 'generate', '--key-bits', '2048', '--home', home, '--json']);
    expect(made.json()).toMatchObject({ subject: 'CN=Northwind, O=Northwind' });
    service.child.kill('SIGTERM');
    expect((await service.result).exitCode).toBe(0);
  });
});
