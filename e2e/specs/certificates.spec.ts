// Certificates as a provider admin and a tenant admin use them: imported, picked, refused, announced, changed; license and trust settings.
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makePfx } from '../fixtures/certificate-files.ts';
import { expect, test } from '../fixtures/console-test.ts';
import type { FarkeepConsole } from '../fixtures/farkeep-console.ts';
import { chooseNext, saveNext } from '../fixtures/file-dialogs.ts';
import { trustLicenseSigner } from '../fixtures/license-file.ts';
import { CertificateWizard } from '../pages/certificate-wizard.ts';
import { CloudConnectPage } from '../pages/cloud-connect-page.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';
import { TrustPrompt } from '../pages/trust-prompt.ts';

const password = 'Grüße an Köln';

test('a certificate of other software is imported; an unusable one shows the reason; the license gives the subject', async ({
  farkeep,
  home,
}) => {
  const { page, app } = farkeep;
  const window = new ConsoleWindow(page);
  const cloudConnect = new CloudConnectPage(page);
  const writeLicense = await trustLicenseSigner(home);
  const first = await makePfx(home.folder, {
    name: 'first',
    subject: '/O=Northwind Hosting Gesellschaft für Datensicherung/CN=backup.northwind.test',
    dnsName: 'backup.northwind.test',
    password,
  });
  const second = await makePfx(home.folder, {
    name: 'second',
    subject: '/CN=backup2.northwind.test',
    dnsName: 'backup2.northwind.test',
    password,
  });
  await new FirstStartPage(page).tryItHere();
  await expect.poll(() => restorePoints(farkeep), { timeout: 60_000 }).toBe(1);
  await window.open('Cloud Connect');

  await test.step('import: the field shows a wrong password; the right one leads to the summary', async () => {
    await window.command('Manage Certificates').click();
    const wizard = new CertificateWizard(page);
    await wizard.choose('import');
    const content = await wizard.step('Import Certificate');
    await chooseNext(app, first.file);
    await content.getByRole('button', { name: 'Browse...' }).first().click();
    await expect(wizard.field(/^Certificate file/)).toHaveValue(first.file);
    await wizard.password.fill('wrong');
    await wizard.next();
    await expect(content).toContainText(/password/i);
    await expect(wizard.password).toHaveAttribute('aria-invalid', 'true');
    await farkeep.expectAccessible('certificates-import-wrong-password');
    await wizard.password.fill(password);
    await wizard.next();
    const summary = await wizard.step('Summary');
    await expect(summary).toContainText(first.thumbprint);
    await expect(summary).toContainText('Certificate in service: used by');
    await expect(summary).toContainText('sample-tenant');
    await farkeep.expectAccessible('certificates-import-summary');
    expect(await presentedNow(farkeep)).not.toBe(first.thumbprint);
    await wizard.finish();
    await expect(cloudConnect.identity).toContainText('backup.northwind.test');
    expect(await presentedNow(farkeep), 'certificate of a new connection').toBe(first.thumbprint);
  });

  await test.step('import: a file is dropped on the field', async () => {
    await window.command('Manage Certificates').click();
    const wizard = new CertificateWizard(page);
    await wizard.choose('import');
    await wizard.step('Import Certificate');
    await wizard.drop(page, wizard.field(/^Certificate file/), second.file);
    await expect(wizard.field(/^Certificate file/)).toHaveValue(second.file);
    await wizard.password.fill(password);
    await wizard.next();
    await wizard.step('Summary');
    await wizard.finish();
    expect(await presentedNow(farkeep)).toBe(second.thumbprint);
  });

  await test.step('pick: a certificate without a key is grayed, with the reason; leaving in the middle changes nothing', async () => {
    await removeKeyOf(home.folder, first.thumbprint, farkeep);
    const before = await certificates(farkeep);
    await window.command('Manage Certificates').click();
    const wizard = new CertificateWizard(page);
    await wizard.choose('pick');
    const content = await wizard.step('Pick Certificate');
    const grayed = wizard.row(/backup\.northwind/);
    await expect(grayed).toHaveAttribute('aria-disabled', 'true');
    const usable = wizard.row(/identity/i).first();
    for (const contrast of [{ contrast: 'more' }, { forcedColors: 'active' }] as const) {
      await farkeep.page.emulateMedia(contrast);
      const [color = ''] = await Promise.all(
        [grayed, usable].map((row) => row.evaluate((it) => getComputedStyle(it).color)),
      );
      await expect(usable, 'grayed in high contrast as well').not.toHaveCSS('color', color);
    }
    await farkeep.page.emulateMedia({ contrast: null, forcedColors: null });
    await grayed.click({ force: true });
    await expect(content).toContainText('Cannot be used: The private key of this certificate is missing');
    await wizard.next();
    await expect(content).toContainText('Select a certificate that can be used.');
    await farkeep.expectAccessible('certificates-pick');
    await wizard.row(/backup2\.northwind/).click();
    await wizard.next();
    await expect(await wizard.step('Summary')).toContainText(second.thumbprint);
    await wizard.abandon();
    expect(await certificates(farkeep)).toEqual(before);
    expect(await presentedNow(farkeep)).toBe(second.thumbprint);
  });

  await test.step('license: forged and expired ones are refused with the reason, a good one is shown', async () => {
    await window.chooseFromMenu('License');
    const dialog = window.dialog('License');
    await expect(dialog).toContainText('The community license applies, with the name of this computer');
    await farkeep.expectAccessible('certificates-license-community');
    const importFile = async (file: string): Promise<void> => {
      await chooseNext(app, file);
      await dialog.getByRole('button', { name: 'Import license file...' }).click();
    };
    const good = await writeLicense('good', 'Northwind Hosting', '2099-01-01T00:00:00.000Z');
    const forged = path.join(home.folder, 'forged.license');
    await writeFile(forged, (await readFile(good, 'utf8')).replace('Northwind', 'Southwind'));
    await importFile(forged);
    await expect(dialog.getByRole('alert')).toContainText('The signature of the license for "Southwind Hosting"');
    await farkeep.expectAccessible('certificates-license-forged');
    await importFile(await writeLicense('old', 'Northwind Hosting', '2026-02-01T00:00:00.000Z'));
    await expect(dialog.getByRole('alert')).toContainText('expired on 2026-02-01');
    await importFile(good);
    await expect(dialog).toContainText('Northwind Hosting');
    await expect(dialog.getByRole('alert')).toHaveCount(0);
    await farkeep.expectAccessible('certificates-license');
    await dialog.getByRole('button', { name: 'Close' }).click();
  });

  await test.step('the server identity has the same wizard; its subject comes from the license', async () => {
    await window.command('Manage Certificates').click();
    const forProvider = new CertificateWizard(page);
    const radios = await forProvider.typeNames();
    const steps = await forProvider.steps.allInnerTexts();
    await forProvider.abandon();
    await window.chooseFromMenu('Options');
    const options = window.dialog('Options');
    await options.getByRole('tab', { name: 'Security' }).click();
    await expect(options).toContainText('Self-signed');
    await farkeep.expectAccessible('certificates-options-security');
    await options.getByRole('button', { name: 'Install...' }).click();
    const wizard = new CertificateWizard(page);
    expect(await wizard.typeNames()).toEqual(radios);
    expect(radios).toHaveLength(4);
    await wizard.dialog.getByRole('radio', { name: 'Generate new certificate' }).check();
    expect((await wizard.steps.allInnerTexts()).length).toBeGreaterThanOrEqual(steps.length);
    await wizard.next();
    await expect(await wizard.step('Generate Certificate')).toContainText('Northwind Hosting');
    await farkeep.expectAccessible('certificates-server-generate');
    await wizard.abandon();
    await options.getByRole('button', { name: 'Close' }).click();
  });

  expect(await farkeep.policyViolations()).toEqual([]);
});

test('a change is announced and canceled; an unannounced one is compared by the tenant before its job continues', async ({
  farkeep,
  home,
}) => {
  const { page, app } = farkeep;
  const window = new ConsoleWindow(page);
  const cloudConnect = new CloudConnectPage(page);
  await new FirstStartPage(page).tryItHere();
  await expect.poll(() => restorePoints(farkeep), { timeout: 60_000 }).toBe(1);
  await window.open('Cloud Connect');
  await expect(cloudConnect.user('sample-tenant')).toContainText('Up to date');

  await test.step('the thumbprint as QR code', async () => {
    await cloudConnect.identity.getByRole('button', { name: 'Show QR code' }).click();
    await expect(page.getByRole('img', { name: 'Thumbprint as QR code' })).toBeVisible();
    await farkeep.expectAccessible('certificates-qr-code');
    await page.keyboard.press('Escape');
    await expect(page.getByRole('img', { name: 'Thumbprint as QR code' })).toBeHidden();
  });

  await test.step('announce: the banner counts the tenants that have received it, live', async () => {
    await window.command('Announce change...').click();
    const wizard = new CertificateWizard(page);
    await expect(wizard.dialog.getByRole('radio', { name: 'Keep existing certificate' })).toBeDisabled();
    await wizard.choose('generate');
    await wizard.step('Generate Certificate');
    await wizard.field('Friendly name').fill('Northwind 2027');
    await wizard.next();
    const summary = await wizard.step('Summary');
    await expect(summary.getByRole('radio', { name: 'On a date, announced to tenants in advance' })).toBeChecked();
    await summary.getByLabel('Switch on').fill('2020-01-01');
    await wizard.dialog.getByRole('button', { name: 'Finish', exact: true }).click();
    await expect(summary).toContainText('Choose a time in the future');
    await farkeep.expectAccessible('certificates-announce-summary');
    const inTwoWeeks = new Date(Date.now() + 14 * 86_400_000).toISOString().slice(0, 10);
    await summary.getByLabel('Switch on').fill(inTwoWeeks);
    await summary.getByLabel('At (local time)').fill('06:30');
    expect(await wizard.command()).toContain('farkeep certificate rollover announce');
    await wizard.finish();
    await expect(cloudConnect.rollover).toContainText('Northwind 2027');
    await expect(cloudConnect.rollover).toContainText('0 of 1');
    await expect(cloudConnect.user('sample-tenant')).toContainText('Pending');
    await runSampleJob(farkeep);
    await expect(cloudConnect.rollover).toContainText('1 of 1');
    await expect(cloudConnect.user('sample-tenant')).toContainText('Informed');
    await farkeep.expectAccessible('certificates-rollover-banner');
  });

  await test.step('cancel: asks first', async () => {
    const cancel = cloudConnect.rollover.getByRole('button', { name: 'Cancel rollover...' });
    await cancel.click();
    const question = page.getByRole('alertdialog', { name: 'Cancel the planned rollover?' });
    await farkeep.expectAccessible('certificates-rollover-cancel');
    await question.getByRole('button', { name: 'Keep rollover' }).click();
    await expect(cloudConnect.rollover).toBeVisible();
    await cancel.click();
    await question.getByRole('button', { name: 'Cancel rollover', exact: true }).click();
    await expect(cloudConnect.rollover).toBeHidden();
  });

  let thumbprint = '';
  await test.step('another certificate is installed at once', async () => {
    await window.command('Manage Certificates').click();
    const wizard = new CertificateWizard(page);
    await wizard.choose('generate');
    await wizard.step('Generate Certificate');
    await wizard.field('Friendly name').fill('Northwind sudden');
    await wizard.next();
    const summary = await wizard.step('Summary');
    thumbprint = /[0-9A-F]{2}(:[0-9A-F]{2}){31}/.exec(await summary.innerText())?.[0] ?? '';
    await expect(summary).toContainText('sample-tenant');
    await wizard.finish();
    await expect(cloudConnect.user('sample-tenant')).toContainText('Pending');
  });

  await test.step('the job waits; the prompt is in the notification area, and it can only be accepted after a comparison', async () => {
    await runSampleJob(farkeep);
    const bell = page.getByRole('button', { name: 'Notifications, 1 waiting' });
    await expect(bell).toBeVisible({ timeout: 30_000 });
    await bell.click();
    const area = page
      .getByRole('group', { name: 'Notifications' })
      .or(page.getByRole('dialog', { name: 'Notifications' }));
    await expect(area).toContainText('Job “Sample documents” is waiting for your decision.');
    await area.getByRole('button', { name: 'Review...' }).click();
    const prompt = new TrustPrompt(page);
    await expect(prompt.dialog).toContainText('has changed');
    await expect(prompt.accept).toBeDisabled();
    await farkeep.expectAccessible('certificates-prompt-changed');
    await prompt.compared.check();
    await expect(prompt.accept).toBeEnabled();
    await prompt.compared.uncheck();
    await expect(prompt.accept).toBeDisabled();
    await prompt.verify(`00${thumbprint.slice(2)}`);
    await expect(prompt.dialog).toContainText('Does not match');
    await expect(prompt.accept).toBeDisabled();
    await expect(prompt.compared).toBeDisabled();
    await prompt.verify(thumbprint);
    await expect(prompt.dialog).toContainText('Matches the presented certificate');
    await farkeep.expectAccessible('certificates-prompt-verified');
    await prompt.accept.click();
    await expect(prompt.dialog).toBeHidden();
    await expect(cloudConnect.user('sample-tenant')).toContainText('Re-accepted', { timeout: 30_000 });
    await farkeep.expectAccessible('certificates-board');
  });

  await test.step('the journal has the answers and its chain is intact; trusted hosts are moved by a file', async () => {
    await window.chooseFromMenu('Options');
    const options = window.dialog('Options');
    await options.getByRole('tab', { name: 'Security' }).click();
    await expect(options).toContainText('1 trusted host');
    const journal = options.getByRole('table', { name: 'Trust journal' });
    await expect(
      journal
        .getByRole('row')
        .filter({ hasText: thumbprint.slice(0, 8) })
        .first(),
    ).toBeVisible();
    await expect(options).toContainText(/intact/i);
    const hosts = path.join(home.folder, 'hosts.json');
    await saveNext(app, hosts);
    await options.getByRole('button', { name: 'Export...' }).click();
    await expect.poll(() => readFile(hosts, 'utf8').catch(() => '')).toContain('BEGIN CERTIFICATE');
    await chooseNext(app, hosts);
    await options.getByRole('button', { name: 'Import...' }).click();
    await expect(options).toContainText(/known.*Farkeep provider/i);
    await journal.scrollIntoViewIfNeeded();
    await farkeep.expectAccessible('certificates-journal');
  });

  expect(await farkeep.policyViolations()).toEqual([]);
});

/** Thumbprint of the certificate that a new connection through the gateway gets. */
async function presentedNow(farkeep: FarkeepConsole): Promise<string> {
  const address = { host: '127.0.0.1', port: farkeep.home.gatewayPort };
  const result = await farkeep.call('tenant', 'serviceProviders', 'probe', address);
  if (!result.ok) throw new Error(result.error.message);
  return (result.value as { certificate: { sha256: string } }).certificate.sha256;
}

interface Stored {
  readonly id: string;
  readonly summary: { readonly sha256: string };
}

async function certificates(farkeep: FarkeepConsole): Promise<Stored[]> {
  const result = await farkeep.call('provider', 'certificate', 'list');
  if (!result.ok) throw new Error(result.error.message);
  return (result.value as { certificates: Stored[] }).certificates;
}

/** Deletes the key of a certificate, as an admin could do by mistake. */
async function removeKeyOf(home: string, thumbprint: string, farkeep: FarkeepConsole): Promise<void> {
  const stored = (await certificates(farkeep)).find(({ summary }) => summary.sha256 === thumbprint);
  const files = await readdir(path.join(home, 'provider'), { recursive: true });
  const key = files.find((file) => file.endsWith(path.join(stored?.id ?? 'none', 'key.pem')));
  if (key === undefined) throw new Error('The key file is not where it was expected');
  await rm(path.join(home, 'provider', key));
}

async function restorePoints(farkeep: FarkeepConsole): Promise<number> {
  const result = await farkeep.call('tenant', 'points', 'list');
  return result.ok ? (result.value as { points: unknown[] }).points.length : 0;
}

async function runSampleJob(farkeep: FarkeepConsole): Promise<void> {
  const listed = await farkeep.call('tenant', 'jobs', 'list');
  const jobId = listed.ok ? (listed.value as { jobs: { id: string }[] }).jobs[0]?.id : undefined;
  const result = await farkeep.call('tenant', 'jobs', 'run', { jobId });
  if (!result.ok) throw new Error(result.error.message);
}
