// Owns what a tenant admin manages: service providers, jobs, restore points.
import { z } from 'zod';
import { rowList } from '../row-list.ts';
import { errorCodeSchema } from '../error-schemas.ts';
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

/** A gateway as the provider reports it, limited to values that the control channel accepts. */
export const usableGatewaySchema = z.object({
  name: displayNameSchema,
  host: hostSchema,
  port: portSchema,
  isUsable: z.boolean(),
  /** Why the gateway is not used, and what would help. */
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
  /** Why the last contact failed, or which reported values cannot be used. */
  problem: z.string().nullable(),
  /** The error code of the failed contact; null for other problems. With `login.refused`, a person has to enter the new password. */
  problemCode: errorCodeSchema.nullable().default(null),
});
export type ServiceProvider = z.infer<typeof serviceProviderSchema>;

const jobRunSchema = z.object({
  sessionId: idSchema,
  state: sessionStateSchema,
  endedAt: instantSchema.nullable(),
});
export type JobRun = z.infer<typeof jobRunSchema>;

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
  /** The newest backup of the job, which may still run. */
  lastRun: jobRunSchema.nullable(),
  /** The newest backup that has ended; missing when the service has an earlier version. */
  lastFinishedRun: jobRunSchema.nullable().optional(),
});
export type Job = z.infer<typeof jobSchema>;

/** A path that a job shall back up, as the tenant service sees it now. */
export const checkedSourceSchema = z.object({
  path: z.string(),
  /** null when the path does not exist or cannot be reached. */
  kind: z.enum(['folder', 'file', 'other']).nullable(),
  isReadable: z.boolean(),
  /** Why a job cannot back it up; null when it can. */
  problem: z.enum(['not-absolute', 'missing', 'not-folder-or-file', 'unreadable', 'no-answer']).nullable(),
});
export type CheckedSource = z.infer<typeof checkedSourceSchema>;

export const restorePointSchema = z.object({
  id: idSchema,
  /** Name of the job. */
  job: z.string(),
  jobId: idSchema,
  providerName: z.string(),
  repository: z.string(),
  /** Creation time by the tenant's clock. */
  createdAt: instantSchema,
  /** Time of the commit by the provider's clock. Providers of earlier versions do not send this field. */
  committedAt: instantSchema.optional(),
  sourceBytes: bytesSchema,
  files: countSchema,
  encrypted: z.boolean(),
  warnings: countSchema,
  /** True: the run had the warning source.shrunk. Known only for runs in the session history of this tenant service. */
  isShrunk: z.boolean().optional(),
});
export type RestorePoint = z.infer<typeof restorePointSchema>;

/** A restore point that exists but cannot be restored, because it is damaged or its description is invalid. It can be deleted. */
export const unreadablePointSchema = z.object({
  /** null when even the identifier is unreadable. */
  id: idSchema.nullable(),
  providerName: z.string(),
  repository: z.string().nullable(),
  reason: z.string(),
});
export type UnreadablePoint = z.infer<typeof unreadablePointSchema>;

export const pointEntrySchema = z.object({
  name: z.string(),
  /** Path inside the restore point; in names that are not UTF-8 each wrong byte is shown as \xHH. */
  path: z.string(),
  kind: z.enum(['file', 'folder', 'symlink', 'other']),
  sizeBytes: bytesSchema.nullable(),
  modifiedAt: instantSchema,
  hasWarning: z.boolean(),
});
export type PointEntry = z.infer<typeof pointEntrySchema>;

export const overwriteRuleSchema = z.enum(['never', 'older', 'always']);
