// Page object of every wizard; all wizards have the same frame.
import { expect, type Locator, type Page } from '@playwright/test';

export class Wizard {
  readonly dialog: Locator;
  readonly #page: Page;

  /** @param title as in its title bar: "Manage Certificate", "Service Provider", "Backup Job", "Restore" */
  constructor(page: Page, title: string | RegExp) {
    this.#page = page;
    this.dialog = page.getByRole('dialog', { name: title });
  }

  /** The content of the open step; waits until this step is open. */
  async step(title: string): Promise<Locator> {
    const content = this.dialog.getByRole('group', { name: title, exact: true });
    await expect(content).toBeVisible({ timeout: 60_000 });
    return content;
  }

  /** An input or text area; Fluent adds an asterisk to the name of a required field. */
  field(label: string | RegExp): Locator {
    return this.dialog.getByRole('textbox', { name: label });
  }

  async next(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'Next', exact: true }).click();
  }

  async previous(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'Previous', exact: true }).click();
  }

  /** Finishes and closes the wizard; waits for the work of Finish. */
  async finish(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'Finish', exact: true }).click();
    await expect(this.dialog).toBeHidden({ timeout: 60_000 });
  }

  async cancel(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'Cancel', exact: true }).click();
  }

  /** Leaves the wizard and discards the input. */
  async abandon(): Promise<void> {
    await this.cancel();
    const question = this.#page.getByRole('alertdialog', { name: 'Leave this wizard?' });
    if (await question.isVisible()) await question.getByRole('button', { name: 'Leave', exact: true }).click();
    await expect(this.dialog).toBeHidden();
  }

  /** The equivalent command line that the last page shows. */
  async command(): Promise<string> {
    await this.dialog.getByRole('button', { name: 'Show command' }).click();
    return (await this.dialog.getByRole('group', { name: 'Equivalent command' }).innerText()).trim();
  }
}
