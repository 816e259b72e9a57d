// Owns the type of the flags that `farkeep serve` and serve-entry.ts accept. Each flag sets one configuration setting. Each role lists its
// flags in its row of the role table (role-row.ts). Must not read files or start a service.
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { ConfigOverrides } from './settings/service-config.ts';

export interface ServeFlag {
  /** Long name without dashes. */
  readonly name: string;
  /** Placeholder in the help; a flag without a placeholder is a switch. */
  readonly value?: string;
  readonly description: string;
  readonly isRepeatable?: boolean;
  /** Part of the configuration that the flag writes. Repeatable flags get all values. */
  readonly toConfig: (values: readonly string[]) => ConfigOverrides;
}

/** The value of a flag that is not repeatable. */
export const firstOf = (values: readonly string[]): string => values[0] ?? '';

/** Every role has this flag. */
export const logLevelFlag: ServeFlag = {
  name: 'log-level',
  value: 'LEVEL',
  description: 'error, warn, info or debug',
  toConfig: (values) => ({ logLevel: firstOf(values) }),
};

/** @param given values by flag name, as `parseArgs` or commander gives them */
export function flagsToConfig(
  flags: readonly ServeFlag[],
  given: Readonly<Record<string, string | boolean | readonly string[] | undefined>>,
): ConfigOverrides {
  const overrides: Record<string, unknown> = {};
  for (const flag of flags) {
    const value = given[flag.name];
    if (value === undefined || value === false) continue;
    const values = value === true ? [] : typeof value === 'string' ? [value] : value;
    Object.assign(overrides, flag.toConfig(values));
  }
  return overrides;
}

/** "127.0.0.1:6170", "[::1]:6170", "gw.example:6170", ":6170" (all addresses) or "6170". */
export function parseAddress(flag: string, text: string): { host?: string; port: number } {
  const match = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new FarkeepError('config.invalid', `--${flag} "${text}" is not HOST:PORT`, {
      hint: `Example: --${flag} 127.0.0.1:6170. Port 0 selects a free port.`,
      field: flag,
    });
  }
  const host = match[1] ?? match[2];
  if (host === undefined) return { port };
  return { host: host === '' ? '::' : host, port };
}
