// Owns the refusal of a token that a gateway on another computer cannot use, because addresses of this provider are loopback addresses.
import { networkInterfaces } from 'node:os';
import {
  isGatewayHere,
  reachProblems,
  type ProviderAddresses,
  type ReachProblem,
} from '../../contracts/address-reach.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';

/**
 * Whether a gateway runs on this computer: tenants reach it only here, its addresses are those of this computer, or its last link came from
 * here.
 * @param linkAddress `countingKey` of the remote address of its last link
 */
export function runsHere(addresses: readonly { readonly host: string }[], linkAddress: string | null): boolean {
  const own = ownAddresses();
  return isGatewayHere(addresses, own) || (linkAddress !== null && isGatewayHere([{ host: linkAddress }], own));
}

/** All addresses of this computer, in lower case. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.map(({ address }) => address.toLowerCase()),
  );
}

/** @throws gateway.provider-not-reachable; the field is the first setting to change, the details name all of them */
export function requireReachable(provider: ProviderAddresses): void {
  const problems = reachProblems(provider);
  const [first] = problems;
  if (first === undefined) return;
  throw new FarkeepError(
    'gateway.provider-not-reachable',
    `A gateway on another computer could not use this token: ${problems.map(describeProblem).join('; ')}`,
    { field: first.field, details: { settings: problems.map(({ field }) => field) } },
  );
}

export function describeProblem({ field, host }: ReachProblem): string {
  return host === null
    ? `the setting "${field}" is missing, so the token would name 127.0.0.1`
    : `the setting "${field}" is ${host}, which only this computer can reach`;
}
