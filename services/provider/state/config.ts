// Owns the provider service's configuration. Holds no secret; the file may be world-readable.
import { z } from 'zod';
import { defaultPorts } from '../../contracts/default-ports.ts';
import { listenPortSchema } from '../../contracts/models/network.ts';
import { displayNameSchema, hostSchema } from '../../contracts/models/values.ts';

const ports = defaultPorts.provider;

export const providerConfigSchema = z.strictObject({
  /** The provider's name for tenants. */
  name: displayNameSchema.default('Farkeep provider'),
  /**
   * The address to which gateways connect for control connections. Connections that do not come from a gateway are refused unless
   * `isDirectControlAllowed`.
   */
  control: z
    .strictObject({ host: hostSchema.default('127.0.0.1'), port: listenPortSchema.default(ports.control) })
    .default({ host: '127.0.0.1', port: ports.control }),
  /** The address to which gateways connect for their link (mutual TLS). */
  infrastructure: z
    .strictObject({ host: hostSchema.default('0.0.0.0'), port: listenPortSchema.default(ports.infrastructure) })
    .default({ host: '0.0.0.0', port: ports.infrastructure }),
  /**
   * The address in an enrollment token, which the gateway dials. If it is left out, the token has the listen address, if that is a real
   * address.
   */
  infrastructureAddress: hostSchema.optional(),
  /** The address on which target data movers listen for gateways. Each mover gets a free port. */
  moverHost: hostSchema.default('127.0.0.1'),
  /** The address that gateways use for control and movers. If it is left out, gateways use the address that they dialed for their link. */
  advertisedHost: hostSchema.optional(),
  /** Lets tenants connect without a gateway; for tests and troubleshooting. */
  isDirectControlAllowed: z.boolean().default(false),
  /** Limit of simultaneous sessions of one tenant. */
  maxTasksPerTenant: z.int().min(1).max(1000).default(16),
  /** How long a reservation waits for a disconnected tenant. */
  resumeWindowMs: z
    .int()
    .min(0)
    .max(86_400_000)
    .default(30 * 60_000),
  /** RSA length of the certificates that the first start generates. */
  certificateKeyBits: z.union([z.literal(2048), z.literal(3072), z.literal(4096)]).default(3072),
  /** Name or number of a group that may read the certificate store besides its owner; Linux and macOS. */
  serviceGroup: z
    .string()
    .regex(
      /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}\$?$/,
      'it must be the name of a group, up to 32 letters, digits, "_", "." and "-", or its number',
    )
    .optional(),
  /** PEM files with public keys (Ed25519) of license issuers, in addition to the built-in keys. */
  licenseKeyFiles: z.array(z.string().min(1).max(4096)).max(20).default([]),
  logLevel: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
});
export type ProviderConfig = z.infer<typeof providerConfigSchema>;
