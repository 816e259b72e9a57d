// Lists with many rows: several selected rows, filter, columns, context menu and keys, without a mouse where that is the subject.
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '../fixtures/console-test.ts';
import type { FarkeepConsole } from '../fixtures/farkeep-console.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';
import { SessionPage } from '../pages/session-page.ts';

const added = Array.from({ length: 11 }, (_item, index) => `tenant-${String(index + 1).padStart(2, '0')}`);

test('a list of tenants: several rows, filter, columns, context menu and keys', async ({ farkeep }) => {
  test.setTimeout(120_000);
  const { page } = farkeep;
  const { keyboard } = page;
  const window = new ConsoleWindow(page);
  await new FirstStartPage(page).tryItHere();
  await new SessionPage(page, 'Sample documents').expectEnd('Success', 'to');
  await addTenants(farkeep);
  await window.open('Tenants');
  const table = page.getByRole('grid', { name: 'Tenants' });
  const head = page.getByRole('main');
  const row = (name: string): Locator => window.row('Tenants', name);
  const selected = table.getByRole('row', { selected: true });

  await test.step('Ctrl and Shift select several rows; Shift selects no text', async () => {
    await expect(head.getByText('12 tenants', { exact: true })).toBeVisible();
    await expect(table).toHaveAttribute('aria-multiselectable', 'true');
    await table.getByRole('button', { name: 'Name' }).click();
    await row('tenant-02').click();
    await expect(page.getByRole('complementary', { name: 'tenant-02' })).toBeVisible();
    await row('tenant-05').click({ modifiers: ['Shift'] });
    await row('tenant-08').click({ modifiers: ['ControlOrMeta'] });
    await expect(selected).toHaveCount(5);
    await expect(head.getByText('5 selected', { exact: true })).toBeVisible();
    await expect(page.getByRole('complementary')).toHaveCount(0);
    await expect(window.command('Set password...')).toBeDisabled();
    expect(await page.evaluate(() => getSelection()?.toString() ?? '')).toBe('');
    await farkeep.expectAccessible('lists-several');
  });

  await test.step('the context menu opens by keyboard, and the focus returns', async () => {
    await keyboard.press('Shift+F10');
    const menu = page.getByRole('menu', { name: 'Commands for Tenants' });
    await expect(menu.getByRole('menuitem', { name: 'Remove...' })).toBeVisible();
    await farkeep.expectAccessible('lists-menu');
    await keyboard.press('Escape');
    await expect(menu).toBeHidden();
    await expect(table).toBeFocused();
    await row('tenant-11').click({ button: 'right' });
    await expect(selected).toHaveCount(1);
    await expect(menu).toBeVisible();
    await keyboard.press('Escape');
  });

  await test.step('a bulk action names the rows; Delete asks, and the safe answer has the focus', async () => {
    await row('tenant-01').click();
    for (let count = 0; count < 6; count += 1) await keyboard.press('Shift+ArrowDown');
    await expect(selected).toHaveCount(7);
    await keyboard.press('Delete');
    const question = page.getByRole('alertdialog', { name: 'Remove 7 tenants?' });
    await expect(question).toContainText('“tenant-01”, “tenant-02”, “tenant-03”, “tenant-04”, “tenant-05” and 2 more');
    await expect(question.getByRole('button', { name: 'Cancel' })).toBeFocused();
    await question.getByRole('button', { name: 'Remove tenants' }).click();
    await expect(question).toBeHidden();
    await expect(head.getByText('5 tenants', { exact: true })).toBeVisible();
    await expect(table).toBeFocused();
  });

  await test.step('several tenants are disabled, and the filter finds them', async () => {
    await row('tenant-08').click();
    await row('tenant-09').click({ modifiers: ['Shift'] });
    await window.command('Disable').click();
    await page.getByRole('button', { name: 'Disable tenants' }).click();
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await page.getByRole('menuitemradio', { name: 'Disabled' }).click();
    await expect(head.getByText('2 of 5', { exact: true })).toBeVisible();
    await window.open('Gateways');
    await keyboard.press('Alt+ArrowLeft');
    await expect(page.getByRole('heading', { level: 1, name: 'Tenants' })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Filter: Disabled' })).toBeVisible();
    await expect(head.getByText('2 of 5', { exact: true })).toBeVisible();
  });

  await test.step('Ctrl+F searches; F5 keeps the page', async () => {
    await keyboard.press('ControlOrMeta+f');
    const search = page.getByRole('searchbox', { name: 'Search tenants' });
    await expect(search).toBeFocused();
    await keyboard.type('tenant-09');
    await expect(head.getByText('1 of 5', { exact: true })).toBeVisible();
    await keyboard.press('F5');
    await expect(row('tenant-09')).toBeVisible();
    await search.fill('');
    await page.getByRole('button', { name: 'Filter: Disabled' }).click();
    await page.getByRole('menuitemradio', { name: 'All' }).click();
  });

  await test.step('a hidden column stays hidden on the next visit, and details hide no column', async () => {
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByRole('menuitemcheckbox', { name: 'Quota' }).click();
    await keyboard.press('Escape');
    await expect(table.getByRole('columnheader', { name: 'Quota' })).toHaveCount(0);
    await row('tenant-10').click();
    await expect(page.getByRole('complementary', { name: 'tenant-10' })).toBeVisible();
    await expect(table.getByRole('columnheader')).toHaveCount(5);
    await keyboard.press('Escape');
    await expect(page.getByRole('complementary')).toHaveCount(0);
    await expect(table).toBeFocused();
    await window.open('Gateways');
    await window.open('Tenants');
    await expect(table.getByRole('columnheader')).toHaveCount(5);
  });

  await test.step('the ring of the focus is visible on all four sides', async () => {
    await table.focus();
    await keyboard.press('ArrowDown');
    const ring = table.locator('[role="row"][aria-selected="true"]');
    await expect(ring).toHaveCSS('outline-style', 'solid');
    await expect(ring).toHaveCSS('outline-offset', '-2px');
  });

  await test.step('zoom by keyboard is kept in the preferences', async () => {
    const width = await innerWidth(page);
    await keyboard.press('ControlOrMeta+=');
    await expect.poll(() => innerWidth(page)).toBeLessThan(width);
    const preferences = await farkeep.call('console', 'console', 'getPreferences');
    expect(preferences).toMatchObject({ ok: true, value: { zoom: 1.1 } });
    await keyboard.press('ControlOrMeta+0');
    await expect.poll(() => innerWidth(page)).toBe(width);
  });

  await test.step('the dark theme has dark scroll bars', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(() => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('dark');
  });
});

function innerWidth(page: Page): Promise<number> {
  return page.evaluate(() => globalThis.innerWidth);
}

async function addTenants(farkeep: FarkeepConsole): Promise<void> {
  for (const name of added) {
    const result = await farkeep.call('provider', 'tenants', 'add', {
      name,
      password: 'correct horse battery',
      quotas: [{ repository: 'Sample repository', limitBytes: 1e9 }],
    });
    if (!result.ok) throw new Error(result.error.message);
  }
}
