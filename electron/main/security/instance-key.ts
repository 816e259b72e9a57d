// Owns the key with which the OS keychain protects the private keys of this instance. The key is made once. A file in the home contains the
// key, encrypted by the keychain. Only a real keychain is used. Must not make a new key if the old key cannot be decrypted: private keys
// depend on the old key.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../../services/kernel/logger.ts';
import type { KeychainKey } from '../../../services/kernel/running-service.ts';
import { Secret } from '../../../services/kernel/secret.ts';

/** The part of Electron's `safeStorage` that this file uses. */
export interface SafeStorage {
  isEncryptionAvailable(): boolean;
  encryptString(text: string): Buffer;
  decryptString(encrypted: Buffer): string;
  /** Exists on Linux only. Electron 25 does not have this function yet. */
  getSelectedStorageBackend?(): string;
}

const keyBytes = 32;
const fileSchema = z.object({
  formatVersion: z.literal(1),
  keychain: z.string().min(1).max(200),
  /** The base64 of the key, encrypted by the keychain. */
  encryptedKey: z.base64(),
});

/**
 * Chromium writes the mark v11 in front of data encrypted with a key from a keychain, and v10 with its built-in password (no protection).
 */
const keychainMark = 'v11';
const linuxBackends: Readonly<Record<string, string>> = {
  gnome_libsecret: 'the Secret Service of this desktop',
  kwallet: 'KWallet',
  kwallet5: 'KWallet',
  kwallet6: 'KWallet',
};

/**
 * Returns the name of the real keychain. Returns undefined for `basic_text`, `unknown` and everything else that is no keychain.
 * @param storage use it only when Electron is ready; it may wait for a person who unlocks the keychain
 */
export function realKeychain(storage: SafeStorage, platform: NodeJS.Platform): string | undefined {
  if (!storage.isEncryptionAvailable()) return undefined;
  switch (platform) {
    case 'darwin':
      return 'the macOS Keychain';
    case 'win32':
      return 'Windows Data Protection (DPAPI)';
    case 'linux': {
      if (storage.getSelectedStorageBackend !== undefined) return linuxBackends[storage.getSelectedStorageBackend()];
      const isReal =
        storage.encryptString('probe').subarray(0, keychainMark.length).toString('latin1') === keychainMark;
      return isReal ? 'the keyring of this desktop' : undefined;
    }
    default:
      return undefined;
  }
}

/**
 * @param file in the home; made at the first call, mode 0600
 * @returns undefined without a real keychain, or if the keychain cannot decrypt the file; the log names the case
 */
export function openInstanceKey(
  file: string,
  { storage, platform, logger }: { storage: SafeStorage; platform: NodeJS.Platform; logger: Logger },
): KeychainKey | undefined {
  try {
    const keychain = realKeychain(storage, platform);
    if (keychain === undefined) {
      logger.info('this computer has no keychain that protects keys; a key file is used');
      return undefined;
    }
    if (!existsSync(file)) makeKey(file, keychain, storage);
    const saved = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    const bytes = Buffer.from(storage.decryptString(Buffer.from(saved.encryptedKey, 'base64')), 'base64');
    if (bytes.length !== keyBytes) throw new Error('it does not hold a key');
    return { keychain: saved.keychain, key: Secret.take(bytes) };
  } catch (error) {
    logger.warn('the key of this instance cannot be had from the keychain', {
      file: path.basename(file),
      reason: error instanceof Error ? error.message : String(error),
    });
    return undefined;
  }
}

function makeKey(file: string, keychain: string, storage: SafeStorage): void {
  // This code cannot use `using`: Electron 25 has no Symbol.dispose.
  const key = Secret.random(keyBytes);
  try {
    const encryptedKey = storage.encryptString(key.bytes.toString('base64')).toString('base64');
    const content = { formatVersion: 1, keychain, encryptedKey } satisfies z.infer<typeof fileSchema>;
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.new`;
    writeFileSync(temporary, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(temporary, file);
  } finally {
    key.dispose();
  }
}
