// A provider sets another password. The tenant enters it in the console, and edits the job.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '../fixtures/console-test.ts';
import { jobs, runJobs, sessionStates, value } from '../fixtures/console-calls.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';
import { SessionPage } from '../pages/session-page.ts';
import { Wizard } from '../pages/wizard.ts';

const newPassword = 'another horse battery staple';

test('a changed password is entered, and the job runs again; then the job gets another name and other sources', async ({
  farkeep,
  home,
}) => {
  const { page } = farkeep;
  const window = new ConsoleWindow(page);
  await new FirstStartPage(page).tryItHere();
  const expectSuccesses = async (count: number): Promise<void> => {
    const counted = async (): Promise<number> =>
      (await sessionStates(farkeep)).filter((state) => state === 'succeeded').length;
    await expect.poll(counted, { timeout: 60_000 }).toBe(count);
  };
  await expectSuccesses(1);
  const [job] = await jobs(farkeep);
  const jobName = job?.name ?? '';
  const { providers } = (await value(farkeep.call('tenant', 'serviceProviders', 'list'))) as {
    providers: { name: string; userName: string }[];
  };
  const { name: providerName, userName } = providers[0] ?? { name: '', userName: '' };
  const main = page.getByRole('main');
  const dialog = page.getByRole('dialog', { name: `Service provider “${providerName}”` });

  await test.step('the provider sets another password', async () => {
    await window.open('Tenants');
    await window.row('Tenants', userName).click();
    await window.command('Set password...').click();
    const setting = page.getByRole('dialog', { name: `Set the password of “${userName}”` });
    await setting.getByRole('textbox', { name: /^Password/ }).fill(newPassword);
    await setting.getByRole('button', { name: 'Set password', exact: true }).click();
    await expect(setting.getByRole('group', { name: 'New password' })).toContainText(newPassword);
    await setting.getByRole('button', { name: 'Close', exact: true }).click();
    await expect(setting).toBeHidden();
  });

  await test.step('the job fails, and its session offers to enter the new password', async () => {
    await window.open('Jobs');
    await window.row('Jobs', jobName).click();
    await window.command('Run').click();
    await expect(new SessionPage(page, jobName).state).toHaveText('Failed', { timeout: 60_000 });
    await main.getByRole('button', { name: 'Enter new password...' }).click();
    const field = dialog.getByLabel('New password', { exact: true });
    await expect(field).toBeFocused();
    await farkeep.expectAccessible('provider-new-password');
    await field.fill('not the new password');
    await page.keyboard.press('Enter');
    await expect(dialog.getByText('User name or password is wrong')).toBeVisible({ timeout: 30_000 });
    await dialog.getByRole('button', { name: 'Cancel', exact: true }).click();
    await expect(dialog).toBeHidden();
  });

  await test.step('an error beside a field disappears when the field is corrected', async () => {
    await window.open('Service providers');
    await expect(main.getByText(`${providerName} refuses the saved password.`)).toBeVisible();
    await farkeep.expectAccessible('providers-refused-login');
    await main.getByRole('button', { name: 'Enter new password...' }).click();
    const port = dialog.getByRole('textbox', { name: /^Port/ });
    const typed = await port.inputValue();
    await port.fill('0');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(port).toHaveAttribute('aria-invalid', 'true');
    await port.fill(typed);
    await expect(port).not.toHaveAttribute('aria-invalid', 'true');
  });

  await test.step('with the new password, the next backup works', async () => {
    await dialog.getByLabel('New password', { exact: true }).fill(newPassword);
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(dialog).toBeHidden({ timeout: 30_000 });
    await expect(main.getByText(`${providerName} refuses the saved password.`)).toBeHidden();
    await runJobs(farkeep);
    await expectSuccesses(2);
  });

  await test.step('the job gets another name and other sources; a folder that does not exist is refused beside its field', async () => {
    const [documents, missing] = [path.join(home.folder, 'documents'), path.join(home.folder, 'missing')];
    await mkdir(documents);
    await writeFile(path.join(documents, 'a.txt'), 'a');
    await window.open('Jobs');
    await window.row('Jobs', jobName).click();
    await window.command('Edit...').click();
    const wizard = new Wizard(page, `Backup Job “${jobName}”`);
    await wizard.step('Name');
    const name = wizard.field(/^Name/);
    await expect(name).toHaveValue(jobName);
    await name.fill('');
    await wizard.next();
    await expect(name).toHaveAttribute('aria-invalid', 'true');
    await name.fill('Papers');
    await expect(name).not.toHaveAttribute('aria-invalid', 'true');
    await wizard.next();
    await wizard.step('Source');
    await wizard.dialog.getByRole('button', { name: 'Add another folder' }).click();
    const second = wizard.field(/^Folder 2/);
    await second.fill(missing);
    await wizard.next();
    await expect(wizard.dialog.getByText('This folder does not exist')).toBeVisible();
    await expect(second).toBeFocused();
    await farkeep.expectAccessible('job-missing-source');
    await second.fill(documents);
    await expect(wizard.dialog.getByText('This folder does not exist')).toBeHidden();
    await wizard.next();
    await wizard.step('Destination');
    await wizard.field(/^Data streams/).fill('4');
    await wizard.next();
    await wizard.step('Summary');
    await farkeep.expectAccessible('job-edit-summary');
    await wizard.finish();
    const sourcePaths = [...(job?.sourcePaths ?? []), documents];
    expect(await jobs(farkeep)).toMatchObject([{ id: job?.id, name: 'Papers', streams: 4, sourcePaths }]);
    await expect(window.row('Jobs', 'Papers')).toBeVisible();
    await runJobs(farkeep);
    await expectSuccesses(3);
  });
  expect(await farkeep.policyViolations()).toEqual([]);
});
