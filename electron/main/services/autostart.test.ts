// Handing a service over from the console to its systemd unit and back. A function of the test stands for systemctl.
import { access, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import type { SupervisedService } from '../../../services/contracts/models/service.ts';
import { connectAdmin } from '../../../services/host/carriers/admin-client.ts';
import { spawnService, type ServiceChild } from '../../../services/host/service-child.ts';
import { UnitManager } from '../../../services/host/units/unit-manager.ts';
import { systemClock } from '../../../services/kernel/clock.ts';
import { silentLogger } from '../../../services/kernel/logger.ts';
import { passedEnvironment } from '../../../services/process/environment.ts';
import { AutostartManager } from './autostart.ts';
import { Supervisor } from './supervisor.ts';

const entry = fileURLToPath(new URL('../../../services/host/serve-entry.ts', import.meta.url));
const fakeService = fileURLToPath(new URL('../../testing/fake-service.ts', import.meta.url));

let home: string;
let supervisor: Supervisor;
let elsewhere: Set<ServiceRole>;
let ofUnit: ServiceChild | undefined;
let isEnabled: boolean;
let failure: Error | undefined;
let autostart: AutostartManager;

/** Starts and stops the service as systemd does. */
async function systemctl(program: string, args: readonly string[]): Promise<string> {
  const call = [program, ...args].join(' ');
  if (/(en|dis)able --now/.test(call)) {
    if (failure !== undefined) throw failure;
    const isOn = !call.includes('disable');
    isEnabled = isOn;
    if (isOn) ofUnit = await spawnService({ role: 'tenant', home, logFile: path.join(home, 'unit.log') });
    else await ofUnit?.stop(1_000);
  }
  return call.includes('is-enabled') && isEnabled ? 'enabled' : '';
}

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'farkeep-autostart-'));
  await mkdir(path.join(home, 'config'));
  elsewhere = new Set();
  [ofUnit, failure, isEnabled] = [undefined, undefined, false];
  supervisor = new Supervisor({
    programOf: (role) => ({
      executable: process.execPath,
      // The provider of this test only answers how its keys are protected.
      args: role === 'provider' ? [fakeService] : [entry, role],
      environment: { ...passedEnvironment(process.env), FARKEEP_HOME: home },
    }),
    connect: (role) => connectAdmin({ home, role }),
    isStartedElsewhere: (role) => elsewhere.has(role),
    writeLogLine: () => undefined,
    logger: silentLogger,
    clock: systemClock,
    attachTimings: { retryMs: 50, graceMs: 60_000, signOfLifeMs: 60_000 },
  });
  autostart = new AutostartManager({
    supervisor,
    roles: () => ['tenant'],
    units: new UnitManager({
      scope: 'user',
      environment: { XDG_CONFIG_HOME: path.join(home, 'config') },
      systemdMark: home,
      run: systemctl,
    }),
    planOf: (units, role) => units.plan({ role, home, nodeExecutable: process.execPath, commandEntry: entry }),
    loginItem: undefined,
    setStartedElsewhere: (role, isElsewhere) => void (isElsewhere ? elsewhere.add(role) : elsewhere.delete(role)),
  });
});
afterEach(async () => {
  await supervisor.leaveAll(1_000);
  await ofUnit?.stop(1_000);
  await rm(home, { recursive: true, force: true });
});

function whenRunning(role: ServiceRole, origin: SupervisedService['origin']): Promise<SupervisedService> {
  return new Promise((resolve) => {
    const look = (service: SupervisedService): void => {
      if (service.role !== role || service.state !== 'running' || service.origin !== origin) return;
      stop();
      resolve(service);
    };
    const stop = supervisor.onStateChanged(look);
    look(supervisor.find(role));
  });
}

it('stops the service of the console, attaches to the service of the unit, and takes the service back', async () => {
  supervisor.start('tenant');
  const own = await whenRunning('tenant', 'started');
  expect(await autostart.set('tenant', true)).toBeNull();
  const attached = await whenRunning('tenant', 'attached');
  expect(attached.pid).toBe(ofUnit?.pid);
  expect(attached.pid).not.toBe(own.pid);
  expect(elsewhere).toEqual(new Set(['tenant']));
  const { method, units } = await autostart.describe();
  expect(method).toBe('systemd');
  expect(units).toMatchObject([{ role: 'tenant', isOn: true }]);

  await autostart.set('tenant', false);
  const again = await whenRunning('tenant', 'started');
  expect(again.pid).not.toBe(attached.pid);
  expect(elsewhere.size).toBe(0);
  await expect(access(units[0]?.file ?? '')).rejects.toMatchObject({ code: 'ENOENT' });
});

it('starts the own service again when systemctl fails, and reports its output', async () => {
  failure = new Error('Failed to connect to bus');
  supervisor.start('tenant');
  await whenRunning('tenant', 'started');
  await expect(autostart.set('tenant', true)).rejects.toMatchObject({
    message: expect.stringContaining('Failed to connect to bus') as string,
  });
  await whenRunning('tenant', 'started');
  expect(elsewhere.size).toBe(0);
});

it('leaves a provider alone whose keys only the console can open', async () => {
  supervisor.start('provider');
  const { pid } = await whenRunning('provider', 'started');
  await expect(autostart.set('provider', true)).rejects.toMatchObject({
    code: 'call.conflict',
    hint: expect.stringContaining('key file') as string,
  });
  expect(supervisor.find('provider')).toMatchObject({ state: 'running', pid });
});

it('does not touch a service that another program started', async () => {
  ofUnit = await spawnService({ role: 'tenant', home, logFile: path.join(home, 'unit.log') });
  supervisor.start('tenant');
  await whenRunning('tenant', 'attached');
  await expect(autostart.set('tenant', true)).rejects.toMatchObject({ code: 'call.conflict' });
  expect(supervisor.find('tenant')).toMatchObject({ state: 'running', pid: ofUnit.pid });
});
