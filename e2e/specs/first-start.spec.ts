// The first minutes of a new user: the question, the roles, "try it", and what the console remembers.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '../fixtures/console-test.ts';
import { FarkeepConsole } from '../fixtures/farkeep-console.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';

test('asks what this computer should do, and shows only the pages of the chosen roles', async ({
  farkeep,
  home,
}, testInfo) => {
  const start = new FirstStartPage(farkeep.page);
  const window = new ConsoleWindow(farkeep.page);
  await expect(start.heading).toBeVisible();
  await expect(start.continueButton).toBeDisabled();
  await farkeep.expectAccessible('first-start');

  await start.choose('Tenant');
  await window.expectService('Tenant service', 'running');
  await expect(window.navigation.getByRole('button')).toHaveText([
    'Overview',
    'Service providers',
    'Jobs',
    'Restore points',
    'Sessions',
  ]);
  await expect(window.service('Provider service')).toHaveCount(0);
  await farkeep.expectAccessible('overview-tenant-only');
  await farkeep.close();

  await test.step('the next start remembers the answer', async () => {
    const again = await FarkeepConsole.start(home, testInfo);
    try {
      await expect(new FirstStartPage(again.page).heading).toHaveCount(0);
      await new ConsoleWindow(again.page).expectService('Tenant service', 'running');
    } finally {
      await again.close();
    }
  });
});

test('"try it" runs a real backup on this computer in under a minute', async ({ farkeep, home }) => {
  const window = new ConsoleWindow(farkeep.page);
  const startedAt = Date.now();
  await new FirstStartPage(farkeep.page).tryItHere();
  for (const name of ['Provider service', 'Gateway service', 'Tenant service'] as const) {
    await window.expectService(name, 'running');
  }
  await expect
    .poll(async () => (await restorePoints(farkeep)).length, { message: 'restore points', timeout: 60_000 })
    .toBe(1);
  expect(Date.now() - startedAt).toBeLessThan(60_000);

  const sample = path.join(home.folder, 'sample', 'documents');
  const [point] = await restorePoints(farkeep);
  expect(point?.files).toBe(8);
  expect(point?.sourceBytes).toBeGreaterThan((await stat(path.join(sample, 'Archive', 'log.txt'))).size);
  expect(await farkeep.policyViolations()).toEqual([]);
});

test('the stored files of the console contain no secret', async ({ farkeep, home }) => {
  await new FirstStartPage(farkeep.page).tryItHere();
  await expect.poll(async () => (await restorePoints(farkeep)).length, { timeout: 60_000 }).toBe(1);
  const settings = path.join(home.folder, 'console', 'settings.json');
  expect(Object.keys(JSON.parse(await readFile(settings, 'utf8')) as object).sort()).toEqual([
    'attachedRoles',
    'preferences',
    'roles',
    'version',
    'window',
  ]);
  for (const name of ['console', 'provider', 'gateway', 'tenant']) {
    const text = await readFile(path.join(home.folder, 'console', 'logs', `${name}.log`), 'utf8');
    expect(text, `${name}.log`).not.toMatch(/PRIVATE KEY|"password":"(?!\[secret\])/);
  }
});

async function restorePoints(farkeep: FarkeepConsole): Promise<{ files: number; sourceBytes: number }[]> {
  const result = await farkeep.call('tenant', 'points', 'list');
  if (!result.ok) return [];
  return (result.value as { points: { files: number; sourceBytes: number }[] }).points;
}
