// Provider, gateway and tenant with a console each, in separate homes and with an address of their own. Everything is set up in the consoles.
// All addresses are loopback addresses, so the consoles say that only this computer reaches them, and the gateway counts as one of this
// computer. Addresses of other computers are refused.
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { expect, test } from '../fixtures/console-test.ts';
import { FarkeepConsole } from '../fixtures/farkeep-console.ts';
import { chooseNext, saveNext } from '../fixtures/file-dialogs.ts';
import { describeTree, makeDocuments } from '../fixtures/folder-tree.ts';
import { findFreePort } from '../fixtures/free-port.ts';
import { createInstanceHome } from '../fixtures/instance-home.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';
import { NetworkTab } from '../pages/network-tab.ts';
import { SessionPage } from '../pages/session-page.ts';
import { Wizard } from '../pages/wizard.ts';

// Other systems have only one loopback address. There the computers differ by their ports only.
const [providerHost, gatewayHost] =
  process.platform === 'linux' ? ['127.0.0.2', '127.0.0.3'] : ['127.0.0.1', '127.0.0.1'];

test('provider, gateway and tenant on three computers are set up in their consoles', async ({
  farkeep: provider,
  home,
}, testInfo) => {
  test.setTimeout(300_000);
  const homes = await Promise.all([createInstanceHome(), createInstanceHome()]);
  const consoles = await Promise.all(homes.map((each) => FarkeepConsole.start(each, testInfo)));
  const [gateway, tenant] = consoles as [FarkeepConsole, FarkeepConsole];
  try {
    const window = new ConsoleWindow(provider.page);
    const invitation = path.join(home.folder, 'invitation.json');
    const repository = path.join(home.folder, 'vault');
    const documents = path.join(tenant.home.folder, 'documents');
    const restored = path.join(tenant.home.folder, 'restored');
    await Promise.all([mkdir(documents), mkdir(repository)]);
    await makeDocuments(documents);
    let token = '';

    await test.step('provider: certificate', async () => {
      await new FirstStartPage(provider.page).choose('Provider');
      await window.expectService('Provider service', 'running');
      await provider.page.getByRole('button', { name: 'Install a certificate' }).click();
      const wizard = new Wizard(provider.page, 'Manage Certificate');
      await wizard.step('Certificate Type');
      await wizard.next();
      await wizard.step('Generate Certificate');
      await wizard.field('Friendly name').fill('Northwind Hosting');
      await wizard.next();
      await wizard.step('Summary');
      await wizard.finish();
    });

    await test.step('provider: name and addresses', async () => {
      const tab = new NetworkTab(provider.page);
      await tab.open();
      await tab.dialog.getByRole('textbox', { name: 'Provider name' }).fill('Northwind');
      for (const label of [
        'Gateway link listens on',
        'Address for gateways',
        'Control connections listen on',
        'Data movers listen on',
      ]) {
        await tab.host(label).fill(providerHost);
        await expect(tab.address(label)).toContainText('This computer only');
      }
      await tab.host('Data movers listen on').fill('192.0.2.1');
      await tab.address('Data movers listen on').getByRole('button', { name: 'Check' }).click();
      await expect(tab.address('Data movers listen on')).toContainText('Not an address of this computer');
      await tab.host('Data movers listen on').fill(providerHost);
      await provider.expectAccessible('options-network');
      await tab.save('Provider service');
      await tab.close();
      await window.expectService('Provider service', 'running');
    });

    await test.step('provider: a gateway on another computer is refused until it can reach the provider', async () => {
      await provider.page.getByRole('button', { name: 'Add a gateway' }).click();
      const wizard = new Wizard(provider.page, 'Cloud Gateway');
      await wizard.step('Name');
      await wizard.field(/^Name/).fill('gw1');
      await expect(wizard.dialog.getByRole('radio', { name: 'On another computer' })).toBeChecked();
      await wizard.next();
      await wizard.step('Networking');
      await wizard.field('DNS name or IP address').fill('gw1.example');
      await wizard.field('Port').fill(String(gateway.home.gatewayPort));
      await wizard.next();
      const refused = await wizard.step('Provider address');
      await expect(refused).toContainText(`Address for gateways: ${providerHost}, which only this computer can reach`);
      await provider.expectAccessible('gateway-provider-address');
      await refused.getByRole('combobox').fill('127.0.0.1');
      await wizard.next();
      await expect(refused).toContainText('Other computers cannot reach this address.');
      await wizard.previous();
      await wizard.field('DNS name or IP address').fill(gatewayHost);
      await expect(wizard.dialog).toContainText('Only tenants on this computer can reach these addresses.');
      await wizard.dialog.getByRole('combobox', { name: 'The token is valid for' }).selectOption('1 hour');
      await wizard.next();
      await expect(await wizard.step('Review')).toContainText('1 hour');
      await wizard.next();
      await wizard.step('Summary');
      token = await wizard.field('Enrollment token').inputValue();
      expect(await wizard.command()).toContain('--valid 1h');
      await wizard.finish();
    });

    await test.step('gateway: address and enrollment', async () => {
      await new FirstStartPage(gateway.page).choose('Gateway');
      const gatewayWindow = new ConsoleWindow(gateway.page);
      await gatewayWindow.expectService('Gateway service', 'degraded');
      const tab = new NetworkTab(gateway.page);
      await tab.open();
      await tab.host('Tenants connect to').fill(gatewayHost);
      await tab.save('Gateway service');
      await tab.close();
      await gateway.page.getByRole('textbox', { name: 'Enrollment token' }).fill(token);
      await gateway.page.getByRole('button', { name: 'Enroll', exact: true }).click();
      await gatewayWindow.expectService('Gateway service', 'running');
      await window.open('Gateways');
      await expect(window.row('Gateways', 'gw1')).toContainText('Connected');
    });

    await test.step('provider: a removed gateway is enrolled again in its console', async () => {
      await window.row('Gateways', 'gw1').click();
      await window.command('Remove...').click();
      await provider.page.getByRole('alertdialog').getByRole('button', { name: 'Remove gateway' }).click();
      await expect(window.row('Gateways', 'gw1')).toHaveCount(0);
      await new ConsoleWindow(gateway.page).expectService('Gateway service', 'degraded');
      const made = await provider.call('provider', 'gateways', 'createEnrollToken', {
        name: 'gw1',
        addresses: [{ host: gatewayHost, port: gateway.home.gatewayPort }],
      });
      if (!made.ok) throw new Error(made.error.message);
      await gateway.page.getByRole('button', { name: 'Enroll again...' }).click();
      await gateway.page
        .getByRole('textbox', { name: 'Enrollment token' })
        .fill((made.value as { token: string }).token);
      await gateway.page.getByRole('button', { name: 'Enroll', exact: true }).click();
      const question = gateway.page.getByRole('alertdialog', { name: 'Replace the enrollment of this gateway?' });
      await expect(question).toContainText(`enrolled at ${providerHost}:`);
      await question.getByRole('button', { name: 'Replace enrollment' }).click();
      await expect(window.row('Gateways', 'gw1')).toContainText('Connected');
    });

    await test.step('provider: repository, tenant, invitation', async () => {
      await window.open('Repositories');
      await provider.page.getByRole('button', { name: 'Add repository...' }).first().click();
      const store = new Wizard(provider.page, 'Repository');
      await store.step('Name');
      await store.field(/^Name/).fill('Vault 1');
      await store.next();
      await store.step('Folder');
      await store.field('Folder').fill(repository);
      await store.next();
      await store.step('Summary');
      await store.finish();
      await window.open('Overview');
      await provider.page.getByRole('button', { name: 'Add a tenant' }).click();
      const wizard = new Wizard(provider.page, 'Tenant');
      await wizard.step('Tenant');
      await wizard.field('User name').fill('contoso');
      await wizard.dialog.getByRole('textbox', { name: 'Password' }).fill('correct horse battery');
      await wizard.next();
      await wizard.step('Backup Resources');
      await wizard.next();
      await wizard.step('Summary');
      await saveNext(provider.app, invitation);
      await wizard.dialog.getByRole('button', { name: 'Save invitation file...' }).click();
      await expect(provider.page.getByText('The invitation was saved.')).toBeVisible();
      await wizard.finish();
    });

    const tenantWindow = new ConsoleWindow(tenant.page);
    await test.step('tenant: provider and job', async () => {
      await new FirstStartPage(tenant.page).choose('Tenant');
      await tenantWindow.expectService('Tenant service', 'running');
      await chooseNext(tenant.app, invitation);
      await tenant.page.getByRole('button', { name: 'Add a service provider' }).click();
      const wizard = new Wizard(tenant.page, 'Service Provider');
      await wizard.dialog.getByRole('button', { name: 'Open invitation file...' }).click();
      await expect(wizard.dialog).toContainText(gatewayHost);
      await wizard.next();
      await expect(await wizard.step('Backup Storage')).toContainText('Vault 1');
      await wizard.next();
      await wizard.step('Summary');
      await wizard.finish();
      await tenantWindow.open('Overview');
      await tenant.page.getByRole('button', { name: 'Create a job' }).click();
      const job = new Wizard(tenant.page, 'Backup Job');
      await job.step('Name');
      await job.field(/^Name/).fill('Documents');
      await job.next();
      await job.step('Source');
      await job.field('Folder').first().fill(documents);
      await job.next();
      await job.step('Destination');
      await job.next();
      await job.step('Summary');
      await job.dialog.getByRole('checkbox', { name: 'Run the job when I click Finish' }).check();
      await job.finish();
      await tenantWindow.open('Sessions', 'Tenant');
      await tenantWindow.row('Sessions', 'Documents').dblclick();
      await new SessionPage(tenant.page, 'Documents').expectEnd('Success', 'to');
    });

    await test.step('tenant: restore', async () => {
      await tenantWindow.open('Restore points');
      await tenantWindow.row('Restore points', 'Documents').click();
      await tenantWindow.command('Restore...').click();
      const wizard = new Wizard(tenant.page, 'Restore');
      if (await wizard.dialog.getByRole('group', { name: 'Point', exact: true }).isVisible()) await wizard.next();
      await wizard.step('Items');
      await wizard.next();
      await wizard.step('Destination');
      await wizard.field('Restore to folder').fill(restored);
      await wizard.next();
      await wizard.step('Summary');
      await wizard.finish();
      await new SessionPage(tenant.page, 'Documents').expectEnd('Success', 'from');
      expect(await describeTree(restored)).toEqual(await describeTree(documents));
    });
  } finally {
    if (testInfo.errors.length > 0) await Promise.all(consoles.map((each) => each.attachLogs()));
    await Promise.all(consoles.map((each) => each.close()));
    await Promise.all(homes.map((each) => each.remove()));
  }
});

test('a taken port is shown on every page, and another one is chosen in the console', async ({ farkeep }) => {
  const { page } = farkeep;
  const window = new ConsoleWindow(page);
  const taken = createServer();
  const { value } = (await farkeep.call('console', 'console', 'getNetwork')) as {
    value: { provider: { settings: { control: { port: number } } } };
  };
  const { port } = value.provider.settings.control;
  await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
  try {
    await new FirstStartPage(page).choose('Provider');
    await window.expectService('Provider service', 'failed');
    const failure = page.getByRole('alert').filter({ hasText: 'Provider service has failed' });
    await expect(failure).toContainText(String(port));
    await window.open('Tenants');
    await expect(failure).toBeVisible();
    await expect(page.getByRole('heading', { name: 'Provider service is not running' })).toBeVisible();
    await expect(page.getByText('Loading…')).toBeHidden();
    await farkeep.expectAccessible('service-port-taken');
    await page.getByRole('button', { name: 'Choose another port...' }).click();
    const tab = new NetworkTab(page);
    const control = 'Control connections listen on';
    await expect(tab.address(control)).toContainText(`(process ${process.pid})`);
    await expect(tab.port(control)).toBeFocused();
    await tab.port(control).fill('70000');
    await tab.dialog.getByRole('button', { name: 'Save and restart: Provider service' }).click();
    await expect(tab.address(control)).toContainText('Enter a port between 1 and 65535');
    await tab.port(control).fill(String(await findFreePort()));
    await expect(tab.address(control)).not.toContainText('Enter a port');
    await tab.save('Provider service');
    await tab.close();
    await window.expectService('Provider service', 'running');
    await expect(failure).toBeHidden();
    await test.step('the gateway wizard opens the provider to other computers', async () => {
      await window.open('Gateways');
      await page.getByRole('button', { name: 'Add gateway...' }).first().click();
      const wizard = new Wizard(page, 'Cloud Gateway');
      await wizard.step('Name');
      await wizard.field(/^Name/).fill('gw1');
      await wizard.next();
      await wizard.step('Networking');
      await wizard.field('DNS name or IP address').fill('gw1.example');
      await wizard.dialog.getByRole('button', { name: 'Add address' }).click();
      const second = wizard.dialog.getByRole('group', { name: 'Address 2' });
      await second.getByRole('textbox', { name: 'DNS name or IP address' }).fill('gw1.example');
      await second.getByRole('textbox', { name: 'Port' }).fill('443');
      await wizard.next();
      await (await wizard.step('Provider address')).getByRole('combobox').fill('provider.example');
      await wizard.next();
      await wizard.step('Review');
      await wizard.next();
      await wizard.step('Summary');
      expect(await wizard.command()).toContain('--address gw1.example:6180 --address gw1.example:443 --valid 1d');
      await wizard.finish();
      await expect(window.row('Gateways', 'gw1')).toContainText('gw1.example:443');
      await window.row('Gateways', 'gw1').click();
      await window.command('Edit...').click();
      const edit = page.getByRole('dialog', { name: 'Edit gateway “gw1”' });
      await edit.getByRole('textbox', { name: /^Name/ }).fill('Berlin');
      await edit.getByRole('button', { name: 'Remove address 2' }).click();
      await farkeep.expectAccessible('gateway-edit');
      await edit.getByRole('button', { name: 'Save' }).click();
      await expect(window.row('Gateways', 'Berlin')).not.toContainText('gw1.example:443');
      await page.getByRole('button', { name: 'New enrollment token...' }).click();
      const renewal = page.getByRole('dialog', { name: 'New enrollment token for “Berlin”' });
      await renewal.getByRole('button', { name: 'Create token' }).click();
      await expect(renewal.getByRole('textbox', { name: 'Enrollment token' })).toHaveValue(/.{40}/);
      await farkeep.expectAccessible('gateway-new-token');
      await renewal.getByRole('button', { name: 'Close' }).click();
    });
  } finally {
    await new Promise((resolve) => taken.close(resolve));
  }
});
