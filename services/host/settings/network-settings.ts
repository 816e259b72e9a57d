// Owns reading and changing the network settings of a role in the configuration file of its service, while the service runs or not.
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { ServiceRole } from '../../contracts/contract.ts';
import { networkSettings, type Network } from '../../contracts/models/network.ts';
import { gatewayConfigSchema } from '../../gateway/config.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import { writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import { configFileOf, consoleConfigFileOf } from '../../kernel/state/home-folder.ts';
import { providerConfigSchema } from '../../provider/state/config.ts';
import { tenantConfigSchema } from '../../tenant/state/config.ts';
import { parseConfig, readConfigFile } from './service-config.ts';

/** The same schemas as the services use. */
const schemas: Readonly<Record<ServiceRole, z.ZodObject | z.ZodType>> = {
  provider: providerConfigSchema,
  gateway: gatewayConfigSchema,
  tenant: tenantConfigSchema,
};

export type SettingsFiles = Readonly<Record<ServiceRole, string>>;

/** The file that a service of the console reads, and that is made if there is none. `farkeep serve` reads the second of the two. */
export function settingsFileOf(home: string, role: ServiceRole): string {
  const ofConsole = consoleConfigFileOf(home, role);
  return existsSync(ofConsole) ? ofConsole : configFileOf(home, role);
}

export async function readNetwork(files: SettingsFiles): Promise<Network> {
  const [provider, gateway, tenant] = await Promise.all([
    readSection('provider', files.provider),
    readSection('gateway', files.gateway),
    readSection('tenant', files.tenant),
  ]);
  return { provider, gateway, tenant, ownAddresses: ownAddresses() };
}

function requireSetting(role: ServiceRole, name: string): void {
  const schema = schemas[role];
  if (!('shape' in schema) || Object.hasOwn(schema.shape, name)) return;
  throw new FarkeepError('config.invalid', `The ${role} service has no setting "${name}"`, {
    hint: `Its settings are ${Object.keys(schema.shape).join(', ')}.`,
    field: name,
  });
}

/** Addresses of this computer's network interfaces; IPv4 first, without loopback and link-local IPv6. */
export function ownAddresses(): { readonly address: string; readonly networkInterface: string }[] {
  return Object.entries(networkInterfaces())
    .flatMap(([networkInterface, addresses = []]) => addresses.map((address) => ({ ...address, networkInterface })))
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .sort((left, right) => left.family.localeCompare(right.family))
    .map(({ address, networkInterface }) => ({ address, networkInterface }));
}

async function readSection<Role extends ServiceRole>(role: Role, file: string): Promise<Network[Role]> {
  try {
    const settings = networkSettings[role].parse(withNulls(role, await readEffective(role, file)));
    return { file, settings, error: null } as Network[Role];
  } catch (thrown) {
    return { file, settings: null, error: toFarkeepError(thrown, 'config.invalid').toInfo() } as Network[Role];
  }
}

async function readContent(file: string): Promise<Record<string, unknown>> {
  return existsSync(file) ? readConfigFile(file) : {};
}

async function readEffective(role: ServiceRole, file: string): Promise<Record<string, unknown>> {
  const { home: _home, ...content } = await readContent(file);
  return parse(role, content, file);
}

/** Settings without a value are absent in a configuration. */
function withNulls(role: ServiceRole, settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.keys(networkSettings[role].shape).map((name) => [name, settings[name] ?? null]));
}

function parse(role: ServiceRole, content: Readonly<Record<string, unknown>>, file: string): Record<string, unknown> {
  return parseConfig(schemas[role], content, file) as Record<string, unknown>;
}

export interface SettingsChange {
  readonly role: ServiceRole;
  readonly file: string;
  /** By name; null removes a setting, so that its default applies. */
  readonly changes: Readonly<Record<string, unknown>>;
  /** Settings that the running service got from its command line: a change in the file would have no effect. */
  readonly flagSettings?: readonly string[];
}

/**
 * Writes the changes; all other content of the file stays. A setting that has the given value already is not written.
 * @returns the effective settings @throws config.invalid naming the setting; then nothing was written
 */
export async function changeSettings(change: SettingsChange): Promise<Record<string, unknown>> {
  const { role, file, changes, flagSettings = [] } = change;
  const before = await readContent(file);
  const { home, ...content } = before;
  const effective = (schemas[role].safeParse(content).data ?? {}) as Record<string, unknown>;
  const next = new Map(Object.entries(content));
  for (const [name, value] of Object.entries(changes)) {
    requireSetting(role, name);
    if (isDeepStrictEqual(effective[name] ?? null, value)) continue;
    if (flagSettings.includes(name)) {
      throw new FarkeepError('config.invalid', `The service was started with a flag for the setting "${name}"`, {
        hint: `Start the service without this flag; then ${file} applies.`,
        field: name,
      });
    }
    if (value === null) next.delete(name);
    else next.set(name, value);
  }
  const settings = Object.fromEntries(next);
  const parsed = parse(role, settings, file);
  if (!isDeepStrictEqual(settings, content)) {
    const text = JSON.stringify({ ...(home === undefined ? {} : { home }), ...settings }, null, 2);
    await writeFileAtomically(file, `${text}\n`, { mode: 0o600 });
  }
  return parsed;
}

/** Only for `console.setNetwork`: the console changes no other settings. @throws call.invalid */
export function requireNetworkSettings(role: ServiceRole, changes: Readonly<Record<string, unknown>>): void {
  const unknown = Object.keys(changes).find((name) => !Object.hasOwn(networkSettings[role].shape, name));
  if (unknown === undefined) return;
  throw new FarkeepError('call.invalid', `"${unknown}" is not a network setting of the ${role}`, { field: unknown });
}
