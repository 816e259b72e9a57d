// Page object of Cloud Connect: the provider identity, its users, and a planned change.
import { type Locator, type Page } from '@playwright/test';

export class CloudConnectPage {
  readonly identity: Locator;
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
    this.identity = page.getByRole('region', { name: 'Provider identity' });
  }

  /** A row of the list of certificate users. */
  user(name: string): Locator {
    return this.identity.getByRole('table', { name: 'Used by' }).getByRole('row').filter({ hasText: name });
  }

  get rollover(): Locator {
    return this.#page.getByRole('region', { name: 'Announced change' });
  }
}
