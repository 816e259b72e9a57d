// Owns the parts of a certificate that people see. Never a private key.
import { z } from 'zod';
import { countSchema, idSchema, instantSchema } from './values.ts';

export const certificateSlots = ['server', 'provider'] as const;
export const certificateSlotSchema = z.enum(certificateSlots);
export type CertificateSlot = z.infer<typeof certificateSlotSchema>;

export const certificateSummarySchema = z.object({
  /** RFC 4514 text, "CN=Northwind Hosting, O=Northwind". */
  subject: z.string(),
  issuer: z.string(),
  commonName: z.string(),
  isSelfSigned: z.boolean(),
  notBefore: instantSchema,
  notAfter: instantSchema,
  /** Upper-case hex pairs with colons. */
  serialNumber: z.string(),
  dnsNames: z.array(z.string()),
  ipAddresses: z.array(z.string()),
  /** "RSA-3072", "EC-P-256", "Ed25519". */
  keyType: z.string(),
  signatureAlgorithm: z.string(),
  /** "AB:CD:..." of the DER certificate. */
  sha256: z.string(),
  sha1: z.string(),
  /** SHA-256 in words, to read over the phone. */
  sha256Words: z.array(z.string()),
  isAuthority: z.boolean(),
  hasServerAuth: z.boolean(),
  pem: z.string(),
});
export type CertificateSummary = z.infer<typeof certificateSummarySchema>;

export const keyProtectionSchema = z.object({
  /** How the private key is protected on disk. `key-file` is a plain file with mode 0600 and is never called a keychain. */
  kind: z.enum(['os-keychain', 'key-file', 'passphrase']),
  /** One sentence for the summary and the Security tab. */
  description: z.string(),
  /** Accounts that may read the key file, such as "root" or "group farkeep". */
  readers: z.array(z.string()),
  /** Sentences about files that too many accounts may read. */
  warnings: z.array(z.string()),
});
export type KeyProtection = z.infer<typeof keyProtectionSchema>;

export const rsaKeyBitsSchema = z.union([z.literal(2048), z.literal(3072), z.literal(4096)]);

/** Settings for all certificates of a provider, both slots. */
export const certificateSettingsSchema = z.object({
  /** RSA key length of generated certificates. */
  keyBits: rsaKeyBitsSchema,
  protection: z.object({
    kind: z.enum(['os-keychain', 'key-file']),
    description: z.string(),
    /** The OS keychain that this service uses or could use; null when the service did not get a key of a keychain. */
    keychain: z.string().nullable(),
  }),
});
export type CertificateSettings = z.infer<typeof certificateSettingsSchema>;

export const storedCertificateSchema = z.object({
  id: idSchema,
  friendlyName: z.string(),
  origin: z.enum(['generated-at-first-start', 'generated', 'imported', 'picked']),
  storedAt: instantSchema,
  summary: certificateSummarySchema,
  chainLength: z.int().nonnegative(),
  installedInSlots: z.array(certificateSlotSchema),
  keyProtection: keyProtectionSchema,
});
export type StoredCertificate = z.infer<typeof storedCertificateSchema>;

/** A certificate that the wizard has made or read and not yet stored. It is deleted after 30 minutes or when the service ends. */
export const certificateCandidateSchema = z.object({
  candidateId: idSchema,
  friendlyName: z.string(),
  summary: certificateSummarySchema,
  chainLength: z.int().nonnegative(),
  /** For example "expires in 12 days", "chain does not lead to a trusted authority on this computer". */
  warnings: z.array(z.string()),
  keyProtection: keyProtectionSchema,
});
export type CertificateCandidate = z.infer<typeof certificateCandidateSchema>;

/** A row of the page Pick Certificate. */
export const pickableCertificateSchema = z.object({
  pickId: z.string(),
  store: z.string(),
  issuedTo: z.string(),
  issuedBy: z.string(),
  friendlyName: z.string(),
  notAfter: instantSchema,
  /** Why the certificate cannot be used; null when the certificate can be used. */
  unusableReason: z.string().nullable(),
  /** "AB:CD:..." */
  sha256: z.string().optional(),
  /** Every name of the certificate, DNS names first. */
  names: z.array(z.string()).optional(),
  /** Slots in which it is installed now. */
  installedInSlots: z.array(certificateSlotSchema).optional(),
  /** A problem that does not prevent the use, such as a chain that this computer does not trust; null when none is known. */
  warning: z.string().nullable().optional(),
});
export type PickableCertificate = z.infer<typeof pickableCertificateSchema>;

/** A certificate store that the list of Pick Certificate does not include, and why. */
export const unreadableStoreSchema = z.object({ store: z.string(), reason: z.string() });
export type UnreadableStore = z.infer<typeof unreadableStoreSchema>;

/**
 * A tenant, gateway or console that uses a certificate, and its state. A state changes only by a connection or a report, never by a guess.
 */
export const certificateUserSchema = z.object({
  /** `invitation`: an unused invitation with a thumbprint; its name is the account's name. */
  kind: z.enum(['tenant', 'gateway', 'console', 'invitation']),
  name: z.string(),
  /**
   * `pending`: has not seen the installed certificate, or does not know the announced one. `informed`: has stored the announced certificate
   * and will accept it without a prompt. `updated`: has seen the installed certificate. `re-accepted`: a person there has compared and
   * accepted it. `failed`: see `note`.
   */
  state: z.enum(['pending', 'informed', 'updated', 're-accepted', 'failed']),
  lastSeenAt: instantSchema.nullable(),
  /** Thumbprint of the certificate that the tenant, gateway or console saw last; null before its first connection. */
  seenSha256: z.string().nullable().default(null),
  /** One sentence about the state; null when there is nothing to add. */
  note: z.string().nullable().default(null),
});
export type CertificateUser = z.infer<typeof certificateUserSchema>;

/** The planned change of the provider identity: announced with a signature by the installed certificate's key, carried out at its date. */
export const rolloverSchema = z.object({
  next: storedCertificateSchema,
  /** Thumbprint of the installed certificate, whose key signed the announcement. */
  currentSha256: z.string(),
  announcedAt: instantSchema,
  switchAt: instantSchema,
  /** Tenants that have connected before, and how many of them have stored the announced certificate. */
  tenants: z.object({ total: countSchema, informed: countSchema, failed: countSchema }),
  /** Why the change failed at its date; null when there is no problem. A failed change is tried again. */
  problem: z.string().nullable(),
});
export type Rollover = z.infer<typeof rolloverSchema>;
