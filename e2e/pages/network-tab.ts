// Page object of Options > Network.
import { expect, type Locator, type Page } from '@playwright/test';
import { ConsoleWindow } from './console-window.ts';

export class NetworkTab {
  readonly dialog: Locator;
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
    this.dialog = page.getByRole('dialog', { name: 'Options' });
  }

  async open(): Promise<void> {
    await new ConsoleWindow(this.#page).chooseFromMenu('Options');
    await this.dialog.getByRole('tab', { name: 'Network' }).click();
  }

  /** One address with its port and its check. */
  address(label: string): Locator {
    return this.dialog.getByRole('group', { name: label, exact: true });
  }

  /** A field with suggestions has the role of a combo box. */
  host(label: string): Locator {
    return this.address(label).getByRole('combobox');
  }

  port(label: string): Locator {
    return this.address(label).getByRole('textbox', { name: 'Port' });
  }

  async save(service: 'Provider service' | 'Gateway service' | 'Tenant service'): Promise<void> {
    await this.dialog.getByRole('button', { name: `Save and restart: ${service}` }).click();
    await expect(this.dialog.getByText(`Saved. ${service} started again.`)).toBeVisible({ timeout: 60_000 });
  }

  async close(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'Close' }).click();
    await expect(this.dialog).toBeHidden();
  }
}
