// Owns starting a role from arguments and configuration file. Used by the process entry for consoles and by `farkeep serve`.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ReadyMessage } from '../contracts/carrier.ts';
import type { ServiceRole } from '../contracts/contract.ts';
import { errorCatalogue } from '../contracts/errors.ts';
import { toFarkeepError, type FarkeepError } from '../kernel/farkeep-error.ts';
import { configFileOf, defaultHome } from '../kernel/state/home-folder.ts';
import type { KeychainKey } from '../kernel/running-service.ts';
import { roleTable } from './role-table.ts';
import { hasProcessChannel, sendToParent } from './carriers/process-carrier.ts';
import { serveProcess } from './serve-process.ts';
import { mergeConfig, readConfigFile, type ConfigOverrides } from './settings/service-config.ts';

export interface ServeRoleOptions {
  readonly role: ServiceRole;
  /** Takes precedence over `home` in the configuration file, which takes precedence over FARKEEP_HOME. */
  readonly home?: string | undefined;
  /** Default: `<home>/<role>.json`, if this file exists. */
  readonly configFile?: string | undefined;
  readonly overrides: ConfigOverrides;
  /** Set when the parent of this process provides a key of the OS keychain. */
  readonly receiveKeychainKey?: () => Promise<KeychainKey>;
  readonly stopDeadlineMs?: number | undefined;
  readonly onReady?: (ready: ReadyMessage) => void;
  readonly onStartFailed?: (error: FarkeepError) => void;
}

/**
 * Returns the default configuration file, if it exists. It is read without a flag, so that an instance starts again with the same settings.
 */
function findConfigFile(home: string, role: ServiceRole): string | undefined {
  const file = configFileOf(home, role);
  return existsSync(file) ? file : undefined;
}

/** @returns the exit code, after the service has ended */
export async function serveRole(options: ServeRoleOptions): Promise<number> {
  let prepared;
  let keychainKey: KeychainKey | undefined;
  try {
    const configFile = options.configFile ?? findConfigFile(options.home ?? defaultHome(), options.role);
    const { home: fileHome, ...file } = await readConfigFile(configFile);
    const config = mergeConfig(file, options.overrides);
    const role = await roleTable[options.role].load();
    const home = options.home ?? (typeof fileHome === 'string' ? fileHome : defaultHome());
    prepared = {
      ...role.prepare(config, configFile ?? 'flags'),
      home,
      settingsSource: {
        configFile: configFile === undefined ? null : path.resolve(configFile),
        flagSettings: Object.keys(options.overrides),
      },
    };
    keychainKey = await options.receiveKeychainKey?.();
  } catch (thrown) {
    const error = toFarkeepError(thrown, 'service.start-failed');
    options.onStartFailed?.(error);
    if (hasProcessChannel()) await sendToParent({ kind: 'start-failed', error: error.toInfo() });
    return errorCatalogue[error.code].exitCode;
  }
  return serveProcess({
    role: options.role,
    home: prepared.home,
    logLevel: prepared.logLevel,
    start: prepared.start,
    settingsSource: prepared.settingsSource,
    keychainKey,
    ...(options.stopDeadlineMs === undefined ? {} : { stopDeadlineMs: options.stopDeadlineMs }),
    ...(options.onReady === undefined ? {} : { onReady: options.onReady }),
    ...(options.onStartFailed === undefined ? {} : { onStartFailed: options.onStartFailed }),
  });
}
