// Owns the address of this computer's gateway for clients, from the report of its service. Pure.
import type { MirrorState } from '../../platform/mirror/mirror-state.ts';

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Splits an address into host and port. Loopback replaces a wildcard address such as `::`, because nobody can dial a wildcard address. */
export function splitAddress(address: string): HostAndPort | null {
  const split = /^\[?(.+?)\]?:(\d+)$/.exec(address);
  if (split?.[1] === undefined || split[2] === undefined) return null;
  const host = ['0.0.0.0', '::', '*'].includes(split[1]) ? '127.0.0.1' : split[1];
  return { host, port: Number(split[2]) };
}

/** Null while the address is unknown. */
export function gatewayListenAddress({
  console,
  gateway,
}: Pick<MirrorState, 'console' | 'gateway'>): HostAndPort | null {
  const listeners = console.services.find(({ role }) => role === 'gateway')?.listeners ?? {};
  const address = listeners['gateway'] ?? gateway.node?.listeners[0];
  return address === undefined ? null : splitAddress(address);
}
