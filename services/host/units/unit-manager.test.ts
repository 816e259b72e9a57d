import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { makeTemporaryFolder } from '../../testing/temporary-folder.ts';
import { UnitManager, type UnitPlan } from './unit-manager.ts';

interface Fixture {
  readonly units: UnitManager;
  readonly plan: UnitPlan;
  readonly calls: string[];
  readonly folder: string;
}

/** @param answers what a call prints, or the error with which it fails, by its last words */
async function fixture(answers: Readonly<Record<string, string | Error>> = {}): Promise<Fixture> {
  const folder = await makeTemporaryFolder();
  const calls: string[] = [];
  const units = new UnitManager({
    scope: 'user',
    environment: { XDG_CONFIG_HOME: folder },
    systemdMark: folder,
    run: (program, args) => {
      const call = [program, ...args].join(' ');
      calls.push(call);
      const answer = Object.entries(answers).find(([words]) => call.endsWith(words))?.[1] ?? '';
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  });
  const plan = units.plan({
    role: 'gateway',
    home: path.join(folder, 'home'),
    nodeExecutable: '/n',
    commandEntry: '/c',
  });
  return { units, plan, calls, folder };
}

it('writes the unit below XDG_CONFIG_HOME, then runs exactly the commands that it shows', async () => {
  const { units, plan, calls, folder } = await fixture({ 'is-enabled farkeep-gateway.service': 'enabled\n' });
  expect(plan.file).toBe(path.join(folder, 'systemd', 'user', 'farkeep-gateway.service'));
  expect(await units.isOn(plan)).toBe(false);
  expect(await units.enable(plan)).toBeNull();
  expect(await readFile(plan.file, 'utf8')).toBe(plan.text);
  expect(calls).toEqual([...plan.commands]);
  expect(await units.isOn(plan)).toBe(true);
});

it('reports the output of systemctl, and leaves no unit behind', async () => {
  const { units, plan } = await fixture({
    'enable --now farkeep-gateway.service': new Error('Failed to connect to bus'),
  });
  await expect(units.enable(plan)).rejects.toMatchObject({
    code: 'service.start-failed',
    message: expect.stringContaining('Failed to connect to bus') as string,
  });
  await expect(access(plan.file)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('says how to start without a login when the account may not linger', async () => {
  const { units, plan } = await fixture({ 'loginctl enable-linger': new Error('Access denied') });
  expect(await units.enable(plan)).toContain('sudo loginctl enable-linger');
  await access(plan.file);
});

it('touches no unit of another home', async () => {
  const { units, plan, calls, folder } = await fixture({ 'is-enabled farkeep-gateway.service': 'enabled' });
  await mkdir(path.dirname(plan.file), { recursive: true });
  const other = plan.text.replace(path.join(folder, 'home'), path.join(folder, 'home-2'));
  await writeFile(plan.file, other);
  expect(await units.isOn(plan)).toBe(false);
  await expect(units.enable(plan)).rejects.toMatchObject({ code: 'call.conflict' });
  await units.disable(plan);
  expect(await readFile(plan.file, 'utf8')).toBe(other);
  expect(calls).toEqual([]);
});

it('stops the service and removes the unit', async () => {
  const { units, plan, calls } = await fixture();
  await units.enable(plan);
  await units.disable(plan);
  await expect(access(plan.file)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(calls).toContain('systemctl --user disable --now farkeep-gateway.service');
});

it('says why units cannot be switched on', async () => {
  const folder = await makeTemporaryFolder();
  const units = new UnitManager({ scope: 'user', systemdMark: path.join(folder, 'missing') });
  expect(await units.problem()).toContain('systemd does not manage');
  const { units: without } = await fixture({ '--version': new Error('ENOENT') });
  expect(await without.problem()).toContain('systemctl is missing');
});
