// Owns the input of the Network tab: fields as text, their problems, and the settings to send. Pure.
import type { GatewayNetwork, ProviderNetwork, TenantNetwork } from '../../../services/contracts/models/network.ts';
import { hostProblem, nameProblem } from '../../ui/form/field-rules.ts';

export interface AddressText {
  readonly host: string;
  readonly port: string;
}

export interface ProviderDraft {
  readonly name: string;
  readonly infrastructure: AddressText;
  readonly infrastructureAddress: string;
  readonly control: AddressText;
  readonly moverHost: string;
  readonly advertisedHost: string;
}

export interface GatewayDraft {
  readonly name: string;
  readonly listen: readonly AddressText[];
}

/** One line for each address: "gw1.example = 10.0.0.7". */
export interface TenantDraft {
  readonly hostAddresses: string;
}

export type DraftProblem =
  'field.required' | 'field.name' | 'field.host' | 'network.field.port' | 'network.field.pairs';

/** By the name of the setting, such as `control.port`, as the service names them too. */
export type DraftProblems = Readonly<Record<string, DraftProblem>>;

const textOf = ({ host, port }: { host: string; port: number }): AddressText => ({ host, port: String(port) });

export function providerDraft(settings: ProviderNetwork): ProviderDraft {
  return {
    name: settings.name,
    infrastructure: textOf(settings.infrastructure),
    infrastructureAddress: settings.infrastructureAddress ?? '',
    control: textOf(settings.control),
    moverHost: settings.moverHost,
    advertisedHost: settings.advertisedHost ?? '',
  };
}

export function gatewayDraft(settings: GatewayNetwork): GatewayDraft {
  return { name: settings.name, listen: settings.listen.map(textOf) };
}

export function tenantDraft({ hostAddresses }: TenantNetwork): TenantDraft {
  return {
    hostAddresses: Object.entries(hostAddresses)
      .map(([host, address]) => `${host} = ${address}`)
      .join('\n'),
  };
}

export function providerProblems(draft: ProviderDraft): DraftProblems {
  return {
    ...problemOf('name', nameProblem(draft.name)),
    ...addressProblemsOf('infrastructure', draft.infrastructure),
    ...optionalHost('infrastructureAddress', draft.infrastructureAddress),
    ...addressProblemsOf('control', draft.control),
    ...problemOf('moverHost', hostProblem(draft.moverHost)),
    ...optionalHost('advertisedHost', draft.advertisedHost),
  };
}

export function gatewayProblems(draft: GatewayDraft): DraftProblems {
  return Object.assign(
    { ...problemOf('name', draft.name.trim() === '' ? 'field.required' : null) },
    ...draft.listen.map((address, index) => addressProblemsOf(`listen.${index}`, address)),
  ) as DraftProblems;
}

export function tenantProblems({ hostAddresses }: TenantDraft): DraftProblems {
  return problemOf(
    'hostAddresses',
    linesOf(hostAddresses).some((line) => readPair(line) === null) ? 'network.field.pairs' : null,
  );
}

export function providerSettings(draft: ProviderDraft): ProviderNetwork {
  return {
    name: draft.name.trim(),
    infrastructure: addressOf(draft.infrastructure),
    infrastructureAddress: draft.infrastructureAddress.trim() || null,
    control: addressOf(draft.control),
    moverHost: draft.moverHost.trim(),
    advertisedHost: draft.advertisedHost.trim() || null,
  };
}

export function gatewaySettings(draft: GatewayDraft): GatewayNetwork {
  return { name: draft.name.trim(), listen: draft.listen.map(addressOf) };
}

export function tenantSettings({ hostAddresses }: TenantDraft): TenantNetwork {
  const pairs = linesOf(hostAddresses).flatMap((line) => {
    const pair = readPair(line);
    return pair === null ? [] : [pair];
  });
  return { hostAddresses: Object.fromEntries(pairs) };
}

/** Port 0 means any free port. */
export function readListenPort(text: string): number | null {
  if (!/^\s*\d{1,5}\s*$/.test(text)) return null;
  const port = Number(text);
  return port <= 65_535 ? port : null;
}

function problemOf(field: string, problem: DraftProblem | null): DraftProblems {
  return problem === null ? {} : { [field]: problem };
}

function optionalHost(field: string, host: string): DraftProblems {
  return host.trim() === '' ? {} : problemOf(field, hostProblem(host));
}

function addressProblemsOf(field: string, { host, port }: AddressText): DraftProblems {
  return {
    ...problemOf(`${field}.host`, hostProblem(host)),
    ...problemOf(`${field}.port`, readListenPort(port) === null ? 'network.field.port' : null),
  };
}

function addressOf({ host, port }: AddressText): { host: string; port: number } {
  return { host: host.trim(), port: readListenPort(port) ?? 0 };
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function readPair(line: string): [string, string] | null {
  const [host = '', address = '', ...rest] = line.split('=').map((part) => part.trim());
  return rest.length > 0 || hostProblem(host) !== null || hostProblem(address) !== null ? null : [host, address];
}
