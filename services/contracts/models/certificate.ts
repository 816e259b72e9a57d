// Owns what people see of a certificate. Never a private key.
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
  /** What protects the private key on disk. `key-file` is a plain file with mode 0600 and is never called a keychain. */
  kind: z.enum(['os-keychain', 'key-file', 'passphrase']),
  /** One sentence for the summary and the Security tab. */
  description: z.string(),
  /** Accounts that may read the key file, such as "root" or "group farkeep". */
  readers: z.array(z.string()),
  /** Rights that are wider than they should be. */
  warnings: z.array(z.string()),
});
export type KeyProtection = z.infer<typeof keyProtectionSchema>;

export const rsaKeyBitsSchema = z.union([z.literal(2048), z.literal(3072), z.literal(4096)]);

/** What holds for all certificates of a provider, both slots. */
export const certificateSettingsSchema = z.object({
  /** RSA length of certificates that are generated. */
  keyBits: rsaKeyBitsSchema,
  protection: z.object({
    kind: z.enum(['os-keychain', 'key-file']),
    description: z.string(),
    /** The OS keychain that this service could use or does; null when it was given no key of one. */
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

/** A certificate that the wizard has made or read, not yet stored. It is dropped after 30 minutes or when the service ends. */
export const certificateCandidateSchema = z.object({
  candidateId: idSchema,
  friendlyName: z.string(),
  summary: certificateSummarySchema,
  chainLength: z.int().nonnegative(),
  /** Such as "expires in 12 days", "chain does not lead to a trusted authority on this computer". */
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
  /** Why it cannot be used; null when it can. */
  unusableReason: z.string().nullable(),
});
export type PickableCertificate = z.infer<typeof pickableCertificateSchema>;

/** A store whose certificates are not in the list of Pick Certificate, and why. */
export const unreadableStoreSchema = z.object({ store: z.string(), reason: z.string() });
export type UnreadableStore = z.infer<typeof unreadableStoreSchema>;

/** Who relies on a certificate, and what is known of them. Nothing here is guessed: a state changes only by what was seen or reported. */
export const certificateUserSchema = z.object({
  /** `invitation`: one that was not used yet and carries a thumbprint; the name is the account's. */
  kind: z.enum(['tenant', 'gateway', 'console', 'invitation']),
  name: z.string(),
  /**
   * `pending`: has not met the certificate in service, or does not know the announced one yet. `informed`: has stored the announced certificate
   * and takes it without a prompt. `updated`: has met the certificate in service. `re-accepted`: somebody there compared and accepted it.
   * `failed`: see `note`.
   */
  state: z.enum(['pending', 'informed', 'updated', 're-accepted', 'failed']),
  lastSeenAt: instantSchema.nullable(),
  /** Thumbprint of the certificate that it met last; null when it never did. */
  seenSha256: z.string().nullable().default(null),
  /** One sentence about the state; null when there is nothing to add. */
  note: z.string().nullable().default(null),
});
export type CertificateUser = z.infer<typeof certificateUserSchema>;

/** The planned change of the provider identity: announced with the key of the certificate in service, carried out at its date. */
export const rolloverSchema = z.object({
  next: storedCertificateSchema,
  /** Thumbprint of the certificate in service, whose key signed the announcement. */
  currentSha256: z.string(),
  announcedAt: instantSchema,
  switchAt: instantSchema,
  /** Tenants that have met the provider before, and how many of them have stored the announced certificate. */
  tenants: z.object({ total: countSchema, informed: countSchema, failed: countSchema }),
  /** Why the switch did not work at its date; it is tried again. Null while all is well. */
  problem: z.string().nullable(),
});
export type Rollover = z.infer<typeof rolloverSchema>;
