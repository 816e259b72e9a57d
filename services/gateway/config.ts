// Owns the gateway service's configuration. May hold a one-time enrollment token; better a file that holds it.
import { hostname } from 'node:os';
import { z } from 'zod';

import { hostSchema } from '../contracts/models/values.ts';

export const defaultGatewayPort = 6180;

export const gatewayConfigSchema = z.strictObject({
  /** What the gateway calls itself towards the provider. */
  name: z
    .string()
    .min(1)
    .max(128)
    .default(hostname().slice(0, 128) || 'gateway'),
  /** Where tenants connect. "::" takes IPv4 and IPv6; on a machine without IPv6 it becomes 0.0.0.0. Port 0: a free one. */
  listen: z
    .array(
      z.strictObject({ host: hostSchema.default('::'), port: z.int().min(0).max(65_535).default(defaultGatewayPort) }),
    )
    .min(1)
    .max(16)
    .default([{ host: '::', port: defaultGatewayPort }]),
  /** Used once, when the gateway is not enrolled yet or this token is another than the one it was enrolled with. */
  enrollmentToken: z.string().min(1).max(4096).optional(),
  enrollmentTokenFile: z.string().min(1).max(4096).optional(),
  limits: z
    .strictObject({
      /** Time for the first bytes of a connection. */
      firstBytesTimeoutMs: z.int().min(10).max(60_000).default(5_000),
      connections: z.int().min(1).max(1_000_000).default(10_000),
      /** So many bad connections of one address within `badWindowMs` ... */
      badConnections: z.int().min(1).max(1_000_000).default(10),
      badWindowMs: z.int().min(10).max(3_600_000).default(60_000),
      /** ... and it is refused for so long. */
      refuseMs: z.int().min(10).max(86_400_000).default(60_000),
      /** Reaching the provider or a data mover. */
      connectTimeoutMs: z.int().min(10).max(60_000).default(4_000),
    })
    .prefault({}),
  /** At most so often are counters sent to the provider. */
  reportIntervalMs: z.int().min(10).max(60_000).default(2_000),
  logLevel: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
});
export type GatewayConfig = z.infer<typeof gatewayConfigSchema>;
