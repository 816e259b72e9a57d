// Owns the network settings of the roles, as the console shows and changes them, and the check of one address.
import { z } from 'zod';
import { addressReaches } from '../address-reach.ts';
import { errorInfoSchema } from '../error-schemas.ts';
import { countSchema, displayNameSchema, hostSchema } from './values.ts';

/** The port of a listener. 0: any free port. */
export const listenPortSchema = z.int().min(0).max(65_535);

const listenAddressSchema = z.object({ host: hostSchema, port: listenPortSchema });

/** The settings have the names and the meaning of the configuration file (docs/cli.md, "Configuration"). null: not set. */
export const providerNetworkSchema = z.object({
  name: displayNameSchema,
  control: listenAddressSchema,
  infrastructure: listenAddressSchema,
  infrastructureAddress: hostSchema.nullable(),
  moverHost: hostSchema,
  advertisedHost: hostSchema.nullable(),
});
export type ProviderNetwork = z.infer<typeof providerNetworkSchema>;

export const gatewayNetworkSchema = z.object({ name: z.string(), listen: z.array(listenAddressSchema) });
export type GatewayNetwork = z.infer<typeof gatewayNetworkSchema>;

export const tenantNetworkSchema = z.object({ hostAddresses: z.record(hostSchema, hostSchema) });
export type TenantNetwork = z.infer<typeof tenantNetworkSchema>;

export const networkSettings = {
  provider: providerNetworkSchema,
  gateway: gatewayNetworkSchema,
  tenant: tenantNetworkSchema,
} as const;

function sectionOf<Settings extends z.ZodType>(settings: Settings) {
  return z.object({
    /** The file with the settings; it need not exist. */
    file: z.string(),
    /** null if the file cannot be used. */
    settings: settings.nullable(),
    error: errorInfoSchema.nullable(),
  });
}

export const networkSchema = z.object({
  provider: sectionOf(providerNetworkSchema),
  gateway: sectionOf(gatewayNetworkSchema),
  tenant: sectionOf(tenantNetworkSchema),
  /** The addresses of this computer's network interfaces, without loopback. */
  ownAddresses: z.array(z.object({ address: hostSchema, networkInterface: z.string() })),
});
export type Network = z.infer<typeof networkSchema>;

/** `listen`: a service of this computer listens there. `dial`: other computers connect to it. */
export const addressUseSchema = z.enum(['listen', 'dial']);

export const addressCheckSchema = z.object({
  reach: z.enum(addressReaches),
  /**
   * `free`: a service can listen there. `own-service`: the service of this role listens there. `in-use`: another program does.
   * `not-here`: not an address of this computer. `answers` and `no-answer`: the result of a connection from this computer.
   */
  outcome: z.enum(['free', 'own-service', 'in-use', 'not-here', 'not-allowed', 'unknown-name', 'answers', 'no-answer']),
  /** The program that uses the port; null if it is not known. */
  program: z.object({ name: z.string(), pid: countSchema }).nullable(),
  /** What the operating system reported; empty if there is nothing to add. */
  detail: z.string(),
});
export type AddressCheck = z.infer<typeof addressCheckSchema>;
