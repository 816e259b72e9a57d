// Owns what an admin set for all certificates of the provider: length of generated keys, and what encrypts private keys on disk.
// Generates nothing and puts nothing in service.
import type { CertificateSettings } from '../../contracts/models/certificate.ts';
import { rsaKeyBitsSchema } from '../../contracts/models/certificate.ts';
import type { CertificateStore } from '../../certstore/certificate-store.ts';
import type { StoreProtection } from '../../certstore/store-protection.ts';
import type { Database } from '../../kernel/state/database.ts';
import type { RsaKeySize } from '../../pki/create/generate.ts';

const keyBitsName = 'certificate-key-bits';

export interface CertificateSettingsOptions {
  readonly database: Database;
  readonly store: CertificateStore;
  /** The keys of the gateway links follow those of the certificates. */
  readonly infrastructureProtection: StoreProtection;
  /** Until somebody sets one: the configuration's. */
  readonly defaultKeyBits: RsaKeySize;
}

export class CertificateSettingsStore {
  readonly #options: CertificateSettingsOptions;

  constructor(options: CertificateSettingsOptions) {
    this.#options = options;
  }

  get keyBits(): RsaKeySize {
    const { database, defaultKeyBits } = this.#options;
    const saved = database.get('SELECT value FROM settings WHERE name = ?', keyBitsName)?.['value'];
    const known = rsaKeyBitsSchema.safeParse(saved instanceof Uint8Array ? Number(Buffer.from(saved)) : undefined);
    return known.success ? known.data : defaultKeyBits;
  }

  async show(): Promise<CertificateSettings> {
    const { store } = this.#options;
    const { kind, description } = await store.describeProtection();
    return {
      keyBits: this.keyBits,
      protection: {
        kind: kind === 'os-keychain' ? kind : 'key-file',
        description,
        keychain: store.keychain ?? null,
      },
    };
  }

  setKeyBits(keyBits: RsaKeySize): void {
    this.#options.database.run(
      'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      keyBitsName,
      Buffer.from(String(keyBits)),
    );
  }

  /** Safe to repeat after a failure. @throws call.refused without a keychain; certificate.key-unreadable */
  async protect(kind: CertificateSettings['protection']['kind']): Promise<void> {
    const { store, infrastructureProtection } = this.#options;
    await store.changeProtection(kind);
    await infrastructureProtection.change(kind);
  }
}
