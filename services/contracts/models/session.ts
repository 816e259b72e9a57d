// Owns a session as tenant and provider see it: state, handshake and keys, progress, actions. Never a key, and no names that the viewer may
// not see.
import { z } from 'zod';
import { errorCodeSchema, errorInfoSchema } from '../error-schemas.ts';
import { rowList } from '../row-list.ts';
import { handshakeStepNameSchema } from './handshake.ts';
import { tlsInfoSchema } from './trust.ts';
import { bytesSchema, countSchema, idSchema, instantSchema, keyIdentifierSchema } from './values.ts';

export const sessionStates = [
  'pending',
  'connecting',
  'key-exchange',
  'transferring',
  'finalizing',
  'waiting-to-resume',
  'paused',
  'succeeded',
  'warning',
  'failed',
  'canceled',
] as const;
export const sessionStateSchema = z.enum(sessionStates);
export type SessionState = z.infer<typeof sessionStateSchema>;
export const finalSessionStates: readonly SessionState[] = ['succeeded', 'warning', 'failed', 'canceled'];

/** The side that paused a session. Only this side can resume the session; the value is the same for every viewer. */
export const sessionSideSchema = z.enum(['tenant', 'provider']);
export type SessionSide = z.infer<typeof sessionSideSchema>;

/**
 * Whether a session can be paused now. Before the first transfer there is nothing to keep, and a key exchange takes only a moment. So in
 * these states a session cannot be paused.
 */
export function canPause(session: Pick<SessionDetail, 'state' | 'kind' | 'nextAttemptAt'>): boolean {
  const { state, kind, nextAttemptAt } = session;
  if (kind === 'browse') return false;
  return state === 'transferring' || (state === 'waiting-to-resume' && nextAttemptAt !== null);
}

export const handshakeStepSchema = z.object({
  step: handshakeStepNameSchema,
  attempt: z.int().positive(),
  outcome: z.enum(['active', 'done', 'failed', 'security-warning']),
  at: instantSchema,
  durationMs: z.number().nonnegative().nullable(),
  /** Details for people, such as the gateway's name, the ends of the thumbprint, the cipher suite; never a secret. */
  detail: z.string(),
  keyIdentifier: keyIdentifierSchema.nullable(),
});
export type HandshakeStep = z.infer<typeof handshakeStepSchema>;

export const sessionProgressSchema = z.object({
  /** All bytes that this session will process; null while the source is being counted. */
  totalBytes: bytesSchema.nullable(),
  totalFiles: countSchema.nullable(),
  /** Finished source bytes: read, unchanged or holes. */
  processedBytes: bytesSchema,
  processedFiles: countSchema,
  /** Bytes read from the source disk (backup) or from the provider (restore). */
  readBytes: bytesSchema,
  /** Bytes on the wire, after compression and encryption. */
  transferredBytes: bytesSchema,
  /** The content of the transferred blocks, before compression and encryption; missing when the other side has an earlier version. */
  contentBytes: bytesSchema.optional(),
  /** Source bytes that are durable at the provider (backup) or on the destination disk (restore). */
  safeBytes: bytesSchema,
  /** Files that were not read, because an earlier session or attempt stored their blocks. */
  unchangedFiles: countSchema,
  newBlocks: countSchema,
  reusedBlocks: countSchema,
  readBytesPerSecond: z.number().nonnegative(),
  transferredBytesPerSecond: z.number().nonnegative(),
  /** null while no estimate is possible. */
  secondsLeft: z.number().nonnegative().nullable(),
  /** Restore: files that are complete at the tenant now; `processed` also counts skipped and failed ones. */
  restored: z.object({ files: countSchema, bytes: bytesSchema, skipped: countSchema, failed: countSchema }).optional(),
});
export type SessionProgress = z.infer<typeof sessionProgressSchema>;

/** The progress before the first transfer. */
export const noProgress: SessionProgress = {
  totalBytes: null,
  totalFiles: null,
  processedBytes: 0,
  processedFiles: 0,
  readBytes: 0,
  transferredBytes: 0,
  safeBytes: 0,
  unchangedFiles: 0,
  newBlocks: 0,
  reusedBlocks: 0,
  readBytesPerSecond: 0,
  transferredBytesPerSecond: 0,
  secondsLeft: null,
};

export const bottleneckSchema = z.object({
  /** Busy share of the last seconds, 0 to 1. */
  source: z.number().min(0).max(1),
  compression: z.number().min(0).max(1),
  network: z.number().min(0).max(1),
  target: z.number().min(0).max(1),
});
export type Bottleneck = z.infer<typeof bottleneckSchema>;

export const sessionObjectSchema = z.object({
  name: z.string(),
  /**
   * In a session that does not run, no object is `running`. An object that is not finished is `waiting` for the next attempt, `paused`, or
   * `unfinished` for good.
   */
  state: z.enum(['waiting', 'running', 'paused', 'done', 'warning', 'failed', 'unfinished']),
  sizeBytes: bytesSchema.nullable(),
  processedBytes: bytesSchema,
});
export type SessionObject = z.infer<typeof sessionObjectSchema>;

/** A value of a parameter of a notable event. */
const notableValueSchema = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string()).readonly()]);

export const sessionActionSchema = z.object({
  /** Counts from 1 within a session. */
  sequence: z.int().positive(),
  at: instantSchema,
  level: z.enum(['info', 'warning', 'error', 'security']),
  text: z.string(),
  /** null while the action runs, and for an action without a duration. */
  durationMs: z.number().nonnegative().nullable(),
  /** The event that `text` was made from (notable-events.ts); missing for actions of the other side and of earlier versions. */
  code: z.string().optional(),
  parameters: z.record(z.string(), notableValueSchema).optional(),
});
export type SessionAction = z.infer<typeof sessionActionSchema>;

export const sessionWarningSchema = z.object({
  at: instantSchema,
  code: errorCodeSchema,
  message: z.string(),
  path: z.string().nullable(),
});
export type SessionWarning = z.infer<typeof sessionWarningSchema>;

export const sessionKeysSchema = z.object({
  attempt: z.int().positive(),
  keyA: keyIdentifierSchema.nullable(),
  keyB: keyIdentifierSchema.nullable(),
});
export type SessionKeys = z.infer<typeof sessionKeysSchema>;

/** A row of a session list. */
export const sessionSummarySchema = z.object({
  id: idSchema,
  kind: z.enum(['backup', 'restore', 'browse']),
  jobName: z.string(),
  /** Missing in records of earlier versions. */
  jobId: idSchema.optional(),
  /** At the tenant, the identifier of the provider. At the provider, that of the tenant. Missing in records of earlier versions. */
  otherSideId: idSchema.optional(),
  /** At the tenant, the name of the provider. At the provider, the name of the tenant. */
  otherSide: z.string(),
  repository: z.string(),
  state: sessionStateSchema,
  attempt: z.int().positive(),
  createdAt: instantSchema,
  endedAt: instantSchema.nullable(),
  progress: sessionProgressSchema,
  warningCount: countSchema,
  error: errorInfoSchema.nullable(),
  hasSecurityWarning: z.boolean(),
  pointId: idSchema.nullable(),
  /** Bytes that a backup added to the repository on disk; absent until its restore point is committed. */
  storedBytes: bytesSchema.optional(),
  /** Set in state paused: the side that paused. */
  pausedBy: sessionSideSchema.nullable().optional(),
  /** At the tenant, in state waiting-to-resume: the session waits for the answer of a person, not for its next attempt. */
  waitsForAnswer: z.boolean().optional(),
});
export type SessionSummary = z.infer<typeof sessionSummarySchema>;

export const sessionDetailSchema = sessionSummarySchema.extend({
  viewer: z.enum(['tenant', 'provider']),
  gateway: z.string().nullable(),
  certificateSha256: z.string().nullable(),
  tls: tlsInfoSchema.nullable(),
  steps: rowList(handshakeStepSchema),
  keys: rowList(sessionKeysSchema),
  streams: countSchema,
  bottleneck: bottleneckSchema.nullable(),
  objects: rowList(sessionObjectSchema),
  areObjectNamesHidden: z.boolean(),
  actions: rowList(sessionActionSchema),
  warnings: rowList(sessionWarningSchema),
  /** Set in state waiting-to-resume. */
  nextAttemptAt: instantSchema.nullable(),
  /** Set in states waiting-to-resume and paused: the session ends at this time. */
  resumeUntil: instantSchema.nullable(),
});
export type SessionDetail = z.infer<typeof sessionDetailSchema>;

/** One sample of the throughput. There is one sample a second. */
export const throughputSampleSchema = z.object({
  at: instantSchema,
  readBytesPerSecond: z.number().nonnegative(),
  transferredBytesPerSecond: z.number().nonnegative(),
});
export type ThroughputSample = z.infer<typeof throughputSampleSchema>;
