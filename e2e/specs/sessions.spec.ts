// What an admin does with a running session: pause, look at it from the other side, resume.
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '../fixtures/console-test.ts';
import type { FarkeepConsole } from '../fixtures/farkeep-console.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';
import { SessionPage } from '../pages/session-page.ts';

test('a backup is paused, both sides show who paused, and it continues with new keys', async ({ farkeep, home }) => {
  test.setTimeout(180_000);
  const { page } = farkeep;
  const window = new ConsoleWindow(page);
  await new FirstStartPage(page).tryItHere();
  await expect.poll(async () => (await jobs(farkeep)).length, { timeout: 60_000 }).toBe(1);
  const source = path.join(home.folder, 'large');
  await mkdir(source);
  await writeFile(path.join(source, 'large.bin'), randomBytes(512 * 1024 * 1024));
  const [sample] = await jobs(farkeep);
  const { providerId, repository } = sample as { providerId: string; repository: string };
  await farkeep.call('tenant', 'jobs', 'add', { name: 'Large', sourcePaths: [source], providerId, repository });

  await window.open('Jobs');
  await window.row('Jobs', 'Large').click();
  await window.command('Run').click();
  const session = new SessionPage(page, 'Large');
  await expect(session.state).toHaveText('Transferring', { timeout: 30_000 });
  await expect(session.button('Pause')).toHaveAccessibleDescription(/Stored data is kept/);
  await session.button('Pause').click();
  await expect(session.state).toHaveText('Paused');
  await expect(page.getByText('You have paused this session')).toBeVisible();
  await expect(page.getByText('No session running')).toBeVisible();
  const objects = page.getByRole('region', { name: 'Objects' });
  await expect(objects).toContainText('Paused');
  await expect(objects).not.toContainText('Running');
  await page.mouse.move(0, 0);
  await farkeep.expectAccessible('session-paused-tenant');

  await test.step('the provider shows who paused, and cannot resume', async () => {
    await window.open('Sessions', 'Provider');
    await window.row('Sessions', 'Large').dblclick();
    await expect(session.state).toHaveText('Paused');
    await expect(page.getByText('The tenant has paused this session', { exact: true })).toBeVisible();
    await expect(session.button('Resume')).toHaveAttribute('aria-disabled', 'true');
    await expect(session.button('Resume')).toHaveAccessibleDescription(/only the tenant can resume it/);
    await page.mouse.move(0, 0);
    await farkeep.expectAccessible('session-paused-provider');
  });

  await window.open('Jobs');
  await expect(window.row('Jobs', 'Large')).toContainText('Paused');
  await window.row('Jobs', 'Large').click();
  await window.command('Open session').click();
  await session.button('Resume').click();
  await session.expectEnd('Success', 'to');
  await expect(page.getByText('Attempt 2', { exact: true }).first()).toBeVisible();
  await expect(session.button('Pause')).toHaveAccessibleDescription('The session has ended.');
});

async function jobs(farkeep: FarkeepConsole): Promise<unknown[]> {
  const result = await farkeep.call('tenant', 'jobs', 'list');
  return result.ok ? (result.value as { jobs: unknown[] }).jobs : [];
}
