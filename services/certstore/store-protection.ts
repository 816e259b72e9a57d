// Owns which key encrypts the private keys of one folder (OS keychain or key file), and changing from one to the other.
// A crash in between leaves every private key readable by one of the two, and the next start goes on. Must not know what the keys are for.
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

/** `os-keychain` names the only key that fits; `key-file` was chosen by a person, so that a keychain is not taken by itself. */
const choiceSchema = z.discriminatedUnion('kind', [
  z.object({
    formatVersion: z.literal(1),
    kind: z.literal('os-keychain'),
    keychain: z.string().min(1).max(200),
    /** `Secret.identifier()` of the key. */
    keyId: z.string(),
  }),
  z.object({ formatVersion: z.literal(1), kind: z.literal('key-file') }),
]);
type Choice = z.infer<typeof choiceSchema>;

export type ProtectionKind = Choice['kind'];

/** What encrypts and decrypts private keys; while they are encrypted anew, either key opens them. */
export type KeyCipher = Pick<KeyEncryption, 'kind' | 'description' | 'encrypt' | 'decrypt'>;

export interface StoreProtectionOptions {
  readonly access: AccessControl;
  readonly logger: Logger;
  /** A key from a real OS keychain; copied. */
  readonly keychainKey?: KeychainKey | undefined;
  /** Every file with a private key; those that do not exist are passed over. */
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
   * A keychain is used as soon as there is one, unless a person chose the key file.
   * @param folder exists
   * @throws FarkeepError 'certificate.key-unreadable' when the folder is protected by a keychain whose key was not handed in,
   *   'storage.damaged'
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

  /** Name of the keychain whose key was handed in, in use or not. */
  get keychain(): string | undefined {
    return this.#keychain?.name;
  }

  /** The key file, while it is what protects. */
  get keyFile(): string | undefined {
    return this.#cipher.kind === 'key-file' ? path.join(this.#folder, keyFileName) : undefined;
  }

  /**
   * Encrypts every private key anew. The caller keeps others from writing keys meanwhile; reading goes on.
   * @throws FarkeepError 'call.refused' when no keychain was handed in
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
      // With a key file beside it, an earlier change has not come to its end.
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
    // From here on the key file counts; before, the next start with the keychain goes back to it.
    await this.#writeChoice({ formatVersion: 1, kind });
    this.#cipher = file;
    this.#options.logger.info('Private keys are now encrypted with a key file', { folder: this.#folder });
  }

  async #open(): Promise<void> {
    const choice = await this.#readChoice();
    if (choice?.kind === 'os-keychain') {
      const { key } = this.#requireKeychainOf(choice);
      this.#cipher = this.#own(KeyEncryption.fromKeychain({ keychain: choice.keychain, key }));
      // A change that did not come to its end.
      if (await this.#hasKeyFile()) await this.#takeKeychain(this.#requireKeychain());
    } else if (choice === undefined && this.#keychain !== undefined) {
      await this.#takeKeychain(this.#keychain);
    } else {
      this.#cipher = await this.#openKeyFile();
    }
  }

  /** A damaged entry that nobody uses must not keep the service from starting. */
  async #takeKeychain(keychain: { name: string; key: Secret }): Promise<void> {
    const failed = await this.#moveToKeychain(keychain);
    if (failed === undefined) return;
    const { message, hint } = failed;
    this.#options.logger.error('The key file is kept beside the keychain', { reason: message, next: hint });
  }

  async #moveToKeychain({ name, key }: { name: string; key: Secret }): Promise<FarkeepError | undefined> {
    const keychain = this.#own(KeyEncryption.fromKeychain({ keychain: name, key }));
    // First of all: whoever opens the folder without the keychain learns why it cannot, also in the middle of this.
    await this.#writeChoice({ formatVersion: 1, kind: 'os-keychain', keychain: name, keyId: key.identifier() });
    if (await this.#hasKeyFile()) {
      this.#cipher = eitherOf(keychain, await this.#openKeyFile());
      const failed = await this.#reencrypt(keychain);
      // The key file may be needed to find out what happened to a key that fits neither; the next start tries again.
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

  /** @returns what is wrong with the first private key that fits neither; the others are encrypted anew all the same */
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
            : new FarkeepError('certificate.key-unreadable', `${file} fits neither the keychain nor the key file`, {
                hint: 'Restore it from a copy, or remove its folder, then try again.',
                cause,
              });
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
    throw new FarkeepError('call.refused', 'This service was not given a key of an OS keychain', {
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
        // Not encrypted anew yet; when the former key does not fit either, that is the error to tell.
        return former.decrypt(pem);
      }
    },
  };
}

const notOpen = (): never => {
  throw new Error('The store is not open');
};
const unopened: KeyCipher = { kind: 'key-file', description: '', encrypt: notOpen, decrypt: notOpen };
