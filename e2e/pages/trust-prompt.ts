// Page object of the two trust prompts: for an untrusted certificate and for a changed one.
import { type Locator, type Page } from '@playwright/test';

export class TrustPrompt {
  readonly dialog: Locator;

  constructor(page: Page) {
    this.dialog = page
      .getByRole('alertdialog', { name: /certificate/i })
      .filter({ hasText: 'Thumbprint from your provider' });
  }

  get pasted(): Locator {
    return this.dialog.getByLabel('Thumbprint from your provider');
  }

  get accept(): Locator {
    return this.dialog.getByRole('button', { name: /^Accept/ });
  }

  get compared(): Locator {
    return this.dialog.getByRole('checkbox', { name: 'I compared it with my provider' });
  }

  /** Pastes a thumbprint and compares it; the result is shown beside the field. */
  async verify(thumbprint: string): Promise<void> {
    await this.pasted.fill(thumbprint);
    await this.dialog.getByRole('button', { name: 'Verify', exact: true }).click();
  }

  async refuse(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'Refuse', exact: true }).click();
  }
}
