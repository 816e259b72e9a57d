// Owns the key that encrypts private keys in the store: from the OS keychain when the host passes one, else from a key file. Must never
// describe a key file as a keychain.
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { writeFileAtomically } from '../kernel/state/atomic-file.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { KeychainKey } from '../kernel/running-service.ts';
import { Secret } from '../kernel/secret.ts';
import { isMissing } from '../kernel/system-error.ts';

const keyBytes = 32;

export class KeyEncryption implements Disposable {
  readonly kind: 'os-keychain' | 'key-file';
  readonly description: string;
  /** Whether the key file is new, because `fromFile` has just created it. */
  readonly isNew: boolean;
  readonly #key: Secret;

  private constructor(kind: 'os-keychain' | 'key-file', description: string, key: Secret, isNew = false) {
    this.kind = kind;
    this.isNew = isNew;
    this.description = description;
    this.#key = key;
  }

  /** Makes a copy of the key. */
  static fromKeychain({ keychain, key }: KeychainKey): KeyEncryption {
    if (key.lengthBytes !== keyBytes) throw new RangeError(`A keychain key has ${keyBytes} bytes`);
    return new KeyEncryption(
      'os-keychain',
      `Encrypted with a key from ${keychain}`,
      Secret.take(Buffer.from(key.bytes)),
    );
  }

  /** Reads the key file, or creates it. @throws FarkeepError 'storage.damaged' when its content is not a key */
  static async fromFile(file: string, mode: number): Promise<KeyEncryption> {
    let text: string | undefined;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    if (text === undefined) {
      const key = Secret.random(keyBytes);
      await writeFileAtomically(file, `${key.bytes.toString('hex')}\n`, { mode });
      return KeyEncryption.#ofFile(key, true);
    }
    const bytes = Buffer.from(text.trim(), 'hex');
    if (bytes.length !== keyBytes) {
      throw new FarkeepError('storage.damaged', `The key file ${file} does not hold a key of ${keyBytes} bytes`);
    }
    return KeyEncryption.#ofFile(Secret.take(bytes));
  }

  static #ofFile(key: Secret, isNew = false): KeyEncryption {
    return new KeyEncryption('key-file', 'Encrypted; key file stored next to the certificate store', key, isNew);
  }

  /** @returns PKCS#8 PEM, PBES2 with AES-256. The passphrase has 256 random bits, so the number of KDF rounds does not matter. */
  encrypt(privateKey: KeyObject): string {
    return privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: this.#passphrase(),
    });
  }

  /** @throws when the key is wrong or the text was changed */
  decrypt(encryptedPem: string): KeyObject {
    return createPrivateKey({ key: encryptedPem, format: 'pem', passphrase: this.#passphrase() });
  }

  [Symbol.dispose](): void {
    this.#key.dispose();
  }

  #passphrase(): string {
    return this.#key.bytes.toString('base64');
  }
}
