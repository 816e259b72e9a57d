// Owns licenses: reading, verifying, the state that people see, and the subject that generated certificates get from them. Must not decide
// which signing keys are trusted; the distributor's configuration does.
import { type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { SubjectName } from './certificate-builder.ts';
import { signJson, verifyJson } from './signed-json.ts';

/** X.520 upper bounds. A longer name would be cut off in certificates. */
const organizationSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^\p{Cc}\p{Cf}]+$/u)
  .refine((name) => name.trim() === name);

const licenseSchema = z.strictObject({
  formatVersion: z.literal(1),
  id: z.string().min(1).max(100),
  organization: organizationSchema,
  edition: z.enum(['standard', 'enterprise']),
  issuedAt: z.iso.datetime(),
  /** null: the license does not expire. */
  expiresAt: z.iso.datetime().nullable(),
});
export type License = z.infer<typeof licenseSchema>;

/** The license file; docs/certificates.md, section 9, lists its fields. */
export const licenseFileSchema = z.strictObject({ license: licenseSchema, signature: z.string().max(1000) });

/** A file from before December 2026: the same license, with the field name in British spelling. */
const oldFileSchema = z
  .strictObject({ licence: licenseSchema, signature: z.string().max(1000) })
  .transform(({ licence, signature }) => ({ license: licence, signature, label: 'farkeep/1 licence' as const }));

const currentFileSchema = licenseFileSchema.transform((file) => ({ ...file, label: 'farkeep/1 license' as const }));

const maxLicenseBytes = 16 * 1024;

/**
 * Reads and verifies a license file.
 * @param keys Ed25519 public keys of all trusted license issuers
 * @param now milliseconds since the epoch
 * @throws FarkeepError 'license.invalid' | 'license.expired', each with the reason
 */
export function readLicense(text: string, keys: readonly KeyObject[], now: number): License {
  if (text.length > maxLicenseBytes) throw new FarkeepError('license.invalid', 'The file is too large for a license');
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new FarkeepError('license.invalid', 'The file is not a license (no JSON)', { cause: error });
  }
  const isOld = typeof content === 'object' && content !== null && 'licence' in content;
  const parsed = (isOld ? oldFileSchema : currentFileSchema).safeParse(content);
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new FarkeepError(
      'license.invalid',
      `The file is not a license of this version${field === '' ? '' : ` (the field "${field}" is wrong)`}`,
    );
  }
  const { license, signature, label } = parsed.data;
  const isSigned = keys.some(
    (key) => key.asymmetricKeyType === 'ed25519' && verifyJson(label, license, signature, key),
  );
  if (!isSigned) {
    throw new FarkeepError(
      'license.invalid',
      `The signature of the license for "${license.organization}" is not valid: the file was changed, or an unknown issuer signed it`,
      {
        hint: "Ask for a new license file. If a reseller sent the file, add the file with the reseller's public key to licenseKeyFiles in the configuration of the provider.",
      },
    );
  }
  if (Date.parse(license.issuedAt) > now + clockToleranceMs) {
    throw new FarkeepError('license.invalid', `The license is not valid before ${license.issuedAt.slice(0, 10)}`, {
      hint: 'Check the clock of this computer.',
    });
  }
  if (license.expiresAt !== null && Date.parse(license.expiresAt) < now) {
    throw new FarkeepError(
      'license.expired',
      `The license for "${license.organization}" expired on ${license.expiresAt.slice(0, 10)}`,
    );
  }
  return license;
}

const clockToleranceMs = 24 * 3_600_000;

/** Used by license issuers. @returns the text of a license file */
export function writeLicense(license: License, privateKey: KeyObject): string {
  const checked = licenseSchema.parse(license);
  return `${JSON.stringify({ license: checked, signature: signJson('farkeep/1 license', checked, privateKey) }, null, 2)}\n`;
}

/** Subject of generated certificates: the licensed organization, or this machine's name when there is no license. */
export function certificateSubject(license: License | undefined, machineName: string): SubjectName {
  return license === undefined
    ? { commonName: machineName, organizationalUnit: 'Farkeep Community' }
    : { commonName: license.organization, organization: license.organization };
}
