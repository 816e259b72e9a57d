// Owns thumbprints: computing from DER, reading from pasted text, comparing in constant time. Their form is in contracts.
import { createHash, timingSafeEqual } from 'node:crypto';
import { readThumbprint, thumbprintDigits, formatThumbprint } from '../../contracts/models/thumbprint.ts';
import type { ThumbprintAlgorithm } from '../../contracts/models/thumbprint.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { evenWords, oddWords } from './thumbprint-words.ts';

export interface Thumbprint {
  readonly algorithm: ThumbprintAlgorithm;
  /** "AB:CD:..." */
  readonly text: string;
}

export function thumbprintOf(der: Uint8Array, algorithm: ThumbprintAlgorithm = 'SHA-256'): string {
  return formatThumbprint(
    createHash(algorithm === 'SHA-256' ? 'sha256' : 'sha1')
      .update(der)
      .digest('hex'),
  );
}

/**
 * Reads a thumbprint from pasted text in any form.
 * @throws FarkeepError 'trust.thumbprint-malformed' unless 40 (SHA-1) or 64 (SHA-256) hex digits are left
 */
export function cleanThumbprint(pasted: string): Thumbprint {
  const reading = readThumbprint(pasted);
  if (reading.kind === 'read') return { algorithm: reading.algorithm, text: reading.text };
  throw new FarkeepError(
    'trust.thumbprint-malformed',
    reading.kind === 'no-hex'
      ? 'The text contains characters that are not hex digits (0-9, A-F)'
      : `The text has ${reading.digitCount} hex digits; a SHA-256 thumbprint has 64, a SHA-1 thumbprint 40`,
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
  return [...Buffer.from(thumbprintDigits(thumbprint), 'hex')].map(
    (byte, index) => (index % 2 === 0 ? evenWords : oddWords)[byte] ?? '',
  );
}
