// The whole procedure of two admins: from the first start to a restored folder that is the same byte for byte.
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/console-test.ts';
import { describeTree, makeDocuments } from '../fixtures/folder-tree.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';
import { SessionPage } from '../pages/session-page.ts';
import { TrustPrompt } from '../pages/trust-prompt.ts';
import { Wizard } from '../pages/wizard.ts';

const thumbprintRow = /Thumbprint \(SHA-256\):?\s*([0-9A-F:]{95})/;

test('install the certificate, accept the fingerprint, watch the transfer, restore', async ({ farkeep, home }) => {
  test.setTimeout(300_000);
  const { page, app } = farkeep;
  const window = new ConsoleWindow(page);
  const documents = path.join(home.folder, 'documents');
  const restored = path.join(home.folder, 'restored');
  const repository = path.join(home.folder, 'vault');
  await mkdir(documents);
  await makeDocuments(documents);
  await mkdir(repository);
  let thumbprint = '';

  await test.step('first start: this computer is provider, gateway and tenant', async () => {
    await new FirstStartPage(page).choose('Provider', 'Gateway', 'Tenant');
    for (const name of ['Provider service', 'Gateway service', 'Tenant service'] as const) {
      // A gateway that is not enrolled yet reports this with its first heartbeat.
      await window.expectService(name, name === 'Gateway service' ? '(running|degraded)' : 'running');
    }
    await farkeep.expectAccessible('story-overview');
  });

  await test.step('the provider admin installs a certificate and copies its thumbprint', async () => {
    await window.open('Cloud Connect');
    await farkeep.expectAccessible('story-cloud-connect');
    await window.command('Manage Certificates').click();
    const wizard = new Wizard(page, 'Manage Certificate');
    await wizard.step('Certificate Type');
    await expect(wizard.dialog.getByRole('radio', { name: 'Generate new certificate' })).toBeChecked();
    await farkeep.expectAccessible('story-certificate-type');
    await wizard.next();
    await wizard.step('Generate Certificate');
    await wizard.field('Friendly name').fill('Northwind Hosting 2026');
    await farkeep.expectAccessible('story-certificate-generate');
    await wizard.next();
    const summary = await wizard.step('Summary');
    await farkeep.expectAccessible('story-certificate-summary');
    await summary.getByRole('button', { name: 'Copy to clipboard' }).click();
    const copied = await app.evaluate(({ clipboard }) => clipboard.readText());
    expect(copied).toContain('Northwind Hosting 2026');
    thumbprint = thumbprintRow.exec(copied)?.[1] ?? '';
    expect(thumbprint).not.toBe('');
    expect(await wizard.command()).toContain('farkeep certificate generate --slot provider');
    await wizard.finish();
    await expect(page.getByText('Northwind Hosting 2026').first()).toBeVisible();
  });

  await test.step('a gateway on the single port', async () => {
    await window.open('Gateways');
    await farkeep.expectAccessible('story-gateways-empty');
    await page.getByRole('button', { name: 'Add gateway...' }).first().click();
    const wizard = new Wizard(page, 'Cloud Gateway');
    await wizard.step('Name');
    await wizard.field(/^Name/).fill('gw1');
    await wizard.next();
    await wizard.step('Networking');
    await wizard.field('DNS name or IP address').fill('127.0.0.1');
    await wizard.field('Port').fill(String(home.gatewayPort));
    await farkeep.expectAccessible('story-gateway-networking');
    await wizard.next();
    await wizard.step('Review');
    await wizard.next();
    await wizard.step('Summary');
    await farkeep.expectAccessible('story-gateway-summary');
    await wizard.finish();
    await expect(window.row('Gateways', 'gw1')).toContainText('Connected');
  });

  await test.step('a cloud repository', async () => {
    await window.open('Repositories');
    await page.getByRole('button', { name: 'Add repository...' }).first().click();
    const wizard = new Wizard(page, 'Repository');
    await wizard.step('Name');
    await wizard.field(/^Name/).fill('Vault 1');
    await wizard.next();
    await wizard.step('Folder');
    await wizard.field('Folder').fill(repository);
    await farkeep.expectAccessible('story-repository-folder');
    await wizard.next();
    await wizard.step('Summary');
    await wizard.finish();
    await expect(window.row('Repositories', 'Vault 1')).toContainText('Ready');
    await farkeep.expectAccessible('story-repositories');
  });

  await test.step('an account for the tenant', async () => {
    await window.open('Tenants');
    await page.getByRole('button', { name: 'Add tenant...' }).first().click();
    const wizard = new Wizard(page, 'Tenant');
    await wizard.step('Tenant');
    await wizard.field('User name').fill('contoso');
    await wizard.dialog.getByRole('textbox', { name: 'Password' }).fill('correct horse battery');
    await farkeep.expectAccessible('story-tenant');
    await wizard.next();
    await wizard.step('Backup Resources');
    await farkeep.expectAccessible('story-tenant-resources');
    await wizard.next();
    await wizard.step('Summary');
    await farkeep.expectAccessible('story-tenant-summary');
    await wizard.finish();
    await expect(window.row('Tenants', 'contoso')).toBeVisible();
  });

  const prompt = new TrustPrompt(page);
  await test.step('the tenant admin refuses a certificate with a wrong thumbprint: nothing is sent, nothing is stored', async () => {
    const wizard = await openProviderWizard(window, farkeep.page, home.gatewayPort);
    await wizard.next();
    await expect(prompt.dialog).toBeVisible();
    await expect(prompt.accept).toBeDisabled();
    await prompt.compared.check();
    await expect(prompt.accept).toBeEnabled();
    await prompt.compared.uncheck();
    await expect(prompt.accept).toBeDisabled();
    await farkeep.expectAccessible('story-trust-prompt');
    await prompt.verify(`00${thumbprint.slice(2)}`);
    await expect(prompt.dialog).toContainText('Does not match');
    await expect(prompt.accept).toBeDisabled();
    await expect(prompt.compared).toBeDisabled();
    await farkeep.expectAccessible('story-trust-prompt-mismatch');
    await prompt.verify('these are not hex digits');
    await expect(prompt.dialog).toContainText('64 hex digits');
    await prompt.refuse();
    await expect(prompt.dialog).toBeHidden();
    await expect(wizard.dialog).toContainText('Nothing was sent');
    await wizard.abandon();
    await expect(window.row('Service providers', 'Northwind')).toHaveCount(0);
  });

  await test.step('the tenant admin compares the thumbprint and accepts it', async () => {
    const wizard = await openProviderWizard(window, farkeep.page, home.gatewayPort);
    await wizard.next();
    await expect(prompt.accept).toBeDisabled();
    await prompt.verify(`\u200e${thumbprint.replaceAll(':', ' ').toLowerCase()}`);
    await expect(prompt.dialog).toContainText('Matches the presented certificate');
    await farkeep.expectAccessible('story-trust-prompt-match');
    await prompt.accept.click();
    const credentials = await wizard.step('Credentials');
    await expect(credentials).toContainText(thumbprint.slice(0, 23));
    await wizard.field('User name').fill('contoso');
    await wizard.dialog.getByRole('textbox', { name: 'Password' }).fill('wrong horse battery');
    await wizard.next();
    await expect(wizard.dialog).toContainText('wrong');
    await wizard.dialog.getByRole('textbox', { name: 'Password' }).fill('correct horse battery');
    await farkeep.expectAccessible('story-credentials');
    await wizard.next();
    await expect(await wizard.step('Backup Storage')).toContainText('Vault 1');
    await farkeep.expectAccessible('story-backup-storage');
    await wizard.next();
    await wizard.step('Summary');
    await farkeep.expectAccessible('story-provider-summary');
    await wizard.finish();
    await expect(window.row('Service providers', 'Northwind')).toContainText('Pinned');
  });

  await test.step('a job for a real folder', async () => {
    await window.open('Jobs');
    await page.getByRole('button', { name: 'New job...' }).first().click();
    const wizard = new Wizard(page, 'Backup Job');
    await wizard.step('Name');
    await wizard.field(/^Name/).fill('Nightly documents');
    await wizard.next();
    await wizard.step('Source');
    await wizard.field('Folder').first().fill(documents);
    await wizard.next();
    await wizard.step('Destination');
    await farkeep.expectAccessible('story-job-destination');
    await wizard.next();
    await wizard.step('Summary');
    const runNow = wizard.dialog.getByRole('checkbox', { name: 'Run the job when I click Finish' });
    if (await runNow.isChecked()) await runNow.uncheck();
    await wizard.finish();
    await expect(window.row('Jobs', 'Nightly documents')).toBeVisible();
    await farkeep.expectAccessible('story-jobs');
  });

  const session = new SessionPage(page, 'Nightly documents');
  await test.step('the job runs; the tenant sees the handshake, the keys and the transfer', async () => {
    await window.row('Jobs', 'Nightly documents').click();
    await window.command('Run').click();
    await window.open('Sessions', 'Tenant');
    await window.row('Sessions', 'Nightly documents').dblclick();
    await session.expectEnd('Success', 'to');
    await page.mouse.move(0, 0);
    await farkeep.expectAccessible('story-session-tenant');
  });
  const keysAtTenant = await session.keyIdentifiers();

  await test.step('the provider sees the same session with the same key identifiers', async () => {
    await window.open('Sessions', 'Provider');
    await window.row('Sessions', 'Nightly documents').dblclick();
    await session.expectEnd('Success', 'of');
    await page.mouse.move(0, 0);
    await farkeep.expectAccessible('story-session-provider');
    expect(keysAtTenant).toHaveLength(2);
    expect(await session.keyIdentifiers()).toEqual(keysAtTenant);
  });

  await test.step('the restore point is restored byte for byte', async () => {
    await window.open('Restore points');
    await expect(window.row('Restore points', 'Nightly documents')).toBeVisible();
    await farkeep.expectAccessible('story-points');
    await window.row('Restore points', 'Nightly documents').click();
    await window.command('Restore...').click();
    const wizard = new Wizard(page, 'Restore');
    if (await wizard.dialog.getByRole('group', { name: 'Point', exact: true }).isVisible()) await wizard.next();
    await wizard.step('Items');
    await farkeep.expectAccessible('story-restore-items');
    await wizard.next();
    await wizard.step('Destination');
    await wizard.field('Restore to folder').fill(restored);
    await wizard.next();
    await wizard.step('Summary');
    await farkeep.expectAccessible('story-restore-summary');
    await wizard.finish();
    await session.expectEnd('Success', 'from');
    await farkeep.expectAccessible('story-session-restore');
    expect(await describeTree(restored)).toEqual(await describeTree(documents));
  });

  await test.step('one folder of the restore point is restored alone', async () => {
    await rm(restored, { recursive: true });
    await window.open('Restore points');
    await window.row('Restore points', 'Nightly documents').click();
    await window.command('Restore...').click();
    const wizard = new Wizard(page, 'Restore');
    if (await wizard.dialog.getByRole('group', { name: 'Point', exact: true }).isVisible()) await wizard.next();
    await wizard.step('Items');
    await wizard.dialog.getByRole('radio', { name: 'Only the items selected below' }).check();
    await wizard.dialog.getByRole('checkbox', { name: /Letters/ }).check({ timeout: 60_000 });
    await farkeep.expectAccessible('story-restore-some');
    await wizard.next();
    await wizard.field('Restore to folder').fill(restored);
    await wizard.next();
    await wizard.step('Summary');
    await wizard.finish();
    await session.expectEnd('Success', 'from');
    expect(await readdir(restored)).toEqual(['Letters']);
    const isBelowLetters = (line: string): boolean => line.startsWith('Letters/') && !line.includes(' file ');
    expect((await describeTree(restored)).filter(isBelowLetters)).toEqual(
      (await describeTree(documents)).filter(isBelowLetters),
    );
  });

  await test.step('a restore point is deleted: the question names it, Cancel keeps it, then both sides no longer list it', async () => {
    const pointsAtProvider = window.row('Repositories', 'Vault 1').getByRole('gridcell').last();
    await window.open('Repositories');
    await expect(pointsAtProvider).toHaveText('1');
    await window.open('Restore points');
    const point = window.row('Restore points', 'Nightly documents');
    const [job = '', , size = '', files = ''] = await point.getByRole('gridcell').allInnerTexts();
    expect(files).toMatch(/^\d+$/);
    await point.click();
    const question = page.getByRole('alertdialog', { name: 'Delete this restore point?' });
    await window.command('Delete...').click();
    await expect(question).toContainText(`The restore point of the job “${job}” from`);
    await expect(question).toContainText(`(${size}, ${files} files) will be deleted`);
    await expect(question.getByRole('button', { name: 'Cancel' })).toBeFocused();
    await farkeep.expectAccessible('story-point-delete');
    await question.getByRole('button', { name: 'Cancel' }).click();
    await expect(question).toBeHidden();
    await window.command('Refresh').click();
    await expect(window.command('Refresh')).toBeEnabled();
    await expect(point).toBeVisible();
    await window.command('Delete...').click();
    await question.getByRole('button', { name: 'Delete restore point' }).click();
    await expect(question).toBeHidden();
    await expect(page.getByRole('heading', { name: 'No restore points yet' })).toBeVisible();
    await window.open('Repositories');
    await expect(pointsAtProvider).toHaveText('0');
  });

  expect(await farkeep.policyViolations()).toEqual([]);
});

/** Opens the wizard on the page Service providers and fills its first page. */
async function openProviderWizard(window: ConsoleWindow, page: Page, gatewayPort: number): Promise<Wizard> {
  await window.open('Service providers');
  await page.getByRole('button', { name: 'Add service provider...' }).first().click();
  const wizard = new Wizard(page, 'Service Provider');
  await wizard.step('Service Provider');
  const name = wizard.dialog.getByRole('textbox', { name: /^Name/ });
  if (await name.isVisible()) await name.fill('Northwind');
  await wizard.field('DNS name or IP address').fill('127.0.0.1');
  await wizard.field('Port').fill(String(gatewayPort));
  return wizard;
}
