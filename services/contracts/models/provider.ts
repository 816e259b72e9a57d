// Owns what a provider admin manages: tenants, repositories, gateways.
import { z } from 'zod';
import { rowList } from '../row-list.ts';
import {
  bytesSchema,
  countSchema,
  displayNameSchema,
  hostSchema,
  idSchema,
  instantSchema,
  portSchema,
} from './values.ts';

/** Account name with which the tenant logs in. */
export const tenantNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/,
    '1 to 64 letters, digits and . _ @ - are possible, first a letter or a digit',
  );

/** Limit of a tenant's simultaneous sessions. */
export const maxTasksSchema = z.int().min(1).max(1000);

export const tenantQuotaSchema = z.object({
  repository: displayNameSchema,
  limitBytes: bytesSchema,
  usedBytes: bytesSchema,
});

export const tenantAccountSchema = z.object({
  id: idSchema,
  name: tenantNameSchema,
  isEnabled: z.boolean(),
  createdAt: instantSchema,
  leaseUntil: instantSchema.nullable(),
  quotas: rowList(tenantQuotaSchema),
  lastLoginAt: instantSchema.nullable(),
  activeSessions: countSchema,
  /** null or absent: the value in the provider's configuration. */
  maxTasks: maxTasksSchema.nullable().optional(),
});
export type TenantAccount = z.infer<typeof tenantAccountSchema>;

export const repositorySchema = z.object({
  id: idSchema,
  name: displayNameSchema,
  folder: z.string(),
  createdAt: instantSchema,
  freeBytes: bytesSchema.nullable(),
  usedBytes: bytesSchema,
  tenants: countSchema,
  points: countSchema,
  /** Why the folder cannot be used now; null when the folder can be used. */
  problem: z.string().nullable(),
  /** The last check of all stored data, and its number of findings; null before the first check. */
  verification: z.object({ at: instantSchema, findings: countSchema }).nullable().optional(),
});
export type Repository = z.infer<typeof repositorySchema>;

export const gatewaySchema = z.object({
  id: idSchema,
  name: displayNameSchema,
  /** Addresses by which tenants connect. */
  addresses: rowList(z.object({ host: hostSchema, port: portSchema })),
  isEnabled: z.boolean(),
  state: z.enum(['waiting-for-enrollment', 'connected', 'disconnected', 'disabled']),
  enrolledAt: instantSchema.nullable(),
  lastSeenAt: instantSchema.nullable(),
  connections: countSchema,
  relayedBytes: bytesSchema,
  refusedConnections: countSchema,
  /** False when the provider certificate covers none of the gateway's addresses. */
  isCoveredByCertificate: z.boolean(),
});
export type Gateway = z.infer<typeof gatewaySchema>;

export const gatewayCheckSchema = z.object({
  gateway: displayNameSchema,
  check: z.enum(['enrolled', 'provider-address', 'link', 'port', 'handshake', 'name-covered']),
  outcome: z.enum(['ok', 'warning', 'failed', 'not-checked']),
  message: z.string(),
  /** A suggestion; empty when there is no problem. */
  help: z.string(),
});

/** The file that a tenant admin gets; it fills the whole Service Provider wizard. Its secret works once. */
export const invitationSchema = z.object({
  farkeepInvitation: z.literal(1),
  provider: displayNameSchema,
  gateways: z.array(z.object({ host: hostSchema, port: portSchema })).min(1),
  user: tenantNameSchema,
  secret: z.string(),
  fingerprint: z.string(),
  expiresAt: instantSchema,
});
export type Invitation = z.infer<typeof invitationSchema>;
