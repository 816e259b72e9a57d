// Owns the announcement of the next certificate (docs/certificates.md, section 8): signed with the current key, checked against the pin.
// Must not store anything and must not decide when to ask a person; the tenant does.
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { readCertificate } from '../certificate/certificate-summary.ts';
import { signJson, verifyJson } from './signed-json.ts';
import { isStrongKey } from '../certificate/strength.ts';
import { thumbprintOf } from '../certificate/thumbprint.ts';

export const rolloverAnnouncementSchema = z.strictObject({
  formatVersion: z.literal(1),
  /** Thumbprint of the certificate whose key signs this announcement. */
  currentSha256: z.string().max(95),
  nextSha256: z.string().max(95),
  nextCertificatePem: z.string().max(32_000),
  announcedAt: z.iso.datetime(),
  /** Date from which the next certificate is accepted. */
  switchAt: z.iso.datetime(),
  signature: z.string().max(2000),
});
export type RolloverAnnouncement = z.infer<typeof rolloverAnnouncementSchema>;

const maxAheadMs = 400 * 86_400_000;
const clockToleranceMs = 24 * 3_600_000;

/** @param currentKey private key of the certificate in service; @param switchAt, @param now milliseconds since the epoch */
export function announceRollover({
  currentCertificatePem,
  currentKey,
  nextCertificatePem,
  switchAt,
  now,
}: {
  currentCertificatePem: string;
  currentKey: KeyObject;
  nextCertificatePem: string;
  switchAt: number;
  now: number;
}): RolloverAnnouncement {
  const current = readCertificate(currentCertificatePem);
  if (!current.x509.checkPrivateKey(currentKey)) throw new FarkeepError('certificate.key-mismatch');
  const content = {
    formatVersion: 1 as const,
    currentSha256: thumbprintOf(current.der),
    nextSha256: thumbprintOf(readCertificate(nextCertificatePem).der),
    nextCertificatePem,
    announcedAt: new Date(now).toISOString(),
    switchAt: new Date(switchAt).toISOString(),
  };
  return { ...content, signature: signJson('farkeep/1 rollover', content, currentKey) };
}

export interface VerifiedRollover {
  readonly nextCertificateDer: Buffer;
  /** Milliseconds since the epoch. */
  readonly switchAt: number;
  readonly announcedAt: number;
}

/**
 * Checks an announcement against the certificate that is pinned now.
 * @throws FarkeepError 'trust.announcement-invalid' with the reason; that is a security warning
 */
export function verifyRollover(
  announcement: unknown,
  pinnedCertificate: Uint8Array | string,
  now: number,
): VerifiedRollover {
  const parsed = rolloverAnnouncementSchema.safeParse(announcement);
  if (!parsed.success) throw invalid('it does not have the expected form');
  const { signature, ...content } = parsed.data;
  const pinned = readCertificate(pinnedCertificate);
  if (content.currentSha256 !== thumbprintOf(pinned.der))
    throw invalid('it is about another certificate than the pinned one');
  if (!verifyJson('farkeep/1 rollover', content, signature, pinned.x509.publicKey))
    throw invalid('it is not signed by the key of the pinned certificate');
  const next = readNext(content.nextCertificatePem);
  if (thumbprintOf(next.der) !== content.nextSha256) throw invalid('its certificate and its thumbprint do not match');
  if (!isStrongKey(next.x509.publicKey)) throw invalid('the announced certificate has a weak key');
  if (next.der.equals(pinned.der)) throw invalid('it announces the pinned certificate itself');
  const announcedAt = Date.parse(content.announcedAt);
  const switchAt = Date.parse(content.switchAt);
  if (announcedAt > now + clockToleranceMs) throw invalid('its date of issue is in the future');
  if (switchAt > now + maxAheadMs) throw invalid('its switch date is more than 400 days ahead');
  return { nextCertificateDer: next.der, switchAt, announcedAt };
}

function readNext(pem: string): ReturnType<typeof readCertificate> {
  try {
    return readCertificate(pem);
  } catch (error) {
    throw invalid('it contains no valid certificate', error);
  }
}

function invalid(reason: string, cause?: unknown): FarkeepError {
  return new FarkeepError(
    'trust.announcement-invalid',
    `The announcement of the next certificate was refused: ${reason}`,
    { cause },
  );
}
