// Owns the addresses and the validity in forms about gateways, and which settings let other computers reach the provider. Pure.
import { isGatewayHere, reachProblems, type ReachProblem } from '../../../services/contracts/address-reach.ts';
import type { Network, ProviderNetwork } from '../../../services/contracts/models/network.ts';
import { addressProblems, parsePort } from '../../ui/form/field-rules.ts';

export interface GatewayAddressText {
  readonly host: string;
  readonly port: string;
}

export type AddressProblems = ReturnType<typeof addressProblems>;

export const maxGatewayAddresses = 16;

/** The choices for the validity of a token: the text for the command line, and the time. */
export const validities = [
  { id: '1h', ms: 3_600_000 },
  { id: '1d', ms: 86_400_000 },
  { id: '7d', ms: 7 * 86_400_000 },
  { id: '30d', ms: 30 * 86_400_000 },
] as const;
export type ValidityId = (typeof validities)[number]['id'];

export function validMsOf(id: ValidityId): number {
  return validities.find((validity) => validity.id === id)?.ms ?? 86_400_000;
}

export function rowProblems(addresses: readonly GatewayAddressText[]): AddressProblems[] {
  return addresses.map(({ host, port }) => addressProblems(host, port));
}

export function hasProblem(problems: readonly AddressProblems[]): boolean {
  return problems.some((problem) => Object.keys(problem).length > 0);
}

/** Call for rows without problems. */
export function gatewayAddresses(rows: readonly GatewayAddressText[]): { host: string; port: number }[] {
  return rows.map(({ host, port }) => ({ host: host.trim(), port: parsePort(port) ?? 0 }));
}

/** "gw1.example:6180", "[2001:db8::1]:6180": the form of the command line. */
export function addressArgument({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Settings of the provider that keep a gateway with these addresses away from it. Empty for a gateway on this computer. */
export function blockedBy(network: Network | null, addresses: readonly { readonly host: string }[]): ReachProblem[] {
  const settings = network?.provider.settings ?? null;
  if (network === null || settings === null) return [];
  const own = network.ownAddresses.map(({ address }) => address);
  return isGatewayHere(addresses, own) ? [] : reachProblems(settings);
}

/**
 * The settings with which gateways on other computers reach the provider at the chosen address. An address of this computer is also used for
 * control connections and data movers. For another one, such as a DNS name, they listen on all addresses.
 */
export function openedTo(
  settings: ProviderNetwork,
  chosen: string,
  ownAddresses: readonly string[],
): Partial<ProviderNetwork> {
  const fields = new Set(reachProblems(settings).map(({ field }) => field));
  const isOwn = ownAddresses.includes(chosen);
  const listening = isOwn ? chosen : '0.0.0.0';
  const isMoved = fields.has('control.host') || fields.has('moverHost');
  return {
    infrastructureAddress: chosen,
    ...(fields.has('infrastructure.host') ? { infrastructure: { ...settings.infrastructure, host: '0.0.0.0' } } : {}),
    ...(fields.has('control.host') ? { control: { ...settings.control, host: listening } } : {}),
    ...(fields.has('moverHost') ? { moverHost: listening } : {}),
    // A gateway on this computer keeps its link over loopback, where control and movers no longer listen.
    ...(isMoved && isOwn ? { advertisedHost: chosen } : fields.has('advertisedHost') ? { advertisedHost: null } : {}),
  };
}
