// Owns the sentences for the reasons of a trust decision, for console and command line. "It" in a sentence is the presented certificate.
import type { TrustReason } from './trust.ts';

export const trustReasonTexts = {
  'chain.trusted': 'Its chain leads to a trusted authority.',
  'chain.untrusted-root': 'Its authority is not trusted on this computer.',
  'chain.incomplete': 'Its chain does not lead to an authority that is trusted on this computer.',
  'chain.self-signed': 'It is self-signed.',
  'chain.invalid': 'Its chain is not valid.',
  'chain.name-constraint': 'Its authority may not issue for this name.',
  'date.expired': 'It has expired.',
  'date.not-yet-valid': 'It is not valid yet.',
  'usage.no-server-auth': 'It is not made for servers.',
  'usage.authority': 'It is the certificate of an authority.',
  'name.covered': 'It covers the name of the gateway.',
  'name.not-covered': 'It does not cover the name of the gateway.',
  'name.common-name-only': 'It has its name only in the outdated common name field.',
  'strength.weak-key': 'A key in its chain is too weak.',
  'strength.weak-signature': 'A signature in its chain is too weak.',
  'pin.match': 'It equals the pinned certificate.',
  'pin.changed': 'It differs from the pinned certificate.',
  'pin.next': 'It was announced by the provider.',
  'pin.revoked': 'Its pin was revoked on this computer.',
  'pin.dates-ignored': 'It is pinned, so its dates do not matter.',
  'fingerprint.match': 'It matches the thumbprint that was given.',
  'fingerprint.match-sha1': 'It matches the SHA-1 thumbprint that was given; SHA-256 is stronger.',
  'fingerprint.mismatch': 'It does not match the thumbprint that was given.',
  'revocation.good': 'It has not been revoked.',
  'revocation.revoked': 'It was revoked by its authority.',
  'revocation.unknown': 'Its revocation status is unknown.',
  'revocation.list-unusable': 'A revocation list from the settings could not be used.',
} as const satisfies Record<TrustReason, string>;

const inFavor: readonly TrustReason[] = [
  'chain.trusted',
  'name.covered',
  'pin.match',
  'pin.next',
  'pin.dates-ignored',
  'fingerprint.match',
  'fingerprint.match-sha1',
  'revocation.good',
];

/** Returns only the reasons against a certificate. */
export function reasonsAgainst(reasons: readonly TrustReason[]): TrustReason[] {
  return reasons.filter((reason) => !inFavor.includes(reason));
}

/** Joins the sentences of the reasons against a certificate. */
export function describeReasonsAgainst(reasons: readonly TrustReason[]): string {
  return reasonsAgainst(reasons)
    .map((reason) => trustReasonTexts[reason])
    .join(' ');
}

/** Only a person can end a revocation, by a separate command. No connection dialog offers to end a revocation. */
export const revokedPinHint =
  'To trust it again, ask your provider for the thumbprint, then: farkeep trust reinstate NAME --fingerprint THUMBPRINT, or Options > Security > Pinned certificates in the console.';

/** Next steps for refusals that no thumbprint can override. The first matching row is shown. */
const advice: readonly (readonly [reason: TrustReason, text: string])[] = [
  ['pin.revoked', revokedPinHint],
  [
    'revocation.revoked',
    'Ask your provider to install another certificate. A revocation by the authority cannot be overridden, not even with a thumbprint.',
  ],
  [
    'strength.weak-key',
    'Ask your provider to install a certificate with a stronger key. A thumbprint cannot make up for a weak key.',
  ],
  [
    'name.not-covered',
    'Use a name that the certificate covers, or ask your provider to install one that covers this name.',
  ],
];

/** @param reasons the refusing reasons. @returns undefined when a person may accept the certificate after comparing its thumbprint */
export function adviceAgainst(reasons: readonly TrustReason[]): string | undefined {
  return advice.find(([reason]) => reasons.includes(reason))?.[1];
}

/**
 * Replaces reason codes in the detail of a step by sentences: "Trusted by pin: pin.match" becomes "Trusted by pin: It equals the pinned
 * certificate."
 */
export function withReasonTexts(detail: string): string {
  return detail
    .split(/(\s+|,\s*)/)
    .map((word) => (Object.hasOwn(trustReasonTexts, word) ? trustReasonTexts[word as TrustReason] : word))
    .join('')
    .replaceAll('.,', '.');
}
