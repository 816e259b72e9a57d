// Owns what a tenant administers: service providers, jobs, restore points.
import { z } from 'zod';
import { rowList } from '../row-list.ts';
import { certificateSummarySchema } from './certificate.ts';
import { sessionStateSchema } from './session.ts';
import {
  bytesSchema,
  countSchema,
  displayNameSchema,
  hostSchema,
  idSchema,
  instantSchema,
  portSchema,
} from './values.ts';

/** What a provider told, as the control channel lets it in. */
export const usableGatewaySchema = z.object({
  name: displayNameSchema,
  host: hostSchema,
  port: portSchema,
  isUsable: z.boolean(),
  /** Why it is not used, and what would help. */
  reason: z.string().nullable(),
});

export const offeredRepositorySchema = z.object({
  name: displayNameSchema,
  limitBytes: bytesSchema,
  usedBytes: bytesSchema,
});

export const serviceProviderSchema = z.object({
  id: idSchema,
  name: displayNameSchema,
  host: hostSchema,
  port: portSchema,
  userName: z.string(),
  addedAt: instantSchema,
  certificate: certificateSummarySchema,
  trust: z.enum(['pinned', 'trusted']),
  repositories: rowList(offeredRepositorySchema),
  gateways: rowList(usableGatewaySchema),
  lastContactAt: instantSchema.nullable(),
  /** Why the last contact failed, or what the provider told that cannot be used. */
  problem: z.string().nullable(),
});
export type ServiceProvider = z.infer<typeof serviceProviderSchema>;

export const jobSchema = z.object({
  id: idSchema,
  name: displayNameSchema,
  sourcePaths: z.array(z.string()).min(1),
  excludes: z.array(z.string()),
  providerId: idSchema,
  providerName: displayNameSchema,
  repository: displayNameSchema,
  streams: z.int().min(1).max(16),
  createdAt: instantSchema,
  runningSessionId: idSchema.nullable(),
  lastRun: z.object({ sessionId: idSchema, state: sessionStateSchema, endedAt: instantSchema.nullable() }).nullable(),
});
export type Job = z.infer<typeof jobSchema>;

export const restorePointSchema = z.object({
  id: idSchema,
  /** Name of the job. */
  job: z.string(),
  jobId: idSchema,
  providerName: z.string(),
  repository: z.string(),
  /** By the tenant's clock. */
  createdAt: instantSchema,
  /** By the provider's clock, when it was complete there; absent from a provider of an earlier version. */
  committedAt: instantSchema.optional(),
  sourceBytes: bytesSchema,
  files: countSchema,
  encrypted: z.boolean(),
  warnings: countSchema,
});
export type RestorePoint = z.infer<typeof restorePointSchema>;

/** A point that is there and cannot be offered, since it is damaged or what is told of it does not fit. It can be deleted. */
export const unreadablePointSchema = z.object({
  /** Null when not even that could be read. */
  id: idSchema.nullable(),
  providerName: z.string(),
  repository: z.string().nullable(),
  reason: z.string(),
});
export type UnreadablePoint = z.infer<typeof unreadablePointSchema>;

export const pointEntrySchema = z.object({
  name: z.string(),
  /** Path below the point's root; for names that are not UTF-8 each wrong byte is shown as \xHH. */
  path: z.string(),
  kind: z.enum(['file', 'folder', 'symlink', 'other']),
  sizeBytes: bytesSchema.nullable(),
  modifiedAt: instantSchema,
  hasWarning: z.boolean(),
});
export type PointEntry = z.infer<typeof pointEntrySchema>;

export const overwriteRuleSchema = z.enum(['never', 'older', 'always']);
