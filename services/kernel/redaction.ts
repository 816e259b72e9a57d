// Owns removing secrets from logs: values by the name of their field, binary content, and key material inside text. This is the last
// protection; callers must not log secrets in the first place.

const secretName =
  /^(.*password.*|passphrase|pin|secret|token|ticket|tickets|keyA|keyB|privateKey|key|proof|verifier|saltedPassword|storedKey|serverKey)$/i;

/** Replaces every value whose field name may mean a secret, and replaces binary content by its length. */
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
const pemKeyEnd = /-----END [A-Z ]*PRIVATE KEY-----/;
/** "https://user:password@host", "https://token@host" */
const inAddress = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/)([^\s/?#"'<>:@]{0,256}:)?[^\s/?#"'<>]{1,2000}@/gi;
/** A password with a slash that was not escaped. Text that looks like a port is not the start of a password. */
const inAddressWithSlash =
  /(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#"'<>:@]{0,256}:)(?!\d{1,5}(?:[/?#\s"']|$))[^\s"'<>[\]]{1,2000}@/gi;

const secretWords =
  'pass(?:word|phrase|wd|code)|pwd|secret|token|ticket|credential|(?:private|api|access|encryption|signing|shared)[_-]?key';
/** Also matches in JSON inside a JSON text, where quotes have backslashes. */
const assignment = new RegExp(
  String.raw`((?:${secretWords})[\w-]{0,64})(\\*["']?\s*[:=]\s*)` +
    String.raw`(\\+"[^"]*"|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s;}"'[\]]+)`,
  'gi',
);
const afterFlag = new RegExp(
  String.raw`(--[\w-]{0,64}(?:${secretWords})[\w-]{0,64}["']?(?:\s+|\s*,\s*))(["']?)[^\s"',]+\2`,
  'gi',
);
const authorization = /(authorization\\*["']?\s*[:=]\s*\\*["']?)(?:[a-z]{3,20}\s+)?[^\s"'\\]+/gi;
const bearer = /\b(bearer\s+)[\w.~+/=-]{16,}/gi;
const cookie = /(\bcookie\\*["']?\s*[:=]\s*\\*["']?)[^\r\n"'\\]+/gi;

/** Includes the user name: refused logins are logged with it, and people type their password there by mistake. */
const secretPart = new RegExp(`${secretWords}|verifier|private.?key|authorization|cookie|user.?name`, 'i');
/** Names for which a number is a secret, such as a password of digits. Other numbers are lengths or counts. */
const secretNumber = /(?:password|passphrase|passwd|pwd|secret|token|pin)$/i;
const secretFlag = new RegExp(String.raw`^--?[\w-]*(?:${secretWords})[\w-]*$`, 'i');

/**
 * Redacts a document that leaves the machine, such as a configuration. Stricter than for a log: more field names count, and every text is
 * searched, also names and arguments.
 */
export function redactDocument(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.map((item, index) => {
      const before = items[index - 1];
      const isArgument = typeof before === 'string' && secretFlag.test(before) && typeof item === 'string';
      return isArgument ? '[secret]' : redactDocument(item);
    });
  }
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      redactText(name),
      isSecret(name, item) ? '[secret]' : redactDocument(item),
    ]),
  );
}

function isSecret(name: string, value: unknown): boolean {
  if (value === null || typeof value === 'boolean') return false;
  if (typeof value === 'number') return secretNumber.test(name);
  return secretName.test(name) || secretPart.test(name);
}

/** Redacts a log of many lines. JSON lines are parsed, so that a quote inside a text cannot hide the rest of a secret. */
export function redactLines(text: string): string {
  return withoutKeys(text)
    .split('\n')
    .map((line) => {
      if (!line.startsWith('{')) return redactText(line);
      try {
        return JSON.stringify(redactDocument(JSON.parse(line)));
      } catch {
        return redactText(line);
      }
    })
    .join('\n');
}

/** Redacts unstructured lines, such as the output of a crashed runtime. */
export function redactText(text: string): string {
  return withoutKeys(text)
    .replace(inAddress, '$1$2[secret]@')
    .replace(inAddressWithSlash, '$1[secret]@')
    .replace(authorization, '$1[secret]')
    .replace(bearer, '$1[secret]')
    .replace(cookie, '$1[secret]')
    .replace(afterFlag, '$1[secret]')
    .replace(assignment, '$1$2[secret]');
}

/** Also removes a key whose beginning was cut off from the log. */
function withoutKeys(text: string): string {
  let rest = text.replace(pemKey, '[private key]');
  for (;;) {
    const end = pemKeyEnd.exec(rest);
    if (end === null) return rest;
    let start = end.index;
    while (start > 0 && /[A-Za-z0-9+/=\s\\]/.test(rest.charAt(start - 1))) start -= 1;
    rest = `${rest.slice(0, start)}[private key]${rest.slice(end.index + end[0].length)}`;
  }
}
