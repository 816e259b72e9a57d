// What an admin sees when something is damaged, about to be removed, or cannot be reached: exactly what is known.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '../fixtures/console-test.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';
import { SessionPage } from '../pages/session-page.ts';
import { Wizard } from '../pages/wizard.ts';

test('damage stays visible, removing asks, and a provider that does not answer is not shown as an empty list', async ({
  farkeep,
  home,
}) => {
  test.setTimeout(180_000);
  const { page } = farkeep;
  const window = new ConsoleWindow(page);
  await new FirstStartPage(page).tryItHere();
  await new SessionPage(page, 'Sample documents').expectEnd('Success', 'to');

  await test.step('the list shows the damage that a check has found', async () => {
    await window.open('Repositories');
    const repository = window.row('Repositories', 'Sample repository');
    await expect(repository).toContainText('Ready');
    await damagePack(path.join(home.folder, 'sample', 'repository'));
    await repository.click();
    await window.command('Verify...').click();
    const question = window.dialog(/^Verify repository/);
    await question.getByRole('radio', { name: 'Also unpack every block (slower)' }).check();
    await farkeep.expectAccessible('repository-verify');
    await question.getByRole('button', { name: 'Verify', exact: true }).click();
    const result = page.getByRole('table', { name: /is damaged/ });
    await expect(result).toBeVisible({ timeout: 30_000 });
    await farkeep.expectAccessible('repository-damaged');
    const isWithin = await result.evaluate((table) => table.getBoundingClientRect().right <= globalThis.innerWidth);
    expect(isWithin, 'no column lies outside the window').toBe(true);
    await page.getByRole('main').getByRole('button', { name: 'Close', exact: true }).first().click();
    await expect(repository).toContainText('Damaged');
    await window.open('Overview');
    await expect(page.getByRole('main')).toContainText('1 of 1 damaged');
  });

  await test.step('a repository gets another name and its tenant another quota', async () => {
    await window.open('Repositories');
    await window.row('Repositories', 'Sample repository').click();
    await window.command('Edit...').click();
    const repository = new Wizard(page, /^Repository “/);
    await repository.step('Name');
    await repository.field(/^Name/).fill('');
    await repository.next();
    await expect(repository.dialog).toContainText('This field is required.');
    await repository.field(/^Name/).fill('Sample vault');
    await expect(repository.dialog).not.toContainText('This field is required.');
    await repository.next();
    await repository.step('Folder');
    await repository.field('Folder').fill('/proc/farkeep/x');
    await repository.next();
    await expect(repository.dialog).toContainText('no folder can be created there');
    await repository.field('Folder').fill(path.join(home.folder, 'sample', 'repository'));
    await expect(repository.dialog).not.toContainText('no folder can be created there');
    await repository.next();
    await repository.step('Summary');
    await repository.finish();
    await expect(window.row('Repositories', 'Sample vault')).toBeVisible();
    await window.open('Tenants');
    await window.row('Tenants', 'sample-tenant').click();
    await window.command('Edit...').click();
    const tenant = new Wizard(page, /^Tenant “/);
    await tenant.step('Tenant');
    await tenant.field('Simultaneous tasks').fill('2');
    await farkeep.expectAccessible('tenant-edit');
    await tenant.next();
    await tenant.step('Backup Resources');
    await tenant.field('Quota, Sample vault').fill('7');
    await tenant.next();
    await tenant.step('Summary');
    await expect(tenant.dialog).toContainText('Sample vault: 7.0 GB');
    await farkeep.expectAccessible('tenant-edit-summary');
    await tenant.finish();
    await expect(window.row('Tenants', 'sample-tenant')).toContainText('7.0 GB');
  });

  await test.step('an invitation says when it expires, and a new password is shown once', async () => {
    await window.command('Invitation...').click();
    const invitation = window.dialog(/^Invitation for/);
    await invitation.getByRole('combobox', { name: 'Valid for' }).selectOption({ label: '7 days' });
    await farkeep.expectAccessible('tenant-invitation');
    await invitation.getByRole('button', { name: 'Create invitation' }).click();
    await expect(invitation.getByRole('status').first()).toContainText('It expires on');
    await expect(invitation.getByRole('button', { name: 'Save file...' })).toBeFocused();
    await invitation.getByRole('button', { name: 'Close' }).click();
    await window.command('Set password...').click();
    const password = window.dialog(/^Set the password/);
    await password.getByRole('button', { name: 'Generate' }).click();
    await password.getByRole('button', { name: 'Set password' }).click();
    await expect(password.getByRole('group', { name: 'New password' })).toContainText(/(\w{4}-){4}\w{4}/);
    await farkeep.expectAccessible('tenant-password');
    await password.getByRole('button', { name: 'Close' }).click();
  });

  await test.step('a repository in which a tenant has a quota cannot be removed, and the button says why', async () => {
    await window.open('Repositories');
    await window.row('Repositories', 'Sample vault').click();
    const remove = window.command('Remove...');
    await expect(remove).toHaveAttribute('aria-disabled', 'true');
    await remove.hover();
    await expect(page.getByRole('tooltip')).toContainText('1 tenant has a quota in this repository');
  });

  await test.step('removing a tenant or a repository asks; the safe button has the focus', async () => {
    const folder = path.join(home.folder, 'sample', 'spare');
    await farkeep.call('provider', 'repositories', 'add', { name: 'Spare repository', folder });
    for (const [list, name, lost] of [
      ['Tenants', 'sample-tenant', /no longer back up or restore.*What is kept: .*“Sample vault”/s],
      ['Repositories', 'Spare repository', /no longer back up to it.*What is kept: the folder .*0 restore points/s],
    ] as const) {
      await window.open(list);
      await window.row(list, name).click();
      await window.command('Remove...').click();
      const question = page.getByRole('alertdialog', { name: new RegExp(`^Remove .*“${name}”\\?$`) });
      await expect(question).toContainText(lost);
      await farkeep.expectAccessible(`remove-${list.toLowerCase()}`);
      await expect(question.getByRole('button', { name: 'Cancel' })).toBeFocused();
      await page.keyboard.press('Enter');
      await expect(question).toBeHidden();
      await expect(window.row(list, name)).toBeVisible();
    }
  });

  await test.step('the list of restore points of a provider that does not answer does not say "none yet"', async () => {
    await farkeep.call('console', 'console', 'setRoles', { roles: ['gateway', 'tenant'] });
    await window.open('Restore points');
    await window.command('Refresh').click();
    await expect(page.getByText('could not be read')).toBeVisible({ timeout: 30_000 });
    await expect(page.getByRole('main')).toContainText('Restore points are unavailable');
    await expect(page.getByText('No restore points yet')).toBeHidden();
    await farkeep.expectAccessible('points-unknown');
  });

  await test.step('a session that failed at its start shows no figures and no deleted key', async () => {
    await window.open('Jobs');
    await window.row('Jobs', 'Sample documents').click();
    await window.command('Run').click();
    const session = new SessionPage(page, 'Sample documents');
    await expect(session.state).toHaveText('Failed', { timeout: 30_000 });
    const main = page.getByRole('main');
    await expect(main).toContainText('The session ended before its speed could be measured.');
    await expect(main).not.toContainText('keys are erased');
    await expect(main.getByRole('region', { name: 'Data' }).getByRole('definition').first()).toHaveText('–');
    await expect(page.getByText('No session running')).toBeVisible();
    await farkeep.expectAccessible('session-at-the-door');
  });
});

test('an admin looks into a restore point, at the stored certificates, and at the trust in a gateway', async ({
  farkeep,
  home,
}) => {
  test.setTimeout(180_000);
  const { page } = farkeep;
  const window = new ConsoleWindow(page);
  await new FirstStartPage(page).tryItHere();
  await new SessionPage(page, 'Sample documents').expectEnd('Success', 'to');

  await test.step('a file is found in a restore point, and then restored', async () => {
    await window.open('Restore points');
    await window.row('Restore points', 'Sample documents').click();
    await window.command('Find...').click();
    const find = window.dialog(/^Find in the restore point/);
    await find.getByRole('searchbox').fill('e');
    const entry = find.getByRole('treeitem').first();
    await expect(entry).toBeVisible({ timeout: 30_000 });
    await farkeep.expectAccessible('point-find');
    await entry.getByRole('checkbox').click();
    await find.getByRole('button', { name: 'Restore selected...' }).click();
    const wizard = new Wizard(page, 'Restore');
    await wizard.step('Point');
    await wizard.next();
    await expect(wizard.dialog).toContainText('1 item selected');
    await wizard.abandon();
  });

  await test.step('a stored certificate is renamed, and one in service cannot be removed', async () => {
    await window.open('Cloud Connect');
    await window.command('Certificates...').click();
    const dialog = window.dialog('Certificates');
    const row = dialog.getByRole('row').filter({ hasText: 'Provider identity' }).first();
    await row.click();
    await farkeep.expectAccessible('stored-certificates');
    await expect(dialog.getByRole('button', { name: 'Remove...' })).toHaveAttribute('aria-disabled', 'true');
    await dialog.getByRole('button', { name: 'Rename...' }).click();
    const rename = window.dialog(/^Rename certificate/);
    await rename.getByRole('textbox').fill('Northwind 2027');
    await rename.getByRole('button', { name: 'Rename', exact: true }).click();
    await expect(dialog.getByRole('row').filter({ hasText: 'Northwind 2027' })).toBeVisible();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await expect(page.getByRole('main')).toContainText('Northwind 2027');
  });

  await test.step('the trust in a gateway is checked', async () => {
    await window.chooseFromMenu('Options');
    const options = window.dialog('Options');
    await options.getByRole('tab', { name: 'Security' }).click();
    await expect(options).toContainText('Journal head: ');
    await options.getByRole('button', { name: 'Check trust...' }).click();
    const check = window.dialog('Check trust');
    await check.getByRole('button', { name: 'Check', exact: true }).click();
    await expect(check).toContainText('This field is required.');
    await check.getByRole('textbox', { name: /gateway/ }).fill('127.0.0.1');
    await expect(check).not.toContainText('This field is required.');
    await check.getByRole('textbox', { name: 'Port' }).fill(String(home.gatewayPort));
    await check.getByRole('button', { name: 'Check', exact: true }).click();
    await expect(check).toContainText('This is exactly the accepted certificate.', { timeout: 30_000 });
    await farkeep.expectAccessible('trust-check');
  });
});

/** Changes every 50th byte of a pack. */
async function damagePack(repository: string): Promise<void> {
  const entries = await readdir(repository, { recursive: true });
  const pack = entries.find((name) => name.endsWith('.pack'));
  if (pack === undefined) throw new Error('There is no pack');
  const file = path.join(repository, pack);
  const bytes = await readFile(file);
  for (let at = 100; at < bytes.length; at += 50) bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(file, bytes);
}
