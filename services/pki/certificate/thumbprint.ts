// Owns thumbprints: computing from DER, formatting, reading from pasted text, comparing in constant time.
import { createHash, timingSafeEqual } from 'node:crypto';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { evenWords, oddWords } from './thumbprint-words.ts';

export type ThumbprintAlgorithm = 'SHA-256' | 'SHA-1';

export interface Thumbprint {
  readonly algorithm: ThumbprintAlgorithm;
  /** "AB:CD:..." */
  readonly text: string;
}

/** Hex digits in any form to "AB:CD:..." */
export function formatThumbprint(hex: string): string {
  return (hex.replaceAll(':', '').toUpperCase().match(/../g) ?? []).join(':');
}

export function thumbprintOf(der: Uint8Array, algorithm: ThumbprintAlgorithm = 'SHA-256'): string {
  return formatThumbprint(
    createHash(algorithm === 'SHA-256' ? 'sha256' : 'sha1')
      .update(der)
      .digest('hex'),
  );
}

/**
 * Reads a thumbprint from pasted text. Ignores what mail, paper and the Windows certificate dialog add: spaces, colons, dashes, and
 * invisible format characters (the Windows dialog puts U+200E at the start).
 * @throws FarkeepError 'trust.thumbprint-malformed' unless 40 (SHA-1) or 64 (SHA-256) hex digits are left
 */
export function cleanThumbprint(pasted: string): Thumbprint {
  const digits = pasted
    .normalize('NFKC')
    .replace(/^\s*sha-?(1|256)\s*(fingerprint|thumbprint)?\s*[:=]\s*/i, '')
    .replace(/[\s:.,;\p{Pd}\p{Cf}\p{Cc}]/gu, '')
    .toUpperCase();
  if (!/^[0-9A-F]*$/.test(digits)) {
    throw new FarkeepError(
      'trust.thumbprint-malformed',
      'The text holds characters that are not hex digits (0-9, A-F)',
    );
  }
  if (digits.length === 64) return { algorithm: 'SHA-256', text: formatThumbprint(digits) };
  if (digits.length === 40) return { algorithm: 'SHA-1', text: formatThumbprint(digits) };
  throw new FarkeepError(
    'trust.thumbprint-malformed',
    `The text has ${digits.length} hex digits; a SHA-256 thumbprint has 64, a SHA-1 thumbprint 40`,
  );
}

/** Whether `thumbprint` belongs to this certificate. Constant time in the content. */
export function matchesThumbprint(der: Uint8Array, thumbprint: Thumbprint): boolean {
  const own = Buffer.from(thumbprintOf(der, thumbprint.algorithm));
  const given = Buffer.from(thumbprint.text);
  return own.length === given.length && timingSafeEqual(own, given);
}

/**
 * The words of a thumbprint, one per byte, from two lists in turn. A person who listens notices a missing or swapped word, because the
 * number of syllables is wrong.
 */
export function thumbprintWords(thumbprint: string): string[] {
  return [...Buffer.from(thumbprint.replaceAll(':', ''), 'hex')].map(
    (byte, index) => (index % 2 === 0 ? evenWords : oddWords)[byte] ?? '',
  );
}
