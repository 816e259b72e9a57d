// Owns the trust decision as people see it: decision, reason codes, prompts, pins, journal.
import { z } from 'zod';
import { certificateSummarySchema } from './certificate.ts';
import { hostSchema, idSchema, instantSchema, portSchema } from './values.ts';

/** Stable codes; `farkeep trust check` prints them. Texts are in the console's message file and the command line. */
export const trustReasons = [
  'chain.trusted',
  'chain.untrusted-root',
  'chain.incomplete',
  'chain.self-signed',
  'chain.invalid',
  'chain.name-constraint',
  'date.expired',
  'date.not-yet-valid',
  'usage.no-server-auth',
  'usage.authority',
  'name.covered',
  'name.not-covered',
  'name.common-name-only',
  'strength.weak-key',
  'strength.weak-signature',
  'pin.match',
  'pin.changed',
  'pin.next',
  'pin.revoked',
  'pin.dates-ignored',
  'fingerprint.match',
  'fingerprint.match-sha1',
  'fingerprint.mismatch',
  'revocation.good',
  'revocation.revoked',
  'revocation.unknown',
  'revocation.list-unusable',
] as const;
export const trustReasonSchema = z.enum(trustReasons);
export type TrustReason = z.infer<typeof trustReasonSchema>;

export const tlsInfoSchema = z.object({
  /** "TLSv1.3" */
  version: z.string(),
  /** "TLS_AES_256_GCM_SHA384" */
  cipher: z.string(),
  /** "X25519MLKEM768" */
  group: z.string(),
});
export type TlsInfo = z.infer<typeof tlsInfoSchema>;

export const trustDecisionSchema = z.object({
  decision: z.enum(['trusted', 'pinned', 'refused']),
  reasons: z.array(trustReasonSchema),
});
export type TrustDecision = z.infer<typeof trustDecisionSchema>;

/** A question to the admin about an identity. One per identity, however many connections meet it. */
export const trustPromptSchema = z.object({
  id: idSchema,
  kind: z.enum(['untrusted', 'changed']),
  /** Name of the provider as the admin gave it, or the host when it has none yet. */
  identity: z.string(),
  gateway: z.object({ host: hostSchema, port: portSchema }),
  raisedAt: instantSchema,
  reasons: z.array(trustReasonSchema),
  presented: certificateSummarySchema,
  /** The pinned certificate for kind "changed". */
  saved: certificateSummarySchema.nullable(),
  savedAt: instantSchema.nullable(),
  /** Name of the job that waits for the answer; null when the wizard asks. */
  waitingJob: z.string().nullable(),
  /** The provider announced this very certificate for a date to come, with its current key, but shows it already; null otherwise. */
  announcedFor: instantSchema.nullable().default(null),
});
export type TrustPrompt = z.infer<typeof trustPromptSchema>;

export const thumbprintCheckSchema = z.object({
  isMatch: z.boolean(),
  algorithm: z.enum(['SHA-256', 'SHA-1']),
});
export type ThumbprintCheck = z.infer<typeof thumbprintCheckSchema>;

export const pinSchema = z.object({
  id: idSchema,
  identity: z.string(),
  state: z.enum(['current', 'next', 'revoked', 'replaced']),
  pinnedAt: instantSchema,
  certificate: certificateSummarySchema,
});
export type Pin = z.infer<typeof pinSchema>;

export const trustJournalEntrySchema = z.object({
  sequence: z.int().positive(),
  at: instantSchema,
  /** Account and way, "admin (console)". */
  who: z.string(),
  action: z.enum([
    'accepted',
    'refused',
    'revoked',
    'announced',
    'withdrawn',
    'rolled-over',
    'imported',
    'exported',
    'configured',
  ]),
  identity: z.string(),
  /** Address the certificate came from, "host:port". */
  address: z.string(),
  sha256: z.string(),
  note: z.string(),
  /** Hex SHA-256 over the entry and the hash before it. */
  hash: z.string(),
});
export type TrustJournalEntry = z.infer<typeof trustJournalEntrySchema>;

/** What the admin adds to the system's rules. They hold for every trust decision of this tenant. Paths of files on the service's machine. */
export const trustSettingsSchema = z.object({
  /**
   * Files with revocation lists, PEM or DER. An unusable list causes refusal of the certificates that it covers. Changed files are read
   * again.
   */
  crlFiles: z.array(z.string().min(1).max(4096)).max(100),
  /** Whether lists are fetched from the addresses in certificates of a trusted chain. */
  canFetchCrl: z.boolean(),
  /** Whether a certificate about whose revocation nothing can be found out is refused; otherwise that is a remark. */
  isRevocationRequired: z.boolean(),
  /** Authorities to trust besides those of the system, PEM. */
  rootFiles: z.array(z.string().min(1).max(4096)).max(100),
  /**
   * Whether the certificate of a provider that was never met before is pinned without a question. Whoever stands in between at that
   * moment is believed then, so it is off unless an admin turns it on. It never counts for a changed or a revoked certificate.
   */
  canTrustFirstUse: z.boolean().default(false),
});
export type TrustSettings = z.infer<typeof trustSettingsSchema>;

/** A file of the settings that cannot be used any more. */
export const trustSettingsProblemSchema = z.object({ file: z.string(), message: z.string() });
export type TrustSettingsProblem = z.infer<typeof trustSettingsProblemSchema>;
