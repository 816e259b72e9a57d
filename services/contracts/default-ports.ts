// Owns the TCP ports that the roles use unless their configuration says otherwise. Renderer, command line and services read them here.
import type { ServiceRole } from './contract.ts';

/** By role, then by purpose, under the names of the listeners in the ready message. */
export const defaultPorts = {
  provider: { control: 6170, infrastructure: 6169 },
  gateway: { gateway: 6180 },
  tenant: {},
} as const satisfies Readonly<Record<ServiceRole, Readonly<Record<string, number>>>>;
