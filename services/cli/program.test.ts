import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { runCli, runCliHere } from '../testing/site/run-cli.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { createActionDefiner } from './command-context.ts';
import { commandGroups } from './command-groups.ts';

async function everyCommand(): Promise<{ name: string; command: Command }[]> {
  const program = new Command('farkeep');
  const action = createActionDefiner({ signal: new AbortController().signal, setExitCode: () => undefined });
  for (const group of commandGroups) (await group.load())(program, action);
  const leaves = (command: Command, name: string): { name: string; command: Command }[] =>
    command.commands.length === 0
      ? [{ name, command }]
      : command.commands.flatMap((child) => leaves(child, `${name} ${child.name()}`));
  return program.commands.flatMap((command) => leaves(command, command.name()));
}

describe('the farkeep command', () => {
  it('has every command that docs/cli.md lists', async () => {
    const names = (await everyCommand()).map(({ name }) => name);
    const documented = [
      'demo',
      'serve provider',
      'serve gateway',
      'serve tenant',
      ...['unit', 'install', 'uninstall'].map((name) => `service ${name}`),
      'status',
      ...['show', 'set provider', 'set gateway', 'set tenant'].map((name) => `service ${name}`),
      'diagnostics',
      ...['list', 'show', 'generate', 'import', 'pick', 'install', 'rename', 'remove', 'usage', 'settings'].map(
        (name) => `certificate ${name}`,
      ),
      ...['announce', 'show', 'cancel'].map((name) => `certificate rollover ${name}`),
      ...['show', 'import', 'new-key', 'issue'].map((name) => `license ${name}`),
      ...['check', 'list', 'accept', 'revoke', 'reinstate', 'journal', 'export', 'import', 'settings'].map(
        (name) => `trust ${name}`,
      ),
      ...['enroll-token', 'enroll', 'list', 'set', 'enable', 'disable', 'doctor'].map((name) => `gateway ${name}`),
      ...['add', 'set', 'list', 'disable', 'remove', 'invite'].map((name) => `tenant ${name}`),
      ...['add', 'set', 'list', 'verify', 'rebuild-catalogue'].map((name) => `repository ${name}`),
      ...['add', 'list', 'remove', 'rescan', 'set'].map((name) => `provider ${name}`),
      ...['add', 'set', 'list', 'run', 'remove'].map((name) => `job ${name}`),
      ...['list', 'show', 'watch', 'pause', 'resume', 'cancel', 'evidence'].map((name) => `session ${name}`),
      ...['list', 'ls', 'find', 'extract'].map((name) => `point ${name}`),
      'restore',
    ];
    expect(names).toEqual(expect.arrayContaining(documented));
  });

  it('names every command of a group in its own help', async () => {
    for (const { name } of await everyCommand()) {
      const [groupName, child] = name.split(' ');
      const group = commandGroups.find((known) => known.name === groupName);
      if (child !== undefined) expect(group?.description.split(/[:,;] /), name).toContain(child);
    }
  });

  it('has help with examples on every command, and no option that takes a secret', async () => {
    for (const { name, command } of await everyCommand()) {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) });
      command.outputHelp();
      expect(help, name).toMatch(/Examples?:\n +\$ farkeep /);
      for (const { long } of command.options) expect(long, name).not.toMatch(/^--(password|token|secret|passphrase)$/);
    }
  });

  it('prints help and version and ends with 0', async () => {
    const help = await runCli(['--help']);
    expect(help).toMatchObject({ exitCode: 0, stderr: '' });
    expect(help.stdout).toContain('farkeep demo');
    const version = await runCli(['--version']);
    expect(version.exitCode).toBe(0);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await runCli(['job', 'run', '--help'])).stdout).toContain('Ctrl-C cancels');
  });

  it.each([
    [['nonsense']],
    [['job', 'nonsense']],
    [['job', 'add', 'x']],
    [['job', 'run', 'x', '--nonsense']],
    [['job', 'run']],
    [['tenant', 'add', 'x', '--quota', 'main']],
    [['tenant', 'add', 'x', '--quota', 'main=5XB']],
    [['tenant', 'invite', 'x', '--out', 'y', '--expires', 'soon']],
    [['tenant', 'invite', 'x', '--out', 'y', '--expires', '0s']],
    [['gateway', 'enroll-token', 'x', '--address', 'a:1', '--valid', '31d']],
    [['gateway', 'enroll-token', 'x', '--address', 'a:b']],
    [['job', 'add', 'x', '--source', '.', '--provider', 'p', '--streams', '99']],
    [['session', 'list', '--limit', '0']],
    [['trust', 'check', '--host', 'localhost', '--port', '0']],
    [['serve', 'gateway', '--listen', 'nonsense']],
    [['service', 'set', 'gateway', '--listen', 'nonsense']],
    [['service', 'set', 'provider']],
    [['service', 'show', 'nonsense']],
    [['gateway', 'set', 'x']],
    [['restore', 'latest']],
    [[]],
  ])('ends with 2 on wrong usage: %j', async (args) => {
    const home = await makeTemporaryFolder();
    const text = await runCliHere([...args, '--home', home]);
    expect(text.exitCode).toBe(2);
    expect(text.stdout).toBe('');
    expect(text.stderr).not.toBe('');
  });

  it('prints wrong usage only as JSON with --json', async () => {
    const result = await runCli(['job', 'add', 'x', '--json']);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toBe('');
    expect(result.json()).toMatchObject({ ok: false, error: { code: 'call.invalid' } });
  });

  it('says that a group needs a command name', async () => {
    const result = await runCli(['job', '--json']);
    expect(result).toMatchObject({ exitCode: 2, stderr: '' });
    expect(result.json()).toMatchObject({
      error: { message: '"farkeep job" needs a command', hint: 'See: farkeep job --help' },
    });
  });

  it('names the instance in the hint of status', async () => {
    const home = await makeTemporaryFolder();
    const { stdout } = await runCli(['status', '--home', home]);
    expect(stdout).toContain(`start: farkeep serve tenant --home ${home}`);
  });

  it('says which command starts a service that is not running', async () => {
    const home = await makeTemporaryFolder();
    const text = await runCli(['job', 'list', '--home', home]);
    expect(text).toMatchObject({ exitCode: 1, stdout: '' });
    expect(text.stderr).toContain(`farkeep serve tenant --home ${home}`);
    const json = await runCli(['--home', home, 'repository', 'list', '--json']);
    expect(json).toMatchObject({ exitCode: 1, stderr: '' });
    expect(json.json()).toMatchObject({
      ok: false,
      error: { code: 'service.not-running', hint: `Start it: farkeep serve provider --home ${home}` },
    });
  });

  it('finds the instance by --home before or after the command, and by FARKEEP_HOME', async () => {
    const [one, two] = [await makeTemporaryFolder(), await makeTemporaryFolder()];
    const homeOf = async (args: string[], env = {}): Promise<unknown> =>
      (await runCli(['status', '--json', ...args], { env })).json()['home'];
    expect(await homeOf(['--home', one])).toBe(one);
    expect((await runCli(['--home', one, 'status', '--json'])).json()['home']).toBe(one);
    expect(await homeOf([], { FARKEEP_HOME: two })).toBe(two);
    expect(await homeOf(['--home', one], { FARKEEP_HOME: two })).toBe(one);
  });

  it('prints a unit that can be piped into its file', async () => {
    const args = ['service', 'unit', 'gateway', '--user', 'farkeep', '--home', '/var/lib/farkeep'];
    const text = await runCliHere(args);
    expect(text.exitCode).toBe(0);
    expect(text.stdout).toMatch(/^\[Unit\]\n/);
    expect(text.stdout).toContain('User=farkeep\nStateDirectory=farkeep\n');
    expect(text.stderr).toContain('systemctl enable --now farkeep-gateway.service');
    const { exitCode, stderr, json } = await runCliHere([...args, '--json']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(json()).toMatchObject({
      ...{ role: 'gateway', scope: 'system', file: '/etc/systemd/system/farkeep-gateway.service' },
      commands: ['systemctl daemon-reload', 'systemctl enable --now farkeep-gateway.service'],
    });
  });

  it('names setting and file of an invalid configuration', async () => {
    const home = await makeTemporaryFolder();
    const file = path.join(home, 'gateway.json');
    await writeFile(file, JSON.stringify({ listen: [{ host: '127.0.0.1', port: 70_000 }] }));
    const result = await runCli(['serve', 'gateway', '--home', home, '--json']);
    expect(result.exitCode).toBe(2);
    const { error } = result.json() as { error: { code: string; message: string; field: string } };
    expect(error).toMatchObject({ code: 'config.invalid', field: 'listen.0.port' });
    expect(error.message).toContain(file);
  });
});
