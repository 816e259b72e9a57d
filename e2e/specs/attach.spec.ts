// Services outlive the window: the console attaches to services that run already, and asks before it stops services that work for others.
import path from 'node:path';
import { expect, test } from '../fixtures/console-test.ts';
import { FarkeepConsole, isAlive } from '../fixtures/farkeep-console.ts';
import type { InstanceHome } from '../fixtures/instance-home.ts';
import { serve } from '../fixtures/served-service.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';

test('the console attaches to services of a terminal or systemd, survives their restart, and leaves them running', async ({
  home,
}, testInfo) => {
  const tenant = await serve(home, 'tenant');
  let provider = await serve(home, 'provider');
  const farkeep = await FarkeepConsole.start(home, testInfo);
  try {
    const window = new ConsoleWindow(farkeep.page);
    // Without the question about the roles: the running services answer it.
    await window.expectService('Provider service', 'running · attached');
    await window.expectService('Tenant service', 'running · attached');
    expect(await farkeep.pidOf('provider')).toBe(provider.pid);
    await addTenant(farkeep, home, 'alpha');
    await window.open('Tenants');
    await expect(window.row('Tenants', 'alpha')).toBeVisible();
    await window.service('Provider service').click();
    await expect(farkeep.page.getByRole('dialog', { name: 'Provider service' })).toContainText('Another program');
    await farkeep.expectAccessible('service-attached');
    await farkeep.page.keyboard.press('Escape');

    await provider.stop();
    await expect(window.service('Provider service')).toHaveText('Provider service · Waiting for the service');
    provider = await serve(home, 'provider');
    await window.expectService('Provider service', 'running · attached');
    await addTenant(farkeep, home, 'beta');
    await expect(window.row('Tenants', 'beta')).toBeVisible();
    await expect(window.row('Tenants', 'alpha')).toBeVisible();

    await window.chooseFromMenu('Options');
    const services = window.dialog('Options').getByRole('region', { name: 'Services' });
    await expect(services.getByRole('button', { name: 'Stop Provider service' })).toBeVisible();
    await services.getByRole('button', { name: 'Show command' }).first().click();
    await expect(services.getByText(`--home ${home.folder}`)).toBeVisible();
    await farkeep.expectAccessible('options-services');
    await farkeep.page.keyboard.press('Escape');

    // Nothing stops, so there is no question.
    await farkeep.closeWindow();
    await farkeep.waitForEnd();
    expect([provider.pid, tenant.pid].map(isAlive)).toEqual([true, true]);
  } finally {
    await farkeep.close();
    await provider.stop();
    await tenant.stop();
  }
});

test('closing the window asks before the provider stops; kept running, it opens again at the next start', async ({
  farkeep,
  home,
}) => {
  const { page } = farkeep;
  await new FirstStartPage(page).choose('Provider');
  const window = new ConsoleWindow(page);
  await window.expectService('Provider service', 'running');
  await addTenant(farkeep, home, 'alpha');
  const pid = await farkeep.pidOf('provider');
  const question = page.getByRole('alertdialog', { name: 'Close Farkeep?' });
  await window.open('Tenants');
  await expect(window.row('Tenants', 'alpha')).toBeVisible();

  await farkeep.closeWindow();
  await expect(question).toContainText(
    '1 tenant backs up to this computer. While the service is stopped, its backups fail.',
  );
  await expect(question.getByRole('button', { name: 'Keep running' })).toBeFocused();
  await farkeep.expectAccessible('close-provider');
  await question.getByRole('checkbox', { name: 'Remember my choice' }).check();
  await question.getByRole('button', { name: 'Keep running' }).click();
  await expect.poll(() => farkeep.isWindowVisible()).toBe(false);
  expect(isAlive(pid)).toBe(true);

  expect(await farkeep.startAgain()).toBe(0);
  await expect.poll(() => farkeep.isWindowVisible()).toBe(true);
  await expect(question).toBeHidden();
  await farkeep.closeWindow();
  // Remembered: no question.
  await expect.poll(() => farkeep.isWindowVisible()).toBe(false);
  expect(isAlive(pid)).toBe(true);
  expect(await farkeep.startAgain()).toBe(0);

  // Exit names the end, so it asks.
  await window.chooseFromMenu('Exit');
  await question.getByRole('button', { name: 'Stop services and exit' }).click();
  await farkeep.waitForEnd();
  await expect.poll(() => isAlive(pid)).toBe(false);
});

async function addTenant(farkeep: FarkeepConsole, home: InstanceHome, name: string): Promise<void> {
  const folder = path.join(home.folder, 'backups');
  await farkeep.call('provider', 'repositories', 'add', { name: 'main', folder });
  const quotas = [{ repository: 'main', limitBytes: 1e9 }];
  const added = await farkeep.call('provider', 'tenants', 'add', { name, password: 'correct horse battery', quotas });
  expect(added).toMatchObject({ ok: true });
}
