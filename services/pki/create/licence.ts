// Owns licences: reading, verifying, the state people see, and the subject that generated certificates get from them.
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

const licenceSchema = z.strictObject({
  formatVersion: z.literal(1),
  id: z.string().min(1).max(100),
  organization: organizationSchema,
  edition: z.enum(['standard', 'enterprise']),
  issuedAt: z.iso.datetime(),
  /** null: without end. */
  expiresAt: z.iso.datetime().nullable(),
});
export type Licence = z.infer<typeof licenceSchema>;

/** The licence file; docs/certificates.md, section 9, lists its fields. */
export const licenceFileSchema = z.strictObject({ licence: licenceSchema, signature: z.string().max(1000) });

const maxLicenceBytes = 16 * 1024;

/**
 * Reads and verifies a licence file.
 * @param keys public Ed25519 keys of whoever may issue licences
 * @param now milliseconds since the epoch
 * @throws FarkeepError 'licence.invalid' | 'licence.expired', each with the reason
 */
export function readLicence(text: string, keys: readonly KeyObject[], now: number): Licence {
  if (text.length > maxLicenceBytes) throw new FarkeepError('licence.invalid', 'The file is too large for a license');
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new FarkeepError('licence.invalid', 'The file is not a license (no JSON)', { cause: error });
  }
  const parsed = licenceFileSchema.safeParse(content);
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new FarkeepError(
      'licence.invalid',
      `The file is not a license of this version${where === '' ? '' : ` ("${where}" is not as expected)`}`,
    );
  }
  const { licence, signature } = parsed.data;
  const isSigned = keys.some(
    (key) => key.asymmetricKeyType === 'ed25519' && verifyJson('farkeep/1 licence', licence, signature, key),
  );
  if (!isSigned) {
    throw new FarkeepError(
      'licence.invalid',
      `The signature of the license for "${licence.organization}" is not valid; the file was changed or comes from somebody else`,
      {
        hint: 'Ask for a new license file. If it is from a reseller, name the file with their public key in licenceKeyFiles of the configuration of the provider.',
      },
    );
  }
  if (Date.parse(licence.issuedAt) > now + clockToleranceMs) {
    throw new FarkeepError('licence.invalid', `The license begins on ${licence.issuedAt.slice(0, 10)}`, {
      hint: 'Check the clock of this computer.',
    });
  }
  if (licence.expiresAt !== null && Date.parse(licence.expiresAt) < now) {
    throw new FarkeepError(
      'licence.expired',
      `The license for "${licence.organization}" expired on ${licence.expiresAt.slice(0, 10)}`,
    );
  }
  return licence;
}

const clockToleranceMs = 24 * 3_600_000;

/** For whoever issues licences. @returns the text of a licence file */
export function writeLicence(licence: Licence, privateKey: KeyObject): string {
  const checked = licenceSchema.parse(licence);
  return `${JSON.stringify({ licence: checked, signature: signJson('farkeep/1 licence', checked, privateKey) }, null, 2)}\n`;
}

/** Subject of generated certificates: the licensed organization, else this machine under the community licence. */
export function certificateSubject(licence: Licence | undefined, machineName: string): SubjectName {
  return licence === undefined
    ? { commonName: machineName, organizationalUnit: 'Farkeep Community' }
    : { commonName: licence.organization, organization: licence.organization };
}
