// Owns signing and verifying small JSON documents that travel between machines or as files: one canonical text, one label per purpose.
import { constants, type KeyObject, sign, verify } from 'node:crypto';

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/**
 * What a signature is for. Part of the signed text, so that one document can never pass for another kind.
 * Licenses that were issued before December 2026 have the British label.
 */
export type SignatureLabel = 'farkeep/1 license' | 'farkeep/1 licence' | 'farkeep/1 rollover';

/** Text with sorted names and without blanks: the same for everybody who has the same content. Numbers must be whole and safe. */
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

/** Ed25519, ECDSA (SHA-256) or RSA-PSS (SHA-256, salt of 32 bytes), by the kind of the key. @returns base64 */
export function signJson(label: SignatureLabel, value: JsonValue, key: KeyObject): string {
  return sign(hashFor(key), signedText(label, value), signingOptions(key)).toString('base64');
}

/** Never throws for a bad signature, whatever it consists of. */
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
