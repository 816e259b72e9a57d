// Page object of the wizard Manage Certificate, the same for both slots.
import { type Locator, type Page } from '@playwright/test';
import { Wizard } from './wizard.ts';

const types = {
  keep: 'Keep existing certificate',
  generate: 'Generate new certificate',
  pick: 'Select certificate from the certificate store of this server',
  import: 'Import certificate from a file',
} as const;

export class CertificateWizard extends Wizard {
  constructor(page: Page) {
    super(page, 'Manage Certificate');
  }

  /** Chooses on the first page and goes to the second. */
  async choose(type: keyof typeof types): Promise<void> {
    const content = await this.step('Certificate Type');
    await content.getByRole('radio', { name: types[type] }).check();
    await this.next();
  }

  /** Names of the radios of the first page, in order. */
  async typeNames(): Promise<string[]> {
    const radios = await (await this.step('Certificate Type')).getByRole('radio').all();
    return Promise.all(
      radios.map((radio) =>
        radio.evaluate((input) => (input instanceof HTMLInputElement ? (input.labels?.[0]?.innerText ?? '') : '')),
      ),
    );
  }

  get steps(): Locator {
    return this.dialog.getByRole('list').first().getByRole('listitem');
  }

  get password(): Locator {
    return this.dialog.getByRole('textbox', { name: 'Password', exact: true });
  }

  /** A row of Pick Certificate. */
  row(text: RegExp): Locator {
    return this.dialog
      .getByRole('grid', { name: 'Certificates on this computer' })
      .getByRole('row')
      .filter({ hasText: text });
  }

  /** Drops a file of this computer on a field, as a file manager does. */
  async drop(page: Page, target: Locator, file: string): Promise<void> {
    const box = await target.boundingBox();
    if (box === null) throw new Error('The field is not shown');
    const session = await page.context().newCDPSession(page);
    const place = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    const data = { items: [], files: [file], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, ...place, data });
    }
    await session.detach();
  }
}
