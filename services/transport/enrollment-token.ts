// Owns the one-time token with which a gateway is enrolled (docs/protocol.md, section 1): the provider's address and certificate
// fingerprint, and a secret that proves the right to enroll. Must not be logged; the provider keeps only the hash of the secret.
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';

import { FarkeepError } from '../kernel/farkeep-error.ts';

const prefix = 'farkeep-gateway-1.';
const secretLengthBytes = 32;
const maxTokenLength = 4096;

const contentSchema = z.object({
  host: z.string().min(1).max(255),
  port: z.number().int().min(1).max(65535),
  /** SHA-256 of the DER of the provider's infrastructure certificate, lower-case hex. */
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  secret: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  /** Seconds since the epoch. The provider checks its own record; this field only avoids a useless attempt. */
  expires: z.number().int().min(0),
});

export interface EnrollmentToken {
  readonly host: string;
  readonly port: number;
  readonly fingerprint: string;
  readonly secret: string;
  readonly expiresAtMs: number;
}

/**
 * Makes a token: "farkeep-gateway-1." and the base64url of a JSON object with host, port, fingerprint, secret and expires.
 * @param fingerprint SHA-256 of the infrastructure certificate; hex, colons allowed
 * @returns the token for the gateway's admin, and the hash to store: the provider does not need the secret any more
 */
export function createEnrollmentToken({
  host,
  port,
  fingerprint,
  expiresAtMs,
}: {
  host: string;
  port: number;
  fingerprint: string;
  expiresAtMs: number;
}): { token: string; secretHash: string } {
  const secret = randomBytes(secretLengthBytes).toString('base64url');
  const content = contentSchema.parse({
    host,
    port,
    fingerprint: fingerprint.replaceAll(':', '').toLowerCase(),
    secret,
    expires: Math.floor(expiresAtMs / 1000),
  });
  return {
    token: prefix + Buffer.from(JSON.stringify(content)).toString('base64url'),
    secretHash: hashEnrollmentSecret(secret),
  };
}

/** SHA-256, hex. A secret of 256 random bits needs no slow hash. A lookup by hash gives an attacker no information through its timing. */
export function hashEnrollmentSecret(secret: string): string {
  return createHash('sha256').update('farkeep/1 enrollment').update(secret).digest('hex');
}

/** @throws FarkeepError `gateway.token-invalid`; the message never repeats the token */
export function parseEnrollmentToken(text: string): EnrollmentToken {
  // Text from mails and chats can contain line breaks and spaces.
  const token = text.replaceAll(/\s+/g, '');
  if (!token.startsWith(prefix) || token.length > maxTokenLength) {
    throw new FarkeepError('gateway.token-invalid', `An enrollment token begins with "${prefix}"`);
  }
  let raw: unknown;
  try {
    raw = JSON.parse(Buffer.from(token.slice(prefix.length), 'base64url').toString());
  } catch {
    throw new FarkeepError('gateway.token-invalid', 'The enrollment token is incomplete or damaged');
  }
  const content = contentSchema.safeParse(raw);
  if (!content.success)
    throw new FarkeepError('gateway.token-invalid', 'The enrollment token is incomplete or damaged');
  const { expires, ...rest } = content.data;
  return { ...rest, expiresAtMs: expires * 1000 };
}
