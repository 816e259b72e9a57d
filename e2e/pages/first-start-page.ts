// Page object of the first start: "What should this computer do?"
import { expect, type Locator, type Page } from '@playwright/test';

export class FirstStartPage {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  get heading(): Locator {
    return this.#page.getByRole('heading', { name: 'What should this computer do?' });
  }

  get continueButton(): Locator {
    return this.#page.getByRole('button', { name: 'Continue' });
  }

  role(name: 'Provider' | 'Gateway' | 'Tenant'): Locator {
    return this.#page.getByRole('checkbox', { name, exact: true });
  }

  async choose(...names: ('Provider' | 'Gateway' | 'Tenant')[]): Promise<void> {
    for (const name of names) await this.role(name).check();
    await this.continueButton.click();
    await expect(this.heading).toBeHidden();
  }

  /** Chooses all three roles with a sample; ends on the page of the first session. */
  async tryItHere(): Promise<void> {
    await this.#page.getByRole('button', { name: 'Try it on this computer' }).click();
    await expect(this.#page.getByRole('list', { name: 'Steps' })).toBeVisible();
  }
}
