// Owns what never reaches a log: values by the name of their field, binary content, and key material inside text. The last net, not the first.

const secretName =
  /^(.*password.*|passphrase|pin|secret|token|ticket|tickets|keyA|keyB|privateKey|key|proof|verifier|saltedPassword|storedKey|serverKey)$/i;

/** Replaces everything that could be a secret by its name, and all binary content by its length. */
export function redact(value: unknown, depth = 0): unknown {
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (value instanceof Error) return { name: value.name, message: value.message, stack: value.stack };
  if (Array.isArray(value)) return depth > 6 ? '[deep]' : value.map((item) => redact(item, depth + 1));
  if (typeof value === 'object' && value !== null) {
    if (depth > 6) return '[deep]';
    if (hasOwnJson(value)) return value.toJSON();
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, secretName.test(name) ? '[secret]' : redact(item, depth + 1)]),
    );
  }
  return value;
}

function hasOwnJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

const pemKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g;
/** "https://user:password@host" */
const inAddress = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s/@]+@/gi;
const assignment =
  /\b([\w-]*(?:password|passphrase|secret|token|ticket|private[_-]?key)[\w-]*)(["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;}]+)/gi;

const secretPart = /password|passphrase|secret|token|ticket|verifier|private.?key/i;

/**
 * For a document that leaves the machine, such as a configuration: stricter by name than a log, and every text in it is looked through.
 * Numbers and truth values stay: none of them is a secret.
 */
export function redactDocument(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(redactDocument);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const isSecret = (secretName.test(name) || secretPart.test(name)) && !isPlain(item);
      return [name, isSecret ? '[secret]' : redactDocument(item)];
    }),
  );
}

function isPlain(value: unknown): boolean {
  return value === null || typeof value === 'number' || typeof value === 'boolean';
}

/** For lines that are not structured, such as what a runtime prints when it ends. */
export function redactText(text: string): string {
  return text.replace(pemKey, '[private key]').replace(inAddress, '$1[secret]@').replace(assignment, '$1$2[secret]');
}
