// The console on a desktop: it remembers its settings, lists scroll smoothly, and support gets its file.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/console-test.ts';
import { FarkeepConsole } from '../fixtures/farkeep-console.ts';
import { saveNext } from '../fixtures/file-dialogs.ts';
import { ConsoleWindow } from '../pages/console-window.ts';
import { FirstStartPage } from '../pages/first-start-page.ts';

test('diagnostics are saved in the chosen folder, step by step', async ({ farkeep, home }) => {
  const { page, app } = farkeep;
  const window = new ConsoleWindow(page);
  await new FirstStartPage(page).choose('Tenant');
  await window.expectService('Tenant service', 'running');
  await window.chooseFromMenu('Export diagnostics');
  const dialog = window.dialog('Export diagnostics');
  await expect(dialog.getByRole('listitem')).toHaveCount(6);
  await farkeep.expectAccessible('diagnostics');
  const file = path.join(home.folder, 'for-support.zip');
  await saveNext(app, file);
  await dialog.getByRole('button', { name: 'Save as...' }).click();
  await expect(dialog.getByText(`Written: ${file}`)).toBeVisible();
  await expect(dialog.getByRole('listitem').filter({ hasText: ', done' })).toHaveCount(6);
  await farkeep.expectAccessible('diagnostics-written');
  await dialog.getByRole('button', { name: 'Copy path' }).click();
  await expect.poll(() => app.evaluate(({ clipboard }) => clipboard.readText())).toBe(file);
  expect((await readFile(file)).subarray(0, 2).toString()).toBe('PK');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});

test('sort order, column widths and page are the same after a restart', async ({ farkeep, home }, testInfo) => {
  await new FirstStartPage(farkeep.page).choose('Provider');
  const window = new ConsoleWindow(farkeep.page);
  await window.expectService('Provider service', 'running');
  const folder = path.join(home.folder, 'vault');
  expect(await farkeep.call('provider', 'repositories', 'add', { name: 'main', folder })).toMatchObject({ ok: true });
  for (const name of ['alpha', 'beta', 'gamma']) {
    const added = await farkeep.call('provider', 'tenants', 'add', {
      name,
      password: 'correct horse battery',
      quotas: [{ repository: 'main', limitBytes: 1e9 }],
    });
    expect(added).toMatchObject({ ok: true });
  }
  await window.open('Tenants');
  const { page } = farkeep;
  const name = page.getByRole('columnheader', { name: /^Name/ });
  await name.getByRole('button').click();
  await name.getByRole('button').click();
  await expect(name).toHaveAttribute('aria-sort', 'descending');
  const handle = name.getByRole('separator');
  const before = (await name.boundingBox())?.width ?? 0;
  const place = await handle.boundingBox();
  if (place === null) throw new Error('The handle is not drawn');
  await page.mouse.move(place.x + place.width / 2, place.y + 8);
  await page.mouse.down();
  await page.mouse.move(place.x - 60, place.y + 8, { steps: 4 });
  await page.mouse.up();
  const dragged = (await name.boundingBox())?.width ?? 0;
  expect(dragged).toBeLessThan(before - 40);
  await handle.focus();
  await page.keyboard.press('ArrowLeft');
  await expect.poll(async () => (await name.boundingBox())?.width).toBe(Math.round(dragged) - 16);
  await farkeep.expectAccessible('table-width');
  await farkeep.app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.setBounds({ x: 40, y: 30, width: 1111, height: 777 }),
  );
  await expect
    .poll(async () => {
      const text = await readFile(path.join(home.folder, 'console', 'settings.json'), 'utf8');
      return JSON.parse(text) as unknown;
    })
    .toMatchObject({
      window: { width: 1111, height: 777 },
      preferences: {
        lastPage: 'provider/tenants',
        tables: { 'provider/tenants': { sort: { direction: 'descending' } } },
      },
    });
  await farkeep.close();

  const again = await FarkeepConsole.start(home, testInfo);
  try {
    await expect(again.page.getByRole('heading', { name: 'Tenants', level: 1 })).toBeVisible();
    const head = again.page.getByRole('columnheader', { name: /^Name/ });
    await expect(head).toHaveAttribute('aria-sort', 'descending');
    await expect.poll(async () => (await head.boundingBox())?.width).toBe(Math.round(dragged) - 16);
    const names = again.page
      .getByRole('grid', { name: 'Tenants' })
      .getByRole('row')
      .getByText(/^(alpha|beta|gamma)$/);
    await expect(names).toHaveText(['gamma', 'beta', 'alpha']);
    expect(await again.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getSize())).toEqual([
      1111, 777,
    ]);
  } finally {
    await again.close();
  }
});

test('a list of 10,000 sessions is drawn only in part, also while it scrolls', async ({ farkeep, home }, testInfo) => {
  await new FirstStartPage(farkeep.page).choose('Tenant');
  await new ConsoleWindow(farkeep.page).expectService('Tenant service', 'running');
  await farkeep.close();
  addSessions(path.join(home.folder, 'tenant', 'tenant.sqlite'), 10_000);
  const again = await FarkeepConsole.start(home, testInfo);
  try {
    const { page } = again;
    const window = new ConsoleWindow(page);
    await window.expectService('Tenant service', 'running');
    await window.open('Sessions');
    const grid = page.getByRole('grid', { name: 'Sessions' });
    await expect(grid).toHaveAttribute('aria-rowcount', '10001', { timeout: 30_000 });
    await grid.hover();
    const scrolling = watchFrames(page, 3000);
    for (let turn = 0; turn < 40; turn += 1) await page.mouse.wheel(0, 1500);
    const { sortedMs, mostRows } = await scrolling;
    // The times depend on the other programs of the machine, so they are only reported. The number of drawn rows decides what a frame costs.
    const figures = `frames of ${share(sortedMs, 0.5)} ms (half), ${share(sortedMs, 0.95)} ms (95 %), ${share(sortedMs, 1)} ms (longest)`;
    testInfo.annotations.push({ type: 'scrolling 10,000 rows', description: figures });
    expect(mostRows).toBeGreaterThan(10);
    expect(mostRows).toBeLessThan(80);
    await expect(grid.getByText('Job 1', { exact: true })).toBeHidden();
    await grid.focus();
    await page.keyboard.press('End');
    await expect(grid.getByRole('row', { selected: true })).toContainText('Job 10000');
  } finally {
    await again.close();
  }
});

interface WatchedFrames {
  /** Times between the frames, in ms, the shortest first. */
  readonly sortedMs: readonly number[];
  /** The highest number of rows that a frame had in the document. */
  readonly mostRows: number;
}

/** Watches the frames of a page during `wantedMs`. */
async function watchFrames(page: Page, wantedMs: number): Promise<WatchedFrames> {
  const { between, mostRows } = await page.evaluate(
    (limitMs) =>
      new Promise<{ between: number[]; mostRows: number }>((resolve) => {
        const times: number[] = [];
        let most = 0;
        const start = performance.now();
        let last = start;
        const frame = (now: number): void => {
          times.push(now - last);
          most = Math.max(most, document.querySelectorAll('[role="row"]').length);
          last = now;
          if (now - start > limitMs) resolve({ between: times.slice(2), mostRows: most });
          else requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      }),
    wantedMs,
  );
  return { sortedMs: between.sort((left, right) => left - right), mostRows };
}

/** The time that this part of the frames does not exceed, in whole ms. */
function share(sorted: readonly number[], part: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
}

/** Rows as the service stores them, in order of their start; the oldest is "Job 10000". */
function addSessions(file: string, count: number): void {
  const database = new DatabaseSync(file);
  const insert = database.prepare(
    `INSERT INTO sessions (id, owner, is_final, created_at, summary, detail, samples, context) VALUES (?, ?, 1, ?, ?, '{}', '[]', '{}')`,
  );
  const amounts = ['processedBytes', 'processedFiles', 'readBytes', 'transferredBytes', 'safeBytes', 'unchangedFiles'];
  const rates = ['newBlocks', 'reusedBlocks', 'readBytesPerSecond', 'transferredBytesPerSecond', 'secondsLeft'];
  const progress = Object.fromEntries(['totalBytes', 'totalFiles', ...amounts, ...rates].map((name) => [name, 1000]));
  database.exec('BEGIN');
  for (let number = count; number >= 1; number -= 1) {
    const id = number.toString(16).padStart(32, '0');
    const at = new Date(Date.UTC(2026, 0, 1) - number * 60_000).toISOString();
    const summary = {
      id,
      kind: 'backup',
      jobName: `Job ${number}`,
      otherSide: 'Northwind',
      repository: 'main',
      state: 'succeeded',
      attempt: 1,
      createdAt: at,
      endedAt: at,
      progress,
      warningCount: 0,
      error: null,
      hasSecurityWarning: false,
      pointId: id,
    };
    insert.run(id, id, at, JSON.stringify(summary));
  }
  database.exec('COMMIT');
  database.close();
}
