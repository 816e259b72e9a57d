// Owns the admin's settings for all certificates of the provider: length of generated keys, and the encryption of private keys on disk.
// Must not generate a key or put a certificate in service.
import type { CertificateSettings } from '../../contracts/models/certificate.ts';
import { rsaKeyBitsSchema } from '../../contracts/models/certificate.ts';
import type { CertificateStore } from '../../certstore/certificate-store.ts';
import type { StoreProtection } from '../../certstore/store-protection.ts';
import type { RsaKeySize } from '../../pki/create/generate.ts';
import type { SettingsStore } from '../state/settings-store.ts';

const keyBitsName = 'certificate-key-bits';

export interface CertificateSettingsOptions {
  readonly saved: SettingsStore;
  readonly store: CertificateStore;
  /** The keys of the gateway links use the same encryption as the certificates. */
  readonly infrastructureProtection: StoreProtection;
  /** The key size from the configuration. It applies until an admin sets a different key size. */
  readonly defaultKeyBits: RsaKeySize;
}

export class CertificateSettingsStore {
  readonly #options: CertificateSettingsOptions;

  constructor(options: CertificateSettingsOptions) {
    this.#options = options;
  }

  async keyBits(): Promise<RsaKeySize> {
    const { saved, defaultKeyBits } = this.#options;
    const value = await saved.find(keyBitsName);
    const parsed = rsaKeyBitsSchema.safeParse(value === undefined ? undefined : Number(value.toString()));
    return parsed.success ? parsed.data : defaultKeyBits;
  }

  async show(): Promise<CertificateSettings> {
    const { store } = this.#options;
    const { kind, description } = await store.describeProtection();
    return {
      keyBits: await this.keyBits(),
      protection: {
        kind: kind === 'os-keychain' ? kind : 'key-file',
        description,
        keychain: store.keychain ?? null,
      },
    };
  }

  async setKeyBits(keyBits: RsaKeySize): Promise<void> {
    await this.#options.saved.set(keyBitsName, Buffer.from(String(keyBits)));
  }

  /** Safe to repeat after a failure. @throws call.refused without a keychain; certificate.key-unreadable */
  async protect(kind: CertificateSettings['protection']['kind']): Promise<void> {
    const { store, infrastructureProtection } = this.#options;
    await store.changeProtection(kind);
    await infrastructureProtection.change(kind);
  }
}
