// Owns `farkeep service show` and `farkeep service set`: the settings of a service in its configuration file, whether the service runs or not.
import path from 'node:path';
import { Argument, type Command } from 'commander';
import { reachOf, type AddressReach } from '../../contracts/address-reach.ts';
import { serviceRoles, type ServiceRole } from '../../contracts/contract.ts';
import type { AddressCheck, Network } from '../../contracts/models/network.ts';
import type { ServiceInfo } from '../../contracts/models/service.ts';
import { serviceDomain } from '../../contracts/rpc/service.ts';
import { roleTable } from '../../host/role-table.ts';
import { checkAddress } from '../../host/settings/address-check.ts';
import { changeSettings, readNetwork, settingsFileOf } from '../../host/settings/network-settings.ts';
import { flagsToConfig, type ServeFlag } from '../../host/serve-flags.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { CommandContext, DefineAction } from '../command-context.ts';
import { usageError } from '../quantities.ts';
import { formatTable } from '../text-table.ts';
import { addFlags, byFlagName } from './serve-options.ts';

interface ShownAddress {
  readonly setting: string;
  readonly host: string;
  readonly port: number | null;
  readonly use: 'listen' | 'dial';
  readonly reach: AddressReach;
  readonly check?: AddressCheck;
}

const reachTexts: Readonly<Record<AddressReach, string>> = {
  'this-computer': 'this computer only',
  'this-network': 'this network',
  'any-network': 'any network',
  name: 'depends on the name',
};

/** @param group the commands of `farkeep service` */
export function registerServiceSettings(group: Command, action: DefineAction): void {
  group
    .command('show')
    .addArgument(new Argument('<role>', 'whose settings').choices(serviceRoles))
    .description('name, addresses and ports, and from where each address can be reached')
    .option('--check', 'try to listen at each address, or to connect to it')
    .option('--config <file>', 'the configuration file')
    .addHelpText('after', '\nExample:\n  $ farkeep service show provider --check')
    .action(
      action(async (context, role: ServiceRole, options: { check?: true; config?: string }) => {
        const info = await infoOf(context, role);
        const file = fileOf(context, role, info, options.config);
        const { settings, error } = await readSection(role, file);
        if (settings === null) throw error === null ? new FarkeepError('config.invalid') : FarkeepError.fromInfo(error);
        const addresses = await Promise.all(
          addressesOf(settings).map(async (address) => {
            if (options.check !== true || address.port === null) return address;
            const { use, host, port } = address;
            const ownListeners = Object.values(info?.listeners ?? {});
            return { ...address, check: await checkAddress({ use, host, port, ownListeners, signal: context.signal }) };
          }),
        );
        context.output.result({ role, file, settings, addresses }, () => format(file, settings, addresses));
      }),
    );

  const set = group.command('set').description('change settings in the configuration file of a service');
  for (const { name: role, flags } of Object.values(roleTable)) {
    const command = set
      .command(role)
      .description(`change settings of the ${role} service`)
      .option('--config <file>', 'the configuration file')
      .option('--unset <setting>', 'remove a setting, so that its default applies; repeatable', collect);
    addFlags(command, flags);
    command.addHelpText('after', `\nExample:\n  $ ${setExamples[role]}`).action(
      action(async (context, options: Record<string, string | boolean | string[]>) => {
        const given = byFlagName(options);
        const changes = changesOf(flags, given);
        if (Object.keys(changes).length === 0) {
          throw usageError('No setting is given', `See: farkeep service set ${role} --help`, '');
        }
        const info = await infoOf(context, role);
        const file = fileOf(context, role, info, typeof given['config'] === 'string' ? given['config'] : undefined);
        await changeSettings({ role, file, changes, flagSettings: info?.flagSettings ?? [] });
        const isRestartNeeded = info !== undefined;
        if (isRestartNeeded) context.output.note(`The ${role} service runs; start it again to use the settings.`);
        context.output.result(
          { ok: true, role, file, changed: Object.keys(changes), isRestartNeeded },
          `Written: ${file}`,
        );
      }),
    );
  }
}

const setExamples: Readonly<Record<ServiceRole, string>> = {
  provider:
    'farkeep service set provider --infrastructure-address 10.0.0.5 --control 10.0.0.5:6170 --mover-host 10.0.0.5',
  gateway: 'farkeep service set gateway --listen 0.0.0.0:443',
  tenant: 'farkeep service set tenant --log-level debug',
};

function changesOf(
  flags: readonly ServeFlag[],
  given: Readonly<Record<string, string | boolean | string[]>>,
): Record<string, unknown> {
  const unset = Array.isArray(given['unset']) ? given['unset'] : [];
  return { ...Object.fromEntries(unset.map((name) => [name, null])), ...flagsToConfig(flags, given) };
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

/** undefined: the service does not run. */
async function infoOf(context: CommandContext, role: ServiceRole): Promise<ServiceInfo | undefined> {
  try {
    return await (await context.connect(role)).domain(serviceDomain).info({});
  } catch (error) {
    if (error instanceof FarkeepError && error.code === 'service.not-running') return undefined;
    throw error;
  }
}

function fileOf(
  { home }: CommandContext,
  role: ServiceRole,
  info: ServiceInfo | undefined,
  given: string | undefined,
): string {
  return given === undefined ? (info?.configFile ?? settingsFileOf(home, role)) : path.resolve(given);
}

async function readSection(role: ServiceRole, file: string): Promise<Network[ServiceRole]> {
  const network = await readNetwork({ provider: file, gateway: file, tenant: file });
  return network[role];
}

function addressesOf(settings: NonNullable<Network[ServiceRole]['settings']>): ShownAddress[] {
  const shown = (setting: string, use: 'listen' | 'dial', host: string | null, port: number | null): ShownAddress[] =>
    host === null ? [] : [{ setting, host, port, use, reach: reachOf(host) }];
  if ('listen' in settings) {
    return settings.listen.flatMap(({ host, port }, index) => shown(`listen.${index}`, 'listen', host, port));
  }
  if (!('control' in settings)) return [];
  const { control, infrastructure, infrastructureAddress, moverHost, advertisedHost } = settings;
  return [
    ...shown('infrastructure', 'listen', infrastructure.host, infrastructure.port),
    ...shown('infrastructureAddress', 'dial', infrastructureAddress, infrastructure.port),
    ...shown('control', 'listen', control.host, control.port),
    // Each data mover gets a free port.
    ...shown('moverHost', 'listen', moverHost, 0),
    ...shown('advertisedHost', 'dial', advertisedHost, control.port),
  ];
}

function format(file: string, settings: object, addresses: readonly ShownAddress[]): string {
  const name = 'name' in settings && typeof settings.name === 'string' ? [`Name: ${settings.name}`] : [];
  const table = formatTable(
    addresses,
    [
      { title: 'SETTING', value: ({ setting }) => setting },
      { title: 'ADDRESS', value: ({ host, port }) => (port === null || port === 0 ? host : `${host}:${port}`) },
      { title: 'REACHED FROM', value: ({ reach }) => reachTexts[reach] },
      { title: 'CHECK', value: ({ check }) => (check === undefined ? '' : describeCheck(check)) },
    ],
    'This service does not listen on the network.',
  );
  return [`File: ${file}`, ...name, table].join('\n');
}

function describeCheck({ outcome, program, detail }: AddressCheck): string {
  const user = program === null ? '' : ` by ${program.name} (process ${program.pid})`;
  return detail === '' || program !== null ? `${outcome}${user}` : `${outcome}: ${detail}`;
}
