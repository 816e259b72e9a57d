// Owns the provider service's configuration. Holds no secret; the file may be world-readable.
import { z } from 'zod';
import { displayNameSchema, hostSchema } from '../../contracts/models/values.ts';

const listenPortSchema = z.int().min(0).max(65_535);

export const providerConfigSchema = z.strictObject({
  /** What tenants see as the provider's name. */
  name: displayNameSchema.default('Farkeep provider'),
  /** Where gateways pass control connections to. Nobody else gets in unless `isDirectControlAllowed`. */
  control: z
    .strictObject({ host: hostSchema.default('127.0.0.1'), port: listenPortSchema.default(6170) })
    .default({ host: '127.0.0.1', port: 6170 }),
  /** Where gateways dial their link (mutual TLS). */
  infrastructure: z
    .strictObject({ host: hostSchema.default('0.0.0.0'), port: listenPortSchema.default(6169) })
    .default({ host: '0.0.0.0', port: 6169 }),
  /** What an enrollment token tells the gateway to dial; the listen address when it is left out and is a real address. */
  infrastructureAddress: hostSchema.optional(),
  /** Where target data movers listen for gateways. Port 0 each: a free one. */
  moverHost: hostSchema.default('127.0.0.1'),
  /** The address gateways use for control and movers; left out: the one they dialed for their link. */
  advertisedHost: hostSchema.optional(),
  /** Lets tenants connect without a gateway; for tests and for looking into trouble. */
  isDirectControlAllowed: z.boolean().default(false),
  /** Sessions of one tenant at the same time. */
  maxTasksPerTenant: z.int().min(1).max(1000).default(16),
  /** How long a reservation waits for a lost tenant. */
  resumeWindowMs: z
    .int()
    .min(0)
    .max(86_400_000)
    .default(30 * 60_000),
  /** RSA length of the certificates made at first start. */
  certificateKeyBits: z.union([z.literal(2048), z.literal(3072), z.literal(4096)]).default(3072),
  /** Name or number of a group that may read the certificate store besides its owner; Linux and macOS. */
  serviceGroup: z
    .string()
    .regex(
      /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}\$?$/,
      'it must be the name of a group, up to 32 letters, digits, "_", "." and "-", or its number',
    )
    .optional(),
  /** PEM files with public keys (Ed25519) of issuers of licenses, besides those that come with the program. */
  licenseKeyFiles: z.array(z.string().min(1).max(4096)).max(20).default([]),
  logLevel: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
});
export type ProviderConfig = z.infer<typeof providerConfigSchema>;
