// Owns the fields of one row of the role table, and preparing a role from its row: checked configuration, loaded code. Folder, lock,
// configuration file and command of a role are derived from its name (services/kernel/state/home-folder.ts).
import type { z } from 'zod';
import type { ServiceRole } from '../contracts/contract.ts';
import type { LogLevel } from '../kernel/logger.ts';
import type { RunningService, ServiceOptions } from '../kernel/running-service.ts';
import { parseConfig } from './settings/service-config.ts';
import type { ServeFlag } from './serve-flags.ts';

export interface RoleRow {
  readonly name: ServiceRole;
  /** One line for the help of the command line. */
  readonly summary: string;
  /** Example command lines for the help. */
  readonly examples: readonly string[];
  /** Settings that people often set by hand, in the order of the help. */
  readonly flags: readonly ServeFlag[];
  /** Loads the code of the role. A process of another role never loads it. */
  readonly load: () => Promise<LoadedRole>;
}

export interface LoadedRole {
  /** @throws FarkeepError config.invalid, naming the setting */
  prepare(config: unknown, source: string): PreparedRole;
}

export interface PreparedRole {
  readonly logLevel: LogLevel;
  readonly start: (options: Omit<ServiceOptions<never>, 'config'>) => Promise<RunningService>;
}

/** The part of a row that the role's own code provides. */
export interface RoleCode<Config> {
  readonly configSchema: z.ZodType<Config>;
  readonly start: (options: ServiceOptions<Config>) => Promise<RunningService>;
}

/** Combines the parts of a row in one type, so that a role starts with exactly the configuration that was checked. */
export function defineRole<Config extends { readonly logLevel: LogLevel }>(
  row: Omit<RoleRow, 'load'> & { readonly load: () => Promise<RoleCode<Config>> },
): RoleRow {
  return {
    ...row,
    load: async () => {
      const { configSchema, start } = await row.load();
      return {
        prepare(value, source) {
          const config = parseConfig(configSchema, value, source);
          return { logLevel: config.logLevel, start: (options) => start({ ...options, config }) };
        },
      };
    },
  };
}
