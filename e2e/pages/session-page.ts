// Page object of the live session view.
import { expect, type Locator, type Page } from '@playwright/test';

export class SessionPage {
  readonly heading: Locator;
  readonly #page: Page;

  constructor(page: Page, job: string) {
    this.#page = page;
    this.heading = page.getByRole('main').getByRole('heading', { name: job, level: 1 });
  }

  /** The badge beside the name of the job. */
  get state(): Locator {
    return this.heading.locator('xpath=following-sibling::*[1]');
  }

  /** A button in the header of the page. */
  button(name: 'Pause' | 'Resume' | 'Stop'): Locator {
    return this.heading.locator('xpath=..').getByRole('button', { name, exact: true });
  }

  /** Waits for the end of the shown session. */
  async expectEnd(state: 'Success' | 'Warning' | 'Failed', direction: 'to' | 'from' | 'of'): Promise<void> {
    const header = this.heading.locator('xpath=../..');
    await expect(header).toContainText(new RegExp(`·\\s*${direction} `), { timeout: 60_000 });
    await expect(this.state).toHaveText(state, { timeout: 60_000 });
  }

  /** Key A and Key B as shown, without spaces. */
  async keyIdentifiers(): Promise<string[]> {
    const text = await this.#page.getByRole('main').innerText();
    const found = text.match(/\b[0-9a-f]{4}\s?[0-9a-f]{4}\s?[0-9a-f]{4}\s?[0-9a-f]{4}\b/g) ?? [];
    return [...new Set(found.map((identifier) => identifier.replaceAll(/\s/g, '')))].sort();
  }
}
