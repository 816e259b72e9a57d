import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { providerConfigSchema } from '../../provider/state/config.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { providerRole } from '../provider-role.ts';
import { flagsToConfig, parseAddress } from '../serve-flags.ts';
import { mergeConfig, parseConfig, readConfigFile } from './service-config.ts';

describe('configuration', () => {
  it('lets flags override the file, and keeps the other part of an address', () => {
    const file = { control: { host: '10.0.0.1', port: 1 }, name: 'from the file' };
    expect(mergeConfig(file, flagsToConfig(providerRole.flags, { control: '7000', 'log-level': 'debug' }))).toEqual({
      control: { host: '10.0.0.1', port: 7000 },
      name: 'from the file',
      logLevel: 'debug',
    });
  });

  it.each([
    ['127.0.0.1:6170', { host: '127.0.0.1', port: 6170 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    [':6180', { host: '::', port: 6180 }],
    ['6180', { port: 6180 }],
    ['gw.example:65535', { host: 'gw.example', port: 65_535 }],
  ])('reads the address %s', (text, expected) => expect(parseAddress('listen', text)).toEqual(expected));

  it.each(['', 'host', 'host:', 'host:65536', '::1:6180', 'a b:1', 'host:-1'])('refuses the address "%s"', (text) =>
    expect(() => parseAddress('listen', text)).toThrow(FarkeepError),
  );

  it('reads settings by their old British names, unless the new name is there too', async () => {
    const file = path.join(await makeTemporaryFolder(), 'gateway.json');
    await writeFile(file, '{ "enrolmentTokenFile": "a", "licenceKeyFiles": ["k"], "name": "gw" }');
    expect(await readConfigFile(file)).toEqual({ enrollmentTokenFile: 'a', licenseKeyFiles: ['k'], name: 'gw' });
    await writeFile(file, '{ "enrolmentToken": "old", "enrollmentToken": "new" }');
    expect(await readConfigFile(file)).toEqual({ enrolmentToken: 'old', enrollmentToken: 'new' });
  });

  it.each([
    ['not JSON', '{ "name": '],
    ['no object', '[1]'],
    ['null', 'null'],
  ])('refuses a file that is %s, and names the file', async (_name, content) => {
    const file = path.join(await makeTemporaryFolder(), 'x.json');
    await writeFile(file, content);
    await expect(readConfigFile(file)).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining(file) as string,
    });
  });

  it('names a file that does not exist', async () => {
    await expect(readConfigFile('/nowhere/x.json')).rejects.toMatchObject({ code: 'config.invalid' });
  });

  it.each([
    [{ nosuch: 1 }, 'nosuch'],
    [{ control: { hots: '10.0.0.1' } }, 'control.hots'],
  ])('refuses a setting that does not exist: %j', (value, field) => {
    const refused = expect.objectContaining({
      code: 'config.invalid',
      field,
      message: expect.stringContaining(`There is no setting "${field}" (provider.json)`),
    });
    expect(() => parseConfig(providerConfigSchema, value, 'provider.json')).toThrow(refused);
  });

  it('names the invalid setting', () => {
    const schema = z.object({ control: z.object({ port: z.int() }) });
    expect(() => parseConfig(schema, { control: { port: 'x' } }, 'x.json')).toThrow(/"control\.port".*x\.json/);
  });
});
