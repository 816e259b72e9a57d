// The wizard Manage Certificate as people use it: left in the middle, canceled, for both slots, with the shown command run in a shell; and
// only by keyboard, together with the trust prompts.
import type { Locator, Page } from '@playwright/test';
import { makePem, makePfx } from '../fixtures/certificate-files.ts';
import { runShown } from '../fixtures/command-line.ts';
import { pointCount, runJobs, stored, thumbprint } from '../fixtures/console-calls.ts';
import { expect, test } from '../fixtures/console-test.ts';
import { CertificateWizard } from '../pages/certificate-wizard.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';
import { TrustPrompt } from '../pages/trust-prompt.ts';

type Slot = 'provider' | 'server';

test('both slots: leaving in the middle changes nothing; a long key can be canceled; the shown command gives the same result', async ({
  farkeep,
  home,
}) => {
  const { page, app } = farkeep;
  const window = new ConsoleWindow(page);
  const wizard = new CertificateWizard(page);
  await new FirstStartPage(page).choose('Provider');
  await window.expectService('Provider service', 'running');
  const file = await makePem(home.folder, {
    name: "it's mine",
    subject: '/CN=backup.a.test',
    dnsNames: ['backup.a.test'],
  });
  const open: Record<Slot, () => Promise<void>> = {
    provider: async () => {
      await window.open('Cloud Connect');
      await window.command('Manage Certificates').click();
    },
    server: async () => {
      if (!(await window.dialog('Options').isVisible())) await window.chooseFromMenu('Options');
      await window.dialog('Options').getByRole('tab', { name: 'Security' }).click();
      await window.dialog('Options').getByRole('button', { name: 'Install...' }).click();
    },
  };

  for (const slot of ['provider', 'server'] as const) {
    await test.step(`${slot}: left on the last page of each type`, async () => {
      const before = await stored(farkeep);
      for (const type of ['generate', 'pick', 'import'] as const) {
        await open[slot]();
        await wizard.choose(type);
        if (type === 'pick')
          await wizard
            .row(/identity/i)
            .first()
            .click();
        if (type === 'import') await fillImport(wizard, file);
        await wizard.next();
        await wizard.step('Summary');
        await wizard.abandon();
        expect(await stored(farkeep), type).toEqual(before);
      }
    });
  }
  await window.dialog('Options').getByRole('button', { name: 'Close' }).click();

  await test.step('4096 bits: progress is shown, the step is canceled, the wizard stays', async () => {
    await farkeep.call('provider', 'certificate', 'setSettings', { keyBits: 4096 });
    const before = await stored(farkeep);
    await open.provider();
    await wizard.choose('generate');
    const content = await wizard.step('Generate Certificate');
    await expect(content).toContainText('RSA 4096 bits');
    const progress = content.getByRole('progressbar', { name: /^Creating the key/ });
    // A key is sometimes found at once. A stopped process cannot find it before the cancel.
    const pid = await farkeep.pidOf('provider');
    process.kill(pid, 'SIGSTOP');
    await wizard.next();
    await expect(progress).toBeVisible();
    await content.getByRole('button', { name: 'Cancel this step' }).click();
    process.kill(pid, 'SIGCONT');
    await expect(progress).toBeHidden();
    await expect(content).toBeVisible();
    // Esc during the work cancels the work and does not close the wizard.
    process.kill(pid, 'SIGSTOP');
    await wizard.next();
    await expect(progress).toBeVisible();
    await page.keyboard.press('Escape');
    process.kill(pid, 'SIGCONT');
    await expect(progress).toBeHidden();
    await expect(wizard.field('Friendly name')).toBeVisible();
    expect(await stored(farkeep)).toEqual(before);
    await farkeep.call('provider', 'certificate', 'setSettings', { keyBits: 2048 });
    await wizard.abandon();
  });

  await test.step('a file with 1,000,000 rounds of key derivation: the progress grows, and the step can be canceled', async () => {
    const password = 'correct horse battery';
    const slow = await makePfx(home.folder, {
      name: 'slow',
      subject: '/CN=slow.test',
      dnsName: 'slow.test',
      password,
      rounds: 1_000_000,
    });
    const before = await stored(farkeep);
    await open.provider();
    await wizard.choose('import');
    const content = await wizard.step('Import Certificate');
    await wizard.field(/^Certificate file/).fill(slow.file);
    await wizard.password.fill(password);
    const progress = content.getByRole('progressbar', { name: /^Reading the file/ });
    await wizard.next();
    await content.getByRole('button', { name: 'Cancel this step' }).click();
    await expect(progress).toBeHidden();
    await expect(content).toBeVisible();
    await expect(content.getByRole('alert')).toHaveCount(0);
    expect(await stored(farkeep)).toEqual(before);

    const watched = watchProgress(page, 'Reading the file');
    await wizard.next();
    const shares = await watched;
    expect(shares.length, 'different values').toBeGreaterThan(2);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    await expect(await wizard.step('Summary')).toContainText(slow.thumbprint);
    await wizard.abandon();
    expect(await stored(farkeep)).toEqual(before);
  });

  for (const slot of ['provider', 'server'] as const) {
    await test.step(`${slot}: the shown command, copied and run in a shell, does the same as Finish`, async () => {
      await open[slot]();
      await wizard.choose('import');
      await fillImport(wizard, file);
      await wizard.next();
      await wizard.step('Summary');
      const shown = await wizard.command();
      await wizard.dialog.getByRole('group', { name: 'Equivalent command' }).getByRole('button').click();
      expect(await app.evaluate(({ clipboard }) => clipboard.readText())).toBe(shown);
      expect(shown).toContain(`--slot ${slot}`);
      await wizard.dialog.getByRole('button', { name: 'Copy to clipboard' }).click();
      const copied = (await app.evaluate(({ clipboard }) => clipboard.readText())).split('\n');
      expect(copied.map((line) => line.replace(/: .*$/, ''))).toEqual([
        ...['Name', 'Issued to', 'Issued by', 'Valid from', 'Expiration date', 'Thumbprint (SHA-256)'],
        ...['Thumbprint (SHA-1)', 'Serial number', 'Names', 'Private key can be read by'],
      ]);
      await wizard.abandon();
      expect(await thumbprint(farkeep, slot)).not.toBe(file.thumbprint);
      await runShown(shown, home);
      expect(await thumbprint(farkeep, slot)).toBe(file.thumbprint);
    });
  }

  expect(await farkeep.policyViolations()).toEqual([]);
});

test('by keyboard alone: the wizard to its end, and both prompts', async ({ farkeep, home }) => {
  const { page } = farkeep;
  const window = new ConsoleWindow(page);
  const wizard = new CertificateWizard(page);
  const prompt = new TrustPrompt(page);
  const { keyboard } = page;
  const named = await makePem(home.folder, { name: 'named', subject: '/CN=a.test', dnsNames: ['localhost', 'a.test'] });
  await new FirstStartPage(page).tryItHere();
  await expect.poll(() => pointCount(farkeep), { timeout: 60_000 }).toBe(1);
  await window.open('Cloud Connect');
  const opener = window.command('Manage Certificates');

  await test.step('Esc closes an unchanged wizard at once, and the focus returns', async () => {
    await opener.focus();
    await keyboard.press('Enter');
    await wizard.step('Certificate Type');
    await expectFocusIn(wizard.dialog);
    await keyboard.press('Escape');
    await expect(wizard.dialog).toBeHidden();
    await expect(opener).toBeFocused();
  });

  await test.step('Esc asks before it discards input; the safe answer has the focus', async () => {
    await keyboard.press('Enter');
    await wizard.step('Certificate Type');
    await expect(page.getByRole('radio', { name: 'Generate new certificate' })).toBeFocused();
    await keyboard.press('ArrowDown');
    await keyboard.press('ArrowDown');
    await expect(page.getByRole('radio', { name: 'Import certificate from a file' })).toBeChecked();
    await keyboard.press('Escape');
    const question = page.getByRole('alertdialog', { name: 'Leave this wizard?' });
    await expect(question.getByRole('button', { name: 'Stay' })).toBeFocused();
    await keyboard.press('Escape');
    await expect(question).toBeHidden();
    await expectFocusIn(wizard.dialog);
  });

  await test.step('Enter means Next; a wrong field gets the focus', async () => {
    await keyboard.press('Enter');
    await wizard.step('Import Certificate');
    await expect(wizard.field(/^Certificate file/)).toBeFocused();
    await keyboard.press('Enter');
    await expect(wizard.field(/^Certificate file/)).toBeFocused();
    await expect(wizard.field(/^Certificate file/)).toHaveAttribute('aria-invalid', 'true');
    await keyboard.type(named.certificate);
    await tabTo(page, wizard.field(/^Private key file/));
    await keyboard.type(named.certificate);
    await keyboard.press('Enter');
    await expect(wizard.field(/^Private key file/)).toHaveAttribute('aria-invalid', 'true');
    await expect(wizard.field(/^Private key file/)).toBeFocused();
    await keyboard.press('ControlOrMeta+A');
    await keyboard.type(named.key);
    await keyboard.press('Enter');
    await wizard.step('Summary');
    await expect(wizard.dialog.getByRole('button', { name: 'Finish' })).toBeFocused();
    await keyboard.press('Enter');
    await expect(wizard.dialog).toBeHidden({ timeout: 30_000 });
    await expect(opener).toBeFocused();
    expect(await thumbprint(farkeep, 'provider')).toBe(named.thumbprint);
  });

  await test.step('the prompt for a changed certificate: Esc does not answer, Enter refuses, Tab reaches everything', async () => {
    await runJobs(farkeep);
    const bell = page.getByRole('button', { name: 'Notifications, 1 waiting' });
    await expect(bell).toBeVisible({ timeout: 30_000 });
    await tabTo(page, bell);
    await keyboard.press('Enter');
    const review = page.getByRole('dialog', { name: 'Notifications' }).getByRole('button', { name: 'Review...' });
    await tabTo(page, review);
    await keyboard.press('Enter');
    await expect(prompt.dialog.getByRole('button', { name: 'Refuse' })).toBeFocused();
    await keyboard.press('Escape');
    await expect(prompt.dialog).toBeHidden();
    await expect(bell).toBeVisible();
    await expect(bell).toBeFocused();
    await keyboard.press('Enter');
    await tabTo(page, review);
    await keyboard.press('Enter');
    await expect(prompt.dialog).toBeVisible();
    // Everything needed for the decision is visible without scrolling, also in the smallest window.
    await farkeep.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setContentSize(900, 600));
    await expect.poll(() => page.evaluate(() => globalThis.innerHeight)).toBe(600);
    await expect(prompt.pasted).toBeInViewport({ ratio: 1 });
    await expect(prompt.dialog.getByRole('checkbox')).toBeInViewport({ ratio: 1 });
    await tabTo(page, prompt.pasted);
    await keyboard.type(named.thumbprint);
    await keyboard.press('Enter');
    await expect(prompt.dialog).toContainText('Matches the presented certificate');
    await tabTo(page, prompt.accept);
    await keyboard.press('Enter');
    await expect(prompt.dialog).toBeHidden();
    await expect.poll(() => pointCount(farkeep), { timeout: 60_000 }).toBe(2);
  });

  await test.step('the prompt of a first contact: Refuse is the default, and Enter refuses', async () => {
    await window.open('Service providers');
    const add = window.command('Add service provider...');
    await add.focus();
    await keyboard.press('Enter');
    const host = page.getByRole('textbox', { name: 'DNS name or IP address' });
    await tabTo(page, host);
    await keyboard.type('localhost');
    const port = page.getByRole('textbox', { name: 'Port' });
    await tabTo(page, port);
    await keyboard.press('ControlOrMeta+A');
    await keyboard.type(String(home.gatewayPort));
    const name = page.getByRole('dialog', { name: 'Service Provider' }).getByRole('textbox', { name: /^Name/ });
    if ((await name.isVisible()) && (await name.inputValue()) === '') {
      await tabTo(page, name);
      await keyboard.type('Northwind');
    }
    await keyboard.press('Enter');
    await expect(prompt.dialog).toBeVisible({ timeout: 30_000 });
    await expect(prompt.dialog.getByRole('button', { name: 'Refuse' })).toBeFocused();
    await expect(prompt.pasted).toBeInViewport({ ratio: 1 });
    await keyboard.press('Enter');
    await expect(prompt.dialog).toBeHidden();
    await expectFocusIn(page.getByRole('dialog', { name: 'Service Provider' }));
    await keyboard.press('Escape');
    await page
      .getByRole('alertdialog', { name: 'Leave this wizard?' })
      .getByRole('button', { name: 'Leave' })
      .press('Enter');
    await expect(add).toBeFocused();
  });
});

async function fillImport(wizard: CertificateWizard, file: { certificate: string; key: string }): Promise<void> {
  await wizard.step('Import Certificate');
  await wizard.field(/^Certificate file/).fill(file.certificate);
  await wizard.field(/^Private key file/).fill(file.key);
}

/** Records every value of a progress bar until the bar disappears. */
function watchProgress(page: Page, label: string): Promise<number[]> {
  return page.evaluate(
    (start) =>
      new Promise<number[]>((resolve) => {
        const shown = new Set<number>();
        let wasShown = false;
        const readValue = (): void => {
          const bar = document.querySelector(`[role="progressbar"][aria-label^="${start}"]`);
          const value = bar?.getAttribute('aria-valuenow') ?? null;
          if (value !== null) shown.add(Number(value));
          wasShown ||= bar !== null;
          if (wasShown && bar === null) resolve([...shown]);
          else setTimeout(readValue, 10);
        };
        readValue();
      }),
    label,
  );
}

/** Presses Tab until the element has the focus; fails when Tab cannot reach it. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let count = 0; count < 40; count += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error('Tab does not lead there');
}

async function expectFocusIn(dialog: Locator): Promise<void> {
  await expect.poll(() => dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true);
}
