// Owns what one row of the role table says, and the way from a row to a prepared role: configuration checked, code loaded. Folder, lock,
// configuration file and command of a role follow from its name (services/kernel/state/home-folder.ts).
import type { z } from 'zod';
import type { ServiceRole } from '../contracts/contract.ts';
import type { LogLevel } from '../kernel/logger.ts';
import type { RunningService, ServiceOptions } from '../kernel/running-service.ts';
import { parseConfig } from './service-config.ts';
import type { ServeFlag } from './serve-flags.ts';

export interface RoleRow {
  readonly name: ServiceRole;
  /** One line for the help of the command line. */
  readonly summary: string;
  /** Command lines for the same help. */
  readonly examples: readonly string[];
  /** Settings that people also set by hand, in the order of the help. */
  readonly flags: readonly ServeFlag[];
  /** Loads the code of the role, which a process that runs another role never does. */
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

/** What a role's own code brings. */
export interface RoleCode<Config> {
  readonly configSchema: z.ZodType<Config>;
  readonly start: (options: ServiceOptions<Config>) => Promise<RunningService>;
}

/** Joins the parts of a row, so that the configuration that is checked is the one that the role starts with. */
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
