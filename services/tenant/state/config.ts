// Owns the tenant service's configuration. Holds no secret.
import { z } from 'zod';
import { hostSchema } from '../../contracts/models/values.ts';

export const tenantConfigSchema = z.strictObject({
  /** Pause between two attempts of a session that lost its connection. */
  retryIntervalMs: z.int().min(10).max(3_600_000).default(15_000),
  /** How long a lost connection is retried. */
  retryWindowMs: z
    .int()
    .min(0)
    .max(86_400_000)
    .default(30 * 60_000),
  /** A transfer without progress for this time is ended and retried. */
  stallTimeoutMs: z.int().min(100).max(3_600_000).default(60_000),
  /** How long a background job waits for an answer to a trust prompt. */
  promptWaitMs: z.int().min(0).max(86_400_000).default(3_600_000),
  /** Time limit for connecting to a gateway and for the TLS handshake. */
  connectTimeoutMs: z.int().min(100).max(120_000).default(15_000),
  /** PEM files with certificate authorities that are trusted in addition to those of the system. */
  extraRoots: z.array(z.string().min(1).max(4096)).max(100).default([]),
  /** Addresses of gateway names that the system cannot resolve, for example with split-horizon DNS. Certificates are judged by the name. */
  hostAddresses: z
    .record(hostSchema, hostSchema)
    .default({})
    .transform((addresses) =>
      Object.fromEntries(Object.entries(addresses).map(([host, address]) => [host.toLowerCase(), address])),
    ),
  /** Time limit for all revocation lists of one chain together, when fetching them is allowed. */
  crlFetchTimeoutMs: z.int().min(100).max(8_000).default(5_000),
  /** How often a provider without a running job is asked for news. 0: never. */
  checkInIntervalMs: z.int().min(0).max(86_400_000).default(3_600_000),
  logLevel: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
});
export type TenantConfig = z.infer<typeof tenantConfigSchema>;
