// Owns the gateway service's configuration. May contain a one-time enrollment token; a separate token file is better.
import { hostname } from 'node:os';
import { z } from 'zod';

import { defaultPorts } from '../contracts/default-ports.ts';
import { listenPortSchema } from '../contracts/models/network.ts';
import { hostSchema } from '../contracts/models/values.ts';

export const gatewayConfigSchema = z.strictObject({
  /** Name of the gateway, as the provider shows it. */
  name: z
    .string()
    .min(1)
    .max(128)
    .default(hostname().slice(0, 128) || 'gateway'),
  /** Addresses to which tenants connect. "::" accepts IPv4 and IPv6; on a machine without IPv6 it becomes 0.0.0.0. Port 0: a free port. */
  listen: z
    .array(
      z.strictObject({
        host: hostSchema.default('::'),
        port: listenPortSchema.default(defaultPorts.gateway.gateway),
      }),
    )
    .min(1)
    .max(16)
    .default([{ host: '::', port: defaultPorts.gateway.gateway }]),
  /** The token is used once: when the gateway is not enrolled, or when the gateway was last enrolled with another token. */
  enrollmentToken: z.string().min(1).max(4096).optional(),
  enrollmentTokenFile: z.string().min(1).max(4096).optional(),
  limits: z
    .strictObject({
      /** Time limit for the first bytes of a connection. */
      firstBytesTimeoutMs: z.int().min(10).max(60_000).default(5_000),
      connections: z.int().min(1).max(1_000_000).default(10_000),
      /** Number of bad connections of one address within `badWindowMs` after which the address is refused. */
      badConnections: z.int().min(1).max(1_000_000).default(10),
      badWindowMs: z.int().min(10).max(3_600_000).default(60_000),
      /** How long the address is refused. */
      refuseMs: z.int().min(10).max(86_400_000).default(60_000),
      /** Time limit for connecting to the provider or a data mover. */
      connectTimeoutMs: z.int().min(10).max(60_000).default(4_000),
    })
    .prefault({}),
  /** Shortest time between two reports with counters to the provider. */
  reportIntervalMs: z.int().min(10).max(60_000).default(2_000),
  logLevel: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
});
export type GatewayConfig = z.infer<typeof gatewayConfigSchema>;
