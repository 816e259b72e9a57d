// Owns licenses: reading, verifying, the state people see, and the subject that generated certificates get from them.
// Must not decide which signing keys are trusted; the distributor's configuration does.
import { type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { SubjectName } from './certificate-builder.ts';
import { signJson, verifyJson } from './signed-json.ts';

/** X.520 upper bounds: a name that is too long would be cut in certificates. */
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
  /** null: without end. */
  expiresAt: z.iso.datetime().nullable(),
});
export type License = z.infer<typeof licenseSchema>;

/** The license file; docs/certificates.md, section 9, lists its fields. */
export const licenseFileSchema = z.strictObject({ license: licenseSchema, signature: z.string().max(1000) });

/** A file that was issued before December 2026: the same license under the British name. */
const oldFileSchema = z
  .strictObject({ licence: licenseSchema, signature: z.string().max(1000) })
  .transform(({ licence, signature }) => ({ license: licence, signature, label: 'farkeep/1 licence' as const }));

const currentFileSchema = licenseFileSchema.transform((file) => ({ ...file, label: 'farkeep/1 license' as const }));

const maxLicenseBytes = 16 * 1024;

/**
 * Reads and verifies a license file.
 * @param keys public Ed25519 keys of whoever may issue licenses
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
    const where = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new FarkeepError(
      'license.invalid',
      `The file is not a license of this version${where === '' ? '' : ` ("${where}" is not as expected)`}`,
    );
  }
  const { license, signature, label } = parsed.data;
  const isSigned = keys.some(
    (key) => key.asymmetricKeyType === 'ed25519' && verifyJson(label, license, signature, key),
  );
  if (!isSigned) {
    throw new FarkeepError(
      'license.invalid',
      `The signature of the license for "${license.organization}" is not valid; the file was changed or comes from somebody else`,
      {
        hint: 'Ask for a new license file. If it is from a reseller, name the file with their public key in licenseKeyFiles of the configuration of the provider.',
      },
    );
  }
  if (Date.parse(license.issuedAt) > now + clockToleranceMs) {
    throw new FarkeepError('license.invalid', `The license begins on ${license.issuedAt.slice(0, 10)}`, {
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

/** For whoever issues licenses. @returns the text of a license file */
export function writeLicense(license: License, privateKey: KeyObject): string {
  const checked = licenseSchema.parse(license);
  return `${JSON.stringify({ license: checked, signature: signJson('farkeep/1 license', checked, privateKey) }, null, 2)}\n`;
}

/** Subject of generated certificates: the licensed organization, else this machine under the community license. */
export function certificateSubject(license: License | undefined, machineName: string): SubjectName {
  return license === undefined
    ? { commonName: machineName, organizationalUnit: 'Farkeep Community' }
    : { commonName: license.organization, organization: license.organization };
}
