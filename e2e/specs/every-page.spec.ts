// Pictures of every page and dialog, for people: empty, and with the sample and thirteen tenants. Run with `npm run screenshots`.
import { addTwelveTenants } from '../fixtures/certificate-users.ts';
import { expect, test } from '../fixtures/console-test.ts';
import type { FarkeepConsole } from '../fixtures/farkeep-console.ts';
import { takeEveryLook } from '../fixtures/looks.ts';
import { ConsoleWindow, type NavigationGroup } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';

const minuteMs = 60_000;
const emptyThumbprint = '0'.repeat(64);

const pages: readonly { readonly name: string; readonly group?: NavigationGroup }[] = [
  { name: 'Overview' },
  { name: 'Cloud Connect' },
  { name: 'Gateways' },
  { name: 'Tenants' },
  { name: 'Repositories' },
  { name: 'Sessions', group: 'Provider' },
  { name: 'Service providers' },
  { name: 'Jobs' },
  { name: 'Restore points' },
  { name: 'Sessions', group: 'Tenant' },
];

const fileName = (...parts: readonly (string | undefined)[]): string =>
  parts
    .filter((part) => part !== undefined)
    .join('-')
    .toLowerCase()
    .replaceAll(/[^a-z]+/g, '-');

test('empty pages and first dialogs', async ({ farkeep }) => {
  test.setTimeout(10 * minuteMs);
  const { page } = farkeep;
  const window = new ConsoleWindow(page);
  await takeEveryLook(farkeep, 'first-start');
  await new FirstStartPage(page).choose('Provider', 'Gateway', 'Tenant');
  for (const { name, group } of pages) {
    await window.open(name, group);
    await takeEveryLook(farkeep, fileName('empty', group, name));
  }
  for (const [pageName, button] of [
    ['Cloud Connect', 'Manage Certificates'],
    ['Gateways', 'Add gateway...'],
    ['Repositories', 'Add repository...'],
    ['Tenants', 'Add tenant...'],
    ['Service providers', 'Add service provider...'],
    ['Jobs', 'New job...'],
  ] as const) {
    await window.open(pageName);
    await window.command(button).click();
    await lookAtDialog(farkeep, fileName('wizard', pageName));
  }
  for (const item of ['Options', 'License', 'Export diagnostics', 'About'] as const) {
    await window.chooseFromMenu(item);
    const tabs = await page.getByRole('dialog').getByRole('tab').all();
    for (const tab of tabs.slice(1)) {
      await tab.click();
      await takeEveryLook(farkeep, fileName('menu', item, await tab.innerText()));
    }
    await tabs[0]?.click();
    await lookAtDialog(farkeep, fileName('menu', item));
  }
});

test('pages with content, and the details of their first rows', async ({ farkeep }) => {
  test.setTimeout(10 * minuteMs);
  const { page } = farkeep;
  const window = new ConsoleWindow(page);
  await new FirstStartPage(page).tryItHere();
  await expect(page.getByText('Success', { exact: true }).first()).toBeVisible({ timeout: minuteMs });
  await takeEveryLook(farkeep, 'session-tenant');
  const certificates = await farkeep.call('provider', 'certificate', 'status');
  const installed = JSON.stringify(certificates).match(/"sha256":"([0-9a-fA-F:]+)"/)?.[1] ?? emptyThumbprint;
  await addTwelveTenants(farkeep, installed, emptyThumbprint);
  for (const { name, group } of pages) {
    await window.open(name, group);
    await takeEveryLook(farkeep, fileName('page', group, name));
    const row = page.getByRole('main').getByRole('grid').getByRole('row').nth(1);
    if (!(await row.isVisible())) continue;
    await row.click();
    await takeEveryLook(farkeep, fileName('details', group, name));
    await page.keyboard.press('Escape');
  }
  await window.open('Sessions', 'Provider');
  await page.getByRole('main').getByRole('grid').getByRole('row').nth(1).dblclick();
  await takeEveryLook(farkeep, 'session-provider');
});

/** Takes the open dialog, then leaves it without input. */
async function lookAtDialog(farkeep: FarkeepConsole, name: string): Promise<void> {
  const dialog = farkeep.page.getByRole('dialog').last();
  await expect(dialog).toBeVisible();
  await takeEveryLook(farkeep, name);
  await farkeep.page.keyboard.press('Escape');
  const leave = farkeep.page.getByRole('alertdialog').getByRole('button', { name: 'Leave', exact: true });
  if (await leave.isVisible()) await leave.click();
  await expect(dialog).toBeHidden();
}
