// The options for running a job, and lists with damaged rows.
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from '../fixtures/console-test.ts';
import type { FarkeepConsole } from '../fixtures/farkeep-console.ts';
import { pseudoRandom } from '../fixtures/folder-tree.ts';
import { mapFile } from '../fixtures/mapped-file.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';
import { SessionPage } from '../pages/session-page.ts';

test('a full read finds a change that kept the times; a smaller amount of data is accepted; lists name the rows that are missing', async ({
  farkeep,
  home,
}) => {
  const { page } = farkeep;
  const { keyboard } = page;
  const window = new ConsoleWindow(page);
  await new FirstStartPage(page).tryItHere();
  const [sample] = await expectJobs(farkeep, 1);
  const addJob = async (name: string, source: string): Promise<void> => {
    const { providerId, repository } = sample ?? {};
    await value(
      farkeep.call('tenant', 'jobs', 'add', { name, sourcePaths: [source], providerId, repository, streams: 1 }),
    );
    await window.open('Jobs');
    await window.row('Jobs', name).click();
  };
  const options = window.command('Options for this run');

  await test.step('read every file, by keyboard', async () => {
    const database = await mapFile(pseudoRandom('database', 200_000));
    try {
      await database.write('AAAA');
      const before = await stat(database.file, { bigint: true });
      // The file cache does not trust a file that changed a moment ago.
      await expect.poll(() => Date.now() - Number(before.ctimeMs)).toBeGreaterThan(300);
      await addJob('Database', database.folder);
      await window.command('Run').click();
      const session = new SessionPage(page, 'Database');
      await session.expectEnd('Success', 'to');
      await database.write('BBBB');
      const after = await stat(database.file, { bigint: true });
      expect([after.mtimeNs, after.ctimeNs, after.size]).toEqual([before.mtimeNs, before.ctimeNs, before.size]);

      await window.open('Jobs');
      await window.row('Jobs', 'Database').click();
      await window.command('Run').focus();
      await keyboard.press('ArrowRight');
      await expect(options).toBeFocused();
      await keyboard.press('Enter');
      const item = page.getByRole('menuitemcheckbox', { name: /^Read every file/ });
      await expect(item).toBeFocused();
      await expect(item).toContainText('Also reads files whose size and time are unchanged');
      await keyboard.press('Enter');
      await expect(item).toBeChecked();
      await farkeep.expectAccessible('jobs-run-menu');
      // The options are for one run, and a closed menu forgets them.
      await keyboard.press('Escape');
      await expect(options).toBeFocused();
      await keyboard.press('Enter');
      await expect(item).not.toBeChecked();
      await keyboard.press('Enter');
      await expect(item).toBeChecked();
      await keyboard.press('End');
      await keyboard.press('Enter');
      await session.expectEnd('Success', 'to');
      const restored = path.join(home.folder, 'restored');
      await restoreNewest(farkeep, 'Database', restored);
      expect((await readFile(path.join(restored, 'data.db'))).subarray(0, 4).toString()).toBe('BBBB');
    } finally {
      await database.remove();
    }
  });

  await test.step('much less data: the session asks, and the answer runs the job without the warning', async () => {
    const source = path.join(home.folder, 'shrinking');
    await mkdir(source);
    for (const name of ['a', 'b', 'c', 'd']) await writeFile(path.join(source, name), pseudoRandom(name, 100_000));
    await addJob('Shrinking', source);
    await window.command('Run').click();
    const session = new SessionPage(page, 'Shrinking');
    await session.expectEnd('Success', 'to');
    for (const name of ['b', 'c', 'd']) await rm(path.join(source, name));
    await window.open('Jobs');
    await window.row('Jobs', 'Shrinking').click();
    await window.command('Run').click();
    await session.expectEnd('Warning', 'to');
    const accept = page.getByRole('main').getByRole('button', { name: 'Run again and accept' });
    await expect(page.getByText('Much less data than in the last good run.')).toBeVisible();
    await page.mouse.move(0, 0);
    await farkeep.expectAccessible('session-less-data');
    await accept.click();
    await session.expectEnd('Success', 'to');
    await expect(accept).toBeHidden();

    // The same from the menu, without a warning before, and together with the other option.
    await writeFile(path.join(source, 'a'), '');
    await window.open('Jobs');
    await window.row('Jobs', 'Shrinking').click();
    await options.click();
    for (const name of [/^Read every file/, /^Accept less data/]) {
      await page.getByRole('menuitemcheckbox', { name }).click();
    }
    await page.getByRole('menuitem', { name: 'Run with these options' }).click();
    await session.expectEnd('Success', 'to');
  });

  await test.step('damaged rows are named, and hide no other rows', async () => {
    const [ended] = await sessions(farkeep);
    const database = new DatabaseSync(path.join(home.folder, 'tenant', 'tenant.sqlite'));
    database.exec(`UPDATE jobs SET source_paths = '{' WHERE name = 'Database';
      UPDATE sessions SET summary = '{' WHERE id = '${ended?.id ?? ''}'`);
    database.close();
    await page.reload();
    await page.waitForSelector('html[data-ready="true"]');
    await window.open('Jobs');
    await expect(window.row('Jobs', 'Shrinking')).toBeVisible();
    await expect(page.getByText(/^1 job cannot be shown: Database\./)).toBeVisible();
    await farkeep.expectAccessible('jobs-left-out');
    await window.open('Sessions', 'Tenant');
    const notice = page.getByText(`1 session cannot be shown: ${ended?.id.slice(0, 12) ?? ''}.`);
    await expect(notice).toBeVisible();
    await window.open('Sessions', 'Provider');
    await expect(window.row('Sessions', 'Shrinking').first()).toBeVisible();
    await expect(page.getByText(/cannot be shown/)).toHaveCount(0);
  });
  expect(await farkeep.policyViolations()).toEqual([]);
});

async function value(outcome: ReturnType<FarkeepConsole['call']>): Promise<Record<string, unknown>> {
  const result = await outcome;
  if (!result.ok) throw new Error(result.error.message);
  return result.value as Record<string, unknown>;
}

interface KnownJob {
  readonly providerId: string;
  readonly repository: string;
}

async function expectJobs(farkeep: FarkeepConsole, count: number): Promise<KnownJob[]> {
  const list = async (): Promise<KnownJob[]> => {
    const result = await farkeep.call('tenant', 'jobs', 'list');
    return result.ok ? (result.value as { jobs: KnownJob[] }).jobs : [];
  };
  await expect.poll(async () => (await list()).length, { timeout: 60_000 }).toBe(count);
  return list();
}

async function sessions(farkeep: FarkeepConsole): Promise<{ readonly id: string; readonly state: string }[]> {
  return (await value(farkeep.call('tenant', 'sessions', 'list')))['sessions'] as { id: string; state: string }[];
}

/** Restores the newest restore point of the job completely. */
async function restoreNewest(farkeep: FarkeepConsole, job: string, destination: string): Promise<void> {
  const { points } = (await value(farkeep.call('tenant', 'points', 'list'))) as {
    points: { id: string; job: string }[];
  };
  const pointId = points.findLast((point) => point.job === job)?.id;
  const { sessionId } = await value(farkeep.call('tenant', 'points', 'restore', { pointId, destination }));
  await expect
    .poll(async () => (await sessions(farkeep)).find(({ id }) => id === sessionId)?.state, { timeout: 30_000 })
    .toBe('succeeded');
}
