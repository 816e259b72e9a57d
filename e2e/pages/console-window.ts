// Page object of the window around the pages: main menu, navigation, status bar, toasts, confirmation dialogs.
import { expect, type Locator, type Page } from '@playwright/test';

export type NavigationGroup = 'Provider' | 'Tenant';
export type ServiceName = 'Provider service' | 'Gateway service' | 'Tenant service';

export class ConsoleWindow {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  get navigation(): Locator {
    return this.#page.getByRole('navigation', { name: 'Pages' });
  }

  /** Opens a page; `group` is needed when two pages have the same name (Sessions). */
  async open(name: string, group?: NavigationGroup): Promise<void> {
    const scope = group === undefined ? this.navigation : this.navigation.getByRole('list', { name: group });
    const item = scope.getByRole('button', { name, exact: true });
    await item.click();
    await expect(item).toHaveAttribute('aria-current', 'page');
  }

  async chooseFromMenu(
    item: 'Options' | 'License' | 'Show log files' | 'Export diagnostics' | 'About' | 'Exit',
  ): Promise<void> {
    await this.#page.getByRole('button', { name: 'Main menu' }).click();
    await this.#page.getByRole('menuitem', { name: item }).click();
  }

  /** The button of a service in the status bar; its name contains the state: "Tenant service running". */
  service(name: ServiceName): Locator {
    return this.#page.getByRole('contentinfo', { name: 'Status' }).getByRole('button', { name });
  }

  async expectService(name: ServiceName, state: string): Promise<void> {
    await expect(this.service(name)).toHaveText(new RegExp(`^${name} ${state}`), { timeout: 60_000 });
  }

  /** A button in the command bar of the shown page. */
  command(name: string): Locator {
    return this.#page.getByRole('toolbar', { name: 'Commands' }).getByRole('button', { name, exact: true });
  }

  /** A row of a table, found by its text. */
  row(table: string, text: string | RegExp): Locator {
    return this.#page.getByRole('grid', { name: table }).getByRole('row').filter({ hasText: text });
  }

  dialog(name: string | RegExp): Locator {
    return this.#page.getByRole('dialog', { name });
  }
}
