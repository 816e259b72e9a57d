// Owns how thumbprints and serial numbers are written for people, in the console and on the command line, and how pasted ones are read.
// Every place uses these functions, because people can compare two thumbprints only if both look the same. Pure.

export type ThumbprintAlgorithm = 'SHA-256' | 'SHA-1';

/** Hex digits in any form to "AB:CD:..." */
export function formatThumbprint(hex: string): string {
  return thumbprintBytes(hex).join(':');
}

/** "AB", "CD", ... */
export function thumbprintBytes(hex: string): readonly string[] {
  return thumbprintDigits(hex).match(/../g) ?? [];
}

/** "ABCD...": to compare with other digits. */
export function thumbprintDigits(thumbprint: string): string {
  return thumbprint.replaceAll(':', '').toUpperCase();
}

/** Start and end of a thumbprint, for a place where the whole thumbprint does not fit and is shown elsewhere. */
export function shortThumbprint(thumbprint: string): string {
  const bytes = thumbprintBytes(thumbprint);
  return bytes.length < 6 ? bytes.join(':') : `${bytes.slice(0, 3).join(':')}…${bytes.slice(-2).join(':')}`;
}

export type ThumbprintReading =
  | { readonly kind: 'read'; readonly algorithm: ThumbprintAlgorithm; readonly text: string }
  | { readonly kind: 'no-hex' }
  | { readonly kind: 'wrong-length'; readonly digitCount: number };

/**
 * Reads a thumbprint from pasted text. Ignores what mail, paper and the Windows certificate dialog add: spaces, colons, dashes, and
 * invisible format characters (the Windows dialog puts U+200E at the start).
 */
export function readThumbprint(pasted: string): ThumbprintReading {
  const digits = pasted
    .normalize('NFKC')
    .replace(/^[\s\p{Cf}]*sha-?(1|256)\s*(fingerprint|thumbprint)?\s*[:=]\s*/iu, '')
    .replaceAll(/[\s:.,;\p{Pd}\p{Cf}\p{Cc}]/gu, '')
    .toUpperCase();
  if (!/^[0-9A-F]*$/.test(digits)) return { kind: 'no-hex' };
  if (digits.length === 64) return { kind: 'read', algorithm: 'SHA-256', text: formatThumbprint(digits) };
  if (digits.length === 40) return { kind: 'read', algorithm: 'SHA-1', text: formatThumbprint(digits) };
  return { kind: 'wrong-length', digitCount: digits.length };
}
