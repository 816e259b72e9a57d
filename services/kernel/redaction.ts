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
const pemKeyEnd = /-----END [A-Z ]*PRIVATE KEY-----/;
/** "https://user:password@host", "https://token@host" */
const inAddress = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/)([^\s/?#"'<>:@]{0,256}:)?[^\s/?#"'<>]{1,2000}@/gi;
/** A password with a slash, as people write it; what looks like a port begins no password. */
const inAddressWithSlash =
  /(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#"'<>:@]{0,256}:)(?!\d{1,5}(?:[/?#\s"']|$))[^\s"'<>[\]]{1,2000}@/gi;

const secretWords =
  'pass(?:word|phrase|wd|code)|pwd|secret|token|ticket|credential|(?:private|api|access|encryption|signing|shared)[_-]?key';
/** Also in JSON that was put into a JSON text, whose quotes have backslashes. */
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

/** A user name as well: refused logins are logged with it, and people type their password there. */
const secretPart = new RegExp(`${secretWords}|verifier|private.?key|authorization|cookie|user.?name`, 'i');
/** Of a number, such as a password of digits; other numbers are how long or how many. */
const secretNumber = /(?:password|passphrase|passwd|pwd|secret|token|pin)$/i;
const secretFlag = new RegExp(String.raw`^--?[\w-]*(?:${secretWords})[\w-]*$`, 'i');

/**
 * For a document that leaves the machine, such as a configuration: stricter by name than a log, and every text in it is looked through,
 * names and arguments as well.
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

/** For a log of many lines: those that are JSON are read as such, so that no quote inside a text hides the rest of a secret. */
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

/** For lines that are not structured, such as what a runtime prints when it ends. */
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

/** Also a key whose beginning was cut off with the log before it. */
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
