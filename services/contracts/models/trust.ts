// Owns the trust decision as people see it: decision, reason codes, prompts, pins, journal.
import { z } from 'zod';
import { certificateSummarySchema } from './certificate.ts';
import { hostSchema, idSchema, instantSchema, portSchema } from './values.ts';

/** Stable codes; `farkeep trust check` prints them. Their sentences are in trust-texts.ts. */
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

/** A question to the admin about an identity. One for each identity, even if many connections need the answer. */
export const trustPromptSchema = z.object({
  id: idSchema,
  kind: z.enum(['untrusted', 'changed']),
  /** Name that the admin gave to the provider, or the host while there is no name. */
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
  /**
   * The date for which the provider announced exactly this certificate with its current key, if the provider already shows the certificate;
   * null otherwise.
   */
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
  /** Account and user interface, "admin (console)". */
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
  /** Address that showed the certificate, "host:port". */
  address: z.string(),
  sha256: z.string(),
  note: z.string(),
  /** Hex SHA-256 over the entry and the previous hash. */
  hash: z.string(),
});
export type TrustJournalEntry = z.infer<typeof trustJournalEntrySchema>;

/** What the admin adds to the system's rules, for every trust decision of this tenant. All paths are paths on the service's machine. */
export const trustSettingsSchema = z.object({
  /**
   * Files with revocation lists, PEM or DER. An unusable list causes refusal of the certificates that it covers. A changed file is read
   * again.
   */
  crlFiles: z.array(z.string().min(1).max(4096)).max(100),
  /** Whether revocation lists are fetched from the addresses in certificates of a trusted chain. */
  canFetchCrl: z.boolean(),
  /** Whether a certificate with unknown revocation status is refused; otherwise the unknown status is a warning. */
  isRevocationRequired: z.boolean(),
  /** Additional trusted authorities, PEM. */
  rootFiles: z.array(z.string().min(1).max(4096)).max(100),
  /**
   * Whether the certificate of a new provider is pinned without a question. An attacker between tenant and provider at that moment would
   * then be trusted. So the setting is off unless an admin turns it on. Never applies to a changed or revoked certificate.
   */
  canTrustFirstUse: z.boolean().default(false),
});
export type TrustSettings = z.infer<typeof trustSettingsSchema>;

/** A file of the settings that is no longer usable. */
export const trustSettingsProblemSchema = z.object({ file: z.string(), message: z.string() });
export type TrustSettingsProblem = z.infer<typeof trustSettingsProblemSchema>;
