import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { serviceRoles } from '../../contracts/contract.ts';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { serviceUnitText, type ServiceUnitOptions } from './service-unit.ts';

const unit = (changes: Partial<ServiceUnitOptions> = {}): ServiceUnitOptions => ({
  role: 'provider',
  scope: 'user',
  home: '/srv/ann/.local/share/farkeep',
  nodeExecutable: process.execPath,
  commandEntry: '/opt/farkeep/services/cli/cli-entry.ts',
  ...changes,
});

/** Reads a unit as systemd does: sections with settings. Comments and empty lines have no meaning. */
function parseUnit(text: string): Record<string, string[]> {
  const settings: Record<string, string[]> = {};
  let section = '';
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const head = /^\[(\w+)\]$/.exec(line)?.[1];
    if (head !== undefined) section = head;
    else {
      const at = line.indexOf('=');
      if (at < 1 || section === '') throw new Error(`Not a setting: ${line}`);
      (settings[`${section}.${line.slice(0, at)}`] ??= []).push(line.slice(at + 1));
    }
  }
  return settings;
}

/** Splits ExecStart= as systemd does. */
function wordsOf(command: string): string[] {
  const words = [...command.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll(/\\(.)/g, '$1'),
  );
  return words.map((word) => word.replaceAll('%%', '%').replaceAll('$$', '$'));
}

describe('a unit', () => {
  it('starts the pinned Node.js with role and home, and again after an unexpected error', () => {
    const settings = parseUnit(serviceUnitText(unit({ configFile: '/srv/ann/provider/config.json' })));
    expect(wordsOf(settings['Service.ExecStart']?.[0] ?? '')).toEqual([
      process.execPath,
      ...['/opt/farkeep/services/cli/cli-entry.ts', 'serve', 'provider'],
      ...['--home', '/srv/ann/.local/share/farkeep', '--config', '/srv/ann/provider/config.json'],
    ]);
    expect(settings).toMatchObject({
      'Service.Restart': ['on-failure'],
      'Service.RestartPreventExitStatus': ['2'],
      'Service.KillMode': ['mixed'],
      'Install.WantedBy': ['default.target'],
    });
    expect(settings['Service.User']).toBeUndefined();
  });

  it('keeps spaces, quotes, percent and dollar signs of a path', () => {
    const home = '/srv/ann/My "100 %" $HOME\\x';
    const words = wordsOf(parseUnit(serviceUnitText(unit({ home })))['Service.ExecStart']?.[0] ?? '');
    expect(words[words.indexOf('--home') + 1]).toBe(home);
  });

  it('lets systemd make the home of each account below /var/lib', () => {
    const folders = (home: string): unknown =>
      parseUnit(serviceUnitText(unit({ scope: 'system', user: 'root', home })))['Service.StateDirectory'];
    expect(folders('/var/lib/farkeep-tenant')).toEqual(['farkeep-tenant']);
    expect(folders('/srv/farkeep')).toBeUndefined();
    expect(folders('/var/lib/far/keep')).toBeUndefined();
  });

  it('refuses a path or an account that would add settings', () => {
    expect(() => serviceUnitText(unit({ home: '/srv/ann\nExecStartPre=/bin/false' }))).toThrow('control characters');
    expect(() => serviceUnitText(unit({ scope: 'system', user: 'x\nRestart=no' }))).toThrow('account');
  });

  it('has restrictions of the file system only where no backup or restore can need the files', () => {
    const restrictions = (role: ServiceUnitOptions['role']): string[] =>
      Object.keys(parseUnit(serviceUnitText(unit({ role, scope: 'system' })))).filter((name) =>
        /Protect|Private|ReadOnly|Inaccessible|Restrict(SUID|Name)/.test(name),
      );
    expect(restrictions('tenant')).toEqual([]);
    expect(restrictions('provider')).toContain('Service.ProtectSystem');
  });

  it.skipIf(!existsSync('/usr/bin/systemd-analyze'))('is accepted by systemd-analyze', async () => {
    const folder = await makeTemporaryFolder();
    const node = process.execPath;
    for (const scope of ['user', 'system'] as const) {
      for (const role of serviceRoles) {
        const file = path.join(folder, `farkeep-${role}.service`);
        const text = serviceUnitText(unit({ role, scope, home: '/srv/a b%', commandEntry: node, user: 'root' }));
        await writeFile(file, text);
        const { stdout, stderr } = await promisify(execFile)('systemd-analyze', ['verify', '--man=no', file]);
        expect(`${stdout}${stderr}`.split('\n').filter((line) => line.includes(`farkeep-${role}`))).toEqual([]);
      }
    }
  });
});
