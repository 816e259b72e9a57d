// Owns what a provider administers: tenants, repositories, gateways.
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

/** Account name: what the tenant logs in with. */
export const tenantNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/,
    '1 to 64 letters, digits and . _ @ - are possible, first a letter or a digit',
  );

/** Sessions of one tenant at the same time. */
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
  /** Null or left out: what the provider's configuration says for all. */
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
  /** Set when the folder cannot be used right now. */
  problem: z.string().nullable(),
  /** The last check of everything that is stored, and how many findings it had; null when there was none yet. */
  verification: z.object({ at: instantSchema, findings: countSchema }).nullable().optional(),
});
export type Repository = z.infer<typeof repositorySchema>;

export const gatewaySchema = z.object({
  id: idSchema,
  name: displayNameSchema,
  /** Addresses tenants use, by name. */
  addresses: rowList(z.object({ host: hostSchema, port: portSchema })),
  isEnabled: z.boolean(),
  state: z.enum(['waiting-for-enrollment', 'connected', 'disconnected', 'disabled']),
  enrolledAt: instantSchema.nullable(),
  lastSeenAt: instantSchema.nullable(),
  connections: countSchema,
  relayedBytes: bytesSchema,
  refusedConnections: countSchema,
  /** False when the provider certificate does not cover any of its addresses. */
  isCoveredByCertificate: z.boolean(),
});
export type Gateway = z.infer<typeof gatewaySchema>;

export const gatewayCheckSchema = z.object({
  gateway: displayNameSchema,
  check: z.enum(['enrolled', 'link', 'port', 'handshake', 'name-covered']),
  outcome: z.enum(['ok', 'warning', 'failed', 'not-checked']),
  message: z.string(),
  /** What would help; empty when all is well. */
  help: z.string(),
});

/** What a tenant admin gets as a file; fills the whole Service Provider wizard. The secret in it works once. */
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
