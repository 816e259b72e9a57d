// A restore without a mouse: from the first start through the restore wizard to the end of the session, only by keyboard.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '../fixtures/console-test.ts';
import { SessionPage } from '../pages/session-page.ts';
import { Wizard } from '../pages/wizard.ts';

test('the restore wizard from start to finish by keyboard alone', async ({ farkeep, home }) => {
  test.setTimeout(90_000);
  const { page } = farkeep;
  const { keyboard } = page;
  await tabTo(page, page.getByRole('button', { name: 'Try it on this computer' }));
  await keyboard.press('Enter');
  const session = new SessionPage(page, 'Sample documents');
  await session.expectEnd('Success', 'to');

  await tabTo(page, page.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name: 'Restore points' }));
  await keyboard.press('Enter');
  const table = page.getByRole('grid', { name: 'Restore points' });
  await expect(table.getByRole('row')).toHaveCount(2);
  await tabTo(page, table);
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  const wizard = new Wizard(page, 'Restore');
  const source = path.join(home.folder, 'sample', 'documents');
  const restored = path.join(home.folder, 'restored');

  await test.step('the restore point is already chosen: Enter means Next', async () => {
    await wizard.step('Point');
    await expect(wizard.dialog.getByRole('grid', { name: 'Restore points' })).toBeFocused();
  });

  await test.step('F1 opens the help of the wizard; its links lead to other pages, and Esc returns to the wizard', async () => {
    await keyboard.press('F1');
    const help = page.getByRole('dialog', { name: 'Help', exact: true });
    await expect(help.getByRole('article', { name: 'Restore files' })).toBeVisible();
    expect(await farkeep.violations()).toEqual([]);
    await tabTo(page, help.getByRole('article').getByRole('button', { name: 'Restore when everything is lost' }));
    await keyboard.press('Enter');
    await expect(help.getByRole('article', { name: 'Restore when everything is lost' })).toBeFocused();
    await keyboard.press('Escape');
    await expect(help).toBeHidden();
    await expect(wizard.dialog.getByRole('grid', { name: 'Restore points' })).toBeFocused();
    await keyboard.press('Enter');
  });

  const tree = wizard.dialog.getByRole('tree');
  await test.step('one file is selected in the tree', async () => {
    await wizard.step('Items');
    await expect(wizard.dialog.getByRole('radio', { name: 'Everything in this restore point' })).toBeFocused();
    await keyboard.press('ArrowRight');
    await expect(wizard.dialog.getByRole('radio', { name: 'Only the items selected below' })).toBeFocused();
    await tabTo(page, tree);
    const folder = tree.getByRole('treeitem', { name: 'Archive', exact: true });
    const file = tree.getByRole('treeitem', { name: /^log\.txt, [\d.]+ / });
    await expect(folder).toBeVisible();
    const names = await tree.getByRole('treeitem').allInnerTexts();
    for (const _before of names.slice(
      0,
      names.findIndex((name) => name.includes('Archive')),
    ))
      await keyboard.press('ArrowDown');
    await expect(folder).toHaveAttribute('aria-selected', 'true');
    await keyboard.press('ArrowRight');
    await expect(folder).toHaveAttribute('aria-expanded', 'true');
    await expect(file).toBeVisible();
    await keyboard.press('ArrowRight');
    for (let count = 0; count < 5 && (await file.getAttribute('aria-selected')) !== 'true'; count += 1)
      await keyboard.press('ArrowDown');
    await keyboard.press('Space');
    await expect(file).toHaveAttribute('aria-checked', 'true');
    expect(await farkeep.violations(['label-content-name-mismatch'])).toEqual([]);
  });

  await test.step('Esc asks before it discards this; the safe answer has the focus, and the focus returns', async () => {
    await keyboard.press('Escape');
    const question = page.getByRole('alertdialog', { name: 'Leave this wizard?' });
    await expect(question.getByRole('button', { name: 'Stay' })).toBeFocused();
    await keyboard.press('Enter');
    await expect(question).toBeHidden();
    await expect(tree).toBeFocused();
    await keyboard.press('Enter');
  });

  await test.step('an empty destination is refused beside its field', async () => {
    await wizard.step('Destination');
    const folder = wizard.field('Restore to folder');
    await expect(folder).toBeFocused();
    await keyboard.press('Enter');
    await expect(folder).toHaveAttribute('aria-invalid', 'true');
    await keyboard.type(restored);
    await keyboard.press('Enter');
  });

  await wizard.step('Summary');
  await keyboard.press('Enter');
  await expect(wizard.dialog).toBeHidden();
  await session.expectEnd('Success', 'from');
  expect(await readFile(path.join(restored, 'Archive', 'log.txt'))).toEqual(
    await readFile(path.join(source, 'Archive', 'log.txt')),
  );
  // The focus is on the opened page, not at the top of the window.
  await expect(page.getByRole('main')).toBeFocused();
  await keyboard.press('Tab');
  await expect(page.getByRole('main').getByRole('button', { name: 'Sessions' })).toBeFocused();
});

test('the job wizard by keyboard alone: Enter means Next also at a selection, and the focus returns', async ({
  farkeep,
  home,
}) => {
  test.setTimeout(90_000);
  const { page } = farkeep;
  const { keyboard } = page;
  await page.getByRole('button', { name: 'Try it on this computer' }).click();
  await new SessionPage(page, 'Sample documents').expectEnd('Success', 'to');
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name: 'Jobs' }).click();
  const open = page.getByRole('button', { name: 'New job...' });
  await tabTo(page, open);
  await keyboard.press('Enter');
  const wizard = new Wizard(page, 'Backup Job');
  await wizard.step('Name');
  await keyboard.type('Nightly');
  await keyboard.press('Enter');
  await wizard.step('Source');
  await keyboard.type(path.join(home.folder, 'sample', 'documents'));
  await keyboard.press('Enter');
  await wizard.step('Destination');
  await expect(wizard.dialog.getByRole('combobox', { name: 'Service provider' })).toBeFocused();
  await keyboard.press('Enter');
  await wizard.step('Summary');
  await expect(wizard.dialog.getByRole('checkbox', { name: 'Run the job when I click Finish' })).toBeFocused();
  await keyboard.press('Space');
  await keyboard.press('Enter');
  await expect(wizard.dialog).toBeHidden();
  await expect(open).toBeFocused();

  await test.step('an answer that removes its notice keeps the focus on the page', async () => {
    const made = await farkeep.call('provider', 'certificate', 'generate', {
      slot: 'provider',
      friendlyName: 'Next',
      keyBits: 2048,
    });
    const candidateId = made.ok ? (made.value as { candidateId: string }).candidateId : 'none';
    const installed = await farkeep.call('provider', 'certificate', 'install', { slot: 'provider', candidateId });
    expect(installed.ok).toBe(true);
    await page.getByRole('row', { name: /Nightly/ }).click();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const review = page.getByRole('main').getByRole('button', { name: 'Review...' });
    await expect(review).toBeVisible({ timeout: 30_000 });
    await tabTo(page, review);
    await keyboard.press('Enter');
    const prompt = page.getByRole('alertdialog', { name: /has changed/ });
    await tabTo(page, prompt.getByRole('checkbox', { name: 'I compared it with my provider' }));
    await keyboard.press('Space');
    await tabTo(page, prompt.getByRole('button', { name: 'Accept new certificate' }));
    await keyboard.press('Enter');
    await expect(prompt).toBeHidden();
    await expect(page.getByRole('main')).toBeFocused();
  });
});

/** Presses Tab until the element has the focus, at most `mostSteps` times. */
async function tabTo(page: Page, target: Locator, mostSteps = 40): Promise<void> {
  for (let count = 0; count < mostSteps; count += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  await expect(target).toBeFocused();
}
