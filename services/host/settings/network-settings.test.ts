import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ServiceRole } from '../../contracts/contract.ts';
import type { Network } from '../../contracts/models/network.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { checkAddress } from './address-check.ts';
import { changeSettings, readNetwork, requireNetworkSettings, settingsFileOf } from './network-settings.ts';
import { inodesOf } from './port-user.ts';

describe('network settings', () => {
  let home: string;
  beforeEach(async () => {
    home = await makeTemporaryFolder();
  });
  const fileOf = (role: ServiceRole): string => settingsFileOf(home, role);
  const read = (): Promise<Network> =>
    readNetwork({ provider: fileOf('provider'), gateway: fileOf('gateway'), tenant: fileOf('tenant') });
  const change = (changes: Record<string, unknown>, flagSettings: string[] = []): Promise<Record<string, unknown>> =>
    changeSettings({ role: 'provider', file: fileOf('provider'), changes, flagSettings });
  const content = async (): Promise<unknown> => JSON.parse(await readFile(fileOf('provider'), 'utf8')) as unknown;

  it('are the defaults without a file', async () => {
    const { provider, gateway, tenant } = await read();
    expect(provider).toEqual({
      file: path.join(home, 'provider.json'),
      error: null,
      settings: {
        name: 'Farkeep provider',
        control: { host: '127.0.0.1', port: 6170 },
        infrastructure: { host: '0.0.0.0', port: 6169 },
        infrastructureAddress: null,
        moverHost: '127.0.0.1',
        advertisedHost: null,
      },
    });
    expect(gateway.settings?.listen).toEqual([{ host: '::', port: 6180 }]);
    expect(tenant.settings).toEqual({ hostAddresses: {} });
  });

  it('are written where the service of the console reads them; everything else in the file stays', async () => {
    const file = path.join(home, 'provider', 'config.json');
    await mkdir(path.dirname(file));
    await writeFile(file, JSON.stringify({ home: '/x', maxTasksPerTenant: 3, infrastructureAddress: 'old.example' }));
    expect(fileOf('provider')).toBe(file);
    await change({
      name: 'Northwind',
      control: { host: '127.0.0.1', port: 6170 },
      infrastructureAddress: null,
      advertisedHost: null,
    });
    expect(await content()).toEqual({ home: '/x', maxTasksPerTenant: 3, name: 'Northwind' });
    expect((await read()).provider.settings).toMatchObject({ name: 'Northwind', infrastructureAddress: null });
  });

  it.each([
    ['control.port', { control: { host: '127.0.0.1', port: 70_000 } }],
    ['moverHost', { moverHost: 'not a host' }],
    ['name', { name: '' }],
    ['color', { color: 'red' }],
  ])('refuses %s, and writes nothing', async (field, changes) => {
    await expect(change(changes)).rejects.toMatchObject({ code: 'config.invalid', field });
    await expect(content()).rejects.toThrow('ENOENT');
  });

  it('refuses to remove a setting that does not exist', async () => {
    await expect(change({ nothing: null })).rejects.toMatchObject({
      code: 'config.invalid',
      message: 'The provider service has no setting "nothing"',
    });
  });

  it('refuses a setting that a flag of the running service overrides', async () => {
    await expect(change({ name: 'x' }, ['name'])).rejects.toMatchObject({ code: 'config.invalid', field: 'name' });
    await change({ moverHost: '127.0.0.2' }, ['name']);
    expect(await content()).toEqual({ moverHost: '127.0.0.2' });
  });

  it('say why a file cannot be used, for this role only', async () => {
    await writeFile(path.join(home, 'gateway.json'), JSON.stringify({ listen: 'everywhere' }));
    const { provider, gateway } = await read();
    expect(provider.error).toBeNull();
    expect(gateway).toMatchObject({ settings: null, error: { code: 'config.invalid', field: 'listen' } });
  });

  it('do not include other settings', () => {
    expect(() => requireNetworkSettings('provider', { name: 'x', control: {} })).not.toThrow();
    expect(() => requireNetworkSettings('provider', { logLevel: 'debug' })).toThrow('not a network setting');
    expect(() => requireNetworkSettings('gateway', { enrollmentTokenFile: '/etc/shadow' })).toThrow();
  });
});

describe('the check of an address', () => {
  const check = (use: 'listen' | 'dial', host: string, port: number, ownListeners: string[] = []) =>
    checkAddress({ use, host, port, ownListeners, signal: new AbortController().signal });

  it('finds a port that another program uses, and names the program on Linux', async () => {
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const taken = await check('listen', '127.0.0.1', port);
    expect(taken).toMatchObject({ outcome: 'in-use', reach: 'this-computer' });
    if (process.platform === 'linux') expect(taken.program?.pid).toBe(process.pid);
    expect(await check('listen', '127.0.0.1', port, [`127.0.0.1:${port}`])).toMatchObject({ outcome: 'own-service' });
    expect(await check('dial', '127.0.0.1', port)).toMatchObject({ outcome: 'answers' });
    await new Promise((resolve) => server.close(resolve));
    expect(await check('dial', '127.0.0.1', port)).toMatchObject({ outcome: 'no-answer' });
    expect(await check('listen', '127.0.0.1', port)).toMatchObject({ outcome: 'free' });
  });

  it('finds an address that this computer does not have', async () => {
    expect(await check('listen', '192.0.2.1', 0)).toMatchObject({ outcome: 'not-here', reach: 'any-network' });
  });

  it('reads the sockets that listen on a port from the table of the kernel', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:1819 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0',
      '   1: 0100007F:1819 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0',
      '   2: 00000000:181A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0',
    ].join('\n');
    expect(inodesOf(table, 0x1819)).toEqual(['4711']);
  });
});
