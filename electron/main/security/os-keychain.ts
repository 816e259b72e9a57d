// Owns the only use of Electron's safeStorage: reads the key of this instance once, when a service first needs it.
import path from 'node:path';
import { safeStorage } from 'electron';
import type { Logger } from '../../../services/kernel/logger.ts';
import type { KeychainKey } from '../../../services/kernel/running-service.ts';
import { openInstanceKey } from './instance-key.ts';

/**
 * Call the result when Electron is ready. A failure is not stored, because a locked keychain can be unlocked later.
 * @param consoleFolder the console's folder of this instance
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
