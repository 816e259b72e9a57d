// Layout of certificates and trust: every page and dialog with difficult content (a long subject, 40 names, 12 tenants, every error), in
// two sizes and two color modes, each without a violation of the accessibility rules. FARKEEP_ALL_LOOKS=1 uses every combination.
import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makePem, makePfx } from '../fixtures/certificate-files.ts';
import { addTwelveTenants } from '../fixtures/certificate-users.ts';
import { expect, test } from '../fixtures/console-test.ts';
import type { FarkeepConsole } from '../fixtures/farkeep-console.ts';
import { lookAt } from '../fixtures/looks.ts';
import { CertificateWizard } from '../pages/certificate-wizard.ts';
import { CloudConnectPage } from '../pages/cloud-connect-page.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';
import { TrustPrompt } from '../pages/trust-prompt.ts';
import { Wizard } from '../pages/wizard.ts';

const longSubject =
  '/C=DE/ST=Freistaat Bayern und angrenzende Länder/L=Dettingen an der Erms, Ortsteil Buchhalde/O=Vereinigte Gesellschaften für ferne Datensicherung mbH/OU=Abteilung für Rechenzentren, Netze und Notfallvorsorge/OU=Team Zertifikate/CN=sicherung-und-rueckspielung.rechenzentrum-sued.northwind.test';
const fortyNames = Array.from(
  { length: 40 },
  (_item, index) => `gateway-${index + 1}.rechenzentrum-sued.northwind.test`,
);

test('certificates and trust, with difficult content for each page', async ({ farkeep, home }) => {
  test.setTimeout(600_000);
  const { page } = farkeep;
  const window = new ConsoleWindow(page);
  const cloudConnect = new CloudConnectPage(page);
  const prompt = new TrustPrompt(page);
  const long = await makePem(home.folder, { name: 'long', subject: longSubject, dnsNames: fortyNames });
  const longer = await makePem(home.folder, { name: 'longer', subject: longSubject, dnsNames: ['localhost'] });
  await new FirstStartPage(page).tryItHere();
  await expect.poll(() => pointCount(farkeep), { timeout: 60_000 }).toBe(1);
  await window.open('Cloud Connect');
  await page.mouse.move(0, 0);
  const wizard = new CertificateWizard(page);
  const firstThumbprint = await thumbprintInService(farkeep);

  await test.step('the wizard: type, generate, import with its errors, summary', async () => {
    await lookAt(farkeep, 'look-cloud-connect');
    await window.command('Manage Certificates').click();
    await wizard.step('Certificate Type');
    await lookAt(farkeep, 'look-wizard-type');
    await wizard.dialog.getByRole('button', { name: /^Show what uses/ }).click();
    await expect(wizard.dialog.getByRole('table')).toBeVisible();
    await lookAt(farkeep, 'look-wizard-type-usage');
    await wizard.choose('generate');
    await expect(await wizard.step('Generate Certificate')).toContainText('RSA');
    await lookAt(farkeep, 'look-wizard-generate');
    await wizard.field('Friendly name').fill('');
    await wizard.next();
    await lookAt(farkeep, 'look-wizard-generate-error', { isVariant: true });
    await wizard.field('Friendly name').fill('Farkeep certificate 2026');
    await wizard.next();
    await wizard.step('Summary');
    await lookAt(farkeep, 'look-wizard-generate-summary', { isVariant: true });
    await wizard.previous();
    await wizard.previous();
    await wizard.choose('import');
    const content = await wizard.step('Import Certificate');
    await lookAt(farkeep, 'look-wizard-import', { isVariant: true });
    for (const [name, fill] of Object.entries(await makeBadFiles(home.folder))) {
      await wizard.field(/^Certificate file/).fill(fill.file);
      await wizard.password.fill(fill.password ?? '');
      await wizard.field(/^Private key file/).fill(fill.keyFile ?? '');
      await wizard.next();
      await expect(content.locator('[aria-invalid="true"]').first()).toBeVisible();
      await lookAt(farkeep, `look-wizard-import-${name}`, { isVariant: name !== 'weak' });
    }
    await importLong(wizard, long.certificate, long.key);
    await expect(await wizard.step('Summary')).toContainText(long.thumbprint);
    await lookAt(farkeep, 'look-wizard-summary-long');
    await wizard.dialog.getByRole('button', { name: 'Show command' }).scrollIntoViewIfNeeded();
    await wizard.command();
    await wizard.dialog.getByRole('group', { name: 'Equivalent command' }).scrollIntoViewIfNeeded();
    await lookAt(farkeep, 'look-wizard-summary-command');
    await wizard.dialog.getByRole('button', { name: 'Cancel', exact: true }).click();
    await lookAt(farkeep, 'look-wizard-leave');
    await page.getByRole('button', { name: 'Stay' }).click();
    await wizard.finish();
  });

  await test.step('the prompt of a job: changed certificate with a long subject', async () => {
    await meetCertificate(farkeep);
    await lookAt(farkeep, 'look-notice', { isVariant: true });
    await page.getByRole('button', { name: /^Notifications, 1/ }).click();
    await lookAt(farkeep, 'look-notifications');
    await page.getByRole('dialog', { name: 'Notifications' }).getByRole('button', { name: 'Review...' }).click();
    await expect(prompt.dialog).toBeVisible();
    await lookAt(farkeep, 'look-prompt-changed');
    await prompt.verify(`00${long.thumbprint.slice(2)}`);
    await expect(prompt.dialog).toContainText('Does not match');
    await lookAt(farkeep, 'look-prompt-changed-mismatch');
    await prompt.verify('no digits');
    await expect(prompt.dialog).toContainText('64 hex digits');
    await lookAt(farkeep, 'look-prompt-changed-malformed', { isVariant: true });
    await prompt.verify(long.thumbprint);
    await expect(prompt.dialog).toContainText('Matches the presented certificate');
    await lookAt(farkeep, 'look-prompt-changed-match');
    await prompt.accept.click();
    await expect(cloudConnect.user('sample-tenant')).toContainText('Re-accepted', { timeout: 30_000 });
    // This session continues over a connection with the old certificate, so the next session must open a new one.
    await expect.poll(() => pointCount(farkeep), { timeout: 60_000 }).toBe(2);
    await expect(page.getByText('No session running')).toBeVisible({ timeout: 30_000 });
  });

  await test.step('both certificates with a long subject; the list of users with twelve tenants', async () => {
    await window.command('Manage Certificates').click();
    await wizard.step('Certificate Type');
    await lookAt(farkeep, 'look-wizard-type-keep', { isVariant: true });
    await wizard.choose('import');
    await importLong(wizard, longer.certificate, longer.key);
    await wizard.step('Summary');
    await wizard.finish();
    await addTwelveTenants(farkeep, longer.thumbprint, firstThumbprint);
    await meetCertificate(farkeep);
    await page.getByRole('button', { name: 'Review...' }).click();
    await expect(prompt.dialog).toBeVisible();
    await lookAt(farkeep, 'look-prompt-changed-both-long');
    await prompt.dialog.getByRole('button', { name: 'View certificate...' }).click();
    await expect(window.dialog(/^Certificate of/)).toBeVisible();
    await lookAt(farkeep, 'look-certificate');
    await window
      .dialog(/^Certificate of/)
      .getByRole('button', { name: 'Close' })
      .click();
    await prompt.compared.check();
    await prompt.accept.click();
    await expect(prompt.dialog).toBeHidden();
    await window.open('Tenants');
    await window.open('Cloud Connect');
    for (const state of ['Pending', 'Informed', 'Failed', 'Re-accepted', 'Up to date']) {
      await expect(cloudConnect.user(state).first()).toBeVisible();
    }
    await lookAt(farkeep, 'look-board-top', { isVariant: true });
    await cloudConnect.user('contoso').scrollIntoViewIfNeeded();
    await cloudConnect.user('woodgrove').scrollIntoViewIfNeeded();
    await lookAt(farkeep, 'look-board');
    await window.command('Manage Certificates').click();
    await wizard.step('Certificate Type');
    await wizard.choose('keep');
    await wizard.step('Summary');
    await lookAt(farkeep, 'look-wizard-keep-summary', { isVariant: true });
    await wizard.abandon();
  });

  await test.step('picking: an unusable certificate shows the reason', async () => {
    await removeKey(farkeep, long.thumbprint);
    await window.command('Manage Certificates').click();
    await wizard.choose('pick');
    await wizard.step('Pick Certificate');
    await expect(wizard.dialog.getByRole('grid').getByRole('row').nth(1)).toBeVisible();
    await lookAt(farkeep, 'look-wizard-pick');
    await wizard
      .row(/Cannot be used/)
      .first()
      .click({ force: true });
    await wizard.next();
    await lookAt(farkeep, 'look-wizard-pick-unusable');
    await wizard.dialog.getByRole('searchbox').fill('nothing is called like this');
    await lookAt(farkeep, 'look-wizard-pick-no-match', { isVariant: true });
    await wizard.abandon();
  });

  await test.step('announcing: the card above the list of users, and canceling', async () => {
    await window.command('Announce change...').click();
    await wizard.step('Certificate Type');
    await lookAt(farkeep, 'look-wizard-announce', { isVariant: true });
    await wizard.choose('generate');
    await wizard.step('Generate Certificate');
    await wizard.next();
    await wizard.step('Summary');
    await wizard.dialog.getByLabel('Switch on').scrollIntoViewIfNeeded();
    await lookAt(farkeep, 'look-wizard-announce-summary');
    await wizard.finish();
    await expect(cloudConnect.rollover).toBeVisible();
    await lookAt(farkeep, 'look-rollover');
    await cloudConnect.identity.getByRole('button', { name: 'Show in words' }).click();
    await lookAt(farkeep, 'look-words');
    await page.keyboard.press('Escape');
    await cloudConnect.identity.getByRole('button', { name: 'Show QR code' }).click();
    await lookAt(farkeep, 'look-qr-code');
    await page.keyboard.press('Escape');
    await cloudConnect.rollover.getByRole('button', { name: 'Cancel rollover...' }).click();
    await lookAt(farkeep, 'look-rollover-cancel');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel rollover', exact: true }).click();
    await expect(cloudConnect.rollover).toBeHidden();
  });

  await test.step('Options > Security, the journal, the license', async () => {
    await window.chooseFromMenu('Options');
    const options = window.dialog('Options');
    await options.getByRole('tab', { name: 'Security' }).click();
    await expect(options.getByRole('table', { name: 'Trust journal' })).toBeVisible();
    await lookAt(farkeep, 'look-security');
    await options.getByRole('button', { name: /^Add file.* Revocation/ }).scrollIntoViewIfNeeded();
    await lookAt(farkeep, 'look-security-settings', { isVariant: true });
    await options.getByRole('table', { name: 'Trust journal' }).getByRole('row').last().scrollIntoViewIfNeeded();
    await lookAt(farkeep, 'look-security-journal');
    await options
      .getByRole('button', { name: 'Revoke... ' })
      .or(options.getByRole('button', { name: /^Revoke/ }))
      .first()
      .click();
    await lookAt(farkeep, 'look-security-revoke');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click();
    await options.getByRole('button', { name: 'Install...' }).click();
    await wizard.step('Certificate Type');
    await lookAt(farkeep, 'look-server-wizard-type', { isVariant: true });
    await wizard.choose('generate');
    await wizard.step('Generate Certificate');
    await wizard.next();
    await wizard.step('Summary');
    await lookAt(farkeep, 'look-server-wizard-summary', { isVariant: true });
    await wizard.abandon();
    await options.getByRole('button', { name: 'Close' }).click();
    await window.chooseFromMenu('License');
    await lookAt(farkeep, 'look-license');
    await window.dialog('License').getByRole('button', { name: 'Close' }).click();
  });

  await test.step('first contact: the prompt of a wizard', async () => {
    await window.open('Service providers');
    await window.command('Add service provider...').click();
    const provider = new Wizard(page, 'Service Provider');
    await provider.step('Service Provider');
    const name = provider.dialog.getByRole('textbox', { name: /^Name/ });
    if (await name.isVisible()) await name.fill('Vereinigte Gesellschaften für ferne Datensicherung');
    await provider.field('DNS name or IP address').fill('localhost');
    await provider.field('Port').fill(String(home.gatewayPort));
    await provider.next();
    await expect(prompt.dialog).toBeVisible();
    await lookAt(farkeep, 'look-prompt-untrusted');
    await prompt.verify(longer.thumbprint);
    await expect(prompt.dialog).toContainText('Matches the presented certificate');
    await lookAt(farkeep, 'look-prompt-untrusted-match', { isVariant: true });
    await prompt.refuse();
    await lookAt(farkeep, 'look-prompt-refused', { isVariant: true });
    await provider.abandon();
  });

  expect(await farkeep.policyViolations()).toEqual([]);
});

interface BadFile {
  readonly file: string;
  readonly keyFile?: string;
  readonly password?: string;
}

/** One file for each defect, by the name of the defect. */
async function makeBadFiles(folder: string): Promise<Record<string, BadFile>> {
  const good = { subject: '/CN=backup.northwind.test', dnsNames: ['backup.northwind.test'] };
  const pfx = await makePfx(folder, {
    name: 'locked',
    subject: '/CN=backup.northwind.test',
    dnsName: 'backup.northwind.test',
    password: 'secret',
  });
  const first = await makePem(folder, { name: 'one', ...good });
  const second = await makePem(folder, { name: 'two', ...good });
  const weak = await makePem(folder, { name: 'weak', ...good, key: 'RSA-1024' });
  const client = await makePem(folder, { name: 'client', ...good, usage: 'clientAuth' });
  const garbage = path.join(folder, 'garbage.pfx');
  await writeFile(garbage, 'this is no certificate');
  return {
    'wrong-password': { file: pfx.file, password: 'wrong' },
    garbage: { file: garbage },
    'no-key': { file: first.certificate },
    mismatch: { file: first.certificate, keyFile: second.key },
    weak: { file: weak.certificate, keyFile: weak.key },
    client: { file: client.certificate, keyFile: client.key },
    missing: { file: path.join(folder, 'nothing-here.pfx') },
  };
}

async function importLong(wizard: CertificateWizard, certificate: string, key: string): Promise<void> {
  await wizard.step('Import Certificate');
  await wizard.field(/^Certificate file/).fill(certificate);
  await wizard.password.fill('');
  await wizard.field(/^Private key file/).fill(key);
  await wizard.next();
}

async function thumbprintInService(farkeep: FarkeepConsole): Promise<string> {
  const result = await farkeep.call('provider', 'certificate', 'show', { slot: 'provider' });
  if (!result.ok) throw new Error(result.error.message);
  return (result.value as { summary: { sha256: string } }).summary.sha256;
}

/** Runs the sample's job, which waits for the answer to a prompt. */
async function meetCertificate(farkeep: FarkeepConsole): Promise<void> {
  const listed = await farkeep.call('tenant', 'jobs', 'list');
  const jobId = listed.ok ? (listed.value as { jobs: { id: string }[] }).jobs[0]?.id : undefined;
  const result = await farkeep.call('tenant', 'jobs', 'run', { jobId });
  if (!result.ok) throw new Error(result.error.message);
  await expect(farkeep.page.getByRole('button', { name: 'Notifications, 1 waiting' })).toBeVisible({ timeout: 30_000 });
}

async function removeKey(farkeep: FarkeepConsole, thumbprint: string): Promise<void> {
  const result = await farkeep.call('provider', 'certificate', 'list');
  const stored = result.ok
    ? (result.value as { certificates: { id: string; summary: { sha256: string } }[] }).certificates
    : [];
  const id = stored.find(({ summary }) => summary.sha256 === thumbprint)?.id ?? 'none';
  const files = await readdir(path.join(farkeep.home.folder, 'provider'), { recursive: true });
  const key = files.find((file) => file.endsWith(path.join(id, 'key.pem')));
  if (key === undefined) throw new Error('The key file is not where it was expected');
  await rm(path.join(farkeep.home.folder, 'provider', key));
}

async function pointCount(farkeep: FarkeepConsole): Promise<number> {
  const result = await farkeep.call('tenant', 'points', 'list');
  return result.ok ? (result.value as { points: unknown[] }).points.length : 0;
}
