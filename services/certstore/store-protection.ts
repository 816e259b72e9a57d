// Owns which key encrypts the private keys of one folder (OS keychain or key file), and changing from one to the other. After a crash
// during a change, one of the two keys opens each private key, and the next start completes the change. Must not know what the private keys
// are for.
import type { KeyObject } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { SerialQueue } from '../kernel/serial-queue.ts';
import { syncFolder, writeFileAtomically } from '../kernel/state/atomic-file.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { Logger } from '../kernel/logger.ts';
import type { KeychainKey } from '../kernel/running-service.ts';
import { Secret } from '../kernel/secret.ts';
import { isMissing } from '../kernel/system-error.ts';
import type { AccessControl } from './access-control.ts';
import { KeyEncryption } from './key-encryption.ts';
import { parseJsonFile, unreadable } from './stored-file.ts';

export const keyFileName = 'store.key';
const choiceFileName = 'protection.json';

/** `os-keychain` names the only valid key. `key-file` means that a person chose the key file, so a keychain is not used automatically. */
const choiceSchema = z.discriminatedUnion('kind', [
  z.object({
    formatVersion: z.literal(1),
    kind: z.literal('os-keychain'),
    keychain: z.string().min(1).max(200),
    /** `Secret.identifier()` of the keychain's key. */
    keyId: z.string(),
  }),
  z.object({ formatVersion: z.literal(1), kind: z.literal('key-file') }),
]);
type Choice = z.infer<typeof choiceSchema>;

export type ProtectionKind = Choice['kind'];

/** Encrypts and decrypts private keys. During a change of the key it decrypts with either key. */
export type KeyCipher = Pick<KeyEncryption, 'kind' | 'description' | 'encrypt' | 'decrypt'>;

export interface StoreProtectionOptions {
  readonly access: AccessControl;
  readonly logger: Logger;
  /** A key from a real OS keychain. The store makes a copy. */
  readonly keychainKey?: KeychainKey | undefined;
  /** Every file with a private key; missing files are skipped. */
  readonly keyFiles: () => Promise<readonly string[]>;
}

export class StoreProtection implements Disposable {
  readonly #folder: string;
  readonly #options: StoreProtectionOptions;
  readonly #keychain: { readonly name: string; readonly key: Secret } | undefined;
  readonly #owned: KeyEncryption[] = [];
  #cipher: KeyCipher;
  readonly #changes = new SerialQueue();

  private constructor(folder: string, options: StoreProtectionOptions) {
    this.#folder = folder;
    this.#options = options;
    const { keychainKey } = options;
    this.#keychain =
      keychainKey === undefined
        ? undefined
        : { name: keychainKey.keychain, key: Secret.take(Buffer.from(keychainKey.key.bytes)) };
    this.#cipher = unopened;
  }

  /**
   * Uses a keychain as soon as one exists, unless a person chose the key file.
   * @param folder must exist
   * @throws FarkeepError 'certificate.key-unreadable' when a keychain protects the folder and its key was not passed, 'storage.damaged'
   */
  static async open(folder: string, options: StoreProtectionOptions): Promise<StoreProtection> {
    const protection = new StoreProtection(folder, options);
    try {
      await protection.#open();
      return protection;
    } catch (error) {
      protection[Symbol.dispose]();
      throw await unreadable(error, path.join(folder, keyFileName), options.access);
    }
  }

  get cipher(): KeyCipher {
    return this.#cipher;
  }

  /** Name of the keychain whose key was passed, in use or not. */
  get keychain(): string | undefined {
    return this.#keychain?.name;
  }

  /** Path of the key file, if the key file protects the private keys. */
  get keyFile(): string | undefined {
    return this.#cipher.kind === 'key-file' ? path.join(this.#folder, keyFileName) : undefined;
  }

  /**
   * Re-encrypts every private key. The caller must prevent other writes meanwhile; keys can still be read.
   * @throws FarkeepError 'call.refused' when no keychain key was passed
   */
  change(kind: ProtectionKind): Promise<void> {
    return this.#changes.run(() => this.#change(kind));
  }

  [Symbol.dispose](): void {
    this.#keychain?.key.dispose();
    for (const encryption of this.#owned) encryption[Symbol.dispose]();
  }

  async #change(kind: ProtectionKind): Promise<void> {
    if (kind === 'os-keychain') {
      // If a key file still exists beside the keychain, an earlier change was interrupted and must be completed.
      if (kind === this.#cipher.kind && !(await this.#hasKeyFile())) return;
      const failed = await this.#moveToKeychain(this.#requireKeychain());
      if (failed !== undefined) throw failed;
      return;
    }
    if (kind === this.#cipher.kind) return this.#writeChoice({ formatVersion: 1, kind });
    const file = await this.#openKeyFile();
    const former = this.#cipher;
    this.#cipher = eitherOf(file, former);
    const failed = await this.#reencrypt(file);
    if (failed !== undefined) {
      this.#cipher = eitherOf(former, file);
      throw failed;
    }
    // After this line the key file is used. If a crash happens before this line, the next start with the keychain changes back to the
    // keychain.
    await this.#writeChoice({ formatVersion: 1, kind });
    this.#cipher = file;
    this.#options.logger.info('Private keys are now encrypted with a key file', { folder: this.#folder });
  }

  async #open(): Promise<void> {
    const choice = await this.#readChoice();
    if (choice?.kind === 'os-keychain') {
      const { key } = this.#requireKeychainOf(choice);
      this.#cipher = this.#own(KeyEncryption.fromKeychain({ keychain: choice.keychain, key }));
      // Completes an interrupted change.
      if (await this.#hasKeyFile()) await this.#takeKeychain(this.#requireKeychain());
    } else if (choice === undefined && this.#keychain !== undefined) {
      await this.#takeKeychain(this.#keychain);
    } else {
      this.#cipher = await this.#openKeyFile();
    }
  }

  /** A damaged certificate folder must not prevent the start of the service, so failures are logged. */
  async #takeKeychain(keychain: { name: string; key: Secret }): Promise<void> {
    const failed = await this.#moveToKeychain(keychain);
    if (failed === undefined) return;
    const { message, hint } = failed;
    this.#options.logger.error('The key file is kept beside the keychain', { reason: message, next: hint });
  }

  async #moveToKeychain({ name, key }: { name: string; key: Secret }): Promise<FarkeepError | undefined> {
    const keychain = this.#own(KeyEncryption.fromKeychain({ keychain: name, key }));
    // The choice is written first. After a crash, a start without the keychain can then say which keychain it needs.
    await this.#writeChoice({ formatVersion: 1, kind: 'os-keychain', keychain: name, keyId: key.identifier() });
    if (await this.#hasKeyFile()) {
      this.#cipher = eitherOf(keychain, await this.#openKeyFile());
      const failed = await this.#reencrypt(keychain);
      // A private key opens with neither key. The key file is kept, because an admin may need it to find the cause; the next start tries
      // again.
      if (failed !== undefined) return failed;
      await rm(path.join(this.#folder, keyFileName));
      await syncFolder(this.#folder);
      this.#options.logger.info('Private keys are now encrypted with the keychain; the key file was removed', {
        folder: this.#folder,
      });
    }
    this.#cipher = keychain;
    return undefined;
  }

  /**
   * Re-encrypts all private keys. @returns the error of the first private key that opens with neither key; the other keys are still
   * re-encrypted
   */
  async #reencrypt(next: KeyEncryption): Promise<FarkeepError | undefined> {
    const { access, keyFiles } = this.#options;
    let failed: FarkeepError | undefined;
    for (const file of await keyFiles()) {
      let key: KeyObject;
      try {
        key = this.#cipher.decrypt(await readFile(file, 'utf8'));
      } catch (error) {
        if (isMissing(error)) continue;
        const cause = await unreadable(error, file, access);
        failed ??=
          cause instanceof FarkeepError
            ? cause
            : new FarkeepError(
                'certificate.key-unreadable',
                `${file} can be decrypted neither with the keychain nor with the key file`,
                {
                  hint: 'Restore it from a copy, or remove its folder, then try again.',
                  cause,
                },
              );
        continue;
      }
      await writeFileAtomically(file, next.encrypt(key), { mode: access.fileMode });
      await access.apply(file, 'file');
    }
    return failed;
  }

  async #openKeyFile(): Promise<KeyEncryption> {
    const { access } = this.#options;
    const file = path.join(this.#folder, keyFileName);
    const encryption = this.#own(await KeyEncryption.fromFile(file, access.fileMode));
    if (encryption.isNew) await access.apply(file, 'file');
    return encryption;
  }

  #own(encryption: KeyEncryption): KeyEncryption {
    this.#owned.push(encryption);
    return encryption;
  }

  #requireKeychain(): { name: string; key: Secret } {
    if (this.#keychain !== undefined) return this.#keychain;
    throw new FarkeepError('call.refused', 'This service did not get a key of an OS keychain', {
      hint: 'Start the service from the console, in a session of this computer whose keychain is unlocked.',
    });
  }

  #requireKeychainOf({ keychain, keyId }: Extract<Choice, { kind: 'os-keychain' }>): { key: Secret } {
    const details = { keychain, folder: this.#folder };
    if (this.#keychain === undefined) {
      throw new FarkeepError(
        'certificate.key-unreadable',
        `The private keys in ${this.#folder} are encrypted with a key from ${keychain}, which only the console can fetch`,
        {
          hint: `Start the service from the console, where ${keychain} is unlocked. To run it without the console, change to a key file there first: farkeep certificate settings --protection key-file`,
          details,
        },
      );
    }
    if (this.#keychain.key.identifier() === keyId) return this.#keychain;
    throw new FarkeepError(
      'certificate.key-unreadable',
      `The private keys in ${this.#folder} are encrypted with another key from ${keychain} than the one handed in`,
      {
        hint: `Restore the keychain and console/instance-key.json in the home that belong to these keys, or both from one copy.`,
        details,
      },
    );
  }

  async #readChoice(): Promise<Choice | undefined> {
    const file = path.join(this.#folder, choiceFileName);
    try {
      return parseJsonFile(choiceSchema, await readFile(file, 'utf8'), file);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #writeChoice(choice: Choice): Promise<void> {
    const { access } = this.#options;
    const file = path.join(this.#folder, choiceFileName);
    await writeFileAtomically(file, `${JSON.stringify(choice, null, 2)}\n`, { mode: access.fileMode });
    await access.apply(file, 'file');
  }

  #hasKeyFile(): Promise<boolean> {
    return stat(path.join(this.#folder, keyFileName)).then(
      () => true,
      (error: unknown) => {
        if (isMissing(error)) return false;
        throw error;
      },
    );
  }
}

function eitherOf(next: KeyCipher, former: KeyCipher): KeyCipher {
  return {
    kind: next.kind,
    description: next.description,
    encrypt: (key) => next.encrypt(key),
    decrypt: (pem) => {
      try {
        return next.decrypt(pem);
      } catch {
        // The key is not re-encrypted yet. If the former key does not open it either, this error is thrown.
        return former.decrypt(pem);
      }
    },
  };
}

const notOpen = (): never => {
  throw new Error('The store is not open');
};
const unopened: KeyCipher = { kind: 'key-file', description: '', encrypt: notOpen, decrypt: notOpen };
