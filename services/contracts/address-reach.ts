// Owns from where an address can be reached, judged by its text alone, and which settings keep gateways on other computers away from a
// provider. Pure: looks up no name.

/**
 * `this-computer`: loopback. `this-network`: private and link-local addresses. `any-network`: public addresses, and the wildcard addresses
 * of a listener. `name`: a DNS name, which can lead to any address.
 */
export const addressReaches = ['this-computer', 'this-network', 'any-network', 'name'] as const;
export type AddressReach = (typeof addressReaches)[number];

const wildcards: ReadonlySet<string> = new Set(['0.0.0.0', '::', '0:0:0:0:0:0:0:0']);

/** A listener with this address accepts connections on all addresses of its computer. Nobody can dial it. */
export function isWildcard(host: string): boolean {
  return wildcards.has(host);
}

export function reachOf(host: string): AddressReach {
  const bare = host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .replace(/^::ffff:(?=[\d.]+$)/, '');
  if (isWildcard(bare)) return 'any-network';
  if (bare === 'localhost' || bare.endsWith('.localhost')) return 'this-computer';
  if (/^[\d.]+$/.test(bare)) return reachOfIpv4(bare);
  return bare.includes(':') ? reachOfIpv6(bare) : 'name';
}

export function isThisComputerOnly(host: string): boolean {
  return reachOf(host) === 'this-computer';
}

function reachOfIpv4(address: string): AddressReach {
  const [first = 0, second = 0] = address.split('.').map(Number);
  if (first === 127) return 'this-computer';
  const isPrivate =
    first === 10 ||
    (first === 172 && second >= 16 && second <= 31) ||
    (first === 192 && second === 168) ||
    (first === 169 && second === 254) ||
    (first === 100 && second >= 64 && second <= 127);
  return isPrivate ? 'this-network' : 'any-network';
}

function reachOfIpv6(address: string): AddressReach {
  if (/^(?:::|(?:0{1,4}:){7})0{0,3}1$/.test(address)) return 'this-computer';
  return /^f[cd][\da-f]{2}:|^fe[89ab][\da-f]:/.test(address) ? 'this-network' : 'any-network';
}

/** The addresses in a provider's settings that its gateways use. Null or absent: not set. */
export interface ProviderAddresses {
  readonly control: { readonly host: string };
  readonly infrastructure: { readonly host: string };
  readonly infrastructureAddress?: string | null | undefined;
  readonly moverHost: string;
  readonly advertisedHost?: string | null | undefined;
}

/** A setting with an address that no other computer can reach. */
export interface ReachProblem {
  /** Name of the setting, as in the configuration file. */
  readonly field: 'infrastructure.host' | 'infrastructureAddress' | 'control.host' | 'moverHost' | 'advertisedHost';
  /** The address that is set; null: no address is set, and the default is a loopback address. */
  readonly host: string | null;
}

/** Empty if gateways on other computers can reach this provider, as far as its settings tell. */
export function reachProblems(addresses: ProviderAddresses): ReachProblem[] {
  const { control, infrastructure, infrastructureAddress, moverHost, advertisedHost } = addresses;
  const problems: ReachProblem[] = [];
  const look = (field: ReachProblem['field'], host: string): void => {
    if (isThisComputerOnly(host)) problems.push({ field, host });
  };
  look('infrastructure.host', infrastructure.host);
  // Without this setting, a token names the listen address. For a wildcard address, that is 127.0.0.1.
  if (infrastructureAddress != null) look('infrastructureAddress', infrastructureAddress);
  else if (isWildcard(infrastructure.host)) problems.push({ field: 'infrastructureAddress', host: null });
  look('control.host', control.host);
  look('moverHost', moverHost);
  if (advertisedHost != null) look('advertisedHost', advertisedHost);
  return problems;
}

/**
 * Whether a gateway with these addresses is on the computer with `ownAddresses`: tenants reach each address only from here, or it belongs to
 * this computer.
 */
export function isGatewayHere(
  addresses: readonly { readonly host: string }[],
  ownAddresses: readonly string[],
): boolean {
  return addresses.every(({ host }) => isThisComputerOnly(host) || ownAddresses.includes(host.toLowerCase()));
}
