// Owns the messages of the control channel: every request and notification between tenant and provider, as zod schemas with bounds. A
// separate contract with its own version; it shares no shapes with the RPC domains. docs/control-messages.md describes it.
import { z } from 'zod';
import { peerErrorSchema } from '../contracts/error-schemas.ts';
import { displayNameSchema as name, hostSchema as host, portSchema as port } from '../contracts/models/values.ts';
import { rowList } from '../contracts/row-list.ts';
import { maxSaltBytes, minSaltBytes } from './scram-bounds.ts';

export const controlProtocolVersion = 1;
/** Features that this version knows. A peer that requires another feature is refused, and the error names the feature. */
export const knownControlFeatures = ['sessions', 'invitations', 'rollover', 'delete-points'] as const;
/** Limit of the rows of `points.list`, for every provider. */
export const maxPoints = 100_000;

const id = z.string().regex(/^[0-9a-f]{32}$/);
const instant = z.iso.datetime();
/** The last millisecond that ISO 8601 can write with a year of four digits. */
const lastInstantMs = 253_402_300_799_999;
/** The sender's clock, in ms since the epoch. Both sides report a difference of minutes. */
const clockMs = z.int().nonnegative().max(lastInstantMs).optional();
const bytes = z.number().int().nonnegative();
const count = z.number().int().nonnegative();
const text = (max: number): z.ZodString => z.string().max(max);
const base64 = (max: number): z.ZodString =>
  z
    .string()
    .max(max)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/);
/** A job name follows the rule for job names in the root of a restore point (docs/repository-format.md, section 5). */
const jobName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}]+$/u);
/** 8 to 64 bytes. With an empty or shared salt, one table of passwords would work for all accounts. */
const salt = base64(88).refine((value) => {
  const { length } = Buffer.from(value, 'base64');
  return length >= minSaltBytes && length <= maxSaltBytes;
}, 'a salt has 8 to 64 bytes');
/** Exactly 32 bytes. */
const base64Of32Bytes = z.string().regex(/^[A-Za-z0-9+/]{43}=$/);
const keyIdentifier = z.string().regex(/^[0-9a-f]{16}$/);
const attempt = z.int().min(1).max(100_000);
const empty = z.object({});

const handshakeStep = z.object({
  step: text(40),
  outcome: z.enum(['active', 'done', 'failed', 'security-warning']),
  at: instant,
  durationMs: z.number().nonnegative().nullable(),
  detail: text(500),
  keyIdentifier: keyIdentifier.nullable(),
});
export type WireHandshakeStep = z.infer<typeof handshakeStep>;

const progress = z.object({
  totalBytes: bytes.nullable(),
  totalFiles: count.nullable(),
  processedBytes: bytes,
  processedFiles: count,
  readBytes: bytes,
  transferredBytes: bytes,
  /** The content of the transferred blocks, before compression and encryption. */
  contentBytes: bytes.optional(),
  safeBytes: bytes,
  unchangedFiles: count,
  newBlocks: count,
  reusedBlocks: count,
  readBytesPerSecond: z.number().nonnegative(),
  transferredBytesPerSecond: z.number().nonnegative(),
  secondsLeft: z.number().nonnegative().nullable(),
  /** Restore: files that are complete at the tenant; `processed` also counts skipped and failed ones. */
  restored: z.object({ files: count, bytes, skipped: count, failed: count }).optional(),
});

const busyShare = z.number().min(0).max(1);
const bottleneck = z.object({ source: busyShare, compression: busyShare, network: busyShare, target: busyShare });

const action = z.object({
  at: instant,
  level: z.enum(['info', 'warning', 'error', 'security']),
  text: text(1000),
  durationMs: z.number().nonnegative().nullable(),
});

const object = z.object({
  name: text(4096),
  state: z.enum(['waiting', 'running', 'done', 'warning', 'failed']),
  sizeBytes: bytes.nullable(),
  processedBytes: bytes,
});

const operation = z.enum(['backup', 'restore', 'browse']);
export type SessionOperation = z.infer<typeof operation>;

/** What one attempt of a session needs. Key A and the tickets are sent only inside the TLS channel. */
const grant = z.object({
  sessionId: id,
  attempt,
  keyA: base64Of32Bytes,
  /** Valid once, for 60 s, only through the gateway of this connection. */
  tunnelTicket: base64Of32Bytes,
  streamTickets: z.array(base64Of32Bytes).min(1).max(16),
  ticketLifeMs: z.int().positive(),
  /** How long the provider keeps the reservation after a lost connection. */
  resumeWindowMs: z.int().nonnegative(),
  /** The handshake steps of the target mover so far, as in the session's history: times by the provider's clock. */
  steps: rowList(handshakeStep, 16),
  /** A further attempt: the figures that the provider has of the session. A tenant that lost its own figures continues with these. */
  progress: progress.optional(),
});
export type SessionGrant = z.infer<typeof grant>;

const feature = z.object({ name: text(40), isRequired: z.boolean() });

/** A SCRAM verifier that the tenant computed, so that the new password is never sent (RFC 5802, section 3). */
const scramVerifier = z.object({
  salt,
  iterations: z.int().min(600_000).max(10_000_000),
  storedKey: base64Of32Bytes,
  serverKey: base64Of32Bytes,
});

/** Text from the other side that people see, also on a terminal: no control characters. */
const shownText = (max: number): z.ZodString =>
  z
    .string()
    .max(max)
    .regex(/^[^\p{Cc}]*$/u);
/** "AB:CD:...", SHA-256. */
const thumbprint = z.string().regex(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/);

/**
 * The provider's next certificate, signed with the key of the installed one (docs/certificates.md, section 8). The schema has only bounds:
 * the tenant checks the signature against the accepted certificate, and treats a wrong form like a wrong signature.
 */
const rolloverAnnouncement = z.object({
  formatVersion: z.int(),
  currentSha256: text(95),
  nextSha256: text(95),
  nextCertificatePem: text(32_000),
  announcedAt: text(40),
  switchAt: text(40),
  signature: text(2000),
});
export type WireRolloverAnnouncement = z.infer<typeof rolloverAnnouncement>;

const offeredPoint = z.object({
  id,
  jobId: id,
  jobName,
  repository: name,
  createdAt: instant,
  /** Commit time by the provider's clock; the tenant's clock may be wrong. */
  committedAtMs: z.int().nonnegative().max(lastInstantMs).optional(),
  sourceBytes: bytes,
  files: count,
  encrypted: z.boolean(),
  warnings: count,
});
/** The provider checks each point with this schema, so that an invalid point does not hide the tenant's other points. */
export const offeredPointSchema = offeredPoint;
const unreadablePoint = z.object({ id, repository: name, reason: shownText(300) });
export const maxUnreadablePoints = 100;
export const maxGateways = 200;

/** Requests of the tenant, answered by the provider. `hello` comes first, then the login; all other requests need a login. */
export const tenantRequests = {
  hello: {
    input: z.object({
      protocol: z.int().min(1).max(1000),
      software: text(100),
      features: rowList(feature, 64),
      clockMs,
    }),
    output: z.object({
      protocol: z.int().min(1).max(1000),
      software: text(100),
      features: rowList(feature, 64),
      providerName: name,
      clockMs,
    }),
  },
  'login.start': {
    input: z.object({ mechanism: z.literal('SCRAM-SHA-256-PLUS'), message: text(1000) }),
    output: z.object({ message: text(1000) }),
  },
  'login.finish': {
    input: z.object({ message: text(2000) }),
    output: z.object({
      message: text(200),
      tenantId: id,
      /** The login used the one-time secret of an invitation: only login.set-password is allowed now. */
      mustSetPassword: z.boolean(),
    }),
  },
  'login.set-password': { input: scramVerifier, output: empty },
  /** Least loaded first. */
  'gateways.list': {
    input: empty,
    output: z.object({
      gateways: rowList(
        z.object({
          id,
          name,
          addresses: rowList(z.object({ host, port }), 16),
          connections: count,
          isConnected: z.boolean(),
        }),
        maxGateways,
      ),
    }),
  },
  'repositories.list': {
    input: empty,
    output: z.object({ repositories: rowList(z.object({ name, limitBytes: bytes, usedBytes: bytes }), 64) }),
  },
  /** Oldest first; `after` is the last id of the previous page. A page without new points is the last one. */
  'points.list': {
    input: z.object({
      after: id.nullable(),
      limit: z.int().min(1).max(500),
      /** Whether the answer may leave out an unreadable repository and name it in `problems`. */
      canNameProblems: z.boolean().optional(),
    }),
    output: z.object({
      points: rowList(offeredPoint, 500),
      hasMore: z.boolean(),
      /** On the first page: points that exist but cannot be restored. They can be deleted. */
      unreadable: rowList(unreadablePoint, maxUnreadablePoints).optional(),
      /** On the first page: repositories that are currently unreadable. */
      problems: rowList(z.object({ repository: name, reason: shownText(300) }), 64).optional(),
    }),
  },
  /** Feature `delete-points`. Removes the point from every list; the space is freed later. Refused while a session uses the point. */
  'points.delete': { input: z.object({ pointId: id }), output: z.object({ repository: name, deletedAt: instant }) },
  /**
   * Sent after each login: the tenant reports which certificates of the provider it knows, and gets the announced one. Sent again when the
   * answer changed something, so that the provider's list of certificate users is correct.
   */
  'certificate.status': {
    input: z.object({
      /** Why the certificate of this connection was accepted; `rollover`: the provider had announced it. */
      acceptedBy: z.enum(['chain', 'rollover', 'person', 'thumbprint']),
      /** Thumbprint of the announced certificate that the tenant has stored. */
      nextSha256: thumbprint.nullable(),
      /** An announcement that the tenant refused as not genuine. */
      refused: z.object({ nextSha256: thumbprint, reason: shownText(300) }).nullable(),
    }),
    output: z.object({
      /** `outdated`: the certificate of this connection is no longer installed; ask again on a new connection. */
      kind: z.enum(['none', 'announced', 'outdated']),
      announcement: rolloverAnnouncement.nullable(),
    }),
  },
  'session.start': {
    input: z.object({
      /** Chosen by the tenant; session and account together identify the session on both sides. */
      sessionId: id,
      operation,
      jobId: id,
      jobName,
      repository: name,
      /** Restore and browse: the restore point to read. */
      pointId: id.nullable(),
      streams: z.int().min(1).max(16),
      areNamesHidden: z.boolean(),
    }),
    output: grant,
  },
  /** A new attempt of a session that lost its connection: new Key A, new tickets, new target mover. */
  'session.resume': {
    input: z.object({ sessionId: id, streams: z.int().min(1).max(16) }),
    /** `committed` when the restore point was already on disk when the connection was lost. */
    output: z.union([z.object({ committed: z.object({ pointId: id, storedBytes: bytes }) }), grant]),
  },
  /** The tenant has ended the attempt for a pause; the provider keeps the session's data for `session.resume`. Safe to call twice. */
  'session.pause': {
    input: z.object({ sessionId: id, by: z.enum(['tenant', 'provider']) }),
    output: z.object({
      /** The restore point was already on disk, so there is nothing to pause. */
      committed: z.object({ pointId: id, storedBytes: bytes }).nullable(),
      /** How long the provider keeps the reservation, counted from now. */
      keptForMs: z.int().nonnegative(),
    }),
  },
  /** Safe to call twice, and for a session that has ended. */
  'session.cancel': { input: z.object({ sessionId: id }), output: empty },
  /** How the session ended at the tenant. The tenant's last request about this session. */
  'session.finish': {
    input: z.object({
      sessionId: id,
      outcome: z.enum(['succeeded', 'warning', 'failed', 'canceled']),
      error: peerErrorSchema.nullable(),
      progress,
      warningCount: count,
    }),
    output: z.object({
      pointId: id.nullable(),
      /** Stored bytes as the provider counted them. */
      storedBytes: bytes,
    }),
  },
  'session.evidence': {
    input: z.object({ sessionId: id }),
    output: z.object({
      statement: text(64_000),
      signature: base64(2000),
      algorithm: z.enum(['RSA-PSS-SHA256', 'ECDSA-SHA256', 'ECDSA-SHA384', 'ECDSA-SHA512', 'Ed25519']),
      certificate: text(32_000),
    }),
  },
} as const;

const tampered = z.object({
  sessionId: id,
  attempt,
  where: z.enum(['tunnel', 'data']),
  /** Index of the data stream; null for the tunnel. */
  stream: z.int().nonnegative().nullable(),
  /** The failed check, for people: tag, order, length or type. */
  reason: text(500),
});
export type TamperedNotice = z.infer<typeof tampered>;

/** Notifications of the tenant to the provider. */
export const tenantNotifications = {
  /** At most 10 a second; every list contains only entries that are new since the previous report. */
  'session.report': z.object({
    sessionId: id,
    attempt,
    phase: z.enum(['key-exchange', 'transferring', 'finalizing']).optional(),
    progress: progress.optional(),
    bottleneck: bottleneck.optional(),
    steps: rowList(handshakeStep, 32).optional(),
    actions: rowList(action, 50).optional(),
    /** Empty when the tenant hides the names from the provider. */
    objects: rowList(object, 100).optional(),
    warningCount: count.optional(),
  }),
  'session.tampered': tampered,
} as const;

/** Notifications of the provider to the tenant. */
export const providerNotifications = {
  'session.event': z.object({
    sessionId: id,
    attempt,
    steps: rowList(handshakeStep, 32).optional(),
    actions: rowList(action, 50).optional(),
    /** Source bytes that are durable at the provider, and the busy share of the target. */
    safeBytes: bytes.optional(),
    targetBusy: busyShare.optional(),
    /** The provider has ended this attempt, or (`isFinal`) the whole session. */
    ended: z.object({ isFinal: z.boolean(), error: peerErrorSchema }).optional(),
  }),
  'session.tampered': tampered,
  /** A person at the provider requests a pause, or ends the provider's own pause. The tenant carries it out. */
  'session.wish': z.object({ sessionId: id, attempt, wish: z.enum(['pause', 'resume']) }),
  /** The restore point is completely on disk. */
  'session.committed': z.object({ sessionId: id, attempt, pointId: id, storedBytes: bytes }),
  /** The provider has just announced its next certificate; sent to connected tenants. Other tenants get it by `certificate.status`. */
  'certificate.announced': rolloverAnnouncement,
  /** The provider has canceled its announcement. */
  'certificate.withdrawn': empty,
  /** The provider closes this connection and gives the reason. */
  goodbye: z.object({ error: peerErrorSchema }),
} as const;

export type TenantRequestName = keyof typeof tenantRequests;
export type TenantRequestInput<Name extends TenantRequestName> = z.infer<(typeof tenantRequests)[Name]['input']>;
export type TenantRequestOutput<Name extends TenantRequestName> = z.infer<(typeof tenantRequests)[Name]['output']>;
export type TenantNotificationName = keyof typeof tenantNotifications;
export type TenantNotification<Name extends TenantNotificationName> = z.infer<(typeof tenantNotifications)[Name]>;
export type ProviderNotificationName = keyof typeof providerNotifications;
export type ProviderNotification<Name extends ProviderNotificationName> = z.infer<(typeof providerNotifications)[Name]>;
