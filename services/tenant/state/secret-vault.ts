// Owns the encryption of stored secrets of the tenant service: AES-256-GCM with a key in a file (mode 0600, not a keychain).
// Protects passwords in copies of the database, not against a program with this account.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { Secret } from '../../kernel/secret.ts';
import { isMissing } from '../../kernel/system-error.ts';

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

export class SecretVault implements Disposable {
  readonly #key: Secret;

  private constructor(key: Secret) {
    this.#key = key;
  }

  static async open(home: string): Promise<SecretVault> {
    const file = path.join(home, 'secrets.key');
    try {
      const bytes = await readFile(file);
      if (bytes.length !== keyBytes) throw new FarkeepError('storage.damaged', `${file} does not hold a key`);
      return new SecretVault(Secret.take(bytes));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    const key = Secret.random(keyBytes);
    await writeFileAtomically(file, key.bytes, { mode: 0o600 });
    return new SecretVault(key);
  }

  /** @param purpose what the secret belongs to. Opening needs the same purpose, so that an attacker cannot exchange rows */
  seal(text: string, purpose: string): Buffer {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#key.bytes, nonce);
    cipher.setAAD(Buffer.from(purpose));
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, body, cipher.getAuthTag()]);
  }

  /** @throws storage.damaged */
  open(sealed: Uint8Array, purpose: string): string {
    const bytes = Buffer.from(sealed);
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key.bytes, bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(Buffer.from(purpose));
      decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
      const body = bytes.subarray(nonceBytes, bytes.length - tagBytes);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    } catch (error) {
      throw new FarkeepError('storage.damaged', 'A saved password cannot be opened with the key of this service', {
        hint: 'Remove the service provider and add it again.',
        cause: error,
      });
    }
  }

  dispose(): void {
    this.#key.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
