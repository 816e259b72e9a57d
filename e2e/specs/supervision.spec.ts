// Services are killed: the console shows it and restarts them, and no data is lost. Closing the console asks when sessions run.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '../fixtures/console-test.ts';
import { isAlive, type FarkeepConsole } from '../fixtures/farkeep-console.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';

test('a killed service is shown as restarting, runs again, and no data is lost', async ({ farkeep }) => {
  const window = new ConsoleWindow(farkeep.page);
  await tryItToTheEnd(farkeep);
  farkeep.expectRestarts();
  const before = { jobs: await list(farkeep, 'tenant', 'jobs'), tenants: await list(farkeep, 'provider', 'tenants') };
  expect(before.jobs).toHaveLength(1);

  for (const [role, name] of [
    ['tenant', 'Tenant service'],
    ['provider', 'Provider service'],
    ['gateway', 'Gateway service'],
  ] as const) {
    const pid = await farkeep.pidOf(role);
    process.kill(pid, 'SIGKILL');
    await expect(window.service(name)).toHaveText(new RegExp(`${name} (running|degraded) · restarted once`), {
      timeout: 30_000,
    });
    expect(await farkeep.pidOf(role)).not.toBe(pid);
  }
  await window.open('Overview');
  await farkeep.expectAccessible('services-restarted');
  expect(await list(farkeep, 'tenant', 'jobs')).toEqual(before.jobs);
  expect(await list(farkeep, 'provider', 'tenants')).toMatchObject(
    before.tenants.map((tenant) => ({ name: (tenant as { name: string }).name })),
  );

  await test.step('a backup then runs as before', async () => {
    const [job] = before.jobs as { id: string }[];
    await expect
      .poll(async () => (await farkeep.call('tenant', 'jobs', 'run', { jobId: job?.id })).ok, { timeout: 30_000 })
      .toBe(true);
    await expect.poll(async () => (await list(farkeep, 'tenant', 'points')).length, { timeout: 60_000 }).toBe(2);
  });
});

test('a service that cannot start shows the reason, and can be started when the cause is removed', async ({
  farkeep,
  home,
}) => {
  const window = new ConsoleWindow(farkeep.page);
  const config = path.join(home.folder, 'tenant', 'config.json');
  await writeFile(config, '{ "retryIntervalMs": "soon" }');
  await new FirstStartPage(farkeep.page).choose('Tenant');
  await window.expectService('Tenant service', 'failed');
  await window.service('Tenant service').click();
  const details = farkeep.page.getByRole('dialog', { name: 'Tenant service' });
  await expect(details.getByRole('alert')).toContainText('retryIntervalMs');
  await farkeep.expectAccessible('service-failed');
  await writeFile(config, '{}');
  await details.getByRole('button', { name: 'Start', exact: true }).focus();
  await farkeep.page.keyboard.press('Enter');
  // The page behind is hidden from assistive technology while the popover is open.
  await expect(details.getByRole('heading', { name: 'Tenant service running' })).toBeVisible({ timeout: 60_000 });
  await expect(details.getByRole('button', { name: 'Start', exact: true })).toBeHidden();
  await farkeep.page.keyboard.press('Escape');
  await expect(details).toBeHidden();
  await window.expectService('Tenant service', 'running');
  await expect(window.service('Tenant service')).toBeFocused();
});

test('a console that is killed ends its services', async ({ farkeep, home }) => {
  await new FirstStartPage(farkeep.page).choose('Provider', 'Tenant');
  const window = new ConsoleWindow(farkeep.page);
  await window.expectService('Provider service', 'running');
  await window.expectService('Tenant service', 'running');
  const pids = [await farkeep.pidOf('provider'), await farkeep.pidOf('tenant')];
  farkeep.kill();
  await expect.poll(() => pids.filter(isAlive), { message: 'services without a console', timeout: 30_000 }).toEqual([]);
  expect(existsSync(path.join(home.folder, 'provider', 'lock.json')), 'the lock is given back').toBe(false);
});

test('closing while a session runs asks; cancel, tray and stop do what their labels say', async ({ farkeep }) => {
  const { page, app } = farkeep;
  await tryItToTheEnd(farkeep);

  await test.step('a session that lost its gateway waits, and counts as running', async () => {
    const job = await addJob(farkeep, 'Large', [path.dirname(process.execPath), path.dirname(farkeep.executable)]);
    const whileTransferring = whenTransferring(farkeep);
    expect(await farkeep.call('tenant', 'jobs', 'run', { jobId: job })).toMatchObject({ ok: true });
    await whileTransferring;
    await farkeep.call('console', 'console', 'setRoles', { roles: ['provider', 'tenant'] });
    await expect
      .poll(async () => (await list(farkeep, 'tenant', 'sessions'))[0])
      .toMatchObject({
        state: 'waiting-to-resume',
      });
    await expect(page.getByText('1 session running')).toBeVisible();
  });

  const question = page.getByRole('alertdialog', { name: 'Close Farkeep?' });
  const close = () => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
  const isVisible = () => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isVisible());

  await close();
  await expect(question).toBeVisible();
  await expect(question).toContainText('1 session is running');
  await expect(question).toContainText('1 tenant backs up to this computer.');
  await farkeep.expectAccessible('close-question');
  await question.getByRole('button', { name: 'Cancel' }).click();
  await expect(question).toBeHidden();
  expect(await isVisible()).toBe(true);

  await close();
  await question.getByRole('button', { name: 'Keep running' }).click();
  await expect.poll(isVisible).toBe(false);
  const tenant = await farkeep.pidOf('tenant');
  expect(isAlive(tenant)).toBe(true);
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.show());

  await close();
  await question.getByRole('button', { name: 'Stop services and exit' }).click();
  await farkeep.waitForEnd();
  await expect.poll(() => isAlive(tenant)).toBe(false);
});

async function tryItToTheEnd(farkeep: FarkeepConsole): Promise<void> {
  await new FirstStartPage(farkeep.page).tryItHere();
  await expect
    .poll(async () => (await list(farkeep, 'tenant', 'points')).length, { message: 'restore points', timeout: 60_000 })
    .toBe(1);
  await expect(farkeep.page.getByText('No session running')).toBeVisible();
}

/** Adds another job beside the sample's, with the same provider. @returns its id */
async function addJob(farkeep: FarkeepConsole, name: string, sourcePaths: string[]): Promise<string> {
  const [sample] = (await list(farkeep, 'tenant', 'jobs')) as { providerId: string; repository: string }[];
  const input = { name, sourcePaths, providerId: sample?.providerId, repository: sample?.repository };
  const result = await farkeep.call('tenant', 'jobs', 'add', input);
  if (!result.ok) throw new Error(result.error.message);
  return (result.value as { id: string }).id;
}

/** Resolves as soon as a session reports that it transfers. Listens to events, because polling could miss this state. */
function whenTransferring(farkeep: FarkeepConsole): Promise<void> {
  return farkeep.page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        interface Told {
          readonly target: string;
          readonly event: string;
          readonly payload: { readonly state?: string };
        }
        const page = globalThis as unknown as { farkeep: { onEvent(listener: (event: Told) => void): () => void } };
        const stop = page.farkeep.onEvent(({ target, event, payload }) => {
          if (target !== 'tenant' || event !== 'changed' || payload.state !== 'transferring') return;
          stop();
          resolve();
        });
      }),
  );
}

/** The list that a domain's command `list` returns, under its own name. Empty while the service does not answer. */
async function list(
  farkeep: FarkeepConsole,
  target: 'tenant' | 'provider',
  domain: 'jobs' | 'points' | 'tenants' | 'sessions',
): Promise<unknown[]> {
  const result = await farkeep.call(target, domain, 'list');
  return result.ok ? ((result.value as Record<string, unknown[]>)[domain] ?? []) : [];
}
