// Trust as people meet it: one prompt for many jobs, a broken journal, and unusable files of the trust settings.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makePem } from '../fixtures/certificate-files.ts';
import { jobs, pointCount, runJobs, sessionStates, value } from '../fixtures/console-calls.ts';
import { expect, test } from '../fixtures/console-test.ts';
import { chooseNext } from '../fixtures/file-dialogs.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';
import { TrustPrompt } from '../pages/trust-prompt.ts';

test('three jobs get a changed certificate at once: one prompt, answered from the notification area', async ({
  farkeep,
}) => {
  const { page } = farkeep;
  const prompt = new TrustPrompt(page);
  await new FirstStartPage(page).tryItHere();
  await expect.poll(() => pointCount(farkeep), { timeout: 60_000 }).toBe(1);
  const [sample] = await jobs(farkeep);
  for (const name of ['Mail', 'Pictures']) {
    await value(
      farkeep.call('tenant', 'jobs', 'add', {
        name,
        sourcePaths: sample?.sourcePaths,
        providerId: sample?.providerId,
        repository: sample?.repository,
      }),
    );
  }
  const made = await value(
    farkeep.call('provider', 'certificate', 'generate', { slot: 'provider', friendlyName: 'Sudden', keyBits: 2048 }),
  );
  await value(
    farkeep.call('provider', 'certificate', 'install', { slot: 'provider', candidateId: made['candidateId'] }),
  );
  await runJobs(farkeep);
  await expect
    .poll(async () => (await sessionStates(farkeep)).filter((state) => state === 'waiting-to-resume').length)
    .toBe(3);
  expect((await value(farkeep.call('tenant', 'trust', 'listPrompts')))['prompts']).toHaveLength(1);
  const bell = page.getByRole('button', { name: 'Notifications, 1 waiting' });
  await bell.click();
  const area = page.getByRole('dialog', { name: 'Notifications' });
  await expect(area.getByRole('button', { name: 'Review...' })).toHaveCount(1);
  await area.getByRole('button', { name: 'Review...' }).click();
  await expect(prompt.dialog).toHaveCount(1);
  await prompt.compared.check();
  await prompt.accept.click();
  await expect(page.getByRole('alertdialog')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Notifications', exact: true })).toBeVisible();
  await expect.poll(() => pointCount(farkeep), { timeout: 60_000 }).toBe(4);
  await expect(page.getByRole('alertdialog')).toHaveCount(0);
});

test('a changed journal is reported, and each unusable file of the trust settings has its own message', async ({
  farkeep,
  home,
}) => {
  const { page, app } = farkeep;
  const window = new ConsoleWindow(page);
  await new FirstStartPage(page).tryItHere();
  await expect.poll(() => pointCount(farkeep), { timeout: 60_000 }).toBe(1);
  const options = window.dialog('Options');
  const openSecurity = async (): Promise<void> => {
    await window.chooseFromMenu('Options');
    await options.getByRole('tab', { name: 'Security' }).click();
  };

  await test.step('files: missing, garbage, of the wrong kind, and a good one', async () => {
    await openSecurity();
    const garbage = path.join(home.folder, 'garbage.pem');
    await writeFile(garbage, 'neither a certificate nor a list');
    const good = await makePem(home.folder, { name: 'authority', subject: '/CN=authority', dnsNames: ['a.test'] });
    const missing = path.join(home.folder, 'not-here.crl');
    const section = options.getByRole('region', { name: 'Authorities and revocation' });
    const add = async (kind: RegExp, file: string): Promise<void> => {
      await chooseNext(app, file);
      await section.getByRole('button', { name: kind }).click();
    };
    const alert = section.getByRole('alert');
    const messages: string[] = [];
    for (const kind of [/^Add file.* authorities/, /^Add file.* Revocation/]) {
      await add(kind, missing);
      await expect(alert).toContainText(`${missing} cannot be read`);
      messages.push(await alert.innerText());
      await add(kind, garbage);
      await expect(alert).toContainText(garbage);
      messages.push(await alert.innerText());
      expect(await section.getByRole('listitem').count(), 'files of the settings').toBe(0);
    }
    expect(messages[1]).not.toBe(messages[3]);
    await farkeep.expectAccessible('certificates-settings-error');
    await add(/^Add file.* authorities/, good.certificate);
    await expect(section.getByRole('listitem')).toHaveText([good.certificate]);
    await expect(alert).toHaveCount(0);
    await section.getByRole('button', { name: `Remove ${good.certificate}` }).click();
    await expect(section.getByRole('listitem')).toHaveCount(0);
    await section.getByRole('checkbox', { name: /^Refuse a certificate/ }).click();
    await expect(alert).toContainText('Revocation cannot be required when there is no list');
    await expect(section.getByRole('checkbox', { name: /^Refuse a certificate/ })).not.toBeChecked();
  });

  await test.step('the journal: intact, then changed by another program', async () => {
    await expect(options).toContainText('The chain of 1 entry is intact.');
    await options.getByRole('button', { name: 'Close' }).click();
    const database = new DatabaseSync(path.join(home.folder, 'tenant', 'trust.sqlite'));
    database.exec(`UPDATE journal SET note = 'somebody else was here' WHERE sequence = 1`);
    database.close();
    await openSecurity();
    await expect(options).toContainText('The chain is broken at entry 1: entries were changed outside Farkeep.');
    await options.getByRole('table', { name: 'Trust journal' }).scrollIntoViewIfNeeded();
    await farkeep.expectAccessible('certificates-journal-broken');
  });
});
