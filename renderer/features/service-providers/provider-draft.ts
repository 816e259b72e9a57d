// Owns the input of the Service Provider wizard, typed or from an invitation. Pure.
import { invitationSchema } from '../../../services/contracts/models/provider.ts';
import type { Invitation } from '../../../services/contracts/models/provider.ts';
import { readThumbprint, thumbprintDigits } from '../../../services/contracts/models/thumbprint.ts';

export type InvitationReading =
  | { readonly kind: 'read'; readonly invitation: Invitation }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'expired' };

/** The text of a file that the user chose. It can contain anything. */
export function readInvitation(text: string, now: number): InvitationReading {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return { kind: 'invalid' };
  }
  const parsed = invitationSchema.safeParse(content);
  if (!parsed.success) return { kind: 'invalid' };
  return Date.parse(parsed.data.expiresAt) <= now ? { kind: 'expired' } : { kind: 'read', invitation: parsed.data };
}

/**
 * Compares pasted text with a thumbprint, in any form that the tenant service accepts. Null if the text is no thumbprint. Used only after
 * the trust decision; before it the tenant service compares.
 */
export function matchesThumbprint(
  pasted: string,
  certificate: { readonly sha256: string; readonly sha1: string },
): boolean | null {
  const reading = readThumbprint(pasted);
  if (reading.kind !== 'read') return null;
  const expected = reading.algorithm === 'SHA-256' ? certificate.sha256 : certificate.sha1;
  return thumbprintDigits(expected) === thumbprintDigits(reading.text);
}
