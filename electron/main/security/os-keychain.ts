// Owns the one use of Electron's safeStorage: the key of this instance, fetched once when a service first needs it.
import path from 'node:path';
import { safeStorage } from 'electron';
import type { Logger } from '../../../services/kernel/logger.ts';
import type { KeychainKey } from '../../../services/kernel/running-service.ts';
import { openInstanceKey } from './instance-key.ts';

/**
 * Call the result when Electron is ready. A keychain that is locked may be unlocked later, so a failure is not remembered.
 * @param consoleFolder of the instance
 */
export function createKeychain(consoleFolder: string, logger: Logger): () => KeychainKey | undefined {
  let opened: KeychainKey | undefined;
  return () =>
    (opened ??= openInstanceKey(path.join(consoleFolder, 'instance-key.json'), {
      storage: safeStorage,
      platform: process.platform,
      logger,
    }));
}
