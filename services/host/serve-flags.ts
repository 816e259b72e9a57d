// Owns the flags of `farkeep serve` and of the service process entry: one table for both, each flag a way to write a configuration
// setting. Must not read files or start anything.
import type { ServiceRole } from '../contracts/contract.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import type { ConfigOverrides } from './service-config.ts';

export interface ServeFlag {
  /** Long name without dashes. */
  readonly name: string;
  /** Placeholder in help; without one the flag is a switch. */
  readonly value?: string;
  readonly description: string;
  readonly isRepeatable?: boolean;
  /** Part of the configuration that the flag writes. Repeatable flags get all values. */
  readonly toConfig: (values: readonly string[]) => ConfigOverrides;
}

const first = (values: readonly string[]): string => values[0] ?? '';

const logLevel: ServeFlag = {
  name: 'log-level',
  value: 'LEVEL',
  description: 'error, warn, info or debug',
  toConfig: (values) => ({ logLevel: first(values) }),
};

const provider: readonly ServeFlag[] = [
  {
    name: 'name',
    value: 'NAME',
    description: 'what tenants see as the name of the provider',
    toConfig: (values) => ({ name: first(values) }),
  },
  {
    name: 'control',
    value: 'HOST:PORT',
    description: 'where gateways pass control connections to (127.0.0.1:6170)',
    toConfig: (values) => ({ control: parseAddress('control', first(values)) }),
  },
  {
    name: 'infrastructure',
    value: 'HOST:PORT',
    description: 'where gateways dial their link (0.0.0.0:6169)',
    toConfig: (values) => ({ infrastructure: parseAddress('infrastructure', first(values)) }),
  },
  {
    name: 'infrastructure-address',
    value: 'HOST',
    description: 'the address an enrollment token tells gateways to dial',
    toConfig: (values) => ({ infrastructureAddress: first(values) }),
  },
  {
    name: 'mover-host',
    value: 'HOST',
    description: 'where target data movers listen for gateways (127.0.0.1)',
    toConfig: (values) => ({ moverHost: first(values) }),
  },
  {
    name: 'advertised-host',
    value: 'HOST',
    description: 'the address under which gateways reach control and movers',
    toConfig: (values) => ({ advertisedHost: first(values) }),
  },
  {
    name: 'allow-direct-control',
    description: 'let tenants connect without a gateway (for looking into trouble)',
    toConfig: () => ({ isDirectControlAllowed: true }),
  },
  {
    name: 'service-group',
    value: 'GROUP',
    description: 'group that may read the certificate store: 0640 and 0750 instead of 0600 and 0700 (Linux, macOS)',
    toConfig: (values) => ({ serviceGroup: first(values) }),
  },
  logLevel,
];

const tenant: readonly ServeFlag[] = [
  {
    name: 'extra-root',
    value: 'FILE',
    description: 'PEM file with authorities to trust besides those of the system',
    isRepeatable: true,
    toConfig: (values) => ({ extraRoots: [...values] }),
  },
  logLevel,
];

const gateway: readonly ServeFlag[] = [
  {
    name: 'listen',
    value: 'HOST:PORT',
    description: 'where tenants connect ([::]:6180, which takes IPv4 as well); repeatable',
    isRepeatable: true,
    toConfig: (values) => ({ listen: values.map((value) => parseAddress('listen', value)) }),
  },
  {
    name: 'name',
    value: 'NAME',
    description: 'what the gateway calls itself towards the provider (the name of this machine)',
    toConfig: (values) => ({ name: first(values) }),
  },
  {
    name: 'token-file',
    value: 'FILE',
    description: 'enrollment token of the provider; used once, then no longer needed',
    toConfig: (values) => ({ enrollmentTokenFile: first(values) }),
  },
  logLevel,
];

export const serveFlags: Readonly<Record<ServiceRole, readonly ServeFlag[]>> = { provider, gateway, tenant };

/** @param given values by flag name, as `parseArgs` or commander gives them */
export function flagsToConfig(
  role: ServiceRole,
  given: Readonly<Record<string, string | boolean | readonly string[] | undefined>>,
): ConfigOverrides {
  const overrides: Record<string, unknown> = {};
  for (const flag of serveFlags[role]) {
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
      hint: `Write it like --${flag} 127.0.0.1:6170; port 0 takes a free one.`,
      field: flag,
    });
  }
  const host = match[1] ?? match[2];
  if (host === undefined) return { port };
  return { host: host === '' ? '::' : host, port };
}
