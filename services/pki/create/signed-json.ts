// Owns signing and verifying small JSON documents that are sent between machines or stored as files: one canonical text, one label per
// purpose.
import { constants, type KeyObject, sign, verify } from 'node:crypto';

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/**
 * The purpose of a signature. The label is part of the signed text, so an attacker cannot use one kind of document as another. Licenses
 * from before December 2026 have a label in British spelling.
 */
export type SignatureLabel = 'farkeep/1 license' | 'farkeep/1 licence' | 'farkeep/1 rollover';

/** JSON text with sorted names and without blanks: equal content gives equal text. Numbers must be safe integers. */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new TypeError('only whole numbers can be signed');
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${fields.map(([name, item]) => `${JSON.stringify(name)}:${canonicalJson(item)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** Ed25519, ECDSA (SHA-256) or RSA-PSS (SHA-256, salt of 32 bytes), depending on the key type. @returns base64 */
export function signJson(label: SignatureLabel, value: JsonValue, key: KeyObject): string {
  return sign(hashFor(key), signedText(label, value), signingOptions(key)).toString('base64');
}

/** Returns false for a bad signature of any kind; never throws for one. */
export function verifyJson(label: SignatureLabel, value: JsonValue, signature: string, key: KeyObject): boolean {
  try {
    return verify(hashFor(key), signedText(label, value), signingOptions(key), Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

function signedText(label: SignatureLabel, value: JsonValue): Buffer {
  return Buffer.from(`${label}\n${canonicalJson(value)}`, 'utf8');
}

function hashFor(key: KeyObject): string | null {
  return key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
}

function signingOptions(key: KeyObject): { key: KeyObject; padding?: number; saltLength?: number } {
  return key.asymmetricKeyType === 'rsa' ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : { key };
}
